"""Let moto's state machines fail as AWS's do.

What a Catch sees is inside the machine: no change of a reply could correct it afterwards. Each function here
makes a replacement from the original that it is given; `patches` lists them. They import moto only when they
run, because moto's modules are patched while they are being imported.
"""

import datetime
import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

__all__ = [
    "carried_name",
    "choice",
    "compact_json",
    "comparison",
    "counted_event",
    "ended",
    "lambda_error",
    "resource",
    "time_out",
    "uncaught",
    "unmodelled",
    "with_path",
    "with_time",
]

Function = Callable[..., Any]
_MOST_EVENTS: Final = 25_000
_RUNTIME: Final = "States.Runtime"
_ENDS: Final = {"ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut"}


def comparison(original: Function) -> Function:
    """A variable that is missing fails the execution, even if there is a Default."""

    def eval_body(self: Any, env: Any) -> None:
        from moto.stepfunctions.parser.asl.component.state.choice.comparison import (
            comparison_operator_type as operators,
        )
        from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable

        self.variable.eval(env)
        missing = isinstance(env.stack.pop(), NoSuchVariable)
        operator = self.comparison_function.operator_type
        if missing and operator is not operators.ComparisonOperatorType.IsPresent:
            raise _invalid_variable(env, self.variable.string_sampler.literal_value)
        original(self, env)

    return eval_body


def choice(original: Function) -> Function:
    """No match and no Default is `States.NoChoiceMatched`."""

    def eval_state(self: Any, env: Any) -> None:
        from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

        try:
            original(self, env)
        except NoSuchJsonPathError as error:
            raise _invalid_variable(env, error.json_path) from error
        except RuntimeError as error:
            reason = "Failed to transition out of the state. The state does not point to a next state."
            raise _failure_in_state(env, "States.NoChoiceMatched", reason) from error

    return eval_state


def counted_event(original: Function) -> Function:
    """An execution has at most 25,000 events; the last one says that it failed."""

    def add_event(self: Any, *, event_type: Any, **event: Any) -> Any:
        if self._event_id_gen._next_id >= _MOST_EVENTS and event_type not in _ENDS:
            text = f"The execution reached the maximum number of history events ({_MOST_EVENTS})."
            raise _failure(_RUNTIME, text)
        return original(self, event_type=event_type, **event)

    return add_event


def resource(original: Function) -> Function:
    """An integration of another partition fails when it runs, not before."""

    def eval_body(self: Any, env: Any) -> None:
        execution = env.states.context_object.context_object_data["Execution"]["Id"]
        if self.partition != execution.split(":")[1]:
            reason = "The resource belongs to a different partition from the running execution."
            raise _failure_in_state(env, _RUNTIME, reason)
        original(self, env)

    return eval_body


def lambda_error(original: Function) -> Function:
    """What Lambda itself refuses has the name that `lambda:invoke` gives it."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        from botocore.exceptions import ClientError
        from moto.stepfunctions.parser import api
        from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import (
            CustomErrorName,
        )
        from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent
        from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
            state_task_service_lambda,
        )

        if not isinstance(ex, ClientError):
            return original(self, env, ex)
        error, cause = state_task_service_lambda.StateTaskServiceLambda._error_cause_from_client_error(ex)
        details = api.LambdaFunctionFailedEventDetails(error=error, cause=cause)
        return FailureEvent(
            env=env,
            error_name=CustomErrorName(error),
            event_type=api.HistoryEventType.LambdaFunctionFailed,
            event_details={"lambdaFunctionFailedEventDetails": details},
        )

    return from_error


def unmodelled(name: str) -> Callable[[Function], Function]:
    """An error for which AWS's Java SDK has no class gets the name of the service's base class."""

    def replacement(original: Function) -> Function:
        def error_cause(client_error: Any) -> tuple[str, str]:
            error, cause = original(client_error)
            return (
                name if client_error.response["Error"]["Code"] == "AccessDeniedException" else error
            ), cause

        return error_cause

    return replacement


def ended(original: Function) -> Function:
    """An output is JSON, even a text or null, and is there before the status says SUCCEEDED."""

    def reflect_execution_status(self: Any) -> None:
        from moto.stepfunctions.parser import api
        from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded
        from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

        execution = self.execution
        env = execution.exec_worker.env
        if not isinstance(env.program_state(), ProgramEnded):
            original(self)
            return
        execution.output = compact_json(to_json_str)(env.states.get_input())
        execution.stop_date = datetime.datetime.now(datetime.UTC)
        execution.exec_status = api.ExecutionStatus.SUCCEEDED

    return reflect_execution_status


def time_out(_: Function) -> Function:
    """A time-out is evaluated in an aborted branch as well."""

    def evaluate(self: Any, env: Any) -> None:
        self._eval_body(env)

    return evaluate


def carried_name(original: Function) -> Function:
    """A branch, an iteration and a Fail state can pass on an error of the States family."""

    def error_name(error_name: str | None) -> Any:
        from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
        from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import (
            StatesErrorName,
        )

        for make in (original, StatesErrorName.from_name):
            try:
                return make(error_name)
            except ValueError:
                continue
        return ErrorName(error_name)

    return error_name


def with_path(original: Function) -> Function:
    """A path in a Task's Parameters that is missing is `States.Runtime`."""

    def eval_parameters(self: Any, env: Any) -> Any:
        from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
        from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

        try:
            return original(self, env)
        except NoSuchJsonPathError as error:
            given = compact_json(to_json_str)(error.data)
            field = (
                f"specified for the field '{env.next_field_name}' could not be found in the input '{given}'"
            )
            raise _failure_in_state(env, _RUNTIME, f"The JSONPath '{error.json_path}' {field}") from error

    return eval_parameters


def uncaught(original: Function) -> Function:
    """`States.Runtime` ends the execution: no Retry, no Catch, no event of the state."""

    def from_error(self: Any, env: Any, ex: Exception) -> Any:
        event = original(self, env, ex)
        kind, details = next(iter(event.event_details.items()))
        if details.get("error") != _RUNTIME:
            return event
        cause = details.get("cause", "")
        # The cause that comes from a branch is complete.
        complete = kind == "executionFailedEventDetails"
        raise (_failure(_RUNTIME, cause) if complete else _failure_in_state(env, _RUNTIME, cause)) from ex

    return from_error


def compact_json(original: Function) -> Function:
    """Texts of the history are JSON without spaces."""
    return functools.partial(original, separators=(",", ":"))


def with_time(name: str) -> Callable[[Any], Function]:
    """The context object has times as AWS writes them."""

    def make(**fields: Any) -> dict[str, Any]:
        at = datetime.datetime.fromisoformat(str(fields[name])).astimezone(datetime.UTC)
        return fields | {name: at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}

    return lambda _: make


def _failure(error: str, cause: str) -> Exception:
    """An error of the States family that ends what runs; moto adds nothing to its cause."""
    from moto.stepfunctions.parser import api
    from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEventException
    from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName

    details = api.ExecutionFailedEventDetails(error=error, cause=cause)
    failure: Any = FailureEventException(
        SimpleNamespace(
            error_name=StatesErrorName.from_name(error),
            event_type=api.HistoryEventType.ExecutionFailed,
            event_details={"executionFailedEventDetails": details},
        )
    )
    failure.get_execution_failed_event_details = lambda: details
    return failure  # type: ignore[no-any-return]


def _failure_in_state(env: Any, error: str, reason: str) -> Exception:
    entered = f"(entered at the event id #{env.event_history_context.source_event_id})"
    at = f"An error occurred while executing the state '{env.next_state_name}' {entered}."
    return _failure(error, f"{at} {reason}")


def _invalid_variable(env: Any, path: str) -> Exception:
    reason = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    return _failure_in_state(env, _RUNTIME, reason)
