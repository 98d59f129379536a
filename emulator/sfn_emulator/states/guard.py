"""Stop an expression of JSONata that takes too long: by its CPU time, or in another process (`apart`)."""

import random
import time
import uuid
from typing import Final

from sfn_emulator.process.apart import apart
from states_language.outside import Outside, Spans

#: How much CPU time one evaluation may take.
SECONDS: Final = 3.0
_MATCH: Final = """import json, re, sys
pattern, flags, text = json.load(sys.stdin)
json.dump([match.regs for match in re.finditer(pattern, text, flags)], sys.stdout)
"""


class TimeGuard:
    """A guard that measures time. See `states_language.outside.Guard`."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._until = time.thread_time() + seconds

    def check(self) -> None:
        """Stop the evaluation if its time is over."""
        if time.thread_time() > self._until:
            raise TimeoutError

    def matches(self, pattern: str, flags: int, text: str) -> Spans:
        """The matches of a regular expression, from a process of its own."""
        found: Spans = apart(_MATCH, [pattern, flags, text], self._seconds)
        return found


def outside() -> Outside:
    """What expressions take from outside, on this machine, now."""
    return Outside(time.time(), random.Random(), lambda: str(uuid.uuid4()), TimeGuard)
