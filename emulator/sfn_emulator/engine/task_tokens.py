"""Let a task wait for its token as on AWS (``.waitForTaskToken``). moto calls the task's service.

In moto, all attempts of a state have one token, so a Retry gets the old outcome. A waiting task does not
learn that its execution has ended. Here each attempt has a token of its own, and a task waits only as long as
its environment in moto's engine exists. `states` calls `report` and `end_executions`. The functions below
them replace functions of moto, as in `errors`.

See https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-wait-token
"""

import contextlib
import datetime
import importlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError

Function = Callable[..., Any]
Outcome = Mapping[str, str | None]
"""The output of SendTaskSuccess, or the error and the cause of SendTaskFailure."""

_PARSER: Final = "moto.stepfunctions.parser."
_PATTERN: Final = "waitForTaskToken"
_BEGIN_SECONDS: Final = 5.0


class _Signal(threading.Event):
    """Wakes a waiting task. moto clears its events at once, so a task could miss them."""

    def clear(self) -> None:
        """Stay set."""


@dataclass
class _Task:
    """An attempt of a state that waits for its token.

    Args:
        env: The state's environment in moto's engine.
        signal: Set when there is an outcome, or when the attempt's own environment has ended.
        outcome: None until somebody sends it. What was accepted counts.
        over: Whether it was decided that the time is over. Then no outcome is accepted any more.
        heard: The time of the last heartbeat.
    """

    env: Any
    signal: _Signal = field(default_factory=_Signal)
    outcome: Outcome | None = None
    over: bool = False
    heard: float = 0.0


class _EndedError(Exception):
    """The task timed out, or its execution or branch ended."""


_lock: Final = threading.Lock()
_tasks: Final[dict[str, _Task | None]] = {}  # by their tokens; None if the attempt has ended
_thread: Final = threading.local()  # `task` is the one whose attempt this thread makes


def report(token: str, outcome: Outcome | None) -> None:
    """Report the outcome of a task; None is a heartbeat.

    Raises:
        RefusalError: There was no such token, or its task does not wait any more.
    """
    with _lock:
        if token not in _tasks:
            raise RefusalError("InvalidToken", "Invalid Token: 'Invalid token'")
        task = _tasks[token]
        if task is None or task.over or task.outcome is not None or not task.env.is_running():
            raise RefusalError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        task.heard = time.monotonic()
        if outcome is not None:
            task.outcome = outcome
            task.signal.set()


def end_executions(machine_arn: str | None = None) -> None:
    """Stop the executions of a machine, so that no thread waits for what is deleted.

    Args:
        machine_arn: None for the executions of all machines. Then all tokens are forgotten.
    """
    backends = importlib.import_module(_PARSER + "models").stepfunctions_parser_backends
    regions = [backend for account in list(backends.values()) for backend in list(account.values())]
    machines = [each for backend in regions for each in backend.state_machines]
    until = time.monotonic() + _BEGIN_SECONDS
    for machine in machines:
        running = [each for each in machine.executions if each.exec_status in {None, "RUNNING"}]
        for execution in running if machine_arn in {None, machine.arn} else ():
            # moto cannot stop an execution that has just started, because its engine does not know it yet.
            while not (begun := _begun(execution)) and time.monotonic() < until:
                time.sleep(0.002)
            if begun:
                execution.exec_worker.env.set_stop(datetime.datetime.now(datetime.UTC), None, None)
    if machine_arn is None:
        _tasks.clear()


def _begun(execution: Any) -> bool:
    worker = execution.exec_worker
    return bool(worker and worker.env and worker.env.program_state())


def attempt(original: Function, self: Any, env: Any) -> None:
    """Each attempt of a task has a new token, which ends with the attempt."""
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
    """Set when an attempt of any state has finished."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the time-out of the state, and longer if an outcome was accepted in time."""
        task: _Task | None = getattr(_thread, "task", None)
        if super().wait(timeout) or task is None:
            return self.is_set()
        with _lock:
            task.over = task.outcome is None
        return not task.over and super().wait()


def finished(_: Any) -> SimpleNamespace:
    """A task does not time out after somebody was told that its success is accepted."""
    return SimpleNamespace(Event=_Finished)


def after_call(original: Function, self: Any, env: Any, **given: Any) -> None:
    """If a task ended while its service answered or while it waited, it writes no more events."""
    if env.is_running():
        with contextlib.suppress(_EndedError):
            original(self, env, **given)


def wait(original: Function, self: Any, env: Any, **given: Any) -> None:
    """A task waits until somebody sends its outcome, until a heartbeat is missing, or until it has to end."""
    if self.resource.condition != _PATTERN:
        original(self, env, **given)
        return
    env.stack.pop()  # the answer of the service, which only TaskSubmitted has
    token, seconds = env.states.context_object.context_object_data["Task"]["Token"], None
    if self.heartbeat:
        self.heartbeat.eval(env)
        seconds = env.stack.pop()
    if (task := _tasks.get(token)) is None:
        raise _EndedError
    task.heard, env.program_state_event = time.monotonic(), task.signal
    while task.outcome is None:
        with _lock:
            if not env.is_running():
                raise _EndedError
            left = None if seconds is None else task.heard + seconds - time.monotonic()
            if left is not None and left <= 0 and task.outcome is None:
                task.over = True
                raise _missed_heartbeat(self, env)
        task.signal.wait(left)
    if "output" in task.outcome:
        env.stack.append(json.loads(task.outcome["output"] or ""))
        return
    moto = importlib.import_module(_PARSER + "asl.eval.callback.callback")
    raise moto.CallbackOutcomeFailureError(moto.CallbackOutcomeFailure(token, **task.outcome))


def _missed_heartbeat(state: Any, env: Any) -> Exception:
    event = state._get_timed_out_failure_event(env)
    vars(event.error_name)["is_heartbeat"] = True
    names = importlib.import_module(_PARSER + "asl.component.common.error_name.failure_event")
    failure: Exception = names.FailureEventException(event)
    return failure


def named(original: Function, self: Any, env: Any) -> None:
    """A missed heartbeat is a States.Timeout, but Retry and Catch may also name States.HeartbeatTimeout."""
    is_heartbeat = getattr(env.stack[-1], "is_heartbeat", False)
    original(self, env)
    if is_heartbeat and any(each.error_name == "States.HeartbeatTimeout" for each in self.error_names):
        env.stack[-1] = True


def without_time_out(original: Function, self: Any, state_props: Any) -> None:
    """A task with HeartbeatSeconds only has no time-out. In moto, it has one of a minute."""
    original(self, state_props)
    if self.timeout.is_default_value():
        self.timeout = type(self.timeout)(self.timeout.DEFAULT_TIMEOUT_SECONDS)
