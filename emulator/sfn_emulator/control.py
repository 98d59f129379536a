"""Start, find and stop emulators from any process of the user."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock

from sfn_emulator.errors import ALREADY_RUNNING, PORT_IN_USE, EmulatorError
from sfn_emulator.process import environment
from sfn_emulator.process import record as records
from sfn_emulator.translation import _

_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0


def status(port: int | None = None) -> dict[str, Any]:
    """The state of the shared emulator, or of the one with this port.

    Returns:
        ``{"running", "port", "pid", "since", "workers", "endpoint", "access_key_id", "access_key_file",
        "folder"}``. A stopped one has only a folder; ``running`` is False and the others are None.
    """
    folder = records.folder_of(port)
    return _state(folder, _running(folder))


def find(port: int | None) -> dict[str, Any]:
    """The state of this user's emulator that runs at a port, shared or not."""
    for path in records.folder_of().parent.glob("*/record.json"):
        record = records.read_record(path.parent)
        if record and record.port == port and _running(path.parent):
            return _state(path.parent, record)
    return _state(records.folder_of(), None)


def start(
    port: int | None = None,
    *,
    foreground: bool = False,
    while_pid: int | None = None,
    allowed_hosts: Sequence[str] = (),
    python: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Return a running emulator: the one that runs already, or a new one.

    Args:
        port: None for the user's shared emulator at a free port; a number for a separate emulator there.
        foreground: Run the emulator in this process until a signal. On Linux and macOS, this process's whole
            program starts again before, without the user's variables.
        while_pid: A new emulator also ends when this process ends. Default: ``SFN_EMULATOR_WHILE_PID``.
        allowed_hosts: Names of proxies through which clients reach a new emulator.
        python: The Python of another environment, with ``sfn-emulator[server]``, that runs a new emulator.
        environ: Where a new emulator finds its settings, such as ``SFN_EMULATOR_IAM``.

    Returns:
        What `status` returns.

    Raises:
        EmulatorError: The port is in use; or the new process ended at once (with the end of its log); or
            ``SFN_EMULATOR_IAM`` is neither ``on`` nor ``off``; or moto is not the one that is patched;
            or it runs already, and does not answer to one of the names.
    """
    environment.enforces_iam(environ)
    if foreground:
        environment.execute_cleanly(environ)
    folder = records.folder_of(port)
    other = environ.get("SFN_EMULATOR_WHILE_PID", "")
    while_pid = while_pid or (int(other) if other.isdigit() else None)
    # If two kernels start it at the same time, the second one waits here and then finds it running.
    with FileLock(folder / "start.lock", timeout=_READY_SECONDS):
        if record := _running(folder):
            if missing := set(allowed_hosts) - set(record.allowed_hosts):
                options = " ".join(f"--allow-host {name}" for name in sorted(missing))
                what = _("it runs already, without {options}", options=options)
                raise EmulatorError(_("emulator"), what, _("Stop it, then start it again"))
            return _state(folder, record)
        if python is None:
            from sfn_emulator.engine import patches  # noqa: PLC0415 (only a new emulator needs them)

            patches.check()
        if not foreground:
            command = _command(python, port, while_pid, allowed_hosts)
            return _state(folder, _spawn(command, folder, port, environ))
    from sfn_emulator.server import run  # noqa: PLC0415 (moto takes a while to import)

    if code := run(port, while_pid, allowed_hosts):
        raise _failure(port, code, "")
    return _state(folder, None)


def stop(port: int | None = None) -> dict[str, Any]:
    """End the emulator and its workers. Nothing happens if it does not run.

    Returns:
        What `status` returns.
    """
    folder = records.folder_of(port)
    if record := records.read_record(folder):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(record.pid)
            if abs(process.create_time() - record.created) < 2:  # else another process has this pid now
                process.terminate()
                if psutil.wait_procs([process], timeout=_END_SECONDS)[1]:
                    for stubborn in (*process.children(recursive=True), process):
                        with contextlib.suppress(psutil.NoSuchProcess):
                            stubborn.kill()
                    psutil.wait_procs([process], timeout=_END_SECONDS)
        records.remove_record(folder, record)
    return _state(folder, None)


def _state(folder: Path, record: records.Record | None) -> dict[str, Any]:
    told: dict[str, Any] = dict.fromkeys(
        ("port", "pid", "since", "workers", "endpoint", "access_key_id", "access_key_file")
    )
    if record is not None:
        told |= {"port": record.port, "pid": record.pid, "since": record.since, "workers": record.workers}
        told["endpoint"] = f"http://127.0.0.1:{record.port}"
        told |= {"access_key_id": records.read_key(folder), "access_key_file": str(records.key_file(folder))}
    return {"running": record is not None, **told, "folder": str(folder)}


def _running(folder: Path) -> records.Record | None:
    record = records.read_record(folder)
    # After a reboot or a kill, another program or emulator may use that port, so compare the id.
    if record and (answer := records.health(record.port)) and answer["id"] == record.id:
        return record
    return None


def _command(
    python: str | None, port: int | None, while_pid: int | None, allowed_hosts: Sequence[str]
) -> list[str]:
    command = [python or sys.executable, "-P", "-m", "sfn_emulator.server"]
    command += ["--port", str(port)] if port is not None else []
    command += ["--while-pid", str(while_pid)] if while_pid is not None else []
    return command + [word for name in allowed_hosts for word in ("--allow-host", name)]


def _spawn(command: list[str], folder: Path, port: int | None, environ: Mapping[str, str]) -> records.Record:
    variables = environment.clean_environment(environ)
    if command[0] != sys.executable:
        del variables["PYTHONPATH"]  # another environment has an emulator of its own
    log = folder / "emulator.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=variables,
            cwd=folder,
            **environment.own_group(),
        )
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if (code := process.poll()) is not None:
            raise _failure(port, code, log.read_text("utf-8", "replace")[-2000:].strip())
        if (record := _running(folder)) and record.pid == process.pid:
            return record
        time.sleep(0.02)
    what = _("it did not answer within {seconds} s", seconds=f"{_READY_SECONDS:g}")
    next_step = _("Look into {log}, end it with `sfn-emulator stop` and start it again", log=log)
    raise EmulatorError(_("emulator"), what, next_step)


def _failure(port: int | None, code: int, log: str) -> EmulatorError:
    if code == PORT_IN_USE:
        next_step = _("Choose another with --port, or leave --port out for a free one")
        where = _("emulator at port {port}", port=port)
        return EmulatorError(where, _("another program uses that port"), next_step)
    if code == ALREADY_RUNNING:
        next_step = _("End it with `sfn-emulator stop` and start again")
        return EmulatorError(_("emulator"), _("one of this folder runs but does not answer"), next_step)
    what = (
        _("it ended at once with exit status {code}; its log ends:\n{log}\n", code=code, log=log)
        if log
        else _("it ended at once with exit status {code}", code=code)
    )
    next_step = _("Run `sfn-emulator start --foreground` to see why")
    return EmulatorError(_("emulator"), what, next_step)
