"""The operator's pages of an evening, without a browser: their marks, and a lost evening."""

import os
import signal
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from helpers import wait_until

from lottery_lib import Stack, connect, inject
from lottery_lib.course.calls import log_of
from lottery_lib.names import Names
from lottery_lib.target import elsewhere
from lottery_party import draw_night, evening_file, scenes
from lottery_party.draw_night import Operator, night_page
from lottery_party.evening import Evening
from sfn_emulator import control

SLOWLY = """
import time

def lambda_handler(event, context):
    time.sleep(0 if "roll_call" in event else 3)
    return original(event, context)
"""


@pytest.fixture
def page():
    """`page(evening)`: an operator's page that a browser shows."""
    opened = []

    def show(evening):
        opened.append(Operator(evening))
        opened[-1].stage._handle_custom_msg({"shown": True}, [])
        return opened[-1]

    yield show
    for each in opened:  # their threads look no more
        each._look, each.state = lambda: None, None


def at_roll_call(target, file=None):
    """An evening with one prize, whose winners are called."""
    evening = Evening(target, "marks", file=file)
    evening.announce([{"name": "Mug", "count": 3}])
    evening.draw(1)
    wait_until(lambda: evening.refresh().step == "roll call")
    evening.show("winners", 1)
    return evening


def mark(page, one, absent=True):
    page._roll._handle_custom_msg({"id": one, "absent": absent}, [])


def press(page, words, wish=None):
    """Press the button when it has these words; or do something else then, in the page's own thread."""
    wait_until(lambda: (page._main.description, page._main.layout.display) == (words, "") and not page._busy)
    page.wish(wish) if wish else page.press("advance")


def offers(page, words):
    """The button of the page's form has these words."""
    wait_until(lambda: (page._answer.description, page._answer.layout.display) == (words, ""))


def test_nothing_deployed(page, tmp_path):
    """Before the deploy the page says what to do, even if the evening's file is damaged."""
    (tmp_path / "damaged.json").write_text("{")
    nowhere = connect(edition="hardened", attendee="nowhere")
    here = page(Evening(nowhere, "nowhere", file=tmp_path / "damaged.json"))
    wait_until(lambda: "does not exist. Run `lottery deploy`" in here._problem.value)


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
    wait_until(lambda: evening.refresh().prizes[0].absent)
    assert [each.id for each in evening.refresh().prizes[0].absent] == [third]
    offers(here, "Everybody is here")


def test_each_step_is_in_the_file_before_it_is_taken(page, hardened, tmp_path):
    """The page writes a draw, an added prize, a roll call and a withdrawal into the file, like all steps."""
    file = tmp_path / "noted.json"
    evening = Evening(hardened, "noted", file=file)
    evening.announce([{"name": "Mug", "count": 1}])
    here = page(evening)

    def noted():
        return evening_file.read(file)["step"]["request"]

    press(here, "Go on")
    press(here, "Draw 1 winner")
    wait_until(lambda: noted() == {"prize": 1})
    press(here, "Show the winners")
    offers(here, "Everybody is here")
    here._give_answer()
    wait_until(lambda: evening_file.read(file)["step"]["awaits"] == "roll call")
    here._withdrawal.field.value = "001"
    press(here, "Go on", here._withdrawal.withdraw)
    wait_until(lambda: noted() == {"withdraw": "001"})
    press(here, "Go on", lambda: here.evening.draw_one_more({"name": "Car", "count": 1}))
    wait_until(lambda: noted() == {"add": {"name": "Car", "count": 1}})


def test_calls_of_a_refresh(mended):
    """A refresh makes one call before the announcement, three while the machine draws, and two otherwise."""
    inject(mended, "DrawPrize", SLOWLY)
    evening = Evening(mended, "calls")
    page, found = Operator(evening), {}  # no browser has it, so it is refreshed only here

    def refresh():
        before = len(log_of(mended).calls())
        page._look()
        page.show_rest()
        found[page.state.step] = [call.model.name for call in log_of(mended).calls()[before:]]

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


def test_a_large_logo_is_refused_until_another_one_is_chosen(page):
    """The page says so at each look, and not only until the next one."""
    here = page(Evening(connect(edition="hardened", attendee="nowhere"), "nowhere"))
    here._look = lambda: None
    file = {"name": "logo.png", "type": "image/png", "content": bytes(100_001), "size": 100_001}
    here._preparation._logo.value = [{**file, "last_modified": datetime.now(UTC)}]
    time.sleep(1)  # two looks
    assert "logo.png is too large" in here._problem.value


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
        wait_until(lambda: here._restore.layout.display == "")
        assert "the evening is only in its file: restore it" in here._problem.value
        here._restore.click()
        offers(here, "2 absent: draw these places again")
        assert here.state.prizes[0].winners == winners
        assert here._restore.layout.display == "none"
        here._give_answer()
        wait_until(lambda: here.state.prizes[0].absent and here.state.step == "roll call")
    finally:
        control.stop()
