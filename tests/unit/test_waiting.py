"""Waits have deadlines."""

import pytest

from lottery_lib.errors import LotteryError
from lottery_lib.waiting import Waiter


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


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def told():
    return []


@pytest.fixture
def waiter(clock, told):
    return Waiter(sleep=clock.sleep, clock=clock, report=told.append)


def test_returns_what_the_probe_found(waiter, clock):
    """The first result other than None or False ends the wait."""
    answers = iter([None, False, "there"])
    assert waiter.until("x", lambda: next(answers), seconds=9) == "there"


def test_deadline(waiter, clock):
    """A wait that runs out says what was waited for and for how long."""
    with pytest.raises(LotteryError, match=r"waiting for the moon: not there after 10 s\. Run the same step"):
        waiter.until("the moon", lambda: None, seconds=10)
    assert 10 <= clock.now <= 12


def test_pauses_grow_to_a_bound(waiter, clock):
    """Pauses begin short and grow to the bound."""
    with pytest.raises(LotteryError):
        waiter.until("x", lambda: None, seconds=60, every=2)
    assert clock.pauses == sorted(clock.pauses)
    assert (clock.pauses[0], clock.pauses[-1]) == (0.02, 2)


def test_long_wait_is_told(waiter, clock, told):
    """A wait of more than some seconds says what it waits for, now and then; a short one says nothing."""
    waiter.until("a moment", lambda: clock.now > 2, seconds=60)
    assert told == []
    waiter.until("the moon", lambda: clock.now > 40, seconds=60)
    assert 2 <= len(told) <= 4
    assert told[0].startswith("waiting for the moon (")
    assert told[0].endswith(" of at most 60 s)")


def test_retry_passes_what_does_not_pass(waiter, clock):
    """An error of another kind is raised at once."""
    with pytest.raises(KeyError):
        waiter.retry("x", {}.popitem, lambda error: isinstance(error, ValueError))
    assert clock.pauses == []


def test_retry_returns_even_none(waiter, clock):
    """What the call returns is returned, None too, once it is not refused any more."""
    answers = iter(["a", "b", "7"])
    assert waiter.retry("x", lambda: print(int(next(answers))), lambda error: True) is None
    assert len(clock.pauses) == 2


def test_retry_raises_the_refusal_itself(waiter, clock):
    """When the deadline passes, the error is the last refusal, not ours about waiting."""
    with pytest.raises(ValueError, match="invalid literal"):
        waiter.retry("x", lambda: int("a"), lambda error: True)
    assert 120 <= clock.now <= 122
