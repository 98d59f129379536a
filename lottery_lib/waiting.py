"""Wait for something with a deadline, and say what was waited for."""

import time
from collections.abc import Callable
from typing import TypeVar

from lottery_lib.errors import LotteryError

__all__ = ["retry_while", "wait_until"]

T = TypeVar("T")


def wait_until(
    what: str,
    probe: Callable[[], T | None],
    *,
    seconds: float,
    every: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Call ``probe`` until it returns something other than None or False.

    Args:
        what: What is waited for, such as ``"table Lottery-Winners to be ACTIVE"``.
        probe: Looks once; a result other than None or False ends the wait.
        seconds: The deadline.
        every: The longest pause between two looks, in seconds; the first pauses are shorter.
        sleep: Pauses.
        clock: Tells the time in seconds.

    Returns:
        What ``probe`` returned.

    Raises:
        LotteryError: The deadline passed.
    """
    deadline = clock() + seconds
    pause = min(0.02, every)
    while True:
        result = probe()
        if result is not None and result is not False:
            return result
        if clock() >= deadline:
            raise LotteryError(
                f"waiting for {what}",
                f"not there after {seconds:g} s",
                "Run the same step again; it goes on where it stopped",
            )
        sleep(pause)
        pause = min(pause * 1.5, every)


def retry_while(
    what: str,
    call: Callable[[], T],
    refused: Callable[[Exception], bool],
    *,
    seconds: float = 120.0,
    every: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Make a call again while it is refused for a reason that passes, such as a role that is too new.

    Args:
        what: What is waited for.
        call: The call.
        refused: Whether an error is of the kind that passes; any other is raised at once.
        seconds: The deadline, after which the refusal itself is raised.
        every: The longest pause between two calls, in seconds.
        sleep: Pauses.
        clock: Tells the time in seconds.
    """
    last: Exception | None = None

    def attempt() -> tuple[T] | None:
        nonlocal last
        try:
            return (call(),)
        except Exception as error:
            if not refused(error):
                raise
            last = error
            return None

    try:
        return wait_until(what, attempt, seconds=seconds, every=every, sleep=sleep, clock=clock)[0]
    except LotteryError as error:
        raise last or error from error
