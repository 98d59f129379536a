"""The operator's pages of an evening, without a browser: their marks, and a lost evening."""

import os
import signal
import threading
from types import SimpleNamespace

import pytest
from helpers import wait_until
from injected import waits_for
from looks import look_no_more, two_looks

from lottery_course import inject
from lottery_course.call_log import log_of
from lottery_lib import Stack, connect
from lottery_lib.employees import Roster
from lottery_lib.names import Names
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import elsewhere
from lottery_party import draw_night, evening_file, scenes
from lottery_party.draw_night import Operator, night_page
from lottery_party.evening import Evening
from sfn_emulator import control


@pytest.fixture
def page():
    """`page(evening)`: an operator's page that a browser shows."""
    opened = []

    def show(evening):
        opened.append(Operator(evening))
        stage = opened[-1].stage
        stage.observe(lambda _: stage._handle_custom_msg({"seen": True}, []), "scene")  # without a moment
        stage._handle_custom_msg({"shown": True}, [])
        return opened[-1]

    yield show
    look_no_more(opened)


def at_roll_call(target, file=None, name="marks"):
    """An evening with one prize, whose winners are called."""
    evening = announced(target, name, [{"name": "Mug", "count": 3}], file)
    evening.draw(1)
    wait_until(lambda: evening.refresh().step == "roll call")
    evening.show("winners", 1)
    return evening


def mark(page, one, absent=True):
    page._roll._handle_custom_msg({"id": one, "absent": absent}, [])


def press(page, words, wish=None):
    """Press the button when it has these words; or do something else then, in the page's own thread."""
    wait_until(lambda: (page._main.description, page._main.layout.display) == (words, ""))
    idle(page)
    page.wish(wish) if wish else page.press("advance")


def announced(target, name, prizes, file=None):
    """An evening whose public value was given."""
    evening = Evening(target, name, file=file)
    evening.announce(prizes, question="Call five numbers")
    evening.give("3 14 15")
    return evening


def idle(page):
    """Wait until the page's thread has done what was wished: a press before that is not meant."""
    wait_until(lambda: not page._busy and page._wishes.empty())


def click(page, button):
    idle(page)
    button.click()


def say_yes(page, words):
    """Answer the question whose button has these words."""
    wait_until(lambda: (page.question._yes.description, page.question.is_open) == (words, True))
    page.question._yes.click()
    wait_until(lambda: not page.question.is_open)


def offers(page, words):
    """The page's button has these words."""
    both = page._main, page._answer
    wait_until(lambda: [each.description for each in both if each.layout.display == ""] == [words])


def test_nothing_deployed(page, tmp_path):
    """Before the deploy the page says what to do, even if the evening's file is damaged."""
    (tmp_path / "damaged.json").write_text("{")
    nowhere = connect(edition="hardened", attendee="nowhere")
    here = page(Evening(nowhere, "nowhere", file=tmp_path / "damaged.json"))
    wait_until(lambda: "does not exist. Run `lottery deploy`" in here._problem.value)


@pytest.mark.long("three pages of an evening")
def test_marks_are_shared(page, hardened):
    """Two pages and a new one show the same marks. A press that has not seen the last mark is not taken."""
    evening = at_roll_call(hardened)
    here, other = page(evening), page(evening)
    first, second, third = (each.id for each in evening.refresh().prizes[0].winners)
    offers(here, "Everybody is here")
    offers(other, "Everybody is here")
    mark(here, first)
    mark(here, third)
    offers(other, "2 absent: draw these places again")
    mark(other, first, False)
    offers(here, "1 absent: draw this place again")
    offers(page(evening), "1 absent: draw this place again")
    seen = here._called
    mark(other, second)
    wait_until(lambda: len(scenes.roll(evening.refresh()).absent) == 2)
    here.wish(lambda: here._call_roll(seen))
    wait_until(lambda: "has changed who is absent, so nothing was sent" in here._problem.value)
    offers(here, "2 absent: draw these places again")
    mark(other, second, False)
    other._give_answer()  # at once: what this page has marked last is sent
    press(here, "Show the winners")
    wait_until(lambda: evening.refresh().prizes[0].absent)
    assert [each.id for each in evening.refresh().prizes[0].absent] == [third]
    offers(here, "Everybody is here")


@pytest.mark.long("a whole evening")
def test_each_step_is_in_the_file_before_it_is_taken(page, hardened, tmp_path):
    """The page writes a draw, an added prize, a roll call and a withdrawal into the file, like all steps."""
    file = tmp_path / "noted.json"
    here = page(announced(hardened, "noted", [{"name": "Mug", "count": 1}], file))

    def noted():
        return evening_file.read(file)["step"]["request"]

    here.evening.show("ready", 1)
    press(here, "Draw 1 winner")
    wait_until(lambda: noted() == {"prize": 1})
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    here._give_answer()
    wait_until(lambda: evening_file.read(file)["step"]["awaits"] == "roll call")
    press(here, "Go on", lambda: here.evening.withdraw("001"))
    wait_until(lambda: noted() == {"withdraw": "001"})
    press(here, "Go on", lambda: here.evening.draw_one_more({"name": "Car", "count": 1}))
    wait_until(lambda: noted() == {"add": {"name": "Car", "count": 1}})


def test_an_announcement_is_asked_about_and_taken_back(page, hardened):
    """The page shows what will be announced. No changes nothing. Until the value, it can be taken back."""
    here = page(Evening(hardened, "asks"))
    offers(here, "Announce")
    prizes = here._preparation._prizes
    prizes.value = "2 Mug\n1 Car\n1 mug"
    here._preparation._question.value = "\u200b "
    click(here, here._answer)
    wait_until(lambda: "question to the room: there is none" in here._problem.value)
    here._preparation._question.value = "Call <five> numbers"
    click(here, here._answer)
    wait_until(lambda: here.question.is_open)
    for told in (
        *("Announce this?", " people</b>", "2 × Mug", "Winners in all: 4", "Call &lt;five&gt; numbers"),
        *("More than once in the list: Mug, mug. Is this meant?", "English", "Lottery night"),
    ):
        assert told in here.question._text.value
    here.question._no.click()
    assert not here.question.is_open
    prizes.value = "2 Mug"
    click(here, here._answer)
    say_yes(here, "Yes, announce it")
    press(here, "Ask the room")
    wait_until(lambda: here.state.asked)
    back = here._forms["take back"]
    assert back.layout.display == ""
    click(here, back)
    say_yes(here, "Yes, take it back")
    offers(here, "Announce")
    assert (here.evening.name, prizes.value) == ("asks-2", "2 Mug")
    click(here, here._answer)
    say_yes(here, "Yes, announce it")
    press(here, "Ask the room")
    offers(here, "Give the public value")
    assert "The room was asked " in here._now.value
    here._value.field.value = "３, 14"
    assert "<span>3</span><i></i><span>1</span><span>4</span>" in here._value._letters.value
    assert "Type it as it is shown here: 3 14" in here._value._letters.value
    idle(here)
    here._give_answer()
    wait_until(lambda: "Type: 3 14" in here._problem.value)
    here._value.field.value = "３　１４"  # as a Chinese keyboard writes it
    assert "Type it" not in here._value._letters.value
    idle(here)
    here._give_answer()
    offers(here, "Go on")
    assert here.state.public == "3 14"
    assert back.layout.display == "none"


def test_a_question_disappears_with_its_step(page, hardened):
    """Any change takes a question away: a late Yes does nothing. While it is open, a key does nothing."""
    evening = announced(hardened, "late", [{"name": "Mug", "count": 1}])
    here = page(evening)
    press(here, "Go on", here._ask_end)
    wait_until(lambda: here.question.is_open)
    assert "Not drawn: Mug" in here.question._text.value
    here.press("advance")
    evening.show("ready", 1)
    wait_until(lambda: not here.question.is_open)
    offers(here, "Draw 1 winner")
    press(here, "Draw 1 winner", here._ask_end)
    wait_until(lambda: here.question.is_open)
    here._look = lambda: None  # it does not see that another page goes on
    evening.show("opening")
    click(here, here.question._yes)
    wait_until(lambda: "the evening went on meanwhile, so nothing was done" in here._problem.value)
    assert evening.refresh().step == "ready"


def test_yes_counts_at_once(page, hardened):
    """Also while the page still shows the rest of what it asks about. A second click does nothing more."""
    here, shown, done = page(Evening(hardened, "at-once")), threading.Event(), []

    def ask():
        here.question.ask("Really?", "", "Yes", done.append)
        shown.wait()

    wait_until(lambda: here.state)
    idle(here)
    here.wish(ask)
    wait_until(lambda: here.question.is_open)
    here.question._yes.click()
    here.question._yes.click()
    shown.set()
    wait_until(lambda: done)
    idle(here)
    assert (done, here.refused) == ([here.evening], "")


def test_a_yes_that_comes_too_late_says_so(page, hardened):
    """The evening has gone on, and the question is taken away just before the click arrives."""
    here = page(Evening(hardened, "too-late"))
    wait_until(lambda: here.state)
    idle(here)
    here.wish(lambda: here.question.ask("Really?", "", "Yes", Evening.close))
    wait_until(lambda: here.question.is_open)
    here.question.close()
    here.question._yes.click()
    wait_until(lambda: "the evening went on meanwhile, so nothing was done" in here._problem.value)


def test_a_loaded_list_is_counted(page, hardened):
    """After a list is loaded, the page says at once how many people can win."""
    kept = Table(hardened, hardened.names.employee_table).items()
    here = page(Evening(hardened, "counts"))
    wait_until(lambda: f"{len(kept)} can still win" in here._foot.value)
    here._preparation._read = Roster(kept[:3])
    here.wish(here._preparation._load_roster)
    wait_until(lambda: "3 can still win" in here._foot.value)
    load_employees(hardened, Roster(kept))


def test_somebody_is_withdrawn_by_name(page, hardened):
    """The page finds people by name, id or department, asks, and names somebody who is called the same."""
    table = Table(hardened, hardened.names.employee_table)
    rows = {each["employee_id"]: each for each in table.items()}
    first = rows["001"]
    load_employees(
        hardened,
        Roster([*rows.values(), {**first, "employee_id": "X1", "lottery_serial": 99, "department": "Sales"}]),
    )
    here = page(announced(hardened, "named", [{"name": "Mug", "count": 1}]))
    offers(here, "Go on")
    found = here._withdrawal

    def shown():
        return [each.description for each in found._buttons if each.layout.display == ""]

    name = first["employee_name"]
    found.field.value = "nobody at all"
    assert "Nobody who can win is called so." in found._more.value
    found.field.value = name
    assert sorted(shown()) == [f"Withdraw {name} (001) ...", f"Withdraw {name} (X1, Sales) ..."]
    found.field.value = "sales"
    assert shown() == [f"Withdraw {name} (X1, Sales) ..."]
    found._buttons[0].click()
    wait_until(lambda: here.question.is_open)
    assert f"Somebody else has the same name: {name} (001)" in here.question._text.value
    assert "this makes the check amber" in here.question._text.value, "the room has given its value"
    say_yes(here, f"Yes, withdraw {name} (X1)")
    wait_until(lambda: f"Withdrawn: {name} (X1)" in here._list.value)
    assert found.field.value == ""
    found.field.value = name
    assert shown() == [f"Withdraw {name} (001) ..."]
    here.evening.close()
    load_employees(hardened, Roster([*rows.values()]))


def test_nothing_is_told_before_the_stage_shows_it(page, hardened):
    """The machine has drawn, and the names still roll: no winner stands on the operator's page."""
    evening = announced(hardened, "secret", [{"name": "Mug", "count": 2}])
    evening.show("rolling", 1)
    evening.draw(1)
    wait_until(lambda: evening.refresh().step == "roll call")
    here = page(evening)
    offers(here, "Show the winners")
    wait_until(lambda: "10 can still win" in here._foot.value)
    here.wish(here._show_who)
    wait_until(lambda: here._who.value)
    winners = evening.refresh().prizes[0].winners

    def told():
        view = here._machine._view
        return "".join(
            str(each) for each in (here._list.value, here._roll.people, view.details, view.below, view.header)
        )

    assert not any(one.name in told() or f'"{one.id}"' in told() for one in winners)
    assert all(one.name in here._who.value for one in winners)
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    wait_until(lambda: "8 can still win" in here._foot.value)
    assert all(one.name in here._list.value for one in winners)


def test_winners_come_when_their_names_rest(page, hardened):
    """While the names come to rest on the stage, the operator's page tells nothing, and its button waits."""
    evening = announced(hardened, "rests", [{"name": "Mug", "count": 2}])
    evening.show("rolling", 1)
    evening.draw(1)
    wait_until(lambda: evening.refresh().step == "roll call")
    here = page(evening)
    offers(here, "Show the winners")
    here.stage.unobserve_all("scene")  # this browser takes its time
    here.press("advance")
    wait_until(lambda: here.stage.scene.get("kind") == "winners" and here._main.disabled)
    two_looks(here)
    (mug,) = evening.refresh().prizes
    assert here._main.disabled
    assert here._roll.people == []
    assert not any(one.name in here._list.value for one in mug.winners)
    here.stage._handle_custom_msg({"seen": True}, [])
    offers(here, "Everybody is here")
    assert all(one.name in here._list.value for one in mug.winners)


def test_new_winners_come_first(page, hardened):
    """After a redraw, who was drawn in place of somebody absent stands first in the roll call."""
    evening = at_roll_call(hardened, name="again")
    here = page(evening)
    offers(here, "Everybody is here")
    assert [each[-1] for each in here._roll.people] == [False] * 3
    mark(here, here._roll.people[1][0])
    here._give_answer()
    press(here, "Show the winners")
    wait_until(lambda: [each[-1] for each in here._roll.people] == [True, False, False])


@pytest.mark.long("an evening in two languages")
def test_the_language_is_a_switch(page, hardened):
    """It is noted for all pages, and each browser is told once to load its page in this language."""
    evening = Evening(hardened, "speaks")
    here, other = page(evening), page(evening)
    sent = {each: [] for each in (here, other)}
    for each, told in sent.items():
        each.stage.send = told.append
    offers(here, "Announce")
    assert list(here._language.options) == [("English", "en"), ("中文", "zh")]
    here._language.value = "zh"
    wait_until(lambda: all(sent.values()))
    two_looks(here)
    two_looks(other)
    assert [*sent.values()] == [[{"language": "zh"}]] * 2
    evening.show(language="xx")
    two_looks(here)
    two_looks(other)
    assert [*sent.values()] == [[{"language": "zh"}]] * 2


@pytest.mark.long("a whole evening with a slow machine")
def test_calls_of_a_refresh(mended, tmp_path):
    """A refresh makes one call before the announcement, three while the machine draws, and two otherwise."""
    inject(mended, "DrawPrize", waits_for(tmp_path / "gate"))
    evening = Evening(mended, "calls")
    page, found = Operator(evening), {}  # no browser has it, so it is refreshed only here

    def refresh():
        last = log_of(mended).calls()[-1]  # the log has a limit
        page._look()
        page.show_rest()
        calls = log_of(mended).calls()
        found[page.state.step] = [call.model.name for call in calls[calls.index(last) + 1 :]]

    def settle():
        for _ in range(3):  # at first, what has changed is also saved and checked
            refresh()

    settle()
    evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
    settle()
    evening.give("3 14 15")
    settle()
    evening.draw(1)
    refresh()
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


def choose(upload, *content, **file):
    """Choose a file in the browser: what `upload.js` sends then."""
    upload._handle_custom_msg(file, [memoryview(each) for each in content])


def test_a_large_logo_is_refused_until_another_one_is_chosen(page):
    """The page says so at each look, and not only until the next one."""
    here = page(Evening(connect(edition="hardened", attendee="nowhere"), "nowhere"))
    here._look = lambda: None
    choose(here._preparation._logo, name="logo.png", type="image/png", size=100_001)
    wait_until(lambda: "logo.png is too large" in here._problem.value)
    two_looks(here)
    assert "logo.png is too large" in here._problem.value


def test_a_list_that_is_too_large_says_so(page):
    """The browser sends only its name and its size. What was chosen before does not count any more."""
    here = page(Evening(connect(edition="hardened", attendee="nowhere"), "nowhere"))._preparation
    rows = b"employee_id,employee_name\n1,Ada\n"
    choose(here._upload, rows, name="small.csv", type="text/csv", size=len(rows))
    assert "small.csv: 1 person" in here._roster.value and here._load.layout.display == ""
    choose(here._upload, name="large.csv", type="text/csv", size=20_000_001)
    assert "large.csv: is too large: it has more than 20 MB. Save only ids" in here._roster.value
    assert here._load.layout.display == "none"


@pytest.mark.parametrize("query", ["page=stage", ""])
def test_both_pages_save_the_evening(monkeypatch, tmp_path, query):
    """A press on the stage is a step, too, so the page of the stage gets the file like the operator's."""
    made = SimpleNamespace(stage="stage", box="box")
    asked = []
    for name in ("Page", "Operator"):
        monkeypatch.setattr(draw_night, name, lambda evening: (asked.append(evening.file), made)[1])
    monkeypatch.setenv("QUERY_STRING", query)
    monkeypatch.setenv("LOTTERY_EVENING_FILE", str(tmp_path / "night.json"))
    night_page(elsewhere("123456789012", "us-east-1", Names("party", "hardened")))
    assert asked == [tmp_path / "night.json"]


@pytest.mark.long("an evening on two emulators")
def test_restored_with_one_click(page, own_home):
    """The emulator is killed at a roll call. The page finds a new one, and the file has the evening.

    A mark that was made just then is kept.
    """
    target, file = connect(edition="hardened", attendee="kept"), own_home / "kept.evening.json"
    try:
        Stack(target).deploy()
        evening = at_roll_call(target, file)
        here = page(evening)
        winners = evening.refresh().prizes[0].winners
        offers(here, "Everybody is here")
        mark(here, winners[0].id)
        wait_until(lambda: b"absent 0" in file.read_bytes())
        os.killpg(control.status()["pid"], signal.SIGKILL)
        mark(here, winners[1].id)
        wait_until(lambda: "the evening is only in its file: restore it" in here._problem.value)
        assert here._restore.layout.display == ""
        here._restore.click()
        offers(here, "2 absent: draw these places again")
        assert here.state.prizes[0].winners == winners
        assert here._restore.layout.display == "none"
        here._give_answer()
        wait_until(lambda: here.state.prizes[0].absent and here.state.step == "roll call")
    finally:
        control.stop()
