"""Whether a failed state is tried again, and when.

See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import random
from collections.abc import Sequence
from typing import Final

from states_language.execution import Frame
from states_language.failures import TIMEOUT, Failure

_LONGEST: Final = 31_622_400  # seconds


def is_named(names: Sequence[str], failure: Failure) -> bool:
    """Whether an ErrorEquals names a failure."""
    if "States.ALL" in names or failure.names & set(names):
        return True
    return "States.TaskFailed" in names and failure.error != TIMEOUT


def delay(frame: Frame, failure: Failure, source: random.Random) -> float | None:
    """How long to wait before the next attempt, and count it.

    Args:
        frame: The state, whose counters change.
        failure: Its failure.
        source: For jitter.

    Returns:
        Seconds; None if no Retrier names the failure, or its attempts are used up.
    """
    for number, retrier in enumerate(frame.state.get("Retry", ())):
        if is_named(retrier["ErrorEquals"], failure):
            tried = frame.tries.get(number, 0)
            if tried >= retrier.get("MaxAttempts", 3):
                return None
            frame.tries[number] = tried + 1
            longest = interval(retrier, tried)
            return source.uniform(0, longest) if retrier.get("JitterStrategy") == "FULL" else longest
    return None


def interval(retrier: dict[str, float], tried: int) -> float:
    """The interval of a Retrier after so many retries, in seconds."""
    try:
        seconds = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** tried
    except OverflowError:
        seconds = _LONGEST
    return float(min(seconds, retrier.get("MaxDelaySeconds", _LONGEST), _LONGEST))
