"""A worker is a process that runs one function. The emulator sends it events, and receives results."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import psutil

from sfn_emulator.lambda_.captured_output import CapturedOutput
from sfn_emulator.process.children import Child, Started, has_ended, kill_group, remember, wait
from sfn_emulator.process.environment import bare_environment

# AWS gives a function 10 s to initialise. A busy laptop may need more.
INIT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_LARGEST: Final = 64 * 1024 * 1024
_COMMAND: Final = [sys.executable, "-P", "-X", "utf8", str(Path(__file__).with_name("runtime.py"))]


@dataclass(frozen=True)
class WorkerReply:
    """The reply of a worker, or how it ended.

    Args:
        kind: ``"ready"``, ``"result"``, ``"error"``, ``"init_error"``, ``"exit"`` or ``"timeout"``.
        body: The result or the error, as JSON.
        content_type: The type of the result.
        max_memory: The most memory that the process used, in bytes.
        exit_status: The exit status if the process has ended; negative for a signal.
    """

    kind: str
    body: bytes = b""
    content_type: str = "application/json"
    max_memory: int = 0
    exit_status: int | None = None


class Worker:
    """One process. It loads a function, and then runs one event at a time.

    Args:
        folder: The folder for the file with its output.
        forker: Forks the process; None to start it as a program.

    Attributes:
        output: What it prints.
        retired: Whether it gets no further invocation.
        idle_since: When it ended its last invocation, by the monotonic clock.
        stream_id: The end of the name of its log stream.
    """

    def __init__(self, folder: Path, forker: "Forker | None" = None) -> None:
        self.retired = False
        self.idle_since = 0.0
        self.stream_id = uuid.uuid4().hex
        self._most_memory = sys.maxsize
        folder.mkdir(parents=True, exist_ok=True)
        self.output = CapturedOutput(folder / self.stream_id)
        self._process: Child
        self._process, ours = forker.fork(self.output) if forker else _start(self.output)
        self._connection: Connection | None = Connection(ours.detach())

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._connection is not None and self._process.poll() is None

    def load(self, handler: str, folder: Path, environment: Mapping[str, str], memory: int) -> WorkerReply:
        """Load a function that may use `memory` MB. The reply is ``"ready"`` if it can be called."""
        self._most_memory = memory << 20
        role = {"handler": handler, "folder": str(folder), "environment": dict(environment)}
        return self._ask(role, b"", INIT_SECONDS)

    def rehearse(self) -> None:
        """Do what most functions do first, so that the first invocation is fast. End a worker that fails."""
        if self._ask({}, b"", INIT_SECONDS).kind != "ready":
            self.end()

    def invoke(self, header: Mapping[str, Any], event: bytes, seconds: float) -> WorkerReply:
        """Run the handler with an event. After a time-out, kill the worker."""
        reply = self._ask(header, event, seconds)
        if reply.kind == "timeout":
            self.end()
        return reply

    def shorten(self) -> None:
        """Empty a long output file. The process is suspended meanwhile, so that no line is lost."""
        if not self.output.is_long:
            return
        with contextlib.suppress(psutil.Error):
            process, deadline = psutil.Process(self._process.pid), time.monotonic() + _POLL_SECONDS
            process.suspend()
            try:
                while process.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
                    time.sleep(0.001)
                self.output.shorten()
            finally:
                process.resume()

    def end(self) -> None:
        """Kill the process and all processes that it has started. Nothing happens if they have ended."""
        self._process.kill()
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def discard(self) -> None:
        """End it and remove its output."""
        self.end()
        self.output.remove()

    def _ask(self, header: Mapping[str, Any], body: bytes, seconds: float) -> WorkerReply:
        connection, deadline = self._connection, time.monotonic() + seconds
        if connection is None:
            return self._exit()
        try:
            connection.send_bytes(json.dumps(header).encode() + b"\n" + body)
            while (left := deadline - time.monotonic()) > 0:
                if connection.poll(min(left, _POLL_SECONDS)):
                    head, _, body = connection.recv_bytes(_LARGEST).partition(b"\n")
                    reply = WorkerReply(body=body, **json.loads(head))
                    return self._killed() if reply.max_memory > self._most_memory else reply
                # A child process of the handler may keep the connection open after the worker has ended.
                if not self.alive:
                    return self._exit()
                self.shorten()
                with contextlib.suppress(psutil.Error):
                    if psutil.Process(self._process.pid).memory_info().rss > self._most_memory:
                        return self._killed()
        except (OSError, EOFError):
            return self._exit()
        return WorkerReply("timeout")

    def _killed(self) -> WorkerReply:
        """End the process as the system ends a process that uses too much memory."""
        self.end()
        return WorkerReply("exit", max_memory=self._most_memory, exit_status=-9)

    def _exit(self) -> WorkerReply:
        status = wait(self._process, 2)
        self.end()
        return WorkerReply("exit", exit_status=1 if status is None else status)


class Forked:
    """A process that was forked.

    Args:
        pipe: Brings its id, and later its exit status. It ends without a status if the forker is killed.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.RLock()
        self._status: int | None = None
        if not pipe.poll(INIT_SECONDS):
            raise RuntimeError("the process that forks workers does not answer")
        self.pid = int(pipe.recv_bytes())
        remember(self)

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        with self._lock:
            if not self._pipe.closed and self._pipe.poll():
                with self._pipe, contextlib.suppress(EOFError):
                    self._status = int(self._pipe.recv_bytes())
            if self._pipe.closed and self._status is None:
                # Its parent, the forker, was killed. Now, or in a moment, it is a child of this process.
                try:
                    if has_ended(self.pid):
                        kill_group(self.pid)
                        self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                except ChildProcessError:
                    self._status = None if psutil.pid_exists(self.pid) else 1
            return self._status

    def kill(self) -> None:
        """Kill it and its group. Nothing happens if it has ended."""
        with self._lock:
            if self.poll() is None:
                kill_group(self.pid)


class Forker:
    """The process that forks workers. It starts with the first worker."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: Started | None = None
        self._socket: socket.socket
        self._used_at = 0.0

    def fork(self, output: CapturedOutput) -> tuple[Forked, socket.socket]:
        """Fork a worker. The first worker waits until the forker has started.

        Raises:
            OSError, EOFError: The system has no room for it.
            RuntimeError: The forker does not answer. It is ended, so that the next call starts another one.
        """
        self._used_at = time.monotonic()
        process = self._run()
        try:
            return self._fork(output)
        except (OSError, EOFError):
            # If a function has killed the forker, start another one.
            if wait(process, _POLL_SECONDS) is None:
                raise
            return self._fork(output)
        except RuntimeError:
            process.kill()
            raise

    def end_idle(self, seconds: float) -> None:
        """End it if it has forked nothing for so long. The next worker starts it again."""
        if self._used_at < time.monotonic() - seconds:
            self.close()

    def close(self) -> None:
        """End it."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _run(self) -> Started:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process, self._socket = _start(sys.stderr.fileno(), "fork")
            return self._process

    def _fork(self, output: CapturedOutput) -> tuple[Forked, socket.socket]:
        ours, theirs = socket.socketpair()
        reader, writer = Pipe(duplex=False)
        self._run()
        with self._lock, theirs, writer:
            socket.send_fds(self._socket, [b"+"], [theirs.fileno(), output.fileno(), writer.fileno()])
        return Forked(reader), ours


def _start(output: CapturedOutput | int, *arguments: str) -> tuple[Started, socket.socket]:
    """Start ``runtime.py`` in a new process.

    Returns:
        The process, and our end of its connection.
    """
    ours, theirs = socket.socketpair()
    windows = sys.platform == "win32"
    with theirs:
        started = Started(
            [*_COMMAND, str(theirs.fileno()), *arguments],
            stdin=subprocess.PIPE if windows else subprocess.DEVNULL,
            stdout=output if isinstance(output, int) else output.fileno(),
            stderr=subprocess.STDOUT,
            env=bare_environment(os.environ),
            pass_fds=() if windows else (theirs.fileno(),),
        )
        if sys.platform == "win32":
            # A socket may not work there if it is inherited.
            with started.process.stdin as pipe:
                pipe.write(theirs.share(started.pid))
            ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return started, ours
