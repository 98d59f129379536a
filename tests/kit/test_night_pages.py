"""The operator's pages of an evening, without a browser: their marks, and a lost evening."""

import os
import signal

import pytest
from helpers import wait_until

from lottery_lib import Stack, connect
from lottery_lib.party import scenes
from lottery_lib.party.draw_night import Operator
from lottery_lib.party.evening import Evening
from sfn_emulator import control


@pytest.fixture
def page():
    """`page(evening, file)`: an operator's page that a browser shows."""
    opened = []

    def show(evening, file=None):
        opened.append(Operator(evening, file))
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
    wait_until(lambda: evening.look().step == "roll call")
    evening.show("winners", 1)
    return evening


def mark(page, one, absent=True):
    page._roll._handle_custom_msg({"id": one, "absent": absent}, [])


def offers(page, words):
    """The button of the page's form has these words."""
    wait_until(lambda: (page._answer.description, page._answer.layout.display) == (words, ""))


def test_nothing_deployed(page, tmp_path):
    """Before the deploy the page says what to do, even if the evening's file is damaged."""
    (tmp_path / "damaged.json").write_text("{")
    here = page(
        Evening(connect(edition="hardened", attendee="nowhere"), "nowhere"), tmp_path / "damaged.json"
    )
    wait_until(lambda: "does not exist. Run `lottery deploy`" in here._problem.value)


def test_marks_are_shared(page, hardened):
    """Two pages and a new one show the same marks. A press that has not seen the last mark is not taken."""
    evening = at_roll_call(hardened)
    here, other = page(evening), page(evening)
    first, second, third = (each.id for each in evening.look().prizes[0].winners)
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
    wait_until(lambda: len(scenes.roll(evening.look()).absent) == 2)
    here._wish(lambda: here._call_roll(seen))
    wait_until(lambda: "has changed who is absent, so nothing was sent" in here._problem.value)
    offers(here, "2 absent: draw these places again")
    mark(other, second, False)
    other._give_answer()  # at once: what this page has marked last is sent
    wait_until(lambda: evening.look().prizes[0].absent)
    assert [each.id for each in evening.look().prizes[0].absent] == [third]
    offers(here, "Everybody is here")


def test_restored_with_one_click(page, own_home):
    """The emulator is killed at a roll call. The page finds a new one, and the file has the evening.

    A mark that was made just then is kept.
    """
    target, file = connect(edition="hardened", attendee="kept"), own_home / "kept.evening.json"
    try:
        Stack(target).deploy()
        evening = at_roll_call(target, file)
        here = page(evening, file)
        winners = evening.look().prizes[0].winners
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
