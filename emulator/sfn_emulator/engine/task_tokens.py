"""Let a task wait for its token as on AWS (``.waitForTaskToken``). moto calls the task's service.

In moto, all attempts of a state have the same token, so a Retry gets the old outcome. A waiting task does not
learn that its execution has ended. Here each attempt has its own token, and a task waits only as long as its
environment in moto's engine runs. `states` calls `report` and `end_executions`. The functions below them
replace functions of moto, as in `failures`.

See https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
"""

import contextlib
import datetime
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from sfn_emulator.engine import payloads
from sfn_emulator.engine.internals import MotoFunction, engine_module
from sfn_emulator.http.messages import RefusalError

Outcome = Mapping[str, str | None]
"""The output of SendTaskSuccess, or the error and the cause of SendTaskFailure."""

_PATTERN: Final = "waitForTaskToken"
_BEGIN_SECONDS: Final = 5.0


class _Signal(threading.Event):
    """Wakes a waiting task. It stays set. moto clears an event at once, so a task could miss it."""

    def clear(self) -> None:
        """Do nothing."""


@dataclass
class _Task:
    """An attempt of a state that waits for its token.

    Args:
        env: The state's environment in moto's engine.
        signal: Set when there is an outcome, or when the environment has ended.
        outcome: None until somebody sends it. It counts as soon as it is accepted.
        over: Whether the time is over. Then no outcome is accepted any more.
        heartbeat: The time of the last heartbeat.
    """

    env: Any
    signal: _Signal = field(default_factory=_Signal)
    outcome: Outcome | None = None
    over: bool = False
    heartbeat: float = 0.0


class _EndedError(Exception):
    """The task timed out, or its execution or branch ended."""


_lock: Final = threading.Lock()
_tasks: Final[dict[str, _Task | None]] = {}  # by their tokens; None if the attempt has ended
_thread: Final = threading.local()  # `_thread.task` is the task whose attempt this thread makes


def check_token(token: str) -> None:
    """Refuse a token that this emulator did not give to a task.

    Raises:
        RefusalError: It is unknown.
    """
    if token not in _tasks:
        raise RefusalError("InvalidToken", "Invalid Token: 'Invalid token'")


def report(token: str, outcome: Outcome | None) -> None:
    """Report the outcome of a task; None is a heartbeat.

    Raises:
        RefusalError: The token is unknown, or its task does not wait any more.
    """
    with _lock:
        check_token(token)
        task = _tasks[token]
        if task is None or task.over or task.outcome is not None or not task.env.is_running():
            raise RefusalError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        task.heartbeat = time.monotonic()
        if outcome is not None:
            task.outcome = outcome
            task.signal.set()


def end_executions(machine_arn: str | None = None) -> None:
    """Stop the executions of a machine, so that no thread waits for a deleted execution.

    Args:
        machine_arn: None for the executions of all machines. Then all tokens are forgotten, too.
    """
    until = time.monotonic() + _BEGIN_SECONDS
    for execution in payloads.executions(machine_arn):
        if execution.exec_status not in {None, "RUNNING"}:
            continue
        # moto cannot stop an execution that has just started, because its engine does not know it yet.
        while not (has_begun := _has_begun(execution)) and time.monotonic() < until:
            time.sleep(0.002)
        if has_begun:
            execution.exec_worker.env.set_stop(datetime.datetime.now(datetime.UTC), None, None)
    payloads.forget(machine_arn)
    if machine_arn is None:
        _tasks.clear()


def _has_begun(execution: Any) -> bool:
    worker = execution.exec_worker
    return bool(worker and worker.env and worker.env.program_state())


def attempt(original: MotoFunction, self: Any, env: Any) -> None:
    """Each attempt of a task has a new token, which is valid until the attempt ends."""
    if self.resource.condition != _PATTERN:
        original(self, env)
        return
    token = env.states.context_object.update_task_token()
    _tasks[token] = _thread.task = _Task(env)
    try:
        original(self, env)
    finally:
        del _thread.task
        if token in _tasks:  # unless everything was reset
            _tasks[token] = None


class _Finished(threading.Event):
    """The event that moto sets when an attempt of any state has finished."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the time-out of the state, or longer if an outcome was accepted before."""
        task: _Task | None = getattr(_thread, "task", None)
        if super().wait(timeout) or task is None:
            return self.is_set()
        with _lock:
            task.over = task.outcome is None
        return not task.over and super().wait()


def finished(_: Any) -> SimpleNamespace:
    """A task does not time out after its outcome was accepted."""
    return SimpleNamespace(Event=_Finished)


def after_call(original: MotoFunction, self: Any, env: Any, **given: Any) -> None:
    """A task that ended while its service answered, or while it waited, writes no more events."""
    if env.is_running():
        with contextlib.suppress(_EndedError):
            original(self, env, **given)
    elif self.resource.condition not in {None, _PATTERN}:
        _stop(env.stack[-1], **given)


def wait(original: MotoFunction, self: Any, env: Any, **given: Any) -> None:
    """A task waits until somebody sends its outcome, a heartbeat is missing, or its execution ends.

    If it waits for an execution (``.sync``) and ends before that, it stops that execution, if its role may.
    """
    if self.resource.condition != _PATTERN:
        reply = env.stack[-1]
        try:
            original(self, env, **given)
        finally:
            if not env.is_running():
                _stop(reply, **given)
        return
    env.stack.pop()  # the reply of the service, which is only in TaskSubmitted
    token, seconds = env.states.context_object.context_object_data["Task"]["Token"], None
    if self.heartbeat:
        self.heartbeat.eval(env)
        seconds = env.stack.pop()
    if (task := _tasks.get(token)) is None:
        raise _EndedError
    task.heartbeat, env.program_state_event = time.monotonic(), task.signal
    while task.outcome is None:
        with _lock:
            if not env.is_running():
                raise _EndedError
            left = None if seconds is None else task.heartbeat + seconds - time.monotonic()
            if left is not None and left <= 0 and task.outcome is None:
                task.over = True
                raise _missed_heartbeat(self, env)
        task.signal.wait(left)
    if "output" in task.outcome:
        env.stack.append(json.loads(task.outcome["output"] or ""))
        return
    callback = engine_module("asl.eval.callback.callback")
    raise callback.CallbackOutcomeFailureError(callback.CallbackOutcomeFailure(token, **task.outcome))


def _stop(reply: Any, *, resource_runtime_part: Any, state_credentials: Any, **_: Any) -> None:
    """Stop the execution that a task has started, if this is the reply of StartExecution."""
    from botocore.exceptions import ClientError

    if "ExecutionArn" not in reply:
        return
    client = engine_module("asl.utils.boto_client").boto_client_for(
        region=resource_runtime_part.region, service="stepfunctions", state_credentials=state_credentials
    )
    with contextlib.suppress(ClientError):
        client.stop_execution(executionArn=reply["ExecutionArn"])


def _missed_heartbeat(state: Any, env: Any) -> Exception:
    event = state._get_timed_out_failure_event(env)
    vars(event.error_name)["is_heartbeat"] = True
    names = engine_module("asl.component.common.error_name.failure_event")
    failure: Exception = names.FailureEventException(event)
    return failure


def named(original: MotoFunction, self: Any, env: Any) -> None:
    """A missed heartbeat is a States.Timeout. Retry and Catch may also name States.HeartbeatTimeout."""
    is_heartbeat = getattr(env.stack[-1], "is_heartbeat", False)
    original(self, env)
    if is_heartbeat and any(name.error_name == "States.HeartbeatTimeout" for name in self.error_names):
        env.stack[-1] = True


def without_time_out(original: MotoFunction, self: Any, state_props: Any) -> None:
    """A task with HeartbeatSeconds only has no time-out. In moto, it has one of a minute."""
    original(self, state_props)
    if self.timeout.is_default_value():
        self.timeout = type(self.timeout)(self.timeout.DEFAULT_TIMEOUT_SECONDS)
