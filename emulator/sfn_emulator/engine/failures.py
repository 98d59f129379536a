"""Let executions in moto fail as on AWS, and write the same history.

A Catch sees an error inside the state machine, so it is too late to correct the error in a reply. Each
function here replaces a function of moto's engine, and `patches` lists them. Its arguments are the original
function and then the arguments of the original.

See https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

import contextlib
import datetime
import json
import re
import threading
import time
import traceback
import weakref
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from sfn_emulator.engine import payloads
from sfn_emulator.engine.internals import MotoFunction, add_event, details_of, engine_module
from sfn_emulator.engine.performance import remembered

_MOST_EVENTS: Final = 25_000
#: How many iterations or children of a Map exist at the same time, whatever its MaxConcurrency.
MOST_AT_ONCE: Final = 40
_RUNTIME: Final = "States.Runtime"
_NAMES: Final = "asl.component.common.error_name."
_COMPARISON: Final = "asl.component.state.choice.comparison."
#: Neither DynamoDB's nor Lambda's model has these errors.
_UNMODELLED: Final = ("AccessDeniedException", "ValidationException")
_FAILED_HERE: Final = "The emulator could not run this state. Its log says why."
_LAMBDA: Final = "asl.component.state.exec.state_task.service.state_task_service_lambda"


def comparison(original: MotoFunction, self: Any, env: Any) -> None:
    """If the variable of a Choice is missing, the execution fails, even with a Default."""
    self.variable.eval(env)
    missing = isinstance(env.stack.pop(), engine_module(_COMPARISON + "variable").NoSuchVariable)
    operators = engine_module(_COMPARISON + "comparison_operator_type").ComparisonOperatorType
    if missing and self.comparison_function.operator_type is not operators.IsPresent:
        raise _invalid_variable(env, self.variable.string_sampler.literal_value)
    try:
        original(self, env)
    except TypeError as error:  # moto says so if the path of an operator leads to another type
        raise _invalid_variable(env, self.comparison_function.value) from error


def compared(original: MotoFunction, self: Any, env: Any) -> None:
    """The path of an operator may lead into the context object, too."""
    has_path = str(self.operator_type.name).endswith("Path")
    if not (has_path and isinstance(self.value, str) and self.value.startswith("$$")):
        original(self, env)
        return
    env.stack.insert(-1, env.states.context_object.context_object_data)
    operators = engine_module(_COMPARISON + "operator.factory").OperatorFactory
    operators.get(self.operator_type).eval(env=env, value=self.value[1:])
    del env.stack[-2]


def result_path(original: MotoFunction, self: Any, env: Any) -> None:
    """A result that has no place in the input fails with States.ResultPathMatchFailure."""
    try:
        original(self, env)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        its_input = _shown(env.states.get_input())
        reason = f"The ResultPath '{self.result_path_src}' does not fit the input '{its_input}'"
        raise failure_in_state(env, "States.ResultPathMatchFailure", reason) from error


def seconds_to_wait(original: MotoFunction, self: Any, *, env: Any, seconds: Any) -> None:
    """If a SecondsPath leads to no integer, the cause has the value as JSON."""
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool)
    original(self, env=env, seconds=seconds if is_number else _shown(seconds))


def no_timestamp(original: MotoFunction, self: Any, env: Any, timestamp_str: Any) -> Any:
    """If a TimestampPath leads to no text, the cause has the value as JSON."""
    return original(self, env, _shown(timestamp_str))


def seconds_until(_: MotoFunction, self: Any, env: Any) -> float:
    """How long until the moment of a Wait, with the part of a second that moto cuts off."""
    self.string.eval(env=env)
    moment: datetime.datetime | None = self._from_timestamp_string(timestamp=(text := env.stack.pop()))
    if moment is None:
        error = engine_module(_NAMES + "failure_event").FailureEventException
        raise error(self._create_failure_event(env, text))
    return (moment - datetime.datetime.now()).total_seconds()


def wait(_: MotoFunction, __: Any, env: Any, wait_seconds: float) -> None:
    """Wait to the end, or until the execution ends."""
    end = time.monotonic() + wait_seconds
    while env.is_running() and (left := end - time.monotonic()) > 0:
        env.program_state_event.wait(left)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def fail(original: MotoFunction, self: Any, env: Any) -> None:
    """The ErrorPath and the CausePath of a Fail lead to texts."""
    for field, read in (("ErrorPath", self.error), ("CausePath", self.cause)):
        if type(read).__name__ == field:
            read.eval(env)
            if not isinstance(value := env.stack.pop(), str):
                reason = f"The {field} leads to a value that is no text: {_shown(value)}"
                raise failure_in_state(env, _RUNTIME, reason)
    original(self, env)


def choice(original: MotoFunction, self: Any, env: Any) -> None:
    """If no rule of a Choice matches and it has no Default, the error is States.NoChoiceMatched."""
    try:
        original(self, env)
    except engine_module("asl.utils.json_path").NoSuchJsonPathError as error:
        raise _invalid_variable(env, error.json_path) from error
    except RuntimeError as error:
        reason = "Failed to transition out of the state. The state does not point to a next state."
        raise failure_in_state(env, "States.NoChoiceMatched", reason) from error


def next_state(original: MotoFunction, self: Any, env: Any) -> None:
    """A Catch may lead back to its own state. moto would go on to the state's Next."""
    catch_outcome = engine_module("asl.component.common.catch.catch_outcome").CatchOutcome
    if not (env.stack and isinstance(env.stack[-1], catch_outcome)):
        original(self, env)


class WrittenOnce(dict[str, Any]):
    """The details of an event that moto would write again when a Catch or a Map passes its error on.

    Attributes:
        written: Whether the event is in the history.
        entered: The id of the event with which the state began.
    """

    written = False
    entered = 0


def counted_event(original: MotoFunction, self: Any, *, event_type: Any, **event: Any) -> Any:
    """An execution has at most 25,000 events. After the one that ends it, only a redrive adds others.

    A branch or iteration that was aborted adds none.
    """
    if event_type == "EvaluationFailed":
        (details,) = event["event_details"].values()
        if getattr(details, "written", False):
            return None
        if isinstance(details, WrittenOnce):
            details.written = True
    entering = vars(event["context"]).pop("entering", None)  # see `redrives`
    if entering is not None and entering.goes_on_silently():
        return entering.entered
    history: payloads.History = self._history_event_list
    if (run := getattr(event["context"], "run", None)) and run.is_over:
        return len(history)
    with history.lock:  # the iterations of a Map add events at the same time
        if history.last in payloads.ENDS and event_type != "ExecutionRedriven":
            return len(history)
        if self._event_id_gen._next_id >= _MOST_EVENTS and event_type not in payloads.ENDS:
            text = f"The execution reached the maximum number of history events ({_MOST_EVENTS})."
            raise _failure(_RUNTIME, text)
        if event_type == "ExecutionFailed" and history.refusal:
            event["event_details"] = {"executionFailedEventDetails": history.refusal}
        number = original(self, event_type=event_type, **event)
    payloads.storage.check()
    if entering is not None:
        entering.entered = number
    return number


def few_at_once(
    original: MotoFunction, self: Any, *, max_concurrency: int, input_items: list[Any] | None, **given: Any
) -> None:
    """An inline Map runs 40 iterations at the same time. moto would start a thread for each item."""
    at_once = min(max_concurrency or MOST_AT_ONCE, MOST_AT_ONCE, len(input_items or ()))
    original(self, max_concurrency=at_once, input_items=input_items, **given)


def one_after_another(original: MotoFunction, self: Any, **first: Any) -> None:
    """A worker of a Map does its jobs one after the other. In moto, each job calls the next one."""
    calls = [first]
    vars(self)["_eval_pool"] = lambda **following: calls.append(following)
    while calls:
        original(self, **calls.pop())


def worker_of_map(_: MotoFunction, self: Any, *, env: Any, eval_input: Any, job_pool: Any) -> Any:
    """Any exception in a worker of a Map ends the Map. In moto, the Map would never end."""
    worker = self._create_worker(env=env, eval_input=eval_input, job_pool=job_pool)
    vars(env)["job_pool"] = weakref.ref(job_pool)  # `payloads` looks how much its results hold

    def work() -> None:
        try:
            worker.eval()
        except Exception as error:
            with job_pool._mutex:
                job_pool._worker_exception = job_pool._worker_exception or error
                job_pool._notify_on_termination()

    threading.Thread(target=work, daemon=True).start()
    return worker


def iterations(original: MotoFunction, self: Any, env: Any) -> None:
    """If an iteration of a Map fails, the others are aborted. In moto, they go on."""
    try:
        original(self, env)
    except Exception:
        for worker in list(env._frames):
            worker.set_stop(None, None, None)
        if progress := getattr(env, "progress", None):
            progress.abort_inner(env, env.next_state_name)
        raise


def branches(original: MotoFunction, self: Any, env: Any) -> None:
    """If a branch of a Parallel fails, the states of all branches are aborted."""
    try:
        original(self, env)
    except Exception:
        if progress := getattr(env, "progress", None):
            progress.abort_inner(env)
        raise


def branch(original: MotoFunction, self: Any) -> None:
    """Any exception in a branch ends its Parallel. In moto, the Parallel would never end."""
    try:
        original(self)
    except Exception as error:
        self.env.set_error(unexpected(error))
        self._branch_worker_comm.on_terminated(env=self.env)


def execution(original: MotoFunction, self: Any) -> None:
    """Any exception in an execution lets it fail. In moto, the execution would never end."""
    try:
        original(self)
    except Exception as error:
        self.env = self.env or self._get_evaluation_environment()
        self.env.set_error(details := unexpected(error))
        add_event(self.env, "ExecutionFailed", details)
        self._execution_communication.terminated()


def resource(original: MotoFunction, self: Any, env: Any) -> None:
    """A Resource of another partition fails only when its state runs."""
    execution = env.states.context_object.context_object_data["Execution"]["Id"]
    if self.partition != execution.split(":")[1]:
        reason = "The resource belongs to a different partition from the running execution."
        raise failure_in_state(env, _RUNTIME, reason)
    original(self, env)


def unmodelled(name: str, original: MotoFunction, client_error: Any) -> tuple[str, str]:
    """If AWS's SDK has no class for an error, the error gets the name of the service's base class."""
    error, cause = original(client_error)
    return (name if client_error.response["Error"]["Code"] in _UNMODELLED else error), cause


def service_names(original: dict[str, str]) -> dict[str, str]:
    """The errors of a call through AWS's SDK begin with the name of the service, such as S3."""
    return original | {"s3": "S3"}


def ended(original: MotoFunction, self: Any) -> None:
    """An output is always JSON, even a text or null. It is stored before the status is SUCCEEDED.

    The error and the cause are stored before the status is FAILED. After that, those who watch the execution
    learn that it has ended.
    """
    execution = self.execution
    if execution.exec_worker._execution_communication not in {None, self}:
        return  # a redrive has begun, and this is the run before it
    env = execution.exec_worker.env
    state, states = env.program_state(), engine_module("asl.eval.program_state")
    if isinstance(state, states.ProgramEnded):
        to_json = engine_module("asl.utils.encoding").to_json_str
        execution.output = compact_json(to_json, env.states.get_input())
        execution.stop_date = datetime.datetime.now(datetime.UTC)
        execution.exec_status = engine_module("api").ExecutionStatus.SUCCEEDED
    else:
        if isinstance(state, states.ProgramError):
            details = payloads.history_of(execution).refusal or state.error
            execution.error, execution.cause = details.get("error"), details.get("cause")
            env.set_error(details)
        original(self)
    payloads.ended(execution)
    execution.when_ended()


class UnsupportedPathError(ValueError):
    """A path that the emulator does not follow. The text says why."""


def path_parser(original: MotoFunction) -> MotoFunction:
    """A path with a regular expression fails, because matching it may never end.

    In a name between apostrophes, a backslash stands for itself, unless an apostrophe follows.
    """
    parse = remembered(original)

    def checked(path: str) -> Any:
        if "=~" in path or "sub(" in path:
            raise UnsupportedPathError(f"Invalid path '{path}': regular expressions are not supported")
        return parse(path if '["' in path else re.sub(r"\\(?!')", r"\\\\", path))

    return checked


def path_pattern(original: str) -> str:
    """Moto's pattern of a path may take very long. This pattern matches the same paths, in linear time."""
    return original.replace(r"(?:\.[^[]+)*$", r"(?:\.[^[]+)?$")


def time_out(_: MotoFunction, self: Any, env: Any) -> None:
    """A time-out is evaluated in an aborted branch, too. moto would take a wrong value from its stack."""
    self._eval_body(env)


def carried_name(original: MotoFunction, error_name: str | None) -> Any:
    """A branch, an iteration and a Fail state may pass on an error whose name begins with "States."."""
    for make in (original, engine_module(_NAMES + "states_error_name").StatesErrorName.from_name):
        try:
            return make(error_name)
        except ValueError:
            continue
    return engine_module(_NAMES + "error_name").ErrorName(error_name)


def with_path(original: MotoFunction, self: Any, env: Any) -> Any:
    """If a path in a Task's Parameters is missing, the error is States.Runtime."""
    try:
        return original(self, env)
    except engine_module("asl.utils.json_path").NoSuchJsonPathError as error:
        its_input = compact_json(engine_module("asl.utils.encoding").to_json_str, error.data)
        path = f"The JSONPath '{error.json_path}' specified for the field '{env.next_field_name}'"
        reason = f"{path} could not be found in the input '{its_input}'"
        raise failure_in_state(env, _RUNTIME, reason) from error


def uncaught(original: MotoFunction, self: Any, env: Any) -> None:
    """States.Runtime ends the execution: no Retry, no Catch, no event of the state.

    Many classes of states have a method ``_from_error``. Each object gets its own one, which calls it.
    """
    vars(self)["_from_error"] = partial(_event_of_error, self)
    original(self, env)


def _event_of_error(state: Any, *, env: Any, ex: Exception) -> Any:
    """The event of an error that Retry and Catch may see.

    The error of a JSONata expression stays. Some services in moto would take it for their own error.

    Raises:
        Exception: The error is States.Runtime.
    """
    failed = getattr(ex, "failure_event", None)
    if failed is not None and failed.event_type == "EvaluationFailed":
        return failed
    if failed is None and _is_foreign(ex):
        traceback.print_exception(ex)
        raise failure_in_state(env, _RUNTIME, _FAILED_HERE) from ex
    if isinstance(ex, WrongTypesError):
        raise failure_in_state(env, _RUNTIME, _not_started(env, ex)) from ex
    # Some services in moto make a new event, with a Python object for its cause.
    event = failed or type(state)._from_error(state, env=env, ex=ex)
    (details,) = event.event_details.values()
    if details.get("error") != _RUNTIME:
        return event
    cause = details.get("cause", "")
    # A cause from a branch is already complete, and so is one of `_failure`.
    own = "get_execution_failed_event_details" in vars(ex)
    complete = own or cause.startswith("An error occurred while ")
    raise (_failure(_RUNTIME, cause) if complete else failure_in_state(env, _RUNTIME, cause)) from ex


def start_error(original: MotoFunction, self: Any, env: Any, ex: Exception) -> Any:
    """An error of StartExecution has the name of its class in AWS's SDK."""
    event = original(self, env, ex)
    if (code := getattr(ex, "response", {}).get("Error", {}).get("Code", "")).endswith("Exception"):
        _rename(event, f"StepFunctions.{code.replace('AccessDenied', 'AWSStepFunctions')}")
    return event


def _rename(event: Any, error: str, **more: str) -> None:
    """Change the error of an event, and more of its details."""
    event.error_name = engine_module(_NAMES + "custom_error_name").CustomErrorName(error)
    (details,) = event.event_details.values()
    details.update(error=error, **more)


def lambda_error(original: MotoFunction, self: Any, env: Any, ex: Exception) -> Any:
    """If Lambda refuses a call, the error gets the same name as with lambda:invoke."""
    from botocore.exceptions import ClientError

    event = original(self, env, ex)
    if isinstance(ex, ClientError):
        error, cause = engine_module(_LAMBDA).StateTaskServiceLambda._error_cause_from_client_error(ex)
        _rename(event, error, cause=cause)
    return event


def no_bucket_policy(_: MotoFunction, self: Any, action: str, resource: str) -> Any:
    """The policy of a bucket has no effect. moto's reading of it denies too much."""
    from moto.iam.access_control import PermissionResult

    return PermissionResult.NEUTRAL


def compact_json(original: MotoFunction, thing: Any, **_: Any) -> str:
    """In the history, the inputs and outputs of states are JSON without spaces."""
    return str(original(thing, separators=(",", ":")))


def utf8_encoder(original: Any) -> Any:
    """AWS writes letters of all languages as they are. moto escapes what is not ASCII.

    Half of a surrogate pair is no text in UTF-8. It becomes a question mark, as in Java.
    """

    class Encoder(original):  # type: ignore[misc]
        def __init__(self, *, ensure_ascii: bool, **more: Any) -> None:
            super().__init__(ensure_ascii=False, **more)

        def encode(self, o: Any) -> str:
            return str(super().encode(o)).encode(errors="replace").decode()

    return Encoder


def json_in_utf8(original: Any) -> Any:
    """A module json that writes letters of all languages as they are."""
    dumps = partial(original.dumps, cls=utf8_encoder(original.JSONEncoder))
    return SimpleNamespace(**vars(original) | {"dumps": dumps})


def with_time(name: str, _: MotoFunction, **fields: Any) -> dict[str, Any]:
    """The context object has times in AWS's form, and the number of redrives of the execution."""
    at = datetime.datetime.fromisoformat(str(fields[name])).astimezone(datetime.UTC)
    redriven = {"RedriveCount": 0} if name == "StartTime" else {}
    return fields | {name: at.isoformat(timespec="milliseconds").replace("+00:00", "Z")} | redriven


def unexpected(error: Exception) -> Any:
    """The details of a failure that neither moto nor this module expects. The log says where it was."""
    traceback.print_exception(error)
    cause = _FAILED_HERE if _is_foreign(error) else str(error)
    return engine_module("api").ExecutionFailedEventDetails(error=_RUNTIME, cause=cause)


def _is_foreign(error: Exception) -> bool:
    """Whether the text of an error is Python's or a library's. moto's own texts are about states."""
    is_reply = hasattr(error, "response")  # a service has refused a call
    ours = ("sfn_emulator.", "states_language.", "moto.stepfunctions.")
    return not (is_reply or type(error).__module__.startswith(ours))


@contextlib.contextmanager
def named_errors(env: Any) -> Iterator[None]:
    """The cause of an error that a state does not expect names the state. moto names a class of Python."""
    try:
        yield
    except engine_module(_NAMES + "failure_event").FailureEventException:
        raise
    except Exception as error:
        if is_foreign := _is_foreign(error):
            traceback.print_exception(error)
        raise failure_in_state(env, _RUNTIME, _FAILED_HERE if is_foreign else str(error)) from error


class WrongTypesError(Exception):
    """Parameters of a call have the wrong type. The arguments are their names."""


def _not_started(env: Any, error: WrongTypesError) -> str:
    """What AWS says about parameters of the wrong type."""
    name = "taskScheduledEventDetails"
    events = reversed(env.event_manager._history_event_list)
    given: dict[str, Any] = next((event[name] for event in events if name in event), {})
    told = ", ".join(f"The value of the field '{field}' has an invalid format" for field in error.args)
    return f"The Parameters '{given.get('parameters', '')}' could not be used to start the Task: [{told}]"


def failure_event(env: Any, event_type: str, details: Any) -> Exception:
    """An error that Retry and Catch see. The history shows it as an event of this type."""
    module = engine_module(_NAMES + "failure_event")
    name = carried_name(engine_module(_NAMES + "custom_error_name").CustomErrorName, details["error"])
    event = module.FailureEvent(env, name, event_type, details_of(event_type, details))
    failure: Exception = module.FailureEventException(event)
    return failure


def task_failed(env: Any, error: str, cause: str | None) -> Exception:
    """An error that Retry and Catch see, and that the history shows as TaskFailed."""
    return failure_event(env, "TaskFailed", {"error": error} | ({} if cause is None else {"cause": cause}))


def too_many_failures(env: Any) -> Exception:
    """The error of a Map in which more items have failed than it tolerates."""
    cause = "The specified tolerated failure threshold was exceeded"
    return task_failed(env, "States.ExceedToleratedFailureThreshold", cause)


def _failure(error: str, cause: str) -> Exception:
    """An error that ends the execution or the branch. moto adds nothing to its cause."""
    api = engine_module("api")
    details = api.ExecutionFailedEventDetails(error=error, cause=cause)
    event = SimpleNamespace(
        error_name=engine_module(_NAMES + "states_error_name").StatesErrorName.from_name(error),
        event_type=api.HistoryEventType.ExecutionFailed,
        event_details={"executionFailedEventDetails": details},
    )
    failure: Exception = engine_module(_NAMES + "failure_event").FailureEventException(event)
    vars(failure)["get_execution_failed_event_details"] = lambda: details
    return failure


def entered_by(env: Any) -> int:
    """The id of the event with which the present state began."""
    progress = getattr(env, "progress", None)  # see `redrives`
    if progress and progress.entered and progress.state == env.next_state_name:
        entered: int = progress.entered
        return entered
    number: int = env.event_history_context.source_event_id
    events, here = env.event_manager._history_event_list, number
    while 0 < here <= len(events):
        event = events.brief(here - 1)
        if event.get("stateEnteredEventDetails", {}).get("name") == env.next_state_name:
            return here
        failed = event.get("evaluationFailedEventDetails")
        if isinstance(failed, WrittenOnce) and failed["state"] == env.next_state_name:
            return failed.entered
        here = event["previousEventId"]
    return number


def failure_of_state(original: MotoFunction, self: Any, env: Any, *given: Any, **named: Any) -> None:
    """A cause names the event with which the state began. moto takes the latest one of the state."""
    original(self, env, *given, **named)
    self.source_event_id = entered_by(env)


def failure_in_state(env: Any, error: str, reason: str) -> Exception:
    """An error that ends the execution or the branch. Its cause names the present state."""
    entered = f"(entered at the event id #{entered_by(env)})"
    at = f"An error occurred while executing the state '{env.next_state_name}' {entered}."
    return _failure(error, f"{at} {reason}")


def _invalid_variable(env: Any, path: str) -> Exception:
    reason = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    return failure_in_state(env, _RUNTIME, reason)
