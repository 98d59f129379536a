"""Know when the emulator is to end."""

import threading
import time
from typing import Final

import psutil

__all__ = ["Lifetime"]

_LOOK_SECONDS: Final = 2.0


class Lifetime:
    """Ends by `end`, when nobody called for long, or with another process.

    Args:
        while_pid: The process that it ends with, if any.
        idle_hours: How long it stays without a request.
    """

    def __init__(self, while_pid: int | None, idle_hours: float) -> None:
        self._ended = threading.Event()
        self._idle_seconds = idle_hours * 3600
        self._last_request = time.monotonic()
        # Holding the object, not the number: psutil compares creation times, so a reused number is not it.
        self._companion = _process(while_pid)
        if while_pid is not None and self._companion is None:
            self.end()

    def request_came(self) -> None:
        """Begin the idle hours anew."""
        self._last_request = time.monotonic()

    def end(self) -> None:
        """Let `wait` return."""
        self._ended.set()

    def wait(self) -> None:
        """Return when it is time to end."""
        while not self._ended.wait(_LOOK_SECONDS):
            if time.monotonic() - self._last_request > self._idle_seconds:
                return
            if self._companion is not None and not _runs(self._companion):
                return


def _process(pid: int | None) -> psutil.Process | None:
    try:
        return None if pid is None else psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
