"""Run a function's handler through AWS's own runtime client, as one Lambda execution environment.

This file is started by its path, in its own process. It imports nothing of the kit. It connects to the
emulator, sends its token, and receives the function that it will run. Then `awslambdaric` calls the handler.
The four methods of `Client` receive events and send results. The connection is not stdin, so a handler that
reads stdin finds it empty. When the emulator ends, the connection ends. Then this process kills itself and
its child processes.
"""

import contextlib
import json
import os
import queue
import signal
import socket
import sys
import threading
import time
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, Final

__all__ = ["main"]

# Nearly every function imports these, so they are loaded before anybody waits. AWS's runtime has boto3, too.
_PRELOADED: Final = (
    "boto3.dynamodb.conditions",
    "boto3.dynamodb.table",
    "boto3.dynamodb.transform",
    "boto3.resources.factory",
    "boto3.session",
    "botocore.client",
    "botocore.credentials",
    "botocore.httpsession",
    "botocore.regions",
    "botocore.retries.standard",
    "botocore.signers",
    "simplejson",
)
# The packages that are loaded with these modules. A function's zip may contain another version of them.
_TOPS: Final = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "simplejson", "six", "urllib3"}

Message = tuple[dict[str, Any], bytes]


class Client:
    """The methods of the Runtime API client that `awslambdaric` calls. Its own client runs only on Linux."""

    def __init__(self, connection: Connection, inbox: "queue.SimpleQueue[Message]") -> None:
        from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller  # noqa: PLC0415

        self.marshaller = LambdaMarshaller()  # it reads AWS_EXECUTION_ENV when it is made
        self._connection = connection
        self._inbox = inbox
        self._ready = False

    def wait_next_invocation(self) -> SimpleNamespace:
        """At the first call, report that the function is initialised. Then wait for an event."""
        if not self._ready:
            self._ready = True
            self._send({"kind": "ready"}, b"")
        header, body = self._inbox.get()
        return SimpleNamespace(**header, event_body=body, content_type="application/json")

    def post_invocation_result(
        self, _: str, result: str | bytes, content_type: str = "application/json", __: Any = None
    ) -> None:
        """Send what the handler returned."""
        body = result if isinstance(result, bytes) else result.encode()
        self._send({"kind": "result", "content_type": content_type}, body)

    def post_invocation_error(self, _: str, error: str, __: str, ___: Any = None) -> None:
        """Send what the handler raised, as JSON."""
        self._send({"kind": "error"}, error.encode())

    def post_init_error(self, error: dict[str, Any], _: Any = None) -> None:
        """Send why the function could not be loaded."""
        self._send({"kind": "init_error"}, json.dumps(error).encode())

    def _send(self, header: dict[str, Any], body: bytes) -> None:
        header["max_memory"] = _max_memory()
        self._connection.send_bytes(json.dumps(header).encode() + b"\n" + body)


def main() -> None:
    """Connect, receive the function, and run its handler."""
    emulator = socket.create_connection(("127.0.0.1", int(os.environ.pop("LOTTERY_WORKER_PORT"))))
    emulator.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(emulator.detach())
    connection.send_bytes(os.environ.pop("LOTTERY_WORKER_TOKEN").encode())
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    for name in _PRELOADED:
        with contextlib.suppress(ImportError):
            __import__(name)
    role, _ = inbox.get()
    _become(role)
    from awslambdaric import bootstrap  # noqa: PLC0415 (reads the environment when imported)

    bootstrap.run(role["handler"], Client(connection, inbox))


def _listen(connection: Connection, inbox: "queue.SimpleQueue[Message]") -> None:
    try:
        while True:
            header, _, body = connection.recv_bytes().partition(b"\n")
            inbox.put((json.loads(header), body))
    except (OSError, EOFError):
        # The handler's child processes are in this process's group. They must end with the emulator.
        if sys.platform != "win32" and os.getpgrp() == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


def _become(role: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(role["environment"])
    if hasattr(time, "tzset"):
        time.tzset()
    folder = role["folder"]
    os.chdir(folder)
    sys.path.insert(0, folder)
    # A package from the function's zip replaces ours, even if ours is loaded already.
    brought = {name.partition(".")[0] for name in os.listdir(folder)}  # noqa: PTH208
    for name in [name for name in sys.modules if name.partition(".")[0] in brought & _TOPS]:
        del sys.modules[name]
    sys.argv = ["bootstrap"]


def _max_memory() -> int:
    """The most memory that this process used, in bytes; 0 if the system does not say it."""
    # Linux's getrusage starts with the parent's maximum.
    with contextlib.suppress(OSError), open("/proc/self/status", "rb") as status:  # noqa: PTH123
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:")), 0)
    with contextlib.suppress(ImportError):
        import resource  # noqa: PLC0415 (not on Windows)

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0


if __name__ == "__main__":
    main()
