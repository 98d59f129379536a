"""Run a call of a Lambda function in a worker, and report the result as Lambda does."""

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

from sfn_emulator.engine.reads import codes
from sfn_emulator.http.callers import Sessions
from sfn_emulator.http.messages import Scope
from sfn_emulator.lambda_.function import CodeStore, Function, environment_of
from sfn_emulator.lambda_.host import Answer, Forker, Worker
from sfn_emulator.lambda_.output import log_of
from sfn_emulator.lambda_.pool import Pool, Spares, limits_of
from sfn_emulator.lambda_.runtime import TOPS
from sfn_emulator.logs import Lines, LogWriter
from sfn_emulator.process.environment import forks_workers

LARGEST_RESULT: Final = 6 * 1024 * 1024
# The memory of a worker that no other process shares, measured after a call that used boto3.
_FORKED_BYTES: Final = 15 << 20
_STARTED_BYTES: Final = 40 << 20
_LOOK_SECONDS: Final = 0.25
_TASK_ROOT: Final = b"/var/task"
# What AWS's runtime client also reads of a call.
_UNUSED: Final = dict.fromkeys(("x_amzn_trace_id", "cognito_identity", "tenant_id", "invocation_id"))


@dataclass(frozen=True)
class Call:
    """One invocation.

    Args:
        request_id: The id of the call.
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
class Outcome:
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
        logs: Writes what functions print.
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
        threading.Thread(target=self._look_at_idle_workers, daemon=True).start()

    def close(self) -> None:
        """End all workers."""
        self._closed.set()
        self.spares.close()
        self.pool.close()
        if self._forker:
            self._forker.close()

    def run(self, function: Function, call: Call) -> Outcome:
        """Run a call. The outcome is what AWS would return, even if the function fails.

        Raises:
            LookupError: The function's code was never uploaded here.
            Busy: Too many nested calls.
        """
        with self.code.held(function.code) as folder:
            worker, warm = self.pool.take(function, nested=call.nested)
            try:
                return self._run_in(worker, warm, function, folder, call)
            finally:
                self.pool.give_back(worker)

    def _look_at_idle_workers(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            self.pool.shorten()

    def _worker(self, function: Function) -> Worker:
        with self.code.held(function.code) as folder:
            brought = {path.name.partition(".")[0] for path in folder.iterdir()}
        # If a module is loaded already, another version from the function's zip cannot replace it.
        if self._forker and brought & TOPS:
            return Worker(self._output)
        return self.spares.take()

    def _run_in(self, worker: Worker, warm: bool, function: Function, folder: Path, call: Call) -> Outcome:
        today = datetime.datetime.now(datetime.UTC)
        stream = f"{today:%Y/%m/%d}/[{function.version}]{worker.stream_id}"
        begun = time.monotonic()
        answer = Answer("ready") if warm else self._load(worker, function, folder, stream)
        loaded = time.monotonic()
        if answer.kind == "ready":
            header = {
                "invoke_id": call.request_id,
                "invoked_function_arn": call.arn,
                "deadline_time_in_ms": int((time.time() + function.seconds) * 1000),
                "client_context": call.client_context,
            }
            answer = worker.call(header | _UNUSED, call.event, function.seconds)
        answer, last_words = _with_error_object(answer, function, call.request_id)
        text = log_of(
            function,
            call.request_id,
            _with_task_root(folder, worker.printed.take()),
            seconds=time.monotonic() - loaded,
            init_seconds=None if warm else loaded - begun,
            max_memory=answer.max_memory,
            last_words=last_words,
        )
        scope = replace(call.scope, service="logs", region=function.region)
        self.logs.write(Lines(scope, function.name, function.log_group, stream, text, not warm))
        failed = answer.kind != "result"
        body = _with_task_root(folder, answer.body) if failed else answer.body
        return Outcome(body, failed, text, answer.content_type)

    def _load(self, worker: Worker, function: Function, folder: Path, stream: str) -> Answer:
        access_key = self._sessions.of_function(function.role, function.name)
        environment = environment_of(
            function, stream, folder, self._home, endpoint=self._endpoint, access_key=access_key
        )
        answer = worker.become(function.handler, folder, environment, function.memory)
        if answer.kind != "ready":
            worker.end()
        return answer


def _with_error_object(answer: Answer, function: Function, request_id: str) -> tuple[Answer, str]:
    """The answer with AWS's error object in it. If the worker was ended, also the last words of the log."""
    kind, words = answer.kind, ""
    if kind == "result" and len(answer.body) > LARGEST_RESULT:
        kind, error_type = "error", "Function.ResponseSizeTooLarge"
        message = f"Response payload size exceeded maximum allowed payload size ({LARGEST_RESULT} bytes)."
    elif kind == "timeout":
        error_type, words = "Sandbox.Timedout", f"Task timed out after {function.seconds:.2f} seconds"
    elif kind == "exit":
        error_type, words = "Runtime.ExitError", _exit_reason(answer.exit_status or 0)
    elif kind == "init_error":
        return replace(answer, body=_json(json.loads(answer.body) | {"requestId": request_id})), ""
    else:
        return answer, ""
    if words:
        message = f"RequestId: {request_id} Error: {words}"
    return replace(answer, kind=kind, body=_json({"errorType": error_type, "errorMessage": message})), words


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
    """Replace the code's folder with AWS's folder, ``/var/task``."""
    quoted = json.dumps(str(folder))[1:-1].encode()
    return text.replace(quoted, _TASK_ROOT).replace(str(folder).encode(), _TASK_ROOT)
