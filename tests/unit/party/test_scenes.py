"""What the pages show and what a press does in each state of an evening, and the nights of a fake one."""

import itertools
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import pytest
from patience import wait_until

from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.target import elsewhere
from lottery_party import scenes
from lottery_party.evening import EveningState, Given, Person, PrizeState
from lottery_party.night import Night
from lottery_party.scenes import Action, Moment

ANN, BOB, CHEN = Person("1", "Ann", "Sales"), Person("2", "Bob"), Person("3", "陈静", "工程部")
TOLD = {
    "draw": "night",
    "size": 3,
    "pool": "ab",
    "commitment": "cd",
    "prizes": [{"prize": "Mug", "count": 2}, {"prize": "Car", "count": 1}],
    "absent": "out",
    "question": "Call five numbers",
}


def mug(*winners, absent=(), done=False):
    return PrizeState(1, "Mug", 2, winners, absent, done, False)


def car(*winners, done=False):
    return PrizeState(2, "Car", 1, winners, (), done, False)


def state(step, scene="", number=0, prizes=None, at=0, **stage):
    """A state; `at` is the number that all pages have agreed on."""
    shown = {"scene": scene, "number": at or number, **stage}
    return EveningState(step, number, prizes or [mug(), car()], TOLD, stage=shown)


DRAWN, DONE = [mug(ANN, BOB), car()], [mug(ANN, BOB, done=True), car()]
HALF, CALLED = [mug(ANN), car()], [mug(ANN, absent=[BOB]), car()]
AGAIN = [mug(ANN, CHEN, absent=[BOB]), car()]
ALL = [mug(ANN, BOB, done=True), car(CHEN, done=True)]
SURPRISE = json.dumps({"name": "Trip", "count": 1})
SHOW = {
    "new": (state("new"), "", None),
    "announced": (state("public value"), "opening", ("show", Moment("public"))),
    "asked": (state("public value", "public"), "public", None),
    "answered": (state("ready", "public"), "public", ("show", Moment("ready", 1))),
    "next": (state("ready", "ready", 1), "ready", ("draw", Moment("rolling", 1))),
    "just started": (state("drawing", "rolling", 1), "rolling", ("show", Moment("winners", 1))),
    "started, not shown": (state("drawing", "ready", 1), "rolling", ("show", Moment("winners", 1))),
    "half drawn": (state("drawing", "rolling", 1, HALF), "rolling", ("show", Moment("winners", 1))),
    "stopped too early": (state("drawing", "winners", 1, HALF), "rolling", ("show", Moment("winners", 1))),
    "drawn": (state("roll call", "rolling", 1, DRAWN), "rolling", ("show", Moment("winners", 1))),
    "winners": (state("roll call", "winners", 1, DRAWN), "winners", None),
    "restored, the room has seen them": (state("drawing", "winners", 1, DRAWN), "winners", None),
    "roll call answered": (state("drawing", "called", 1, DRAWN), "winners", None),
    "drawn again": (state("drawing", "again", 1, CALLED), "rolling", ("show", Moment("new", 1))),
    "drawn again, not complete": (state("drawing", "new", 1, CALLED), "rolling", ("show", Moment("new", 1))),
    "drawn again, complete": (state("roll call", "again", 1, AGAIN), "rolling", ("show", Moment("new", 1))),
    "new winners": (state("roll call", "new", 1, AGAIN), "winners", None),
    "everybody is here": (state("drawing", "called", 1, AGAIN), "winners", None),
    "failed in the second round": (
        state("ready", "again", 1, CALLED),
        "rolling",
        ("draw", Moment("again", 1)),
    ),
    "complete": (state("ready", "winners", 1, DONE), "winners", ("show", Moment("ready", 2))),
    "complete, not seen": (state("ready", "rolling", 1, DONE), "rolling", ("show", Moment("winners", 1))),
    "failed at once": (state("ready", "rolling", 1), "ready", ("draw", Moment("rolling", 1))),
    "failed half way": (state("ready", "rolling", 1, HALF), "rolling", ("draw", Moment("rolling", 1))),
    "second": (state("ready", "ready", 1, DONE, at=2), "ready", ("draw", Moment("rolling", 2))),
    "surprise": (
        state("ready", "surprise", 0, DONE, surprise=SURPRISE),
        "ready",
        ("add", Moment("rolling", 3)),
    ),
    "surprise drawn": (
        state("drawing", "rolling", 3, DONE, surprise=SURPRISE),
        "rolling",
        ("show", Moment("winners", 3)),
    ),
    "nothing left": (state("ready", "ready", 0, ALL), "", None),
    "closed": (state("closed", "winners", 2, ALL), "closed", None),
}


@pytest.mark.parametrize(("seen", "kind", "action"), SHOW.values(), ids=SHOW)
def test_press(seen, kind, action):
    """In each state the room sees one scene, a press has one meaning, and the operator has a heading."""
    assert scenes.scene(seen)["kind"] == kind
    assert scenes.press(seen, "advance") == (Action(*action) if action else None)
    assert scenes.offer(seen).heading


@pytest.mark.parametrize(
    ("seen", "moment"),
    [
        (state("public value", "public"), Moment("opening")),
        (state("ready", "ready", 1), Moment("public")),
        (state("ready", "ready", 1, DONE, at=2), Moment("winners", 1)),
        (state("drawing", "rolling", 1), None),
        (state("roll call", "winners", 1, DRAWN), None),
    ],
)
def test_back(seen, moment):
    """One can go back to what the room has seen, but not while a prize is drawn."""
    assert scenes.press(seen, "back") == (Action("show", moment) if moment else None)


def test_winners_of_a_second_round():
    """Until the roll call is over, who is absent is struck out, and who is there instead is marked."""
    rolling = scenes.scene(state("roll call", "again", 1, AGAIN, kept=1))["winners"]
    assert [(each["name"], each["status"]) for each in rolling] == [("Ann", ""), ("Bob", "absent")]
    shown = scenes.scene(state("roll call", "new", 1, AGAIN, kept=1))["winners"]
    assert [(each["name"], each["status"]) for each in shown] == [
        ("Ann", ""),
        ("陈静", "new"),
        ("Bob", "absent"),
    ]
    over = scenes.scene(state("ready", "winners", 1, [mug(ANN, CHEN, absent=[BOB], done=True), car()]))
    assert [each["status"] for each in over["winners"]] == ["", ""]


def test_how_great_a_prize_is():
    """A prize with fewer winners is greater; of two such, the one that is drawn later; a surprise, too."""
    ranks = [scenes.scene(state("ready", "ready", each.number, at=each.number)) for each in (mug(), car())]
    assert ranks[0]["rank"] == 0
    three = [mug(done=True), car(done=True), PrizeState(3, "Trip", 1, (), (), False, True)]
    assert scenes.scene(state("ready", "ready", 3, three))["rank"] == 1
    assert scenes.scene(state("ready", "winners", 2, three))["rank"] == 0.5
    shown = scenes.scene(state("ready", "surprise", 0, DONE, surprise=SURPRISE))
    assert (shown["rank"], shown["place"]) == (1, "Surprise")


def test_a_redraw():
    """The stage knows whether only the free places are drawn."""
    for scene, number, prizes, again in (
        ("rolling", 1, DRAWN, False),
        ("winners", 1, DRAWN, False),
        ("again", 1, CALLED, True),
        ("new", 1, AGAIN, True),
        ("called", 1, AGAIN, False),
        ("winners", 1, [mug(ANN, CHEN, absent=[BOB], done=True), car()], False),
    ):
        step = "ready" if prizes[0].done else "roll call"
        assert scenes.scene(state(step, scene, number, prizes))["redraw"] is again


def test_the_public_value_is_public():
    """The stage shows it with its time, the seconds since the question, and a code to photograph."""
    given = Given("3 14 15", "2026-11-29T20:15:03.120+00:00", 42, "ab" * 32)
    shown = scenes.scene(replace(state("ready", "public"), given=given))
    assert (shown["value"], shown["words"]) == ("3 14 15", ["Photograph this code, too."])
    assert re.fullmatch(r"Given at .*:15:03 UTC, 42 seconds after the question.", shown["told"])
    assert shown["code"].startswith("data:image/svg+xml")
    old = scenes.scene(replace(state("ready", "public"), given=Given("3 14 15")))
    assert (old["value"], old["told"], "code" in old) == ("3 14 15", "", False)
    assert scenes.scene(state("public value", "public")) == {
        "kind": "public",
        "question": "Call five numbers",
        "value": "",
    }


def test_nothing_is_told_before_the_stage_shows_it():
    """While names roll, nobody has won for the operator's page, and there is no roll call."""
    rolling = state("roll call", "rolling", 1, DRAWN)
    assert scenes.seen(rolling).prizes[0] == mug()
    assert scenes.roll(rolling) is None
    guests = {one.id: one for one in (ANN, BOB, CHEN)}
    assert len(scenes.remaining(scenes.seen(rolling), guests)) == 3
    shown = state("roll call", "winners", 1, DRAWN)
    assert scenes.seen(shown) == shown
    assert len(scenes.remaining(scenes.seen(shown), guests)) == 1
    stopped = state("ready", "rolling", 1, HALF)
    assert scenes.seen(stopped).prizes[0] == mug()
    again = scenes.rolling_still(state("roll call", "new", 1, AGAIN, kept=1))
    assert scenes.seen(again).prizes[0] == mug(ANN, absent=[BOB])
    assert scenes.seen(scenes.rolling_still(shown)).prizes[0] == mug()


def test_who_is_meant():
    """Somebody is found by a part of name, id or department, however typed; who has this very name first."""
    people = [Person("17", "Ann Lee"), Person("2", "ann", "Sales"), Person("3", "陈静", "Ａnnex")]
    assert [one.id for one in scenes.matching(people, "Ａnn ")] == ["2", "17", "3"]
    assert [one.id for one in scenes.matching(people, "陈 静")] == ["3"]
    assert [one.id for one in scenes.matching(people, "１７")] == ["17"]
    assert scenes.matching(people, " ") == []
    assert [scenes.is_called(people[0], text) for text in ("17", "ann lee", "Ann")] == [True, True, False]
    assert [scenes.called(one) for one in people[:2]] == ["Ann Lee (17)", "ann (2, Sales)"]


def test_who_is_new_in_a_roll_call():
    """After a redraw, the roll call knows who was drawn in place of somebody absent."""
    assert scenes.roll(state("roll call", "new", 1, AGAIN, kept=1)).new == ["3"]
    assert scenes.roll(state("roll call", "winners", 1, DRAWN)).new == []


def test_marks_of_a_roll_call():
    """Who is marked as absent is kept for this roll call alone, and a mark can be taken away."""
    roll = scenes.roll(state("roll call", "winners", 1, DRAWN))
    both = roll.noted({"1": True, "2": True})
    assert scenes.roll(state("roll call", "winners", 1, DRAWN, **both)).absent == ["1", "2"]
    one = both | roll.noted({"1": False})
    assert scenes.roll(state("roll call", "winners", 1, DRAWN, **one)).absent == ["2"]
    again = [mug(ANN, BOB, absent=[CHEN]), car()]
    assert scenes.roll(state("roll call", "new", 1, again, **both)).absent == []
    assert scenes.roll(state("drawing", "new", 1, again, **both)) is None


def test_who_can_still_win():
    """Earlier winners do not roll by, and by the rule the absent neither; winners of this prize do."""
    assert scenes.out(state("roll call", "winners", 1, DRAWN)) == set()
    over = state("ready", "ready", 2, [mug(ANN, CHEN, absent=[BOB], done=True), car()])
    assert scenes.out(over) == {"1", "2", "3"}
    later = replace(over, announcement={**TOLD, "absent": "may win later"})
    assert scenes.out(later) == {"1", "3"}


def test_no_question():
    """Without a public value, the room sees the announcement first, and then the first prize."""
    announced = replace(state("ready"), announcement={**TOLD, "question": ""})
    assert scenes.scene(announced)["kind"] == "opening"
    assert scenes.press(announced, "advance") == Action("show", Moment("ready", 1))


def test_nobody_is_left():
    """A prize that nobody can win says so, and the evening goes on."""
    nobody = state("ready", "winners", 1, [mug(done=True), car()])
    assert scenes.scene(nobody)["winners"][0]["name"] == "Nobody else can win"
    assert scenes.press(nobody, "advance") == Action("show", Moment("ready", 2))


class Fake:
    """An evening whose machine draws until it is told to stop, and that starts one draw at a time.

    A draw starts when so many computers as it has have asked for it.
    """

    name, target, file = "night", elsewhere("123456789012", "us-east-1", Names()), None

    def __init__(self, pages=1):
        self.stage, self.started, self.lock = {"scene": "ready", "number": 1}, [], threading.Lock()
        self.pages, self.presses = pages, []

    def refresh(self):
        return state("drawing" if self.started else "ready", **self.stage)

    def show(self, scene="", number=0, **more):
        self.stage |= ({"scene": scene, "number": number} if scene else {}) | more

    def guests(self):
        return {"1": ANN}

    def draw(self, number):
        self.presses.append(number)
        with self.lock:
            if self.started:
                raise LotteryError("evening night", "is drawing already", "Wait until it has ended")
            wait_until(lambda: len(self.presses) == self.pages)
            self.started.append(number)


def opened(evening, tell=lambda news: None):
    """An evening's night after its first look. The machine, and what else is in the tables, is not shown."""
    night = Night(evening, tell, itertools.count(step=100).__next__)
    night._machine = SimpleNamespace(look=lambda *_: {}, not_mailed="")
    night._show_rest = lambda: None
    night.turn()
    assert night.shown["problem"] == ""
    return night


def press(night):
    night.heard({"do": "press", "way": "advance", "seen": night.shown["moment"]})


def test_two_presses_at_once():
    """Two computers on which somebody presses at the same time start one draw, and show that it is drawn."""
    evening = Fake(pages=2)
    nights = [opened(evening), opened(evening)]
    for night in nights:
        press(night)
    with ThreadPoolExecutor() as threads:
        list(threads.map(Night.turn, nights))
    assert [night.shown["scene"]["kind"] for night in nights] == ["rolling"] * 2
    assert evening.started == [1]


def test_the_room_is_asked_once():
    """When the stage goes from the announcement to the question, a receipt says so first."""
    evening = Fake()
    evening.stage, evening.asked = {"scene": "opening"}, []
    evening.refresh = lambda: state("public value", **evening.stage)
    evening.ask = lambda: evening.asked.append(evening.stage["scene"])
    night = opened(evening)
    press(night)
    press(night)
    night.turn()
    night.turn()
    assert night.shown["scene"]["kind"] == "public"
    press(night)
    night.turn()
    assert evening.asked == ["opening"]


def test_a_rehearsal_is_marked():
    """Every scene of a rehearsal says that it is one."""
    evening = Fake()
    evening.target = elsewhere("123456789012", "us-east-1", Names("party-rehearsal"))
    assert opened(evening).shown["scene"]["mark"] == "Rehearsal"
    assert "mark" not in opened(Fake()).shown["scene"]


def test_names_that_two_guests_have():
    """The stage tells two people of one name apart by their ids."""
    evening = Fake()
    evening.guests = lambda: {"1": ANN, "8": Person("8", "ann")}
    evening.refresh = lambda: state("roll call", "winners", 1, DRAWN)
    assert [one["name"] for one in opened(evening).shown["scene"]["winners"]] == ["Ann (1)", "Bob"]


def test_a_press_that_is_too_late():
    """A press on a page that shows an older scene is not taken: it was not meant for the newer one."""
    evening = Fake()
    night = opened(evening)
    press(night)
    evening.stage |= {"scene": "rolling"}
    evening.started.append(1)
    night.turn()
    assert evening.stage["scene"] == "rolling"


def test_an_older_look_does_not_turn_back():
    """If one window turns a page of winners while the tables are read, it stays turned, and is written."""
    evening = Fake()
    night, other = opened(evening), opened(evening)
    refresh, waiting = evening.refresh, [40]

    def turned_meanwhile():
        older = refresh()
        if waiting:
            night.heard({"do": "turned", "first": waiting.pop()})
        return older

    evening.refresh = turned_meanwhile
    night.turn()
    assert (night.shown["first"], evening.stage.get("first", 0)) == (40, 0)
    night.turn()
    other.turn()
    assert other.shown["first"] == 40
    press(other)
    other.turn()
    night.turn()
    assert [each.shown["first"] for each in (night, other)] == [0, 0]
    assert evening.started == [1]


def test_a_note_during_a_write():
    """What is noted while an older note is written is written, too."""
    evening = Fake()
    night, show, later = opened(evening), evening.show, ["Gala"]

    def noted_meanwhile(**notes):
        show(**notes)
        if later:
            night.heard({"do": "title", "text": later.pop()})

    evening.show = noted_meanwhile
    night.heard({"do": "title", "text": "Ball"})
    night.turn()
    night.turn()
    assert (night.shown["title"], evening.stage["title"]) == ("Gala", "Gala")


def test_a_note_during_a_look():
    """What is noted while a look is shown does not make the button wait: it shows the same moment."""
    night = opened(Fake())
    night._machine.look = lambda *_: night.heard({"do": "title", "text": "Gala"}) or {}
    night.turn()
    assert (night.state.stage["title"], night.shown["step"]["waits"]) == ("Gala", False)


def test_a_look_that_fails():
    """While the tables cannot be read, the pages keep their scene and say why; then they look again."""
    evening = Fake()
    night = opened(evening)
    refresh, evening.refresh = evening.refresh, lambda: 1 / 0
    night.turn()
    assert (night.shown["scene"]["kind"], night.shown["problem"]) == ("ready", "division by zero")
    evening.refresh = refresh
    evening.show("rolling", 1)
    evening.started.append(1)
    night.turn()
    assert (night.shown["scene"]["kind"], night.shown["problem"]) == ("rolling", "")


def test_somebody_who_presses_too_fast():
    """What comes while four wishes wait is left out: the machine works off what was pressed, and no more."""
    night, done = opened(Fake()), []
    for number in range(6):
        night.wish(lambda number=number: done.append(number))
    for _ in range(6):
        night.turn()
    assert done == [0, 1, 2, 3]


def test_the_thread():
    """It looks by itself, does what is wished, and ends after that."""
    night, done = opened(Fake()), []
    night.begin()
    night.wish(lambda: done.append(True))
    wait_until(lambda: done)
    night.end()
    night.wish(lambda: done.append(False))
    assert done == [True]


def test_a_press_that_nobody_knows():
    """A way that the pages do not have does nothing."""
    seen = state("ready", "ready", 1)
    assert scenes.press(seen, "advance") is not None
    assert scenes.press(seen, "sideways") is None


def test_the_last_screen_names_the_absent():
    """Who was called absent without being there on the stage finds their name on the photograph."""
    prizes = [mug(ANN, CHEN, absent=[BOB], done=True), car()]
    assert scenes.scene(state("closed", prizes=prizes))["words"][-1] == "Called absent: Bob"
    assert not any("absent" in each for each in scenes.scene(state("closed", prizes=ALL))["words"])


@pytest.mark.parametrize(
    ("spoken", "text"),
    [
        ("en", "A year\n2026-11-26\n\nCar: 陈静\nMug: Ann, Bob (2)\n"),
        ("zh", "A year\n2026-11-27\n\nCar：陈静\nMug：Ann、Bob（2）\n"),
    ],
)
def test_winners_as_a_text_for_a_chat(catalogue, monkeypatch, spoken, text):
    """The title, the reader's day, and each prize that somebody has; ids stand beside equal names."""
    monkeypatch.setenv("LOTTERY_LANG", spoken)
    monkeypatch.setenv("TZ", "Etc/UTC")
    catalogue({})
    prizes = [*ALL, PrizeState(3, "Trip", 1, (), (ANN,), done=True, added=True)]
    ended = replace(state("closed", prizes=prizes), announcement={**TOLD, "at": "2026-11-26T20:00:00Z"})
    assert scenes.winners_text("A year", ended, frozenset({"bob"})) == text
