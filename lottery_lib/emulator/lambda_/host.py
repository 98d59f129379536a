"""Start one worker process, send it events, receive results, and end it with everything it started."""

import contextlib
import json
import os
import signal
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
from typing import Any, BinaryIO, Final

import psutil

from lottery_lib.emulator.lambda_.function import NO_AWS
from lottery_lib.emulator.process.environment import bare_environment, own_group

# AWS gives a function 10 s to initialise. A busy laptop may need more.
INIT_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.1
_LARGEST: Final = 64 * 1024 * 1024
_COMMAND: Final = [sys.executable, "-P", "-X", "utf8", str(Path(__file__).with_name("runtime.py"))]


@dataclass(frozen=True)
class Answer:
    """What a worker answered, or how it ended.

    Args:
        kind: ``"ready"``, ``"result"``, ``"error"``, ``"init_error"``, ``"exit"`` or ``"timeout"``.
        body: The result or the error, as JSON.
        content_type: The type of the result.
        max_memory: The most memory that the process used, in bytes.
        exit_status: The exit status if the process ended; negative for a signal.
    """

    kind: str
    body: bytes = b""
    content_type: str = "application/json"
    max_memory: int = 0
    exit_status: int | None = None


class Worker:
    """One process. `become` loads a function into it. After that, it runs one event at a time.

    Args:
        folder: The folder of the file that stores what it prints.
        forker: Forks it; None to start it as a program.
    """

    def __init__(self, folder: Path, forker: "Forker | None" = None) -> None:
        self.retired = False
        self.stream_id = uuid.uuid4().hex
        self._most_memory = sys.maxsize
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / self.stream_id
        # Unbuffered and appending: we empty the file after each call, and the process may still write.
        self._output = self._path.open("a+b", buffering=0)
        self._process: Forked | subprocess.Popen[bytes]
        self._process, ours = forker.fork(self._output) if forker else _start(self._output)
        self._connection: Connection | None = Connection(ours.detach())

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._connection is not None and self._process.poll() is None

    def become(self, handler: str, folder: Path, environment: Mapping[str, str], memory: int) -> Answer:
        """Load a function that may use `memory` MB. The answer is ``"ready"`` if it can be called."""
        self._most_memory = memory << 20
        role = {"handler": handler, "folder": str(folder), "environment": dict(environment)}
        return self._ask(role, b"", INIT_SECONDS)

    def call(self, header: Mapping[str, Any], event: bytes, seconds: float) -> Answer:
        """Run the handler on an event; after a time-out, kill it."""
        answer = self._ask(header, event, seconds)
        if answer.kind == "timeout":
            self.end()
        return answer

    def output(self) -> bytes:
        """What it printed since the last call of this method."""
        try:
            self._output.seek(0)
            printed = self._output.read()
            self._output.truncate(0)
        except ValueError:  # closed
            return b""
        return printed

    def end(self) -> None:
        """Kill the process and all processes that it started. Nothing happens if they have ended."""
        if sys.platform == "win32":
            with contextlib.suppress(psutil.Error):
                for child in psutil.Process(self._process.pid).children(recursive=True):
                    child.kill()
            self._process.kill()
        else:
            # The group still exists after its leader has ended, if the handler has started other processes.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if isinstance(self._process, subprocess.Popen):
            self._process.wait()  # the forker does it for the processes that it forked
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
            self._connection = None

    def discard(self) -> None:
        """End it and remove its output."""
        self.end()
        self._output.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _ask(self, header: Mapping[str, Any], body: bytes, seconds: float) -> Answer:
        connection, deadline = self._connection, time.monotonic() + seconds
        if connection is None:
            return self._exit()
        try:
            connection.send_bytes(json.dumps(header).encode() + b"\n" + body)
            while (left := deadline - time.monotonic()) > 0:
                if connection.poll(min(left, _LOOK_SECONDS)):
                    reply, _, body = connection.recv_bytes(_LARGEST).partition(b"\n")
                    answer = Answer(body=body, **json.loads(reply))
                    return self._killed() if answer.max_memory > self._most_memory else answer
                # A child process of the handler may keep the connection open after the worker has ended.
                if not self.alive:
                    return self._exit()
                with contextlib.suppress(psutil.Error):
                    if psutil.Process(self._process.pid).memory_info().rss > self._most_memory:
                        return self._killed()
        except (OSError, EOFError):
            return self._exit()
        return Answer("timeout")

    def _killed(self) -> Answer:
        """End it as the system does with a process that uses too much memory."""
        self.end()
        return Answer("exit", max_memory=self._most_memory, exit_status=-9)

    def _exit(self) -> Answer:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(2)
        status = self._process.poll()
        self.end()
        return Answer("exit", exit_status=1 if status is None else status)


class Forked:
    """A process that was forked: what `Worker` needs of `subprocess.Popen`.

    Args:
        pipe: Tells its id and later its exit status. The pipe ends without a status if the forker was killed.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._status: int | None = None
        if not pipe.poll(INIT_SECONDS):
            raise RuntimeError("the process that forks workers does not answer")
        self.pid = int(pipe.recv_bytes())

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the exit status; None if it still runs after `timeout` seconds."""
        with self._lock:
            if self._status is None and self._pipe.poll(timeout):
                try:
                    self._status = int(self._pipe.recv_bytes())
                except EOFError:
                    self._status = 1
                self._pipe.close()
            return self._status


class Forker:
    """The process from which workers are forked. It starts when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket

    def fork(self, output: BinaryIO) -> tuple[Forked, socket.socket]:
        """Fork a worker. The first one waits until this process has started.

        Raises:
            OSError, EOFError: The system has no room for it, or a function has killed the forker.
        """
        ours, theirs = socket.socketpair()
        reader, writer = Pipe(duplex=False)
        with self._lock, theirs, writer:
            if self._process is None or self._process.poll() is not None:
                self._process, self._socket = _start(sys.stderr.fileno(), "fork")
            socket.send_fds(self._socket, [b"+"], [theirs.fileno(), output.fileno(), writer.fileno()])
        return Forked(reader), ours

    def close(self) -> None:
        """End it."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()


def _start(output: BinaryIO | int, *arguments: str) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """Start ``runtime.py`` in a new process, which gets one end of a pair of sockets."""
    ours, theirs = socket.socketpair()
    windows = sys.platform == "win32"
    with theirs:
        process = subprocess.Popen(
            [*_COMMAND, str(theirs.fileno()), *arguments],
            stdin=subprocess.PIPE if windows else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=bare_environment(os.environ) | NO_AWS,
            pass_fds=() if windows else (theirs.fileno(),),
            **own_group(),
        )
        if sys.platform == "win32":
            # A socket may not work there if it is inherited.
            with process.stdin as pipe:
                pipe.write(theirs.share(process.pid))
            ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return process, ours
