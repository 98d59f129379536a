"""Start, find and stop emulators from any process of the user."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock, Timeout

from sfn_emulator.errors import ALREADY_RUNNING, EXPLAINED, PORT_IN_USE, EmulatorError
from sfn_emulator.process import environment
from sfn_emulator.process import record as records
from sfn_emulator.translation import _

_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 5.0
#: The file in its folder to which an emulator prints.
LOG: Final = "emulator.log"
# What the extra `server` installs, and the emulator imports when it starts.
_SERVER: Final = ("moto", "awslambdaric")


def status(port: int | None = None) -> dict[str, Any]:
    """The state of the shared emulator, or of the one with this port.

    Returns:
        ``{"running", "port", "pid", "since", "workers", "endpoint", "access_key_id", "access_key_file",
        "while_pids", "folder"}``. ``while_pids`` are the processes that it runs for. A stopped one has only a
        folder; ``running`` is False and the others are None.
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
    environ: Mapping[str, str] | None = None,
    temporary: Path | None = None,
    ready: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Return a running emulator: the one that runs already, or a new one.

    Args:
        port: None for the user's shared emulator at a free port; a number for a separate emulator there.
        foreground: Run the emulator in this process until a signal. On Linux and macOS, this process's whole
            program starts again before, without the user's variables.
        while_pid: A new emulator also ends when this process ends. One that runs for another process already
            then ends with the last of them. Default: ``SFN_EMULATOR_WHILE_PID``.
        allowed_hosts: Names of proxies through which clients reach a new emulator.
        python: The Python of another environment, with ``sfn-emulator[server]``, that runs a new emulator.
        environ: Where a new emulator finds its settings, such as ``SFN_EMULATOR_IAM``. Default: this
            process's variables.
        temporary: A folder for the files of a separate emulator at a free port. It is removed at the end.
        ready: Called in the foreground as soon as the emulator answers.

    Returns:
        What `status` returns.

    Raises:
        EmulatorError: The port is in use, or there is no such port; or the new process ended at once (with
            the end of its log); or a setting has a wrong value; or ``sfn-emulator[server]`` is not installed;
            or moto is not the one that is patched; or it runs already, and does not answer to a name.
    """
    environ = os.environ if environ is None else environ
    environment.enforces_iam(environ)
    environment.clock(environ)
    if path := environment.mock_config(environ):
        from sfn_emulator.states.mocks import MockFile  # noqa: PLC0415 (few need it)

        MockFile.read(path)
    if port is not None and port not in range(1, 65_536):
        where, next_step = _("emulator at port {port}", port=port), _("Choose a port from 1 to 65535")
        raise EmulatorError(where, _("there is no such port"), next_step)
    if foreground:
        environment.execute_cleanly(environ)
    folder = temporary or records.folder_of(port)
    other = environ.get("SFN_EMULATOR_WHILE_PID", "")
    while_pid = while_pid or (int(other) if other.isdigit() else None)
    # If two kernels start it at the same time, the second one waits here and then finds it running.
    try:
        taken = FileLock(folder / "start.lock", timeout=_READY_SECONDS).acquire()
    except Timeout as error:
        raise _failure(port, None, "", sys.executable) from error
    with taken:
        if record := _running(folder):
            if missing := set(allowed_hosts) - set(record.allowed_hosts):
                options = " ".join(f"--allow-host {name}" for name in sorted(missing))
                what = _("it runs already, without {options}", options=options)
                raise EmulatorError(_("emulator"), what, _("Stop it, then start it again"))
            if while_pid is not None and records.processes_of(folder):
                records.run_for(folder, while_pid)
            return _state(folder, record)
        if python is None:
            for module in _SERVER:
                if importlib.util.find_spec(module) is None:
                    raise _not_installed(module, sys.executable)
        if not foreground:
            program = sys.executable if python is None else _program(python)
            command = [program, "-P", "-m", "sfn_emulator.server"]
            command += ["--port", str(port)] if port is not None else []
            command += ["--while-pid", str(while_pid)] if while_pid is not None else []
            command += ["--temporary", str(temporary)] if temporary else []
            command += [word for name in allowed_hosts for word in ("--allow-host", name)]
            return _state(folder, _spawn(command, folder, port, environ))
    from sfn_emulator.server import run  # noqa: PLC0415 (moto takes a while to import)

    if code := run(port, while_pid, allowed_hosts, temporary=temporary, ready=ready):
        raise _failure(port, code, "", sys.executable)
    return _state(folder, None)


def stop(port: int | None = None, *, temporary: Path | None = None) -> dict[str, Any]:
    """End the emulator and its workers. Nothing happens if it does not run.

    Args:
        port: None for the user's shared emulator.
        temporary: The folder of a temporary one, which is removed.

    Returns:
        What `status` returns.
    """
    folder = temporary or records.folder_of(port)
    if record := records.read_record(folder):
        with contextlib.suppress(psutil.Error):
            if process := _process_of(record):
                process.terminate()
                if psutil.wait_procs([process], timeout=_END_SECONDS)[1]:
                    for stubborn in (*process.children(recursive=True), process):
                        with contextlib.suppress(psutil.NoSuchProcess):
                            stubborn.kill()
                    psutil.wait_procs([process], timeout=_END_SECONDS)
        records.remove_record(folder, record)
    if temporary:
        shutil.rmtree(temporary, ignore_errors=True)
    return _state(folder, None)


def _state(folder: Path, record: records.Record | None) -> dict[str, Any]:
    told: dict[str, Any] = dict.fromkeys(
        ("port", "pid", "since", "workers", "endpoint", "access_key_id", "access_key_file", "while_pids")
    )
    if record is not None:
        told |= {"port": record.port, "pid": record.pid, "since": record.since, "workers": record.workers}
        told |= {"endpoint": f"http://127.0.0.1:{record.port}", "while_pids": records.processes_of(folder)}
        told |= {"access_key_id": records.read_key(folder), "access_key_file": str(records.key_file(folder))}
    return {"running": record is not None, **told, "folder": str(folder)}


def _running(folder: Path) -> records.Record | None:
    record = records.read_record(folder)
    # After a reboot or a kill, another program or emulator may use that port, so compare the id. Another
    # user can know the id, and does not have this process.
    if (
        record
        and _process_of(record)
        and (answer := records.health(record.port))
        and answer["id"] == record.id
    ):
        return record
    return None


def _process_of(record: records.Record) -> psutil.Process | None:
    """The emulator's process; None if it has ended, also if another process has its number now."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.created) < 2:
            return process
    return None


def _program(python: str) -> str:
    """The absolute path of a Python, because the emulator works in a folder of its own."""
    if found := shutil.which(python):
        return str(Path(found).absolute())  # not resolved: a link leads out of a virtual environment
    what, next_step = _("it is not there, or it is no program"), _("Give the path of another Python")
    raise EmulatorError(python, what, next_step)


def _spawn(command: list[str], folder: Path, port: int | None, environ: Mapping[str, str]) -> records.Record:
    variables = environment.clean_environment(environ)
    python = command[0]
    if python != sys.executable:
        del variables["PYTHONPATH"]  # another environment has an emulator of its own
    log = folder / LOG
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
    try:
        deadline = time.monotonic() + _READY_SECONDS
        while (code := process.poll()) is None and time.monotonic() < deadline:
            if (record := _running(folder)) and record.pid == process.pid:
                process.returncode = 0  # it may outlive this object, which would else warn about that
                return record
            time.sleep(0.02)
    finally:  # it takes too long, or somebody pressed Ctrl-C; with a returncode, this does nothing
        process.kill()
        process.wait()
    raise _failure(port, code, log.read_text("utf-8", "replace")[-2000:].strip(), python)


def _failure(port: int | None, code: int | None, log: str, python: str) -> EmulatorError:
    """Why an emulator did not start: from its exit status, None if it still ran, and the end of its log."""
    if code == EXPLAINED:
        return EmulatorError(*json.loads(log.splitlines()[-1]))
    if missing := re.search(r"No module named '(\w+)", log):
        return _not_installed(missing[1], python)
    if code == PORT_IN_USE:
        next_step = _("Choose another with --port, or leave --port out for a free one")
        where = _("emulator at port {port}", port=port)
        return EmulatorError(where, _("another program uses that port"), next_step)
    if code == ALREADY_RUNNING:
        next_step = _("End it with `sfn-emulator stop` and start again")
        return EmulatorError(_("emulator"), _("one of this folder runs but does not answer"), next_step)
    what = (
        _("it did not answer within {seconds} s", seconds=f"{_READY_SECONDS:g}")
        if code is None
        else _("it ended at once with exit status {code}", code=code)
    )
    if log:
        what = _("{what}; its log ends:\n{log}\n", what=what, log=log)
    return EmulatorError(_("emulator"), what, _("Run `sfn-emulator start --foreground` to see why"))


def _not_installed(module: str, python: str) -> EmulatorError:
    what = _("{module} is not installed for {python}", module=module, python=python)
    next_step = _("Run `{command}`", command=f"{python} -m pip install 'sfn-emulator[server]'")
    return EmulatorError(_("emulator"), what, next_step)
