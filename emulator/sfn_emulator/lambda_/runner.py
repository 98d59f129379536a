"""Run invocations of Lambda functions in workers, with the results and errors of Lambda."""

import base64
import datetime
import json
import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import Scope
from sfn_emulator.lambda_.function import CodeStore, Function, environment_of
from sfn_emulator.lambda_.invocation_log import invocation_log
from sfn_emulator.lambda_.pool import Pool, Spares, limits_of
from sfn_emulator.lambda_.runtime import TOPS
from sfn_emulator.lambda_.worker import Forker, Worker, WorkerReply
from sfn_emulator.logs import LogLines, LogWriter
from sfn_emulator.process.environment import forks_workers
from sfn_emulator.process.timers import machine_time
from sfn_emulator.storage.backends import codes

LARGEST_RESULT: Final = 6 * 1024 * 1024
# The memory of a worker that it shares with no other process, measured after a use of boto3.
_FORKED_BYTES: Final = 15 << 20
_STARTED_BYTES: Final = 40 << 20
_POLL_SECONDS: Final = 0.25
# Then the next call waits some milliseconds for a worker, and half a second for the process that forks it.
_IDLE_SECONDS: Final = 60.0
_TASK_ROOT: Final = b"/var/task"
# AWS's runtime client also reads these fields of an invocation.
_UNUSED: Final = dict.fromkeys(("x_amzn_trace_id", "cognito_identity", "tenant_id", "invocation_id"))


@dataclass(frozen=True)
class Invocation:
    """One invocation.

    Args:
        request_id: The id of the invocation.
        arn: The function's ARN, with the qualifier that the caller gave.
        event: The event, as JSON.
        client_context: JSON, or None.
        scope: The scope of the request.
        nested: Whether the caller is a function.
    """

    request_id: str
    arn: str
    event: bytes
    client_context: str | None
    scope: Scope
    nested: bool = False


@dataclass(frozen=True)
class InvocationResult:
    """The result or the error object of a call, and its log."""

    payload: bytes
    failed: bool
    log: str
    content_type: str = "application/json"

    @property
    def tail(self) -> str:
        """The last 4 KB of the log, in Base64."""
        return base64.b64encode(self.log.encode()[-4096:]).decode()


class Runner:
    """Runs all functions of an emulator.

    Args:
        folder: The emulator's folder.
        endpoint: The emulator's URL.
        logs: Writes the logs of invocations.
        sessions: Give an access key to each function.

    Attributes:
        code: The functions' code.
        pool: The workers of functions.
        spares: Workers for the first calls of functions.
    """

    def __init__(self, folder: Path, endpoint: str, logs: LogWriter, sessions: Sessions) -> None:
        self.code = CodeStore(folder / "code", codes)
        self.logs = logs
        self._endpoint = endpoint
        self._sessions = sessions
        self._output = folder / "output"
        self._home = folder / "home"
        self._home.mkdir(mode=0o500, exist_ok=True)
        self._forker = Forker() if forks_workers(os.environ) else None
        self.spares = Spares(lambda: Worker(self._output, self._forker))
        size = _FORKED_BYTES if self._forker else _STARTED_BYTES
        free = psutil.virtual_memory().available
        self.pool = Pool(self._worker, *limits_of(os.cpu_count() or 1, free, size))
        self._closed = threading.Event()
        threading.Thread(target=self._spare_memory, daemon=True).start()

    def close(self) -> None:
        """End all workers."""
        self._closed.set()
        self.spares.close()
        self.pool.close()
        if self._forker:
            self._forker.close()

    def run(self, function: Function, invocation: Invocation) -> InvocationResult:
        """Run an invocation. The result is what AWS would return, even if the function fails.

        Raises:
            NoCodeError: The function's code was not uploaded as a zip.
            BusyError: Too many nested calls.
        """
        with self.code.held(function.code) as folder:
            worker, warm = self.pool.take(function, nested=invocation.nested)
            try:
                return self._run_in(worker, warm, function, folder, invocation)
            finally:
                self.pool.give_back(worker)

    def _spare_memory(self) -> None:
        while not self._closed.wait(_POLL_SECONDS):
            self.pool.shorten()
            self.spares.end_idle(_IDLE_SECONDS)
            if self.pool.end_idle(_IDLE_SECONDS) and self._forker:
                self._forker.end_idle(_IDLE_SECONDS)

    def _worker(self, function: Function) -> Worker:
        with self.code.held(function.code) as folder:
            names = {path.name.partition(".")[0] for path in folder.iterdir()}
        # A forked worker has loaded these packages. The function's own version of one could not replace it.
        if self._forker and names & TOPS:
            return Worker(self._output)
        return self.spares.take()

    def _run_in(
        self, worker: Worker, warm: bool, function: Function, folder: Path, invocation: Invocation
    ) -> InvocationResult:
        today = datetime.datetime.now(datetime.UTC)
        stream = f"{today:%Y/%m/%d}/[{function.version}]{worker.stream_id}"
        start = time.monotonic()
        reply = WorkerReply("ready") if warm else self._load(worker, function, folder, stream)
        loaded = time.monotonic()
        if reply.kind == "ready":
            header = {
                "invoke_id": invocation.request_id,
                "invoked_function_arn": invocation.arn,
                "deadline_time_in_ms": int((machine_time() + function.seconds) * 1000),
                "client_context": invocation.client_context,
            }
            reply = worker.invoke(header | _UNUSED, invocation.event, function.seconds)
        reply, last_words = _with_error_object(reply, function, invocation.request_id)
        text = invocation_log(
            function,
            invocation.request_id,
            _with_task_root(folder, worker.output.take()),
            seconds=time.monotonic() - loaded,
            init_seconds=None if warm else loaded - start,
            max_memory=reply.max_memory,
            last_words=last_words,
        )
        scope = replace(invocation.scope, service="logs", region=function.region)
        self.logs.write(LogLines(scope, function.name, function.log_group, stream, text, not warm))
        failed = reply.kind != "result"
        body = _with_task_root(folder, reply.body) if failed else reply.body
        return InvocationResult(body, failed, text, reply.content_type)

    def _load(self, worker: Worker, function: Function, folder: Path, stream: str) -> WorkerReply:
        access_key = self._sessions.of_function(function.role, function.name)
        around = {"endpoint": self._endpoint, "access_key": access_key}
        environment = environment_of(function, stream, folder, self._home, **around)
        reply = worker.load(function.handler, folder, environment, function.memory)
        if reply.kind != "ready":
            worker.end()
        return reply


def _with_error_object(reply: WorkerReply, function: Function, request_id: str) -> tuple[WorkerReply, str]:
    """The reply with AWS's error object in it, and the last words of the log if the worker was ended."""
    kind, words = reply.kind, ""
    if kind == "result" and len(reply.body) > LARGEST_RESULT:
        kind, error_type = "error", "Function.ResponseSizeTooLarge"
        message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESULT} bytes)."
    elif kind == "timeout":
        error_type, words = "Sandbox.Timedout", f"Task timed out after {function.seconds:.2f} seconds"
    elif kind == "exit":
        error_type, words = "Runtime.ExitError", _exit_reason(reply.exit_status or 0)
    elif kind == "init_error":
        return replace(reply, body=_json(json.loads(reply.body) | {"requestId": request_id})), ""
    else:
        return reply, ""
    if words:
        message = f"RequestId: {request_id} Error: {words}"
    return replace(reply, kind=kind, body=_json({"errorType": error_type, "errorMessage": message})), words


def _json(error: dict[str, object]) -> bytes:
    return json.dumps(error).encode()


def _exit_reason(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    # macOS says "Killed: 9".
    name = (signal.strsignal(-status) or f"signal {-status}").partition(":")[0].lower()
    return f"Runtime exited with error: signal: {name}"


def _with_task_root(folder: Path, text: bytes) -> bytes:
    """The text with AWS's folder, ``/var/task``, instead of the code's folder."""
    quoted = json.dumps(str(folder))[1:-1].encode()
    return text.replace(quoted, _TASK_ROOT).replace(str(folder).encode(), _TASK_ROOT)
