"""Start, find and stop emulators from any process of the user."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock

from lottery_lib.emulator.process.environment import clean_environment, enforces_iam
from lottery_lib.emulator.process.probe import health
from lottery_lib.emulator.process.record import Record, folder_of, read_record, remove_record
from lottery_lib.errors import LotteryError
from lottery_lib.waiting import wait_until

__all__ = ["endpoint", "start", "status", "stop"]

PORT_IN_USE: Final = 98
ALREADY_RUNNING: Final = 97
_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0


def status(port: int | None = None) -> dict[str, Any]:
    """How the shared emulator, or the one of a port, is.

    Returns:
        ``{"running", "port", "pid", "since", "endpoint", "folder"}``; None where it does not run.
    """
    folder = folder_of(port)
    return _told(folder, _running(folder))


def endpoint(port: int | None = None) -> str | None:
    """The URL of a running emulator, or None."""
    url: str | None = status(port)["endpoint"]
    return url


def start(port: int | None = None, foreground: bool = False, while_pid: int | None = None) -> dict[str, Any]:
    """Have an emulator that answers: the one that runs already, or a new one.

    Args:
        port: None for the user's shared emulator at a free port; a number for one of its own at that port.
        foreground: Be the emulator, in this process, until a signal.
        while_pid: A new emulator also ends when that process is gone; by default the JupyterLab that
            `make lab` started, whose kernels have its number in ``LOTTERY_LAB_PID``.

    Returns:
        What `status` returns.

    Raises:
        LotteryError: The port is in use, or the new process ended at once (with the tail of its log); or
            ``LOTTERY_EMULATOR_IAM`` is neither ``on`` nor ``off``.
    """
    enforces_iam(os.environ)
    folder = folder_of(port)
    while_pid = while_pid or _lab_pid()
    # Two kernels that start at once: the second waits here, then finds what the first one started.
    with FileLock(folder / "start.lock", timeout=_READY_SECONDS):
        if record := _running(folder):
            return _told(folder, record)
        if not foreground:
            return _told(folder, _spawn(folder, port, while_pid))
    from lottery_lib.emulator.process.server import run  # noqa: PLC0415 (moto takes a while to import)

    if code := run(port, while_pid):
        raise _failure(port, code, "")
    return _told(folder, None)


def stop(port: int | None = None) -> dict[str, Any]:
    """End the emulator and its workers; nothing happens when it does not run.

    Returns:
        What `status` returns.
    """
    folder = folder_of(port)
    if (record := read_record(folder)) and (process := _process(record)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
            _, alive = psutil.wait_procs([process], timeout=_END_SECONDS)
            for stubborn in alive:
                stubborn.kill()
            psutil.wait_procs(alive, timeout=_END_SECONDS)
    if record:
        remove_record(folder, record)
    return _told(folder, None)


def _lab_pid() -> int | None:
    number = os.environ.get("LOTTERY_LAB_PID", "")
    return int(number) if number.isdigit() else None


def _told(folder: Path, record: Record | None) -> dict[str, Any]:
    return {
        "running": record is not None,
        "port": record.port if record else None,
        "pid": record.pid if record else None,
        "since": record.since if record else None,
        "endpoint": f"http://127.0.0.1:{record.port}" if record else None,
        "folder": str(folder),
    }


def _running(folder: Path) -> Record | None:
    record = read_record(folder)
    # After a reboot or a kill, another program (or another emulator) may have that port: the id tells.
    if record and (answer := health(record.port)) and answer["id"] == record.id:
        return record
    return None


def _process(record: Record) -> psutil.Process | None:
    try:
        process = psutil.Process(record.pid)
        return process if abs(process.create_time() - record.created) < 2 else None
    except psutil.Error:
        return None


def _spawn(folder: Path, port: int | None, while_pid: int | None) -> Record:
    log = folder / "emulator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(port, while_pid),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_environment(os.environ),
            cwd=folder,
            **_detached(),
        )

    def answers() -> Record | None:
        if (code := process.poll()) is not None:
            raise _failure(port, code, log.read_text("utf-8", "replace")[-2000:].strip())
        record = _running(folder)
        return record if record and record.pid == process.pid else None

    return wait_until("the emulator to answer", answers, seconds=_READY_SECONDS, every=0.05)


def _command(port: int | None, while_pid: int | None) -> list[str]:
    command = [sys.executable, "-P", "-m", "lottery_lib.emulator"]
    command += ["--port", str(port)] if port is not None else []
    return command + (["--while-pid", str(while_pid)] if while_pid is not None else [])


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def _failure(port: int | None, code: int, log: str) -> LotteryError:
    if code == PORT_IN_USE:
        return LotteryError(
            f"emulator at port {port}",
            "another program uses that port",
            "Choose another with --port, or leave --port out for a free one",
        )
    if code == ALREADY_RUNNING:
        return LotteryError(
            "emulator",
            "one of this folder runs but does not answer",
            "End it with `python -m lottery_lib emulator stop` and start again",
        )
    return LotteryError(
        "emulator",
        f"it ended at once with exit status {code}" + (f"; its log ends:\n{log}\n" if log else ""),
        "Run `python -m lottery_lib emulator start --foreground` to see why",
    )
