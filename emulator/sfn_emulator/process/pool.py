"""Threads that do work for executions: a few that are used again, and more only if all of them wait."""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

_USUAL: Final = 40
_MOST: Final = 2_000
_IDLE_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 0.3


class Pool:
    """Does work in threads, in the order in which it comes.

    A function that a state machine calls may wait for another state machine. So all threads may wait for work
    that is not begun. If nothing gets done for a moment, there are further threads.

    Args:
        usual: How many threads there are at most, unless all of them wait.

    Attributes:
        when_quiet: Called each time when nothing is left to do.
    """

    def __init__(self, usual: int = _USUAL) -> None:
        self._usual = usual
        self._waiting: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        lock = threading.Lock()
        self._changed, self._quiet = threading.Condition(lock), threading.Condition(lock)
        self._threads = self._idle = self._working = self._done = 0
        self._helps = False
        self._here = threading.local()
        self.when_quiet: Callable[[], None] = lambda: None

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to do."""
        return not (self._waiting or self._working)

    def submit(self, act: Callable[..., Any], *given: Any) -> None:
        """Call this soon, in another thread."""
        with self._changed:
            self._waiting.append((act, given))
            if self._idle >= len(self._waiting):
                self._changed.notify()
            elif self._threads < self._usual:
                self._add_thread()
            elif not self._helps:
                self._helps = True
                threading.Thread(target=self._help, daemon=True).start()

    @contextmanager
    def counted(self, *, works: bool) -> Iterator[None]:
        """Count this thread as one that works, or as one that only waits, whatever it was before."""
        before = getattr(self._here, "works", False)
        self._count(works - before)
        self._here.works = works
        try:
            yield
        finally:
            self._here.works = before
            self._count(before - works)

    def _count(self, more: int) -> None:
        with self._changed:
            self._working += more
            if is_quiet := more < 0 and self.is_quiet:
                self._quiet.notify_all()
        if is_quiet:
            self.when_quiet()

    def wait_until_quiet(self, seconds: float) -> bool:
        """Wait until there is nothing to do. False if so much time has passed before that."""
        with self._quiet:
            return self._quiet.wait_for(lambda: self.is_quiet, seconds)

    def _add_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    self._idle += 1
                    came = self._changed.wait(_IDLE_SECONDS)
                    self._idle -= 1
                    if not came and not self._waiting:
                        self._threads -= 1
                        return
                act, given = self._waiting.popleft()
                self._working += 1
            self._here.works = True
            try:
                act(*given)
            except Exception:  # the other work goes on
                traceback.print_exc()
            del act, given  # an idle thread keeps nothing
            self._done += 1  # it need not be exact
            self._count(-1)

    def _help(self) -> None:
        """Add threads while nothing gets done, because all threads wait for something."""
        done = -1
        while True:
            time.sleep(_PATIENCE_SECONDS)
            with self._changed:
                if not self._waiting:
                    self._helps = False
                    return
                if done == self._done and self._threads < _MOST:
                    for _ in range(min(len(self._waiting), self._usual)):
                        self._add_thread()
                done = self._done
