"""What an expression takes from outside: the time, randomness, ids, and the end of its patience.

Nothing in `states_language` reads a clock or makes a random number. Whoever runs it gives both.
"""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Final, Protocol

Spans = Sequence[Sequence[Sequence[int]]]
"""The places of all matches of a regular expression: of each match, and of its groups."""

_MOST_STEPS: Final = 4_000


class Guard(Protocol):
    """Stops an expression that takes too long. Each evaluation gets a new one."""

    def check(self) -> None:
        """Called after some steps of the evaluation.

        Raises:
            TimeoutError: It takes too long.
        """

    def matches(self, pattern: str, flags: int, text: str) -> Spans:
        """The matches of a regular expression that may take long, because Python cannot interrupt them.

        Raises:
            TimeoutError: They take too long.
        """


class StepGuard:
    """Counts steps instead of time. It does not stop a regular expression."""

    def __init__(self, most: int = _MOST_STEPS) -> None:
        self._left = most

    def check(self) -> None:
        """See `Guard.check`."""
        self._left -= 1
        if not self._left:
            raise TimeoutError

    def matches(self, pattern: str, flags: int, text: str) -> Spans:
        """See `Guard.matches`."""
        return [match.regs for match in re.finditer(pattern, text, flags)]


_numbers: Final = count(1)


def _counted() -> str:
    """An id that nothing else here has."""
    return str(uuid.UUID(int=next(_numbers), version=4))


@dataclass(frozen=True)
class Outside:
    """What `interpreter.step` and `jsonata.evaluate` take from outside.

    Args:
        now: The time, in seconds since 1970.
        random: For jitter and random numbers.
        new_id: Makes ids: of calls, timers, tokens and Map Runs, and for UUIDs.
        guard: Makes a guard for each evaluation of an expression.
    """

    now: float = 0.0
    random: Random = field(default_factory=lambda: Random(0))
    new_id: Callable[[], str] = _counted
    guard: Callable[[], Guard] = StepGuard
