"""Limit how many invocations run at once: functions share workers, and may reserve concurrency."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from sfn_emulator.lambda_.function import Function
from sfn_emulator.lambda_.worker import Worker

_PATIENT_SECONDS: Final = 2.0
# A function that calls another function keeps its worker while it waits. If nested calls queued, all of them
# could wait for each other and never end. So they do not queue, and are refused beyond twice the most
# workers.
_NESTED: Final = 2
_MOST_SPARES: Final = 4


class BusyError(Exception):
    """Too many nested calls are running."""


class ThrottledError(Exception):
    """The function has reached its reserved concurrency."""


class Reservations:
    """The reserved concurrency of functions. All versions of a function share it. No further call queues.

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


def limits_of(cores: int, free_bytes: int, worker_bytes: int) -> tuple[int, int]:
    """How many workers there usually are, and the most. They take up to a quarter of the free memory.

    Args:
        cores: The processor cores of this machine.
        free_bytes: Its free memory.
        worker_bytes: The memory of one worker.
    """
    most = max(16, min(16 * cores, free_bytes // 4 // worker_bytes))
    return min(max(16, 8 * cores), most), most


class Pool:
    """The workers that have loaded a function, and the calls that wait for a worker.

    A worker runs one call at a time, so two calls at once need two workers. A function may have as many busy
    workers as it leaves free for others. Further calls queue. The function with fewer busy workers is first.
    If a call needs a new worker and the limit is reached, the worker that has been idle longest is ended.

    Args:
        make: Starts a worker for a function.
        usual: The usual number of workers, busy or idle. Half of them may be idle.
        most: The most workers. A call that has waited for two seconds gets one beyond the usual number,
            because busy workers may sleep.
    """

    def __init__(self, make: Callable[[Function], Worker], usual: int, most: int) -> None:
        self._make = make
        self._usual = usual
        self._most = most
        self._idle: dict[Worker, Function] = {}  # the worker that has been idle longest is first
        self._busy: dict[Worker, Function] = {}
        self._running: Counter[str] = Counter()  # calls that run, by the function's ARN
        self._queue: list[_Ticket] = []
        self._lock = threading.Lock()

    def take(self, function: Function, *, nested: bool = False) -> tuple[Worker, bool]:
        """Wait for a worker.

        Args:
            function: The function that the worker will run.
            nested: Whether the caller is a function, which uses a worker itself.

        Returns:
            A worker, and whether it has loaded the function already. Otherwise it is new.

        Raises:
            BusyError: Too many nested calls.
        """
        self._wait_turn(function.arn, nested)
        with self._lock:
            # Take the worker that was used last. Then the others stay idle and can be ended.
            idle = [worker for worker in reversed(self._idle) if self._idle[worker] == function]
            worker = next((worker for worker in idle if worker.alive), None)
            if worker is not None:
                self._busy[worker] = self._idle.pop(worker)
                return worker, True
            for dead in idle:
                del self._idle[dead]
            doomed = [*idle, *self._surplus()]
        try:
            for old in doomed:
                old.discard()
            made = self._make(function)
        except BaseException:
            with self._lock:
                self._end_turn(function)
            raise
        with self._lock:
            self._busy[made] = function
        return made, False

    def give_back(self, worker: Worker) -> None:
        """Let other calls use the worker. If it has ended or was retired, remove it."""
        with self._lock:
            function = self._busy.pop(worker)
            keep = worker.alive and not worker.retired
            if keep:
                self._idle[worker] = function
                worker.idle_since = time.monotonic()
            self._end_turn(function)
            doomed = [*self._surplus(), *([] if keep else [worker])]
        for old in doomed:
            old.discard()

    def retire(self, arn: str | None = None, version: str | None = None) -> None:
        """End the workers of a function and version, or all. Busy workers end after their invocation."""

        def concerns(function: Function) -> bool:
            return arn in {None, function.arn} and version in {None, function.version}

        with self._lock:
            gone = [worker for worker, function in self._idle.items() if concerns(function)]
            for worker in gone:
                del self._idle[worker]
            for worker, function in self._busy.items():
                worker.retired = worker.retired or concerns(function)
        for worker in gone:
            worker.discard()

    def end_idle(self, seconds: float) -> bool:
        """End the workers that have been idle for so long. Returns whether there is no worker now."""
        long_ago = time.monotonic() - seconds
        with self._lock:
            old = [worker for worker in self._idle if worker.idle_since < long_ago]
            for worker in old:
                del self._idle[worker]
            is_empty = not self._idle and not self._running.total()
        for worker in old:
            worker.discard()
        return is_empty

    def shorten(self) -> None:
        """Empty the long output files of idle workers. A thread of a function may print at any time."""
        with self._lock:  # then no invocation begins, and takes the output at the same time
            for worker in self._idle:
                worker.shorten()

    def has(self, arn: str) -> bool:
        """Whether there is a worker of a function."""
        with self._lock:
            return any(function.arn == arn for function in [*self._busy.values(), *self._idle.values()])

    def close(self) -> None:
        """End all workers, busy ones included."""
        with self._lock:
            workers = [*self._idle, *self._busy]
            self._idle.clear()
            self._queue.clear()
            self._usual = self._most = 0
        for worker in workers:
            worker.end()

    def _wait_turn(self, arn: str, nested: bool) -> None:
        with self._lock:
            if nested:
                if self._running.total() >= _NESTED * self._most:
                    raise BusyError
                self._running[arn] += 1
                return
            self._queue.append(ticket := _Ticket(arn, self._usual))
            self._admit()
        if not ticket.admitted.wait(_PATIENT_SECONDS):
            with self._lock:
                ticket.limit = self._most
                self._admit()
            ticket.admitted.wait()

    def _end_turn(self, function: Function) -> None:
        self._running[function.arn] -= 1
        self._admit()

    def _admit(self) -> None:
        """Let queued calls run while there is room."""

        def has_room(ticket: _Ticket) -> bool:
            return self._running[ticket.arn] < ticket.limit - self._running.total()

        while waiting := [ticket for ticket in self._queue if has_room(ticket)]:
            first = min(waiting, key=lambda ticket: self._running[ticket.arn])
            self._queue.remove(first)
            self._running[first.arn] += 1
            first.admitted.set()

    def _surplus(self) -> list[Worker]:
        """Remove the surplus idle workers from the pool. The caller discards them, without the lock."""
        idle = len(self._idle)
        surplus = max(idle + self._running.total() - self._usual, idle - self._usual // 2, 0)
        oldest = list(self._idle)[:surplus]
        for worker in oldest:
            del self._idle[worker]
        return oldest


@dataclass(eq=False)
class _Ticket:
    """A call in the queue: its function's ARN, and the most workers with which it may run."""

    arn: str
    limit: int
    admitted: threading.Event = field(default_factory=threading.Event)


class Spares:
    """Workers that are made in advance. They have loaded AWS's runtime client, and have used boto3 once.

    Args:
        make: Makes a worker.
    """

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make
        self._ready: list[Worker] = []
        self._most = _MOST_SPARES
        self._wanted_at = 0.0
        self._making = threading.Lock()

    def take(self) -> Worker:
        """A spare worker, or a new one."""
        with contextlib.suppress(IndexError):
            while True:
                if (worker := self._ready.pop()).alive:
                    return worker
        return self._make()

    def want(self, number: int) -> None:
        """Make spare workers in the background until there are this many. There are at most four."""
        self._wanted_at = time.monotonic()
        threading.Thread(target=self._fill, args=(number,), daemon=True).start()

    def end_idle(self, seconds: float) -> None:
        """End them if nobody has wanted any for so long."""
        if self._wanted_at < time.monotonic() - seconds:
            with contextlib.suppress(IndexError):
                while True:
                    self._ready.pop().discard()

    def close(self) -> None:
        """End them."""
        self._most = 0
        with self._making:
            for worker in self._ready:
                worker.discard()

    def _fill(self, number: int) -> None:
        # If a worker cannot be made, a call that needs one reports why.
        with self._making, contextlib.suppress(OSError, EOFError, RuntimeError):
            while len(self._ready) < min(number, self._most):
                worker = self._make()
                worker.rehearse()
                self._ready.append(worker)
