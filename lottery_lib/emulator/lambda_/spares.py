"""Start worker processes before somebody waits for them."""

import contextlib
import threading
from collections.abc import Callable
from typing import Final

from lottery_lib.emulator.lambda_.host import Worker

__all__ = ["Spares"]

_MOST: Final = 4


class Spares:
    """Processes that have loaded Python, AWS's runtime client and boto3, and are no function yet.

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
        """A spare one, or a new one."""
        with self._lock:
            while self._ready:
                if (worker := self._ready.pop()).alive:
                    return worker
        return self._make()

    def want(self, number: int) -> None:
        """Have so many soon, at most 4."""
        with self._lock:
            missing = min(number, _MOST) - len(self._ready) - self._coming
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
            with contextlib.suppress(OSError, RuntimeError):  # whoever needs it will see why
                worker = self._make()
            with self._lock:
                self._coming -= 1
                if worker is not None and not self._closed:
                    self._ready.append(worker)
                    worker = None
            if worker is not None:
                worker.discard()
