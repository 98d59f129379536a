"""Wait for something with a deadline, and say what is waited for.

Time is the two names `sleep` and `clock` below, looked up at each use: who puts others in their place, as
tests do, decides how long a wait takes.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from lottery_lib.errors import LotteryError

__all__ = ["pause", "retry_while", "telling", "wait_until"]

T = TypeVar("T")

sleep: Callable[[float], None] = time.sleep
clock: Callable[[], float] = time.monotonic

_SILENT: Final = 3.0  # seconds until a wait is told, so that what an emulator does at once is not
_REPEATED: Final = 15.0  # seconds until it is told again
_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


@contextmanager
def telling(tell: Callable[[str], None]) -> Iterator[None]:
    """Have the waits inside that take a while say so: ``tell`` is called with a few words."""
    token = _listener.set(tell)
    try:
        yield
    finally:
        _listener.reset(token)


def wait_until(
    what: str,
    probe: Callable[[], T | None],
    *,
    seconds: float,
    every: float = 2.0,
    passing: Callable[[Exception], bool] = lambda error: False,
) -> T:
    """Call ``probe`` until it returns something other than None or False.

    Args:
        what: What is waited for, such as ``"table Lottery-Winners to be ACTIVE"``.
        probe: Looks once; a result other than None or False ends the wait.
        seconds: The deadline.
        every: The longest pause between two looks, in seconds; the first pauses are shorter.
        passing: Whether an error of ``probe`` is of a kind that passes; any other is raised at once.

    Returns:
        What ``probe`` returned.

    Raises:
        LotteryError: The deadline passed. If the last look ended in an error that was to pass, that one.
    """
    begun, told, short = clock(), _SILENT - _REPEATED, min(0.02, every)
    while True:
        error: Exception = _not_there(what, seconds)
        try:
            result = probe()
            if result is not None and result is not False:
                return result
        except Exception as refusal:
            if not passing(refusal):
                raise
            error = refusal
        waited = clock() - begun
        if waited >= seconds:
            raise error
        if waited >= told + _REPEATED:
            _say(f"waiting for {what} ({waited:.0f} of at most {seconds:g} s)")
            told = waited
        sleep(short)
        short = min(short * 1.5, every)


def pause(what: str, seconds: float) -> None:
    """Let time pass where there is nothing to look at."""
    _say(f"waiting for {what} ({seconds:g} s)")
    sleep(seconds)


def _not_there(what: str, seconds: float) -> LotteryError:
    return LotteryError(
        f"waiting for {what}",
        f"not there after {seconds:g} s",
        "Run the same step again; it goes on where it stopped",
    )


def _say(words: str) -> None:
    if tell := _listener.get():
        tell(words)


def retry_while(
    what: str, call: Callable[[], T], passing: Callable[[Exception], bool], *, seconds: float = 120.0
) -> T:
    """Make a call again while it is refused for a reason that passes, such as a role that is too new.

    Args:
        what: What is waited for.
        call: The call.
        passing: Whether an error is of the kind that passes; any other is raised at once.
        seconds: The deadline, after which the refusal itself is raised.
    """
    # In a tuple, because the result of a call may well be None.
    return wait_until(what, lambda: (call(),), seconds=seconds, passing=passing)[0]
