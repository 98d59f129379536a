"""Waits have deadlines."""

import pytest

from lottery_lib import waiting
from lottery_lib.errors import LotteryError
from lottery_lib.waiting import retry_while, telling, wait_until


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
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(waiting, "sleep", clock.sleep)
    monkeypatch.setattr(waiting, "clock", clock)
    return clock


def test_returns_what_the_probe_found(clock):
    """The first result other than None or False ends the wait."""
    answers = iter([None, False, "there"])
    assert wait_until("x", lambda: next(answers), seconds=9) == "there"


def test_deadline(clock):
    """A wait that runs out says what was waited for and for how long."""
    with pytest.raises(LotteryError, match=r"waiting for the moon: not there after 10 s\. Run the same step"):
        wait_until("the moon", lambda: None, seconds=10)
    assert 10 <= clock.now <= 12


def test_pauses_grow_to_a_bound(clock):
    """Pauses begin short and grow to the bound."""
    with pytest.raises(LotteryError):
        wait_until("x", lambda: None, seconds=60, every=2)
    assert clock.pauses == sorted(clock.pauses)
    assert (clock.pauses[0], clock.pauses[-1]) == (0.02, 2)


def test_long_wait_is_told(clock):
    """A wait of more than some seconds says what it waits for, now and then; a short one says nothing."""
    told = []
    with telling(told.append):
        wait_until("a moment", lambda: clock.now > 2, seconds=60)
        assert told == []
        wait_until("the moon", lambda: clock.now > 40, seconds=60)
    wait_until("x", lambda: clock.now > 90, seconds=60)
    assert 2 <= len(told) <= 4
    assert told[0].startswith("waiting for the moon (")
    assert told[0].endswith(" of at most 60 s)")


def test_retry_passes_what_does_not_pass(clock):
    """An error of another kind is raised at once."""
    with pytest.raises(KeyError):
        retry_while("x", {}.popitem, lambda error: isinstance(error, ValueError))
    assert clock.pauses == []


def test_retry_returns_even_none(clock):
    """What the call returns is returned, None too, once it is not refused any more."""
    answers = iter(["a", "b", "7"])
    assert retry_while("x", lambda: print(int(next(answers))), lambda error: True) is None
    assert len(clock.pauses) == 2


def test_retry_raises_the_refusal_itself(clock):
    """When the deadline passes, the error is the last refusal, not ours about waiting."""
    with pytest.raises(ValueError, match="invalid literal"):
        retry_while("x", lambda: int("a"), lambda error: True)
    assert 120 <= clock.now <= 122
