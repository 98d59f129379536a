"""What stops an expression that takes too long."""

import pytest

from sfn_emulator.states.guard import TimeGuard, outside


def test_a_match_that_never_ends_is_ended():
    """It runs in a process of its own, which is killed when its time is over."""
    with pytest.raises(TimeoutError):
        TimeGuard(0.5).matches("^(a|aa)+$", 0, "a" * 60 + "b")


def test_a_match_that_ends_has_its_places():
    """The places of each match and of its groups come back from the process."""
    assert TimeGuard().matches("b(c)", 0, "abc") == [[[1, 3], [2, 3]]]


def test_an_evaluation_has_so_much_time_of_its_thread():
    """A guard without any time left ends the evaluation at its first look."""
    with pytest.raises(TimeoutError):
        TimeGuard(-1).check()


def test_each_evaluation_has_a_guard_of_its_own():
    """The time of one evaluation does not count for the next one."""
    world = outside()
    assert world.guard() is not world.guard()
