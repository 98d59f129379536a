"""Run a function's handler through AWS's own runtime client, as one Lambda execution environment.

This file is started by its path, in its own process. It imports nothing of the emulator. Its argument is the
number of a socket, its connection to the emulator. First it receives the function that it will run. Then
`awslambdaric` calls the handler. The four methods of `Client` receive events and send results. The connection
is not stdin, so a handler that reads stdin finds it empty. When the emulator ends, the connection ends. Then
this process kills itself and its child processes.

With ``fork`` as its second argument, this process runs no function itself. It loads what functions need, and
then forks a worker for each message on the socket. Such a worker has its connection at once.
"""

import contextlib
import copy
import gc
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

# These packages are loaded before the function. Its zip may contain another version of them.
TOPS: Final = frozenset({
    *("awslambdaric", "boto3", "botocore", "certifi", "dateutil", "jmespath", "runtime_client"),
    *("s3transfer", "simplejson", "six", "snapshot_restore_py", "urllib3"),
})  # fmt: skip

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
    """Get a connection, receive the function, and run its handler."""
    if sys.platform == "win32":
        emulator = socket.fromshare(sys.stdin.buffer.read())
        emulator.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    else:
        emulator = socket.socket(fileno=int(sys.argv[1]))
    emulator.set_inheritable(False)
    _warm_up()
    connection = _fork_workers(emulator) if "fork" in sys.argv else Connection(emulator.detach())
    inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, inbox), daemon=True).start()
    role, _ = inbox.get()
    if not role:
        _rehearse()
        connection.send_bytes(b'{"kind": "ready"}\n')
        role, _ = inbox.get()
    _become(role)
    from awslambdaric import bootstrap  # noqa: PLC0415 (reads the environment when imported)

    bootstrap.run(role["handler"], Client(connection, inbox))


def _fork_workers(emulator: socket.socket) -> Connection:
    """Fork a worker for each message on a socket of the emulator.

    Each message has three open files: the worker's connection, the file for its output, and a pipe. This
    process writes the worker's id to the pipe, and later its exit status. It ends when the emulator ends.

    Returns:
        The worker's connection. Only workers return.
    """
    pipes: dict[int, Connection] = {}
    is_reaping = False

    def reap(*_: object) -> None:
        # A second signal calls this function while it runs. Both calls would wait for the same worker.
        nonlocal is_reaping
        if is_reaping:
            return
        is_reaping = True
        while pipes and (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)):
            # The worker's number is also its group's. After `waitpid`, another group may get it.
            with contextlib.suppress(OSError):
                os.killpg(ended.si_pid, signal.SIGKILL)
            status = os.waitpid(ended.si_pid, 0)[1]
            with contextlib.suppress(OSError), pipes.pop(ended.si_pid) as pipe:
                pipe.send_bytes(b"%d" % os.waitstatus_to_exitcode(status))
        is_reaping = False

    emulator.settimeout(1.0)  # a signal may come just before the wait
    gc.collect()
    gc.freeze()  # a collection in a worker would copy the memory that it shares with this process
    signal.signal(signal.SIGCHLD, reap)
    while True:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        try:
            message, files, _, _ = socket.recv_fds(emulator, 1, 3, socket.MSG_CMSG_CLOEXEC)
        except TimeoutError:
            reap()
            continue
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
        if not message:
            os._exit(0)
        # If the system has no room for files or for a process, the emulator sees that the pipe ends.
        with contextlib.suppress(OSError, ValueError):
            _, _, status = files
            writer = Connection(os.dup(status), readable=False)
            if (worker := os.fork()) == 0:
                writer.close()
                break
            os.setpgid(worker, worker)
            pipes[worker] = writer
            writer.send_bytes(b"%d" % worker)
        for file in files:
            os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    emulator.close()
    for pipe in pipes.values():
        pipe.close()
    connection, output, status = files
    os.close(status)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    return Connection(connection)


def _warm_up() -> None:
    """Load what nearly every function needs, before an invocation waits for it.

    Each session of boto3 then starts with event handlers and service models that are loaded already. It still
    reads the environment when it is made.
    """
    import encodings.idna  # noqa: F401, PLC0415

    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415
    from awslambdaric import (  # noqa: F401, PLC0415 (all that awslambdaric.bootstrap imports)
        lambda_context,
        lambda_runtime_client,
        lambda_runtime_log_utils,
        lambda_runtime_marshaller,
    )
    from botocore.hooks import HierarchicalEmitter  # noqa: PLC0415
    from botocore.loaders import create_loader  # noqa: PLC0415

    loader, handlers = create_loader(), HierarchicalEmitter()
    botocore.session.Session(event_hooks=handlers)

    def get_session(env_vars: Any = None) -> botocore.session.Session:
        hooks = copy.copy(handlers)
        session = botocore.session.Session(env_vars, event_hooks=hooks, include_builtin_handlers=False)
        if not session.get_config_variable("data_path"):
            session.register_component("data_loader", loader)
        return session

    botocore.session.get_session = get_session
    session = boto3.session.Session("x", "x", region_name="us-east-1")
    for service in ("sns", "stepfunctions"):
        session.client(service)
    session.resource("dynamodb").Table("x")


def _rehearse() -> None:
    """Do what most functions do first: make a resource of boto3, and a request, which is not sent.

    A forked process copies each page of memory when it first changes it. That takes half of a first call.
    """
    import boto3  # noqa: PLC0415
    from botocore.stub import Stubber  # noqa: PLC0415

    session = boto3.session.Session("x", "x", region_name="us-east-1")
    table = session.resource("dynamodb").Table("x")
    with Stubber(table.meta.client) as stubber:
        stubber.add_response("scan", {})
        table.scan()


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
    if TOPS & {name.partition(".")[0] for name in os.listdir(folder)}:  # noqa: PTH208
        for name in [name for name in sys.modules if name.partition(".")[0] in TOPS]:
            del sys.modules[name]
    sys.argv = ["bootstrap"]


def _max_memory() -> int:
    """The most memory that this process has used, in bytes; 0 if the system does not tell it."""
    # Linux's getrusage starts with the parent's maximum.
    with contextlib.suppress(OSError), open("/proc/self/status", "rb") as status:  # noqa: PTH123
        return next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:")), 0)
    with contextlib.suppress(ImportError):
        import resource  # noqa: PLC0415 (not on Windows)

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return 0


if __name__ == "__main__":
    main()
