"""Share a bounded number of workers among functions, first come, first served."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from typing import Final

from lottery_lib.emulator.lambda_.host import Worker

__all__ = ["Busy", "Pool"]

LIMIT: Final = 16
# A function that calls another waits inside a worker. Were it to queue, enough of them would wait for each
# other for ever; so such calls do not queue, and beyond this many workers they are refused, as AWS throttles.
NESTED_LIMIT: Final = 48


class Busy(Exception):
    """As many calls run inside one another as this machine is asked to bear."""


class Pool:
    """Idle workers, by what they are; and who waits for one.

    A worker runs one call at a time, so two calls at once run in two. When all are taken, calls queue. When a
    call needs a worker that is not there and the bound is reached, the one that idled longest is ended.

    Args:
        make: Starts a worker.
        limit: How many there may be at once.
    """

    def __init__(self, make: Callable[[], Worker], limit: int = LIMIT) -> None:
        self._make = make
        self._limit = limit
        self._idle: dict[Worker, tuple[Hashable, float]] = {}  # the one that idled longest is first
        self._busy: dict[Worker, Hashable] = {}
        self._starting = 0
        self._queue: deque[object] = deque()
        self._change = threading.Condition()

    def take(self, key: Hashable, *, nested: bool = False) -> tuple[Worker, bool]:
        """Wait for a worker.

        Args:
            key: What it has to be.
            nested: The caller holds a worker itself.

        Returns:
            A worker, and whether it is that already; if not, it is new.

        Raises:
            Busy: Too many nested calls.
        """
        doomed: list[Worker] = []
        with self._change:
            self._wait_turn(key, nested)
            if worker := self._warm(key):
                self._busy[worker] = key
                self._change.notify_all()
                return worker, True
            while self._idle and self._total() >= self._limit:
                doomed.append(self._forget_oldest())
            self._starting += 1
            self._change.notify_all()
        for worker in doomed:
            worker.discard()
        return self._begin(key), False

    def give_back(self, worker: Worker) -> None:
        """Let others use it, unless it died or was retired."""
        with self._change:
            key = self._busy.pop(worker, None)
            keep = key is not None and worker.alive and not worker.retired
            if keep:
                self._idle[worker] = (key, time.monotonic())
            self._change.notify_all()
        if not keep:
            worker.discard()

    def retire(self, which: Callable[[Hashable], bool]) -> None:
        """End the workers of these keys: idle ones now, busy ones after their call."""
        with self._change:
            gone = [worker for worker, (key, _) in self._idle.items() if which(key)]
            for worker in gone:
                del self._idle[worker]
            for worker, key in self._busy.items():
                worker.retired = worker.retired or which(key)
            self._change.notify_all()
        for worker in gone:
            worker.discard()

    def has(self, which: Callable[[Hashable], bool]) -> bool:
        """Whether a worker of such a key is there."""
        with self._change:
            return any(which(key) for key in [*self._busy.values(), *(key for key, _ in self._idle.values())])

    def close(self) -> None:
        """End all of them, also those that run."""
        with self._change:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
            self._limit = 0
        for worker in workers:
            worker.end()

    def _wait_turn(self, key: Hashable, nested: bool) -> None:
        if nested:
            if self._total() >= NESTED_LIMIT and not self._idle:
                raise Busy
            return
        ticket = object()
        self._queue.append(ticket)
        try:
            # Only the first in the queue may look: whoever came later cannot take what it waits for.
            self._change.wait_for(lambda: self._queue[0] is ticket and self._can_serve(key))
        finally:
            self._queue.remove(ticket)

    def _can_serve(self, key: Hashable) -> bool:
        return bool(self._idle) or self._total() < self._limit

    def _total(self) -> int:
        return len(self._idle) + len(self._busy) + self._starting

    def _warm(self, key: Hashable) -> Worker | None:
        # The one used last: the others may then idle long enough to be ended.
        for worker, (its_key, _) in reversed(self._idle.items()):
            if its_key == key and worker.alive:
                del self._idle[worker]
                return worker
        return None

    def _forget_oldest(self) -> Worker:
        worker = next(iter(self._idle))
        del self._idle[worker]
        return worker

    def _begin(self, key: Hashable) -> Worker:
        worker = None
        try:
            worker = self._make()
        finally:
            with self._change:
                self._starting -= 1
                if worker is not None:
                    self._busy[worker] = key
                self._change.notify_all()
        return worker
