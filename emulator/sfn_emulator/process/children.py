"""Start child processes, and end them with everything that they have started.

After a parent has read the exit status of a process, the system may give its number to a new process. Then we
must not kill the group with this number. So one object stands for each process. It kills the process's group
first, and then reads the exit status. Nothing else reads it.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection
from typing import Any, Final, Protocol
from weakref import WeakValueDictionary

import psutil

from sfn_emulator.process.environment import own_group

_ENDING_SECONDS: Final = 3.0
_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER


class Child(Protocol):
    """A process that leads its own group. Only this object reads its exit status."""

    pid: int

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""

    def kill(self) -> None:
        """Kill it and its group. Nothing happens if it has ended."""


_known: Final[WeakValueDictionary[int, Child]] = WeakValueDictionary()
_lock: Final = threading.Lock()


def remember(child: Child) -> None:
    """Let `reap_orphans` use this object if its process becomes a child of this process."""
    _known[child.pid] = child


class Started:
    """A process that was started as a program.

    Args:
        command: The program and its arguments.
        options: Further arguments of `subprocess.Popen`.
    """

    def __init__(self, command: list[str], **options: Any) -> None:
        self._lock = threading.Lock()
        with _lock:
            self.process = subprocess.Popen(command, **options, **own_group())
            self.pid = self.process.pid
            remember(self)

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        with self._lock:
            if self.process.returncode is None and has_ended(self.pid):
                kill_group(self.pid)
            return self.process.poll()

    def kill(self) -> None:
        """Kill it and its group, and wait. Nothing happens if it has ended."""
        with self._lock:
            if self.process.returncode is None:
                kill_group(self.pid)
                self.process.wait()


def wait(child: Child, seconds: float) -> int | None:
    """Wait for the exit status; None if the process still runs after so many seconds."""
    deadline = time.monotonic() + seconds
    while (status := child.poll()) is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return status


def has_ended(pid: int) -> bool:
    """Whether a child of this process has ended. This does not read its exit status.

    Raises:
        ChildProcessError: On Linux, if it is not a child of this process.
    """
    if sys.platform == "linux":
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return False


def kill_group(leader: int) -> None:
    """Kill a process and its group; on Windows, the process and its descendants."""
    if sys.platform == "win32":
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(leader)
            for doomed in [*process.children(recursive=True), process]:
                doomed.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)


def adopt_orphans() -> None:
    """On Linux, become the parent of each descendant that loses its parent. `reap_orphans` is then needed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def reap_orphans() -> None:
    """Read the exit statuses of descendants that have lost their parents and have ended."""
    if sys.platform != "linux":
        return
    with _lock, contextlib.suppress(ChildProcessError):  # there are no children
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if child := _known.get(ended.si_pid):
                child.poll()
            with contextlib.suppress(ChildProcessError):
                os.waitpid(ended.si_pid, os.WNOHANG)


def descendants() -> set[psutil.Process]:
    """The children of this process, their children, and so on."""
    return set(psutil.Process().children(recursive=True))


def end_descendants(spared: Collection[psutil.Process]) -> None:
    """Kill all descendants except some, also those that start meanwhile."""

    def kill(process: psutil.Process) -> bool:
        with contextlib.suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                process.kill()
                return True
        return False

    deadline = time.monotonic() + _ENDING_SECONDS
    while sum(map(kill, descendants().difference(spared))) and time.monotonic() < deadline:
        time.sleep(0.01)
