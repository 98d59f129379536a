"""Be the emulator: one process that serves until it is told to end, or nobody needs it."""

import datetime
import errno
import os
import shutil
import signal
import sys
import threading
import uuid
from pathlib import Path
from typing import Final

import psutil
from filelock import FileLock, Timeout

from lottery_lib.emulator.front import Front
from lottery_lib.emulator.http.http_server import HttpServer
from lottery_lib.emulator.process.control import ALREADY_RUNNING, PORT_IN_USE
from lottery_lib.emulator.process.environment import clean_environment, enforces_iam
from lottery_lib.emulator.process.lifetime import Lifetime
from lottery_lib.emulator.process.record import Record, folder_of, remove_record, write_record

__all__ = ["run"]

_ENDING_SECONDS: Final = 10.0


def run(port: int | None = None, while_pid: int | None = None, idle_hours: float = 8.0) -> int:
    """Serve until a signal, ``idle_hours`` without a request, or the end of the process ``while_pid``.

    Returns:
        The exit status: 0, or why it could not begin.
    """
    folder = folder_of(port)
    lock = FileLock(folder / "running.lock")
    try:
        # One that was told to end may need a moment.
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
        with server:
            _serve(server, folder, Lifetime(while_pid, idle_hours))
    return 0


def _serve(server: HttpServer, folder: Path, lifetime: Lifetime) -> None:
    os.environ.update(environment := clean_environment(os.environ))
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    record = _record(server.port)
    front = Front(record, _emptied(folder), lifetime, enforces_iam(environment))
    server.answer = front.answer
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: lifetime.end())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    write_record(folder, record)
    try:
        threading.Thread(target=front.warm_up, daemon=True).start()
        lifetime.wait()
    finally:
        remove_record(folder, record)
        server.shutdown()
        front.close()


def _record(port: int) -> Record:
    since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return Record(uuid.uuid4().hex, os.getpid(), port, since, psutil.Process().create_time())


def _emptied(folder: Path) -> Path:
    # Nothing persists: what an emulator that was killed left behind is not this one's.
    for name in ("code", "output", "mailbox"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return folder
