"""Start separate emulators: ours, ours with counters, and MiniStack."""

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from lottery_lib import Stack, connect
from lottery_lib.target import Target
from sfn_emulator import control

__all__ = ["counting_emulator", "deployed", "emulator", "ministack"]

#: In a separate environment, which the Makefile creates.
_MINISTACK = Path(sys.prefix, "ministack", "bin", "ministack")
_numbers = itertools.count()


def deployed(where: str = "embedded", edition: str = "tutorial") -> Target:
    """A new attendee's lottery."""
    target = connect(where, attendee=f"b{next(_numbers)}", edition=edition)
    Stack(target).deploy()
    return target


@contextlib.contextmanager
def emulator(home: Path) -> Iterator[None]:
    """A separate emulator for `connect()`, stopped at the end."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(home)
    try:
        yield
    finally:
        control.stop()
        if before is None:
            del os.environ["XDG_STATE_HOME"]
        else:
            os.environ["XDG_STATE_HOME"] = before


@contextlib.contextmanager
def counting_emulator(home: Path) -> Iterator[str]:
    """The address of an emulator that counts."""
    home.mkdir()
    program, port = Path(__file__).with_name("counting.py"), _free_port()
    command = [sys.executable, str(program), str(port), str(os.getpid())]
    with (home / "emulator.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        if not _answers(port):
            raise RuntimeError("the emulator that counts did not answer")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """The address of a separate MiniStack, or the reason why there is none."""
    if not _MINISTACK.exists():
        yield "MiniStack is not installed"
        return
    port = _free_port()
    with (folder / "ministack.log").open("wb") as log:
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "TMPDIR": str(folder),
        }
        process = subprocess.Popen([_MINISTACK], cwd=folder, stdout=log, stderr=log, env=environment)
    try:
        yield f"http://127.0.0.1:{port}" if _answers(port) else "MiniStack did not answer"
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, alive = psutil.wait_procs([psutil.Process(process.pid), *children], timeout=10)
        for stubborn in alive:
            stubborn.kill()
        process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _answers(port: int) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
            return True
        time.sleep(0.1)
    return False
