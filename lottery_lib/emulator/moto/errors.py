"""Let moto's state machines fail as AWS's do.

What a Catch sees is inside the machine: no reply of the front's could mend it afterwards. So here methods of
moto's engine are replaced, each by one that says what AWS does. Importing this loads the engine, which takes
a while.
"""

import datetime
import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from botocore.exceptions import ClientError
from moto.stepfunctions.parser import api
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import Timeout
from moto.stepfunctions.parser.asl.component.state import state
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import (
    ComparisonVariable,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import iteration_worker
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel import branches_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_dynamodb as dynamodb,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ServiceResource
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_lambda import (
    StateTaskServiceLambda,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.component.state.fail import state_fail
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str
from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError
from moto.stepfunctions.parser.backend import execution_worker
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication

__all__ = ["correct_engine"]

_MOST_EVENTS: Final = 25_000
_RUNTIME: Final = "States.Runtime"
_DENIED: Final = "AccessDeniedException"
_ENDS: Final = {"ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut"}
# moto's own, taken before any is replaced.
_compare: Final = ComparisonVariable._eval_body
_choose: Final = StateChoice._eval_state
_add_event: Final = EventManager.add_event
_resolve: Final = ServiceResource._eval_body
_lambda_error: Final = StateTaskLambda._from_error
_UNMODELLED: Final = {
    StateTaskServiceLambda: "Lambda.AWSLambdaException",
    dynamodb.StateTaskServiceDynamoDB: "DynamoDB.AmazonDynamoDBException",
}
_reflect: Final = BaseExecutionWorkerCommunication._reflect_execution_status


def correct_engine() -> None:
    """Replace the methods; once is enough."""
    ComparisonVariable._eval_body = _comparison
    StateChoice._eval_state = _choice
    EventManager.add_event = _counted_event
    ServiceResource._eval_body = _resource
    StateTaskLambda._from_error = _lambda_from_error
    for kind, name in _UNMODELLED.items():
        kind._error_cause_from_client_error = staticmethod(_denied(kind._error_cause_from_client_error, name))
    BaseExecutionWorkerCommunication._reflect_execution_status = _ended
    for module in (branches_decl, iteration_worker, state_fail):
        module.CustomErrorName = _error_name
    # Of a branch that was aborted nothing is evaluated, and what lay on its stack was taken for the time-out.
    Timeout.eval = Timeout._eval_body
    for kind in _kinds(StateTask):
        _wrap(kind, "_eval_parameters", _with_path)
    for kind in _kinds(ExecutionState):
        _wrap(kind, "_from_error", _uncaught)
    state.to_json_str = functools.partial(to_json_str, separators=(",", ":"))
    state.StateData = _with_time("EnteredTime")
    execution_worker.ExecutionData = _with_time("StartTime")


class _Failure(FailureEventException):  # type: ignore[misc]
    """Ends what runs, with an error of the States family; nothing is added to the cause."""

    def __init__(self, error: str, cause: str) -> None:
        self._details = api.ExecutionFailedEventDetails(error=error, cause=cause)
        self.failure_event = SimpleNamespace(
            error_name=StatesErrorName.from_name(error),
            event_type=api.HistoryEventType.ExecutionFailed,
            event_details={"executionFailedEventDetails": self._details},
        )

    def get_execution_failed_event_details(self) -> Any:
        return self._details


def _failure(env: Any, error: str, reason: str) -> _Failure:
    entered = f"(entered at the event id #{env.event_history_context.source_event_id})"
    at = f"An error occurred while executing the state '{env.next_state_name}' {entered}."
    return _Failure(error, f"{at} {reason}")


def _invalid_variable(env: Any, path: str) -> _Failure:
    reason = f"Invalid path '{path}': The choice state's condition path references an invalid value."
    return _failure(env, _RUNTIME, reason)


def _comparison(self: Any, env: Any) -> None:
    """A variable that is not there fails the execution, also where there is a Default."""
    self.variable.eval(env)
    absent = isinstance(env.stack.pop(), NoSuchVariable)
    if absent and self.comparison_function.operator_type is not ComparisonOperatorType.IsPresent:
        raise _invalid_variable(env, self.variable.string_sampler.literal_value)
    _compare(self, env)


def _choice(self: Any, env: Any) -> None:
    """No match and no Default is `States.NoChoiceMatched`."""
    try:
        _choose(self, env)
    except NoSuchJsonPathError as error:
        raise _invalid_variable(env, error.json_path) from error
    except RuntimeError as error:
        reason = "Failed to transition out of the state. The state does not point to a next state."
        raise _failure(env, "States.NoChoiceMatched", reason) from error


def _counted_event(self: Any, *, event_type: Any, **event: Any) -> Any:
    """An execution has at most 25,000 events; the last says that it failed."""
    if self._event_id_gen._next_id >= _MOST_EVENTS and event_type not in _ENDS:
        text = f"The execution reached the maximum number of history events ({_MOST_EVENTS})."
        raise _Failure(_RUNTIME, text)
    return _add_event(self, event_type=event_type, **event)


def _resource(self: Any, env: Any) -> None:
    """An integration of another partition is noticed when it is to run, not before."""
    execution = env.states.context_object.context_object_data["Execution"]["Id"]
    if self.partition != execution.split(":")[1]:
        reason = "The resource belongs to a different partition from the running execution."
        raise _failure(env, _RUNTIME, reason)
    _resolve(self, env)


def _lambda_from_error(self: Any, env: Any, ex: Exception) -> Any:
    """What Lambda itself refuses has the name that `lambda:invoke` gives it."""
    if not isinstance(ex, ClientError):
        return _lambda_error(self, env, ex)
    error, cause = StateTaskServiceLambda._error_cause_from_client_error(ex)
    details = api.LambdaFunctionFailedEventDetails(error=error, cause=cause)
    return FailureEvent(
        env=env,
        error_name=CustomErrorName(error),
        event_type=api.HistoryEventType.LambdaFunctionFailed,
        event_details={"lambdaFunctionFailedEventDetails": details},
    )


def _denied(error_cause: Callable[..., tuple[str, str]], name: str) -> Callable[..., tuple[str, str]]:
    """An error that AWS's Java SDK has no class for has the name of the service's base class."""

    def corrected(client_error: ClientError) -> tuple[str, str]:
        error, cause = error_cause(client_error)
        return (name if client_error.response["Error"]["Code"] == _DENIED else error), cause

    return corrected


def _ended(self: Any) -> None:
    """An output is JSON, also when it is a text or null; and it is there before the status says so."""
    execution = self.execution
    env = execution.exec_worker.env
    if not isinstance(env.program_state(), ProgramEnded):
        _reflect(self)
        return
    execution.output = to_json_str(env.states.get_input(), separators=(",", ":"))
    execution.stop_date = datetime.datetime.now(datetime.UTC)
    execution.exec_status = api.ExecutionStatus.SUCCEEDED


def _error_name(error_name: str | None) -> Any:
    """A branch, an iteration and a Fail state may carry an error of the States family on."""
    try:
        return CustomErrorName(error_name)
    except ValueError:
        return _states_error_name(str(error_name))


def _states_error_name(name: str) -> Any:
    try:
        return StatesErrorName.from_name(name)
    except ValueError:
        return ErrorName(name)


def _with_path(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    """A path of a Task's Parameters that is not there is `States.Runtime`."""

    def corrected(self: Any, env: Any) -> Any:
        try:
            return evaluate(self, env)
        except NoSuchJsonPathError as error:
            given = to_json_str(error.data, separators=(",", ":"))
            field = (
                f"specified for the field '{env.next_field_name}' could not be found in the input '{given}'"
            )
            raise _failure(env, _RUNTIME, f"The JSONPath '{error.json_path}' {field}") from error

    return corrected


def _uncaught(from_error: Callable[..., Any]) -> Callable[..., Any]:
    """`States.Runtime` ends the execution: no Retry, no Catch, no event of the state's."""

    def corrected(self: Any, env: Any, ex: Exception) -> Any:
        event = from_error(self, env, ex)
        kind, details = next(iter(event.event_details.items()))
        if details.get("error") != _RUNTIME:
            return event
        cause = details.get("cause", "")
        # Of a branch's the cause is complete.
        ended = kind == "executionFailedEventDetails"
        raise (_Failure(_RUNTIME, cause) if ended else _failure(env, _RUNTIME, cause)) from ex

    return corrected


def _with_time(name: str) -> Callable[..., dict[str, Any]]:
    """The context object has times as AWS writes them."""

    def make(**fields: Any) -> dict[str, Any]:
        at = datetime.datetime.fromisoformat(str(fields[name])).astimezone(datetime.UTC)
        return fields | {name: at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}

    return make


def _kinds(kind: Any) -> list[Any]:
    return [kind, *(inner for each in kind.__subclasses__() for inner in _kinds(each))]


def _wrap(kind: Any, name: str, wrapper: Callable[..., Any]) -> None:
    if name in vars(kind):
        setattr(kind, name, wrapper(vars(kind)[name]))
