"""A clock that tests move, and an AWS that is hostile."""

import itertools
import time
from types import SimpleNamespace

import pytest
from hostile.hostile_aws import HostileAws

_numbers = itertools.count(1)


class Clock:
    """Time that passes when somebody sleeps; really only so much of it that the emulator gets to work."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds
        _really_sleep(min(seconds, 0.002))


_really_sleep = time.sleep


@pytest.fixture
def clock(monkeypatch):
    """The time of the library's waits and of botocore's retries."""
    clock = Clock()
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=clock.sleep))
    return clock


@pytest.fixture
def slow(clock, monkeypatch):
    """Let each pause take ten seconds more, so that a wait ends after a few looks."""
    sleep = clock.sleep
    monkeypatch.setattr(clock, "sleep", lambda seconds: sleep(seconds + 10))


@pytest.fixture
def aws(clock):
    """A hostile AWS with names of this test's own; it does as AWS does once the test has said what."""
    return HostileAws(clock, f"h{next(_numbers)}")


@pytest.fixture
def deployed(clock):
    """A hostile AWS with a whole lottery, the same for many tests: nobody has drawn, and Ann's mail waits."""
    from lottery_lib import plan
    from lottery_lib.resources.contents import empty_winners

    aws = HostileAws(clock, "deployed")
    plan.machine(aws.emulated).delete()  # with its executions
    aws.deploy("ann@example.com")
    empty_winners(aws.emulated)
    aws.forget()
    return aws


@pytest.fixture
def stack(aws):
    """The lottery on it, not deployed yet; `stack.told` is what the progress said."""
    from lottery_lib import Stack

    told = []
    stack = Stack(aws.target, told.append, lambda plan: None)
    stack.told = told
    return stack
