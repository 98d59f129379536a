"""`restore` is quick enough to be the first cell of every lesson, whatever was there before."""

import time
import urllib.request

import pytest

from lottery_lib import connect, restore
from lottery_lib.course.lessons import LESSONS

SECONDS = 5


@pytest.fixture
def elsewhere(own):
    """An emulator of this test's own, which nobody else keeps busy."""
    return connect(own.told["endpoint"])


def empty(target):
    """Let the emulator forget everything, as if it had just been started."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(f"{target.endpoint}/moto-api/reset", data=b"", timeout=30).close()


def finished(target):
    """Leave what somebody has who did the whole course but the clean-up: all of it, and a draw."""
    restore(target, "99")


def seconds(prepare, lesson, target):
    prepare(target)
    start = time.monotonic()
    restore(target, lesson)
    return time.monotonic() - start


@pytest.mark.parametrize("prepare", [empty, finished])
def test_restore_time(elsewhere, prepare):
    """Every lesson is restored within five seconds, from nothing and from everything."""
    taken = {lesson: seconds(prepare, lesson, elsewhere) for lesson in LESSONS}
    assert {lesson: took for lesson, took in taken.items() if took >= SECONDS} == {}
