"""What runs an evening for all its pages, without a browser and a thread: `heard`, `turn`, `shown`."""

import itertools
import json
import os
import signal

import pytest
from helpers import wait_until
from injected import waits_for

from lottery_course import inject
from lottery_course.call_log import log_of
from lottery_lib import Stack, connect
from lottery_lib.employees import Roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_party import evening_file, night, scenes
from lottery_party.evening import Evening
from lottery_party.night import Night
from lottery_party.pictures import BACKGROUND, LOGO, Pictures
from lottery_party.public_value import Numbers
from sfn_emulator import control

FIVE = {"kind": "numbers", "count": "5", "least": "1", "most": "99"}
PNG = b"\x89PNG\r\n\x1a\n"
TEXT = {**FIVE, "kind": "text"}


def opened(evening, tell=lambda news: None, clock=None, **more):
    """An evening's night after its first look. Without a clock, winners are at rest at once."""
    night = Night(evening, tell, clock or itertools.count(step=100).__next__, **more)
    night.turn()
    return night


def nowhere(file=None):
    """The night of an evening that has no tables."""
    return opened(Evening(connect(edition="hardened", attendee="nowhere"), "nowhere", file=file))


def announced(target, name, prizes, file=None):
    """An evening whose public value was given."""
    evening = Evening(target, name, file=file)
    evening.announce(prizes, question="Call five numbers")
    evening.give("3 14 15")
    return evening


def drawn(target, name, count, file=None):
    """An evening with one prize, whose winners are drawn while names roll on the stage."""
    evening = announced(target, name, [{"name": "Mug", "count": count}], file)
    evening.show("rolling", 1)
    evening.draw(1)
    wait_until(lambda: evening.refresh().step == "roll call")
    return evening


def at_roll_call(target, file=None, name="marks"):
    """An evening with one prize, whose winners are called."""
    evening = drawn(target, name, 3, file)
    evening.show("winners", 1)
    return evening


def ask(night, do, **more):
    """Ask for something, and let the night do it."""
    night.heard({"do": do, **more})
    night.turn()


def until(night, is_so):
    """Let the night look until something is so."""
    wait_until(lambda: night.turn() or is_so())


def button(night):
    """The words of the button that can be pressed; empty if there is none."""
    step = night.shown["step"]
    return "" if step["waits"] else step["button"]


def comes_to(night, step):
    """Wait for a step of the machine. A draw that goes on would take winners from the next test."""
    until(night, lambda: night.state.step == step)


def offers(night, words):
    until(night, lambda: button(night) == words)


def press(night, words):
    """Press a key when the button has these words."""
    offers(night, words)
    ask(night, "press", way="advance", seen=night.shown["moment"])


def answer(roll):
    """What a page sends that shows this roll call."""
    people = [one[0] for one in roll["people"]]
    return {"do": "roll", "number": roll["number"], "people": people, "absent": roll["absent"]}


def call_roll(night):
    """Press the button of the roll call."""
    night.heard(answer(night.shown["roll"]))
    night.turn()


def mark(night, one, absent=True):
    night.heard({"do": "mark", "id": one, "absent": absent})


def say_yes(night, words):
    """Answer the question whose button has these words."""
    assert night.shown["question"]["yes"] == words
    ask(night, "yes", number=night.shown["question"]["number"])
    assert (night.shown["question"], night.refused) == (None, "")


def announce(night, prizes="1 Mug", question="", **asked):
    ask(night, "announce", prizes=prizes, question=question, rule="out", **(asked or FIVE))


def problem(night):
    return night.shown["problem"]


def winners(night):
    """The names of the winners whom the list of prizes shows."""
    return [name for row in night.shown["prizes"]["rows"] for name in row["winners"]]


def test_nothing_deployed(own_state, tmp_path):
    """Before the deploy the page says what to do, even if the evening's file is damaged."""
    (tmp_path / "damaged.json").write_text("{")
    here = nowhere(tmp_path / "damaged.json")
    assert "does not exist. Run `lottery deploy`" in problem(here)


def test_what_no_page_asks_changes_nothing(hardened):
    """A message of another kind has no answer; a press on a page that has shown nothing does nothing."""
    here = opened(Evening(hardened, "other"))
    shown = here.shown
    assert here.heard({"do": "other"}) is None
    assert here.heard({}) is None
    ask(here, "press", way="advance", seen=["ready", 1])
    assert here.shown == shown


def test_pages_are_told_what_changes(hardened):
    """Each change is told once, and what the pages show is replaced, not changed."""
    told = []
    here = opened(Evening(hardened, "told"), lambda news: told.append(dict(news)))
    before = here.shown
    assert {**before} == {**before, **{name: each for news in told for name, each in news.items()}}
    told.clear()
    here.turn()
    assert told == []
    ask(here, "title", text="Gala")
    assert told == [{"title": "Gala"}]
    assert (before["title"], here.shown["title"], here.shown["head"]["name"]) == (
        "Lottery night",
        "Gala",
        "told",
    )


def test_what_all_pages_show_is_in_the_tables(hardened):
    """A title and the form come to the pages of another computer, and to pages that are opened later."""
    here, other = opened(Evening(hardened, "title")), opened(Evening(hardened, "title"))
    here.heard({"do": "title", "text": "Gala"})
    here.heard({"do": "draft", "text": '{"prizes": "2 Mug"}'})
    here.heard({"do": "draft", "text": " " * 100_001})
    here.turn()
    other.turn()
    for each in (here, other, opened(Evening(hardened, "title"))):
        assert (each.shown["title"], each.shown["draft"]) == ("Gala", '{"prizes": "2 Mug"}')
    ask(here, "title", text="")
    assert here.shown["title"] == "Lottery night"


def test_how_the_stage_looks(hardened, tmp_path):
    """Its colours are noted for all pages. A picture is in a folder beside the file, by its prize."""
    file = tmp_path / "looks.evening.json"
    here, other = opened(Evening(hardened, "looks", file=file)), opened(Evening(hardened, "looks"))
    assert (here.shown["theme"], here.shown["pictures"]) == ("", {})
    here.heard({"do": "picture", "name": "Big Mug", "own": False}, ("photo.PNG", len(PNG), PNG))
    here.turn()
    here.heard({"do": "picture", "name": BACKGROUND, "own": True}, ("hall.png", len(PNG), PNG))
    ask(here, "theme", name="red")
    other.turn()
    assert (here.shown["theme"], other.shown["theme"]) == ("red", "red")
    assert {*here.shown["pictures"]} == {Pictures.of("big  mug"), BACKGROUND}
    assert here.shown["pictures"][BACKGROUND].startswith("data:image/png;base64,iVBOR")
    assert other.shown["pictures"] == {}, "it saves nothing in a file"
    here.heard({"do": "picture", "name": "Big Mug", "own": False})
    here.turn()
    assert {*here.shown["pictures"]} == {BACKGROUND}
    here.heard({"do": "picture", "name": BACKGROUND, "own": True}, ("hall.png", 4, b"text"))
    here.turn()
    assert problem(here).startswith("file hall.png: is no picture that the stage can show")


@pytest.mark.long("three nights of an evening")
def test_marks_are_shared(hardened):
    """Two nights and a new one show the same marks. A press that has not seen the last mark is not taken."""
    evening = at_roll_call(hardened)
    here, other = opened(evening), opened(Evening(hardened, "marks"))
    first, second, third = (each.id for each in evening.refresh().prizes[0].winners)
    offers(here, "Everybody is here")
    offers(other, "Everybody is here")
    mark(here, first)
    mark(here, third)
    assert (here.shown["roll"]["absent"], button(here)) == (
        [first, third],
        "2 absent: draw these places again",
    )
    here.turn()
    offers(other, "2 absent: draw these places again")
    mark(other, first, False)
    other.turn()
    offers(here, "1 absent: draw this place again")
    offers(opened(evening), "1 absent: draw this place again")
    seen = answer(here.shown["roll"])
    mark(other, second)
    other.turn()
    here.heard(seen)
    here.turn()
    assert "has changed who is absent, so nothing was sent" in problem(here)
    assert button(here) == "2 absent: draw these places again"
    mark(other, second, False)  # at once: what was marked last is sent
    call_roll(other)
    press(here, "Show the winners")
    assert [each.id for each in evening.refresh().prizes[0].absent] == [third]
    offers(here, "Everybody is here")
    here.heard(seen)
    here.turn()
    assert "another page was faster" in problem(here)
    here.heard({"do": "corrected"})
    here.turn()
    assert problem(here) == ""


@pytest.mark.long("a whole evening")
def test_each_step_is_in_the_file_before_it_is_taken(hardened, tmp_path):
    """A draw, an added prize, a roll call and a withdrawal are written into the file, like all steps."""
    file = tmp_path / "noted.json"
    here = opened(announced(hardened, "noted", [{"name": "Mug", "count": 1}], file))

    def noted():
        return evening_file.read(file)["step"]

    here.evening.show("ready", 1)
    press(here, "Draw 1 winner")
    assert noted()["request"] == {"prize": 1}
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    call_roll(here)
    assert noted()["awaits"] == "roll call"
    offers(here, "Go on")
    ask(here, "withdraw", id="001")
    say_yes(here, f"Yes, withdraw {here.evening.guests()['001'].name} (001)")
    assert noted()["request"] == {"withdraw": "001"}
    offers(here, "Go on")
    ask(here, "surprise", text="1 Car")
    assert here.shown["scene"]["prize"] == "Car"
    press(here, "Draw 1 winner")
    assert noted()["request"] == {"add": {"name": "Car", "count": 1}}
    comes_to(here, "roll call")


def test_an_announcement_is_asked_about_and_taken_back(hardened):
    """The pages show what will be announced. No changes nothing. Until the value, it can be taken back."""
    here = opened(Evening(hardened, "asks"))
    assert (here.shown["step"]["form"], button(here)) == ("announce", "Announce")
    announce(here, "2 Mug\n1 Car\n1 mug", "\u200b ", **TEXT)
    assert "question to the room: there is none" in problem(here)
    announce(here, "2 Mug\n1 Car\n1 mug", "Call <five> numbers ", **TEXT)
    asked = here.shown["question"]
    assert (asked["title"], problem(here)) == ("Announce this?", "")
    rows = dict(asked["rows"])
    assert rows["Who can win"][0] == "10 people"
    assert rows["Prizes"] == ["2 × Mug", "1 × Car", "1 × mug", "Winners in all: 4"]
    assert rows["If winners are absent"] == ["They are out for this evening"]
    assert rows["The room is asked"] == ["Call <five> numbers"]
    assert rows["Title of the evening"] == ["Lottery night"]
    assert rows["Language of the stage"] == ["English"]
    assert asked["problems"][0] == "More than once in the list: Mug, mug. Is this meant?"
    assert asked["problems"][1].startswith("A text can be guessed")
    here.heard({"do": "no"})
    assert here.shown["question"] is None
    ask(here, "yes", number=asked["number"])
    assert "the evening went on meanwhile" in problem(here)
    announce(here, "2 Mug", "Call <five> numbers", **TEXT)
    say_yes(here, "Yes, announce it")
    press(here, "Ask the room")
    assert here.state.asked
    assert here.shown["step"]["take_back"]
    ask(here, "type", text="99")
    ask(here, "give", text="99")
    ask(here, "take back")
    say_yes(here, "Yes, take it back")
    offers(here, "Announce")
    assert here.evening.name == "asks-2"
    assert here.shown["machine"]["heading"] == "State machine"
    announce(here, "2 Mug", "Call five numbers", **TEXT)
    say_yes(here, "Yes, announce it")
    press(here, "Ask the room")
    assert button(here) == "Give the public value", "what was typed before is forgotten"
    assert "typed" not in here.shown["scene"]
    assert here.shown["step"]["text"].startswith("The room was asked ")
    for _ in range(2):
        ask(here, "give", text="３　１４")  # as a Chinese keyboard writes it
    offers(here, "Go on")
    assert here.state.public == "3 14"
    assert not here.shown["step"]["take_back"]
    assert here.shown["head"] | {"left": ""} == {
        **{"name": "asks-2", "value": "Public value: 3 14", "left": ""}
    }


def test_a_new_emulator_keeps_the_first_name(hardened, monkeypatch):
    """A night that finds a new emulator goes on under the name that its file and its key have."""
    here = opened(Evening(hardened, "first"))
    for _ in range(2):
        here.evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
        here.evening.take_back()
        monkeypatch.setattr(
            night,
            "connected_again",
            lambda target: connect(edition="hardened", attendee=target.names.attendee),
        )
        here.turn()
    assert here.evening.name == "first-3"


def test_numbers_are_asked_for(hardened):
    """The form makes the question. What is announced are the numbers, and no other answer is taken."""
    here = opened(Evening(hardened, "numbers"))
    assert here.heard({"do": "question", **FIVE}) == {"question": "Call 5 numbers from 1 to 99", "amber": ""}
    with pytest.raises(LotteryError, match="0 numbers cannot be called"):
        here.heard({"do": "question", **FIVE, "count": "0"})
    announce(here, **{**FIVE, "count": "five"})
    assert "how many, and from where to where, must be numbers" in problem(here)
    announce(here, **{**FIVE, "count": "2", "most": "9"}, question="not this")
    rows = dict(here.shown["question"]["rows"])
    assert rows["The room is asked"] == ["Call 2 numbers from 1 to 9"]
    (amber,) = here.shown["question"]["problems"]
    assert amber.startswith("There are only 45 different answers")
    here.heard({"do": "no"})
    announce(here)
    assert here.shown["question"]["problems"] == []
    say_yes(here, "Yes, announce it")
    assert here.state.numbers == Numbers(5, 1, 99)
    press(here, "Ask the room")
    assert here.shown["scene"]["question"] == "Call 5 numbers from 1 to 99"
    for text, why in (
        ("1 2 3 4", "it has 4 numbers instead of 5"),
        ("1 2 3 4 100", "100 is not from 1 to 99"),
    ):
        ask(here, "give", text=text)
        assert why in problem(here)
        assert button(here) == "Give the public value"
    ask(here, "type", text="1 2 3 4 10")
    assert problem(here) == "", "it is corrected"


def test_the_second_press_confirms_the_value(hardened):
    """The first press shows its only form. Who types again confirms again, and so does another page."""
    evening = Evening(hardened, "confirms")
    evening.announce([{"name": "Mug", "count": 1}], question="Which?", numbers=Numbers(3))
    here = opened(evening)
    press(here, "Ask the room")
    here.heard({"do": "type", "text": " 15, 3 14"})
    assert here.shown["scene"]["typed"] == "15 3 14", "the stage shows it at once, each number whole"
    ask(here, "give", text=" 15, 3 14")
    assert here.shown["scene"]["typed"] == "3 14 15"
    assert button(here) == "Yes, the room has said 3 14 15"
    here.heard({"do": "type", "text": "15, 3 1"})
    assert button(here) == "Give the public value", "typing takes the confirmation away"
    ask(here, "give", text=" 15, 3 14")
    here.heard({"do": "type", "text": " 15, 3 14"})
    assert button(here) == "Yes, the room has said 3 14 15", "it is what was confirmed"
    ask(here, "give", text="15 3 16")
    assert (button(here), here.state.public) == ("Yes, the room has said 3 15 16", None)
    ask(here, "press", way="back", seen=here.shown["moment"])
    press(here, "Ask the room")
    assert button(here) == "Give the public value", "the field was away, and is empty"
    assert "typed" not in here.shown["scene"]
    for _ in range(2):
        ask(here, "give", text="15 3 16")
    offers(here, "Go on")
    assert (here.state.public, here.shown["scene"]["value"]) == ("3 15 16", "3 15 16")
    assert "typed" not in here.shown["scene"]


def test_a_value_is_corrected(hardened):
    """Before the first prize a mistyped value can be replaced. The pages ask, and tell what will be there."""
    here = opened(announced(hardened, "corrects", [{"name": "Mug", "count": 1}]))
    offers(here, "Go on")
    assert here.shown["step"]["correct"]
    ask(here, "correct", text=" ")
    assert "public value: it is empty" in problem(here)
    ask(here, "correct", text="３ 14 16")
    assert here.shown["question"]["title"] == "Replace the public value by 3 14 16?"
    say_yes(here, "Yes, correct it")
    assert (here.state.public, here.shown["head"]["value"]) == ("3 14 16", "Public value: 3 14 16")
    here.evening.show("ready", 1)
    press(here, "Draw 1 winner")
    comes_to(here, "roll call")
    assert not here.shown["step"]["correct"]


def test_the_room_sees_where_an_independent_check_page_is(hardened):
    """On the first screen, which guests photograph, and on the last one."""
    evening = Evening(hardened, "independent")
    evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
    place = ("https://example.org/check.html", "0123456789abcdef" + "0" * 48)
    told = f"Check page: {place[0]}. The SHA-256 of its file begins with 0123 4567 89ab cdef."
    for scene in ("opening", "closed"):
        here = opened(evening, check_page=place)
        assert (here.shown["scene"]["kind"], here.shown["scene"]["words"][-1]) == (scene, told)
        if scene == "opening":
            evening.give("3 14 15")
            evening.close()


def test_a_press_counts_only_at_its_moment(hardened):
    """What was pressed while the page showed something else was not meant for this. Two draw once."""
    evening = announced(hardened, "moment", [{"name": "Mug", "count": 1}, {"name": "Car", "count": 1}])
    evening.show("ready", 1)
    here, other = opened(evening), opened(Evening(hardened, "moment"))
    ask(here, "press", way="advance", seen=["opening", 0])
    assert here.shown["moment"] == ["ready", 1]
    seen = here.shown["moment"]
    for each in (here, here, other):
        each.heard({"do": "press", "way": "advance", "seen": seen})
    for each in (here, other, here):
        each.turn()
        assert problem(each) == ""
    assert (here.shown["moment"], other.shown["moment"]) == (["rolling", 1], ["rolling", 1])
    comes_to(here, "roll call")
    assert [scenes.drawn(each) for each in here.state.prizes] == [True, False]


def test_a_question_disappears_with_its_step(hardened):
    """Any change takes a question away: a late Yes does nothing. While it is open, a key does nothing."""
    evening = announced(hardened, "late", [{"name": "Mug", "count": 1}])
    here = opened(evening)
    ask(here, "end")
    assert here.shown["question"]["problems"] == [
        "Not drawn: Mug",
        "So the check will say that somebody could have steered the draw.",
    ]
    moment = here.shown["moment"]
    ask(here, "press", way="advance", seen=moment)
    assert here.shown["moment"] == moment
    assert here.shown["question"]
    evening.show("ready", 1)
    here.turn()
    assert here.shown["question"] is None
    ask(here, "end")
    number = here.shown["question"]["number"]
    evening.show("opening")  # another computer is faster
    ask(here, "yes", number=number)
    assert "the evening went on meanwhile, so nothing was done" in problem(here)
    assert evening.refresh().step == "ready"


def test_yes_counts_at_once(hardened):
    """Also before the next look. A second click does nothing more, and closes no newer question."""
    here, done = opened(Evening(hardened, "at-once")), []
    here._ask("Really?", "Yes", done.append)
    number = here.shown["question"]["number"]
    here.heard({"do": "yes", "number": number})
    here.heard({"do": "yes", "number": number})
    here.turn()
    here.turn()
    assert (done, problem(here)) == ([here.evening], "")
    here._ask("And this?", "Yes", done.append)
    ask(here, "yes", number=number)
    assert here.shown["question"]["title"] == "And this?"
    assert len(done) == 1


def test_a_yes_that_comes_too_late_says_so(hardened):
    """The evening has gone on, and the question is taken away just before the click arrives."""
    here, done = opened(Evening(hardened, "too-late")), []
    here._ask("Really?", "Yes", done.append)
    number = here.shown["question"]["number"]
    here.heard({"do": "no"})
    ask(here, "yes", number=number)
    assert "the evening went on meanwhile, so nothing was done" in problem(here)
    assert done == []


@pytest.mark.long("an evening to its end")
def test_an_evening_ends(hardened):
    """After a question that names what is not drawn. Then the files are there, and nothing can be drawn."""
    here = opened(announced(hardened, "ends", [{"name": "Mug", "count": 1}]))
    ask(here, "end")
    say_yes(here, "Yes, end it")
    assert (here.shown["step"]["heading"], here.shown["scene"]["kind"]) == ("The evening is over", "closed")
    assert button(here) == ""
    assert not here.shown["step"]["withdraw"]


def people(target):
    """The rows of the employees, which a test gives back at its end."""
    return Table(target, target.names.employee_table).items()


CSV = b"employee_id,employee_name,department\n1,Ada,R&D\n2,Bob,\n3,Ann,\n4,Eve,\n,Nobody,\n"


def test_a_loaded_list_is_counted(hardened):
    """A list is shown before it is loaded. After that, the pages say at once how many people can win."""
    kept = people(hardened)
    here = opened(Evening(hardened, "counts"))
    assert here.shown["head"]["left"] == f"{len(kept)} can still win"
    here.heard({"do": "guests"}, ("small.csv", len(CSV), CSV))
    here.turn()
    shown = here.shown["step"]["guests"]
    assert (shown["told"], shown["heads"]) == ("small.csv: 4 people", ["Id", "Full name", "Department"])
    assert shown["rows"] == [["1", "Ada", "R&D"], ["2", "Bob", ""], ["3", "Ann", ""]]
    assert (shown["left_out"], len(shown["wrong"])) == ("Rows that are left out: 1", 1)
    here.heard({"do": "load"})
    here.heard({"do": "load"})
    here.turn()
    assert here.shown["head"]["left"] == "4 can still win"
    assert here.shown["step"]["guests"] is None
    here.turn()
    assert problem(here) == "", "the second click of two is not meant"
    load_employees(hardened, Roster(kept))


def test_a_list_that_is_not_loaded(hardened):
    """Who announces without it is told so once. After the announcement, nobody loads a list."""
    here = opened(Evening(hardened, "chosen"))
    here.heard({"do": "guests"}, ("small.csv", len(CSV), CSV))
    here.turn()
    announce(here)
    assert "list of guests: was chosen, but is not loaded yet" in problem(here)
    assert (here.shown["question"], here.shown["step"]["guests"]) == (None, None)
    announce(here)
    assert here.shown["question"]["rows"][0][1][0] == "10 people"
    say_yes(here, "Yes, announce it")
    here.heard({"do": "guests"}, ("small.csv", len(CSV), CSV))
    here.turn()
    ask(here, "load")
    assert "the evening is announced already" in problem(here)
    assert len(people(hardened)) == 10


def test_a_list_that_is_too_large_says_so(own_state):
    """The browser sends only its name and its size. What was chosen before does not count any more."""
    here = nowhere()
    here._look = lambda: here.show(step=here._step(scenes.EveningState("new")))
    here.heard({"do": "guests"}, ("small.csv", len(CSV), CSV))
    here.turn()
    assert here.shown["step"]["guests"]["told"] == "small.csv: 4 people"
    here.heard({"do": "guests"}, ("large.csv", 20_000_001, b""))
    here.turn()
    assert "large.csv: is too large: it has more than 20 MB. Save only ids" in problem(here)
    assert here.shown["step"]["guests"] is None
    wrong = b"employee_id,employee_name\n,Ada\n"
    here.heard({"do": "guests"}, ("wrong.csv", len(wrong), wrong))
    here.turn()
    shown = here.shown["step"]["guests"]
    assert (shown["told"], shown["rows"], len(shown["wrong"])) == ("wrong.csv: 0 people", [], 1)


def test_a_large_logo_is_refused_until_another_one_is_chosen(own_state, tmp_path):
    """The pages say so at each look, and not only until the next one."""
    here, logo = nowhere(tmp_path / "large.evening.json"), {"do": "picture", "name": LOGO, "own": True}
    here._look = lambda: None
    here.heard(logo, ("logo.png", 2_000_001, b""))
    for _ in range(3):
        here.turn()
        assert problem(here) == "file logo.png: is too large. Take a picture of at most 2 MB."
    here.heard(logo, ("logo.png", len(PNG), PNG))
    here.turn()
    assert problem(here) == ""


def test_somebody_is_withdrawn_by_name(hardened):
    """The page finds people by name, id or department, asks, and names somebody who is called the same."""
    rows = {each["employee_id"]: each for each in people(hardened)}
    first = rows["001"]
    load_employees(
        hardened,
        Roster([*rows.values(), {**first, "employee_id": "X1", "lottery_serial": 99, "department": "Sales"}]),
    )
    here = opened(announced(hardened, "named", [{"name": "Mug", "count": 1}]))
    name = first["employee_name"]

    def found(text):
        return here.heard({"do": "find", "text": text})

    assert found(" ") == {"found": [], "told": ""}
    assert found("nobody at all") == {"found": [], "told": "Nobody who can win is called so."}
    assert sorted(found(name)["found"]) == [
        ["001", f"Withdraw {name} (001) ..."],
        ["X1", f"Withdraw {name} (X1, Sales) ..."],
    ]
    assert found("sales")["found"] == [["X1", f"Withdraw {name} (X1, Sales) ..."]]
    many = found("0")
    assert (len(many["found"]), many["told"]) == (6, "And 4 more: write more of the name, or the id.")
    ask(here, "withdraw", id="X1")
    alike, late = here.shown["question"]["problems"]
    assert alike == f"Somebody else has the same name: {name} (001)"
    assert "this makes the check amber" in late, "the room has given its value"
    say_yes(here, f"Yes, withdraw {name} (X1)")
    assert here.shown["prizes"]["withdrawn"] == f"Withdrawn: {name} (X1)"
    assert found(name)["found"] == [["001", f"Withdraw {name} (001) ..."]]
    here.evening.close()
    load_employees(hardened, Roster([*rows.values()]))


def test_nothing_is_told_before_the_stage_shows_it(hardened):
    """The machine has drawn, and the names still roll: no winner stands on the operator's page."""
    evening = drawn(hardened, "secret", 2)
    here = opened(evening)
    assert (button(here), here.shown["head"]["left"]) == ("Show the winners", "10 can still win")
    mug = evening.refresh().prizes[0].winners
    told = {**here.shown, "names": []}  # all roll by
    told = json.dumps(told, ensure_ascii=False)
    assert not any(one.name in told or f'"{one.id}"' in told for one in mug)
    assert all(one.name in here.heard({"do": "who"}) for one in mug)
    assert {one.name for one in mug} <= {*here.shown["names"]}
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    assert here.shown["head"]["left"] == "8 can still win"
    assert winners(here) == [one.name for one in mug]
    assert not any(one.name in here.heard({"do": "who"}) for one in mug)


class Clock:
    """Stands until a test sets it."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("ends", ["seen", "time"])
def test_winners_come_when_their_names_rest(hardened, ends):
    """While the names come to rest on the stage, the operator's page tells nothing, and its button waits.

    A page says that they are at rest. If none does, that is so some seconds later.
    """
    evening, clock = drawn(hardened, f"rests-{ends}", 2), Clock()
    here = opened(evening, clock=clock)
    press(here, "Show the winners")
    mug = evening.refresh().prizes[0].winners

    def waits():
        here.turn()
        assert here.shown["scene"]["kind"] == "winners"
        assert here.shown["step"]["waits"]
        assert (here.shown["roll"], winners(here)) == (None, [])
        assert here.shown["head"]["left"] == "10 can still win"
        assert mug[0].name in here.heard({"do": "who"})

    waits()
    mark(here, mug[0].id)  # nobody can have seen it
    ask(here, "seen", seen=["winners", 2])
    ask(here, "seen", seen=["rolling", 1])
    clock.now = 11.9
    waits()
    if ends == "seen":
        ask(here, "seen", seen=["winners", 1])
    else:
        clock.now = 12.0
        here.turn()
    assert button(here) == "Everybody is here"
    assert winners(here) == [one.name for one in mug]


def test_new_winners_come_first(hardened):
    """After a redraw, who was drawn in place of somebody absent stands first in the roll call."""
    here = opened(at_roll_call(hardened, name="again"))
    offers(here, "Everybody is here")

    def fresh():
        return [each[-1] for each in (here.shown["roll"] or {"people": []})["people"]]

    assert fresh() == [False] * 3
    absent = here.shown["roll"]["people"][1][0]
    mark(here, absent)
    call_roll(here)
    press(here, "Show the winners")
    until(here, lambda: fresh() == [True, False, False])
    assert here.shown["roll"]["absent"] == []
    assert absent not in [one[0] for one in here.shown["roll"]["people"]]


def test_the_stage_turns_its_pages_together(hardened):
    """If one window turns a page of winners, the others do, too. The next step begins at the first page."""
    evening = announced(hardened, "turns", [{"name": "Mug", "count": 1}])
    evening.show("ready", 1)
    here, other = opened(evening), opened(Evening(hardened, "turns"))
    ask(here, "turned", first=40)
    other.turn()
    assert (here.shown["first"], other.shown["first"]) == (40, 40)
    press(other, "Draw 1 winner")
    here.turn()
    assert (here.shown["first"], other.shown["first"]) == (0, 0)
    comes_to(here, "roll call")


def test_the_language_is_a_switch(hardened):
    """It is noted for all pages. A language that nobody speaks changes nothing."""
    here, other = opened(Evening(hardened, "speaks")), opened(Evening(hardened, "speaks"))
    assert here.shown["languages"] == [["English", "en"], ["中文", "zh"]]
    assert (here.shown["language"], here.shown["wanted"]) == ("en", "")
    ask(here, "language", language="zh")
    other.turn()
    assert (here.shown["wanted"], other.shown["wanted"]) == ("zh", "zh")
    here.evening.show(language="xx")
    here.turn()
    assert here.shown["wanted"] == ""


@pytest.mark.long("a whole evening with files")
def test_files_are_made_when_they_are_asked_for(hardened):
    """Before the draw: the announcement, the proofs and the check page. In the end also all that remains."""
    here = opened(Evening(hardened, "files"))
    assert here.shown["files"] == []
    announce(here, "2 Mug")
    say_yes(here, "Yes, announce it")

    def names():
        return [name for _, name in here.shown["files"]]

    def file(name):
        return here.heard({"do": "file", "name": name})

    assert names() == ["announcement.html", "proofs.html"]
    for part in (here.state.announcement["pool"], "data:image/svg+xml", "Lottery night \\u00b7 Check the"):
        assert part.encode() in file("announcement.html")
    proofs = file("proofs.html")
    assert b'"001"' in proofs
    guests = here.evening.guests().values()
    assert not any(one.name.encode() in proofs for one in guests), "it names nobody"
    here.evening.give("1 2 3 4 5")
    here.evening.show("ready", 1)
    press(here, "Draw 2 winners")
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    mark(here, here.state.prizes[0].winners[0].id)
    call_roll(here)
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    call_roll(here)
    offers(here, "Go on")
    ask(here, "end")
    say_yes(here, "Yes, end it")
    assert names() == [
        *("announcement.html", "proofs.html"),
        *("winners.xlsx", "winners.csv", "winners.txt", "receipts.json", "check.html"),
    ]
    (mug,) = here.state.prizes
    table = file("winners.csv").decode("utf-8-sig").splitlines()
    assert [row.split(",")[0] for row in table[1:]] == [one.id for one in (*mug.winners, *mug.absent)]
    assert file("winners.xlsx").startswith(b"PK")
    assert f"Mug: {mug.winners[0].name}" in file("winners.txt").decode()
    kinds = [
        json.loads(each)["kind"] for each in json.loads(file("receipts.json"))["draws"]["files"]["receipts"]
    ]
    assert (kinds[0], kinds[-1]) == ("announced", "closed")
    assert mug.winners[0].id.encode() in file("check.html")


@pytest.mark.long("a whole evening with a slow machine")
def test_calls_of_a_refresh(mended, tmp_path):
    """A refresh makes one call before the announcement, three while the machine draws, and two otherwise."""
    inject(mended, "DrawPrize", waits_for(tmp_path / "gate"))
    evening, found, newest_first = Evening(mended, "calls"), {}, []
    here = opened(evening)

    def refresh():
        last = log_of(mended).calls()[-1]  # the log has a limit
        here.turn()
        calls = log_of(mended).calls()
        latest = calls[calls.index(last) + 1 :]
        found[here.state.step] = [call.model.name for call in latest]
        newest_first.extend(call.parameters.get("reverseOrder") for call in latest)

    def settle():
        for _ in range(3):  # at first, what has changed is also saved and checked
            refresh()

    settle()
    evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
    settle()
    evening.give("3 14 15")
    settle()
    evening.draw(1)
    for _ in range(2):
        refresh()
    assert newest_first[-1], "only new events are read"
    (tmp_path / "gate").touch()
    wait_until(lambda: evening.refresh().step == "roll call")
    settle()
    evening.call_roll(1, [])
    wait_until(lambda: evening.refresh().step == "ready")
    settle()
    evening.close()
    settle()
    two = ["BatchGetItem", "DescribeExecution"]
    assert found == {
        "new": two[:1],
        "public value": two,
        "ready": two,
        "drawing": [*two, "GetExecutionHistory"],
        "roll call": two,
        "closed": two,
    }


@pytest.mark.long("an evening on two emulators")
def test_restored_with_one_click(own_home):
    """The emulator is killed at a roll call. The night finds a new one, and the file has the evening.

    A mark that was made just then is kept. Meanwhile a page that asks for a file is told why there is none.
    """
    target, file = connect(edition="hardened", attendee="kept"), own_home / "kept.evening.json"
    try:
        Stack(target).deploy()
        evening = at_roll_call(target, file)
        here = opened(evening)
        mug = evening.refresh().prizes[0].winners
        offers(here, "Everybody is here")
        mark(here, mug[0].id)
        until(here, lambda: b"absent 0" in file.read_bytes())
        os.killpg(control.status()["pid"], signal.SIGKILL)
        with pytest.raises(LotteryError, match="does not answer"):
            here.heard({"do": "file", "name": "proofs.html"})
        mark(here, mug[1].id)
        until(here, lambda: "the evening is only in its file: restore it" in problem(here))
        assert here.shown["lost"]
        assert button(here) == ""
        ask(here, "restore")
        offers(here, "2 absent: draw these places again")
        assert here.state.prizes[0].winners == mug
        assert (here.shown["lost"], problem(here)) == (False, "")
        here.heard(answer(here.shown["roll"]))
        until(here, lambda: here.state.prizes[0].absent and here.state.step == "roll call")
    finally:
        control.stop()
