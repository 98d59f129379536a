"""Limit how many calls run at once: share workers among functions, and keep reserved concurrency."""

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Final

from lottery_lib.emulator.lambda_.function import Function
from lottery_lib.emulator.lambda_.host import Worker

__all__ = ["Busy", "Pool", "Reservations", "Spares", "ThrottledError"]

LIMIT: Final = 16
# A function that calls another function keeps its worker while it waits. If nested calls queued, all of them
# could wait for each other and never end. So they do not queue. With this many workers, they are refused.
NESTED_LIMIT: Final = 48
_MOST_SPARES: Final = 4


class Busy(Exception):
    """Too many nested calls are running."""


class ThrottledError(Exception):
    """The function has reached its reserved concurrency."""


class Reservations:
    """The reserved concurrency of functions. All versions of a function share it. Further calls do not queue.

    Attributes:
        numbers: The reserved concurrency of a function, by its ARN. With 0, no call is allowed.
    """

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def call(self, arn: str) -> Iterator[None]:
        """Count a call of the function while it runs.

        Raises:
            ThrottledError: The call is not allowed to run.
        """
        with self._lock:
            if self._running[arn] >= self.numbers.get(arn, self._running[arn] + 1):
                raise ThrottledError(arn)
            self._running[arn] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[arn] -= 1


class Pool:
    """The workers that have loaded a function, and the calls that wait for a worker.

    A worker runs one call at a time, so two calls at once need two workers. If all are busy, calls queue. If
    a call needs a new worker and the limit is reached, the worker that has been idle longest is ended.

    Args:
        make: Starts a worker.
        limit: The largest number of workers, without nested calls.
    """

    def __init__(self, make: Callable[[Function], Worker], limit: int = LIMIT) -> None:
        self._make = make
        self._limit = limit
        self._idle: dict[Worker, Function] = {}  # the worker that has been idle longest is first
        self._busy: dict[Worker, Function] = {}
        self._starting = 0
        self._queue: deque[object] = deque()
        self._change = threading.Condition()

    def take(self, function: Function, *, nested: bool = False) -> tuple[Worker, bool]:
        """Wait for a worker.

        Args:
            function: The function that the worker will run.
            nested: The caller is a function, which uses a worker itself.

        Returns:
            A worker, and whether it has loaded the function already. If not, it is new.

        Raises:
            Busy: Too many nested calls.
        """
        doomed: list[Worker] = []
        with self._change:
            self._wait_turn(nested)
            # Take the worker that was used last. Then the others stay idle and can be ended.
            idle = [worker for worker in reversed(self._idle) if self._idle[worker] == function]
            worker = next((worker for worker in idle if worker.alive), None)
            if worker is not None:
                self._busy[worker] = self._idle.pop(worker)
                self._change.notify_all()
                return worker, True
            while self._idle and self._total() >= self._limit:
                doomed.append(oldest := next(iter(self._idle)))
                del self._idle[oldest]
            self._starting += 1
            self._change.notify_all()
        for oldest in doomed:
            oldest.discard()
        made = None
        try:
            made = self._make(function)
        finally:
            with self._change:
                self._starting -= 1
                if made is not None:
                    self._busy[made] = function
                self._change.notify_all()
        return made, False

    def give_back(self, worker: Worker) -> None:
        """Let other calls use the worker. If it has ended or was retired, remove it."""
        with self._change:
            function = self._busy.pop(worker, None)
            keep = worker.alive and not worker.retired
            if keep and function is not None:
                self._idle[worker] = function
            self._change.notify_all()
        if not keep or function is None:
            worker.discard()

    def retire(self, arn: str | None = None, version: str | None = None) -> None:
        """End the workers of a function and version, or all: idle ones now, busy ones after their call."""

        def concerns(function: Function) -> bool:
            return arn in {None, function.arn} and version in {None, function.version}

        with self._change:
            gone = [worker for worker, function in self._idle.items() if concerns(function)]
            for worker in gone:
                del self._idle[worker]
            for worker, function in self._busy.items():
                worker.retired = worker.retired or concerns(function)
            self._change.notify_all()
        for worker in gone:
            worker.discard()

    def has(self, arn: str) -> bool:
        """Whether there is a worker of a function."""
        with self._change:
            return any(function.arn == arn for function in [*self._busy.values(), *self._idle.values()])

    def close(self) -> None:
        """End all of them, busy ones included."""
        with self._change:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
            self._limit = 0
        for worker in workers:
            worker.end()

    def _wait_turn(self, nested: bool) -> None:
        if nested:
            if self._total() >= NESTED_LIMIT and not self._idle:
                raise Busy
            return
        ticket = object()
        self._queue.append(ticket)
        try:
            # Only the first call in the queue may take a worker, so that no later call is faster.
            self._change.wait_for(
                lambda: self._queue[0] is ticket and (self._idle or self._total() < self._limit)
            )
        finally:
            self._queue.remove(ticket)

    def _total(self) -> int:
        return len(self._idle) + len(self._busy) + self._starting


class Spares:
    """Workers that were started in advance: they have loaded Python, AWS's runtime client and boto3.

    Args:
        make: Starts a worker.
    """

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._ready: list[Worker] = []
        self._coming = 0
        self._closed = False
        self._lock = threading.Lock()

    def take(self) -> Worker:
        """A spare worker, or a new one."""
        with self._lock:
            while self._ready:
                if (worker := self._ready.pop()).alive:
                    return worker
        return self._make()

    def want(self, number: int) -> None:
        """Start workers, so that this number of spares is ready soon. The most is 4."""
        with self._lock:
            missing = min(number, _MOST_SPARES) - len(self._ready) - self._coming
            if missing <= 0:
                return
            self._coming += missing
        threading.Thread(target=self._start, args=(missing,), daemon=True).start()

    def close(self) -> None:
        """End them."""
        with self._lock:
            self._closed = True
            spares, self._ready = self._ready, []
        for worker in spares:
            worker.discard()

    def _start(self, number: int) -> None:
        for _ in range(number):
            worker = None
            with contextlib.suppress(OSError, RuntimeError):  # a call that needs one reports why
                worker = self._make()
            with self._lock:
                self._coming -= 1
                if worker is not None and not self._closed:
                    self._ready.append(worker)
                    worker = None
            if worker is not None:
                worker.discard()
