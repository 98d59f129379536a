"""Waits have deadlines."""

import pytest

from lottery_lib.errors import LotteryError
from lottery_lib.waiting import retry_while, wait_until


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.pauses = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        self.pauses.append(seconds)


def test_returns_what_the_probe_found():
    """The first result other than None or False ends the wait."""
    clock, answers = Clock(), iter([None, False, "there"])
    assert wait_until("x", lambda: next(answers), seconds=9, sleep=clock.sleep, clock=clock) == "there"


def test_deadline():
    """A wait that runs out says what was waited for and for how long."""
    clock = Clock()
    with pytest.raises(LotteryError, match=r"waiting for the moon: not there after 10 s\. Run the same step"):
        wait_until("the moon", lambda: None, seconds=10, sleep=clock.sleep, clock=clock)
    assert 10 <= clock.now <= 12


def test_pauses_grow_to_a_bound():
    """Pauses begin short and grow to the bound."""
    clock = Clock()
    with pytest.raises(LotteryError):
        wait_until("x", lambda: None, seconds=60, every=2, sleep=clock.sleep, clock=clock)
    assert clock.pauses[0] == 0.02
    assert max(clock.pauses) == 2


def test_retry_passes_what_does_not_pass():
    """An error of another kind is raised at once."""
    clock = Clock()
    with pytest.raises(KeyError):
        retry_while(
            "x", {}.popitem, lambda error: isinstance(error, ValueError), sleep=clock.sleep, clock=clock
        )
    assert clock.pauses == []


def test_retry_raises_the_refusal_itself():
    """When the deadline passes, the error is the last refusal, not ours about waiting."""
    clock = Clock()
    with pytest.raises(ValueError, match="invalid literal"):
        retry_while("x", lambda: int("a"), lambda error: True, sleep=clock.sleep, clock=clock)
