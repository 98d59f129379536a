"""Stop an expression of JSONata that takes too long: by the CPU time of its thread, and in a process of its own.

Python cannot interrupt the match of a regular expression, and other threads wait until it ends. So one that may take
long runs in another process, which is killed when its time is over.
"""

import json
import random
import subprocess
import sys
import time
import uuid
from typing import Final

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
        command, given = [sys.executable, "-I", "-S", "-c", _MATCH], json.dumps([pattern, flags, text])
        try:
            done = subprocess.run(
                command, input=given, capture_output=True, text=True, timeout=self._seconds, check=True
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        found: Spans = json.loads(done.stdout)
        return found


def outside() -> Outside:
    """What expressions take from outside, on this machine, now."""
    return Outside(time.time(), random.Random(), lambda: str(uuid.uuid4()), TimeGuard)
