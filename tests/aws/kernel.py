"""Run cells as a person on AWS does: where a cell fails, wait a little, and run it again."""

import re
import signal
import time
from contextlib import contextmanager

from notebooks.holds import HOLDS

from lottery_course.checks import Check, Checks

#: How an execution or a state ends.
STATUS = re.compile(r"\b(?:ABORTED|CAUGHT_ERROR|FAILED|RETRIABLE|SUCCEEDED|TIMED_OUT)\b")


class Kernel:
    """Runs the cells of one lesson, until nothing is wrong with them.

    What a cell needs may have come too early: a draw before a right held, a search before a log was there.
    So with each attempt, one more of the cells before runs again, too.

    Args:
        shell: Runs a source.
        may_raise: The ids of cells that may raise.
        change: What to change in a source for this account.
        patience: How long a cell is tried, in seconds.
        pause: How long to wait before the next attempt.
        limit: When a cell is ended that does not end, in seconds.

    Attributes:
        again: Why cells ran again.
    """

    def __init__(self, shell, *, may_raise=(), change=str, patience=180, pause=10, limit=900):
        self._shell, self._may_raise, self._change = shell, may_raise, change
        self._patience, self._pause, self._limit = patience, pause, limit
        self._before, self.again = [], []

    def run(self, name, source, stored=()):
        """Run a cell, and what must hold after it. It shows at least the statuses of its stored outputs."""
        began, attempts = time.monotonic(), 0
        while problem := self._problem(name, source, stored):
            self.again.append(f"{name}: {problem}")
            assert time.monotonic() - began < self._patience, "\n".join(self.again)
            time.sleep(self._pause)
            for earlier in self._before[len(self._before) - attempts :]:
                self._ended(earlier)  # it was right once: if it cannot be repeated, this is no problem
            attempts = min(attempts + 1, 6, len(self._before))
        self._before.append(source)

    def _problem(self, name, source, stored):
        """What is wrong after a cell; empty if nothing is."""
        shown, ended = self._ended(source)
        error = ended.error_before_exec or ended.error_in_exec
        if error:
            return "" if name in self._may_raise else f"{type(error).__name__}: {error}"
        told = [ended.result] if isinstance(ended.result, Check) else ended.result
        if isinstance(ended.result, Check | Checks) and not all(each.done for each in told):
            return " ".join(str(each) for each in told if not each.done)
        broken = self._ended(HOLDS.get(name, ""))[1].error_in_exec
        if broken:
            return f"{type(broken).__name__}: {broken}"
        missing = statuses(stored) - statuses(shown)  # more may be there: a list has what ran before
        return f"it does not show {', '.join(missing)}" if missing else ""

    def _ended(self, source):
        with ending_after(self._limit):
            return self._shell(self._change(source))


def statuses(outputs):
    """The statuses in the texts that a cell shows."""
    texts = [str(each.get("text") or each.get("data", {}).get("text/plain")) for each in outputs]
    return set(STATUS.findall("".join(texts)))


@contextmanager
def ending_after(seconds):
    """End what a cell waits for, such as a mail that does not come."""

    def end(*_):
        raise TimeoutError(f"it did not end in {seconds} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
