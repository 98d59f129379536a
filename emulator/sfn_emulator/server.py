"""Run the emulator in this process until it is stopped or no longer needed."""

import argparse
import contextlib
import datetime
import errno
import json
import os
import shutil
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import awslambdaric  # noqa: F401 (the workers need it; if it is missing, no emulator starts)
import psutil
from filelock import FileLock, Timeout

from sfn_emulator.errors import ALREADY_RUNNING, EXPLAINED, PORT_IN_USE, EmulatorError
from sfn_emulator.http.authentication import new_access_key
from sfn_emulator.http.server import HttpServer
from sfn_emulator.process import children, environment
from sfn_emulator.process.record import (
    Record,
    folder_of,
    forget_process,
    processes_of,
    remove_record,
    run_for,
    write_key,
    write_record,
)
from sfn_emulator.process.store import storage
from sfn_emulator.routing import Router
from sfn_emulator.storage import patches

_ENDING_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 2.0


def run(
    port: int | None,
    while_pid: int | None,
    allowed_hosts: Sequence[str] = (),
    *,
    idle_hours: float = 8.0,
    temporary: Path | None = None,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Serve until a signal, ``idle_hours`` without a request, or the end of the process ``while_pid``.

    Args:
        port: None for a free port; without `temporary`, it is then the shared emulator.
        while_pid: The process with which it ends; None for no process.
        allowed_hosts: Names of proxies, which may stand in the header ``Host``.
        idle_hours: It ends after this many hours without a request.
        temporary: The folder of its files, which it removes at its end. Default: that of the port.
        ready: Called as soon as it serves.

    Returns:
        The exit status: 0, or a number from `errors` if it could not start.

    Raises:
        EmulatorError: The installed moto is not the one that the patches were written for.
    """
    patches.install()
    folder = temporary or folder_of(port)
    lock = FileLock(folder / "running.lock")
    try:
        # The previous emulator may need a moment to end.
        lock.acquire(timeout=_ENDING_SECONDS)
    except Timeout:
        print("An emulator of this folder is running already.", file=sys.stderr)
        return ALREADY_RUNNING
    with lock:
        try:
            server = HttpServer(port or 0)
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            print(f"Port {port} cannot be used: {error.strerror}", file=sys.stderr)
            return PORT_IN_USE
        # What moto writes to its working folder, such as a recording, is a file of this emulator.
        with server, contextlib.chdir(folder):
            _serve(server, folder, _Lifetime(folder, while_pid, idle_hours), allowed_hosts, ready)
    if temporary:
        shutil.rmtree(temporary, ignore_errors=True)
    return 0


class _Lifetime:
    """Decides when the emulator ends: when `ended` is set, after idle hours, or with other processes.

    Args:
        folder: The folder of its files. Processes can come in there.
        while_pid: The process with which it ends, unless another one came in; None for no process.
        idle_hours: The emulator ends after this many hours without a request.
    """

    def __init__(self, folder: Path, while_pid: int | None, idle_hours: float) -> None:
        self.ended = threading.Event()
        self._folder = folder
        self._others: dict[int, psutil.Process] = {}
        self._idle_seconds = idle_hours * 3600
        self._last_request = time.monotonic()
        self.while_pid = while_pid

    def request_came(self) -> None:
        """Restart the idle hours."""
        self._last_request = time.monotonic()

    def wait(self) -> None:
        """Return when it is time to end."""
        while self.while_pid is None or self._runs_for_others():
            if self.ended.wait(_POLL_SECONDS):
                return
            children.reap_orphans()
            if time.monotonic() - self._last_request > self._idle_seconds:
                return

    def _runs_for_others(self) -> bool:
        for pid in {*processes_of(self._folder), *self._others}:  # somebody may remove the folder
            try:
                # A psutil object also compares creation times. The pid alone could belong to a new process.
                other = self._others.setdefault(pid, psutil.Process(pid))
                if other.is_running() and other.status() != psutil.STATUS_ZOMBIE:
                    continue
            except psutil.NoSuchProcess:
                pass
            forget_process(self._folder, pid)
            self._others.pop(pid, None)
        return bool(self._others)


def _serve(
    server: HttpServer,
    folder: Path,
    lifetime: _Lifetime,
    allowed_hosts: Sequence[str],
    ready: Callable[[], None],
) -> None:
    os.environ.update(variables := environment.clean_environment(os.environ))
    for name in set(os.environ) - set(variables):
        del os.environ[name]
    _remove_files(folder)  # an earlier emulator may have been killed
    if lifetime.while_pid is not None:
        run_for(folder, lifetime.while_pid)
    storage.open(folder / "histories")
    children.adopt_orphans()
    # With `--foreground`, this process may have children that do not belong to the emulator.
    spared = children.descendants()
    record = Record(
        id=uuid.uuid4().hex,
        pid=os.getpid(),
        port=server.port,
        since=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        created=psutil.Process().create_time(),
        workers="forked" if environment.forks_workers(variables) else "started",
        allowed_hosts=list(allowed_hosts),
    )
    write_key(folder, access_key := new_access_key("AKIA"))
    router = Router(
        record,
        folder,
        lifetime.request_came,
        enforces_iam=environment.enforces_iam(variables),
        access_key=access_key,
        clock=environment.clock(variables),
        mock_config=environment.mock_config(variables),
    )
    server.refuse, server.answer = router.refuse, router.receive
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: lifetime.ended.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    write_record(folder, record)
    try:
        # Not a daemon: if Python ends in the middle of an import of cryptography, the process aborts.
        threading.Thread(target=router.warm_up).start()
        ready()
        lifetime.wait()
    finally:
        remove_record(folder, record)
        server.shutdown()
        router.close()
        storage.close()
        children.end_descendants(spared)
        _remove_files(folder)  # people are named in mails


def _remove_files(folder: Path) -> None:
    for name in ("code", "home", "output", "mailbox"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for pid in processes_of(folder):
        forget_process(folder, pid)


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m sfn_emulator.server", description=__doc__)
    parser.add_argument(
        "--port", type=int, help="an emulator of its own at this port; default: the shared one"
    )
    parser.add_argument("--while-pid", type=int, help="end when this process ends")
    parser.add_argument("--idle-hours", type=float, default=8.0, help="end after so long without a request")
    allow = "a proxy's name, which may stand in the header Host; can be given again"
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help=allow)
    parser.add_argument("--temporary", type=Path, help="the folder of its files, removed at its end")
    arguments = parser.parse_args()
    environment.execute_cleanly(os.environ)
    try:
        return run(
            arguments.port,
            arguments.while_pid,
            arguments.allow_host,
            idle_hours=arguments.idle_hours,
            temporary=arguments.temporary,
        )
    except EmulatorError as error:
        print(json.dumps(error.args), file=sys.stderr)
        return EXPLAINED


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Do not wait for threads that still import or serve, because no data is kept.
    os._exit(status)
