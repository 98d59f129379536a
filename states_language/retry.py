"""Whether a failed state is tried again, and when.

See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from states_language.execution import Frame
from states_language.failures import TIMEOUT, Failure

Handler = Mapping[str, Any]
"""A Retrier or a Catcher."""

_ATTEMPTS: Final = 3  # of a Retrier that does not say it
_LONGEST: Final = 31_622_400  # seconds


def is_named(names: Sequence[str], failure: Failure) -> bool:
    """Whether an ErrorEquals names a failure."""
    if "States.ALL" in names or failure.names & set(names):
        return True
    return "States.TaskFailed" in names and failure.error != TIMEOUT


def named_in(handlers: Sequence[Handler], failure: Failure) -> tuple[int, Handler] | None:
    """The first Retrier or Catcher that names a failure, with its number; None if none does."""
    for number, handler in enumerate(handlers):
        if is_named(handler["ErrorEquals"], failure):
            return number, handler
    return None


def delay(frame: Frame, failure: Failure, source: random.Random) -> float | None:
    """How long to wait before the next attempt, and count it.

    Args:
        frame: The state, whose counters change.
        failure: Its failure.
        source: For jitter.

    Returns:
        Seconds; None if no Retrier names the failure, or the attempts of the first that does are used up.
    """
    if (found := named_in(frame.state.get("Retry", ()), failure)) is None:
        return None
    number, retrier = found
    tried = frame.tries.get(number, 0)
    if tried >= attempts(retrier):
        return None
    frame.tries[number] = tried + 1
    longest = interval(retrier, tried)
    return source.uniform(0, longest) if retrier.get("JitterStrategy") == "FULL" else longest


def attempts(retrier: Handler) -> int:
    """How often a Retrier tries again at most."""
    return int(retrier.get("MaxAttempts", _ATTEMPTS))


def interval(retrier: Handler, tried: int) -> float:
    """The interval of a Retrier after so many retries, in seconds."""
    try:
        seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** tried
    except OverflowError:
        seconds = _LONGEST
    return float(min(seconds, retrier.get("MaxDelaySeconds", _LONGEST), _LONGEST))
