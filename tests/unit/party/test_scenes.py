"""What the pages show and what a press does in each state of an evening, and two pages of a fake evening."""

import json
import threading
import time
from dataclasses import replace

import pytest

from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.target import elsewhere
from lottery_party import scenes
from lottery_party.draw_night import Page
from lottery_party.evening import EveningState, Person, PrizeState
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
    return EveningState(step, number, prizes or [mug(), car()], TOLD, None, shown)


DRAWN, DONE = [mug(ANN, BOB), car()], [mug(ANN, BOB, done=True), car()]
HALF, CALLED = [mug(ANN), car()], [mug(ANN, absent=[BOB]), car()]
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
    "roll call answered": (state("drawing", "called", 1, DRAWN), "winners", None),
    "drawn again": (state("drawing", "called", 1, CALLED), "winners", None),
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
    called = [mug(ANN, CHEN, absent=[BOB]), car()]
    shown = scenes.scene(state("roll call", "called", 1, called, kept=1))["winners"]
    assert [(each["name"], each["status"]) for each in shown] == [
        ("Ann", ""),
        ("陈静", "new"),
        ("Bob", "absent"),
    ]
    over = scenes.scene(state("ready", "winners", 1, [mug(ANN, CHEN, absent=[BOB], done=True), car()]))
    assert [each["status"] for each in over["winners"]] == ["", ""]


def test_marks_of_a_roll_call():
    """Who is marked as absent is kept for this roll call alone, and a mark can be taken away."""
    roll = scenes.roll(state("roll call", "winners", 1, DRAWN))
    both = roll.noted({"1": True, "2": True})
    assert scenes.roll(state("roll call", "winners", 1, DRAWN, **both)).absent == ["1", "2"]
    one = both | roll.noted({"1": False})
    assert scenes.roll(state("roll call", "winners", 1, DRAWN, **one)).absent == ["2"]
    again = [mug(ANN, BOB, absent=[CHEN]), car()]
    assert scenes.roll(state("roll call", "winners", 1, again, **both)).absent == []
    assert scenes.roll(state("drawing", "called", 1, again, **both)) is None


def test_a_roll_call_that_changed_under_the_hand():
    """If the marks or the winners are not those that the page shows, nothing is sent."""
    seen = scenes.roll(state("roll call", "winners", 1, DRAWN))
    scenes.check_roll(seen, state("roll call", "winners", 1, DRAWN, title="Party"))
    with pytest.raises(LotteryError, match="has changed who is absent, so nothing was sent"):
        scenes.check_roll(seen, state("roll call", "winners", 1, DRAWN, **seen.noted({"2": True})))
    for other in (
        state("roll call", "called", 1, [mug(ANN, CHEN, absent=[BOB]), car()]),
        state("ready", "winners", 1, DONE),
    ):
        with pytest.raises(LotteryError, match="another page was faster"):
            scenes.check_roll(seen, other)


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
    """An evening whose machine draws until it is told to stop, and that starts one draw at a time."""

    name, target = "night", elsewhere("123456789012", "us-east-1", Names())

    def __init__(self):
        self.stage, self.started, self.lock = {"scene": "ready", "number": 1}, [], threading.Lock()

    def refresh(self):
        return state("drawing" if self.started else "ready", **self.stage)

    def show(self, scene="", number=0, **more):
        self.stage |= ({"scene": scene, "number": number} if scene else {}) | more

    def guests(self):
        return {"1": ANN}

    def draw(self, number):
        with self.lock:
            if self.started:
                raise LotteryError("evening night", "is drawing already", "Wait until it has ended")
            time.sleep(0.05)
            self.started.append(number)


def opened(evening):
    """A page in a browser."""
    page = Page(evening)
    page.stage._handle_custom_msg({"shown": True}, [])
    return page


def test_two_presses_at_once():
    """Two pages on which somebody presses at the same time start one draw, and show that it is drawn."""
    evening = Fake()
    pages = [opened(evening), opened(evening)]
    until(lambda: all(page.state for page in pages))
    for page in pages:
        page.press("advance")
    until(lambda: all(page.stage.scene["kind"] == "rolling" for page in pages))
    assert evening.started == [1]


def test_a_browser_that_is_still_loading():
    """A page changes nothing before a browser has it: a change could be lost on the way."""
    page = Page(Fake())
    time.sleep(0.6)
    assert (page.state, page.stage.scene) == (None, {})
    page.stage._handle_custom_msg({"shown": True}, [])
    until(lambda: page.stage.scene)


def test_a_press_that_is_too_late():
    """A press on a page that shows an older scene is not taken: it was not meant for the newer one."""
    evening = Fake()
    page = opened(evening)
    until(lambda: page.state)
    evening.stage |= {"scene": "rolling"}
    evening.started.append(1)
    page._press("advance", Moment("ready", 1))
    assert evening.stage["scene"] == "rolling"


def test_pages_turn_together():
    """If one window turns a page, the others show the same winners; an older look does not turn it back."""
    evening = Fake()
    pages = [opened(evening), opened(evening)]
    until(lambda: all(page.state for page in pages))
    refresh, waiting = evening.refresh, [40]

    def turned_meanwhile():
        older = refresh()
        if waiting:
            pages[0].note(first=waiting.pop())
        return older

    evening.refresh = turned_meanwhile
    pages[0]._look()
    assert pages[0].stage.first == 40
    until(lambda: pages[1].stage.first == 40)
    pages[1].press("advance")
    until(lambda: evening.started and all(page.stage.first == 0 for page in pages))


def test_a_look_that_fails():
    """While the tables cannot be read, the page keeps its scene, and looks again."""
    evening = Fake()
    page = opened(evening)
    until(lambda: page.state)
    refresh, evening.refresh = evening.refresh, lambda: 1 / 0
    time.sleep(0.6)
    assert page.stage.scene["kind"] == "ready"
    evening.refresh = refresh
    evening.show("rolling", 1)
    evening.started.append(1)
    until(lambda: page.stage.scene["kind"] == "rolling")


def until(probe):
    deadline = time.monotonic() + 20
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.02)
