"""Answer TestState: check its parameters as AWS does, and run the state alone.

See https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html
"""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.replies import json_reply
from sfn_emulator.http.service_models import check_call, check_result
from sfn_emulator.process.store import History
from sfn_emulator.process.timers import now
from sfn_emulator.states.guard import outside
from sfn_emulator.states.machines import Started
from sfn_emulator.states.run import Run
from sfn_emulator.states.validation import ROLE, check_definition, check_input
from sfn_emulator.states.world import World
from states_language import all_states, branches, ways_from
from states_language.execution import Effect, Input, Start
from states_language.one_state import Mock, MockError, StateTest
from states_language.outside import Outside
from states_language.values import moment

_SECONDS: Final = 300  # AWS's limit for one TestState
_DEFAULT_NAME: Final = "StateName"  # AWS's name for a state without a machine
_MOCKABLE: Final = ("Task", "Map", "Parallel")
_WITHOUT_MOCK: Final = (
    "TestState API does not support Map or Parallel states. "
    "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"
)
_PATTERN: Final = re.compile(r"\.(sync(:2)?|waitForTaskToken)$")
# The fields of a context object, and their types.
_CONTEXT: Final[Mapping[str, Mapping[str, type]]] = {
    "Execution": {"Id": str, "Input": object, "Name": str, "RoleArn": str, "StartTime": str},
    "State": {"EnteredTime": str, "Name": str, "RetryCount": int},
    "StateMachine": {"Id": str, "Name": str},
    "Task": {"Token": str},
}


class _TestRun(Run):
    """A state alone, in the place of an execution."""

    test: StateTest

    def take(self, inputs: Sequence[Input], outside: Outside) -> list[Effect]:
        """Make a step. It is over as soon as there is a reply."""
        effects = list[Effect]()
        for each in inputs:
            effects += self.test.begin() if isinstance(each, Start) else self.test.tell(each)
        try:
            is_over = self.test.reply is not None
        except MockError:
            is_over = True
        if is_over and self.over:
            self.over.set()
        return effects


def test_state(request: Request, check_role: Callable[[Request, str], None], world: World) -> Reply:
    """Answer a TestState.

    Args:
        request: The request.
        check_role: Refuses a request if Step Functions cannot assume its role for the machine with this ARN.
        world: Where its call is made.

    Raises:
        RefusalError: With AWS's reason.
    """
    scope = request.scope
    parameters = {name: value for name, value in request.json.items() if value is not None}
    check_call("stepfunctions", "TestState", parameters)
    machine, name, state, in_map = _state(parameters)
    mock, role = _mock(parameters, state), parameters.get("roleArn")
    if role is not None and not ROLE.fullmatch(role):
        raise RefusalError("InvalidArn", f"Invalid Role Arn: '{role}'")
    run_id, machine_name = str(uuid.uuid4()), str(uuid.uuid4())
    machine_arn = scope.arn(f"stateMachine:{machine_name}")
    if mock is None and state.get("Type") == "Task":
        if role is None:
            raise _invalid("RoleArn must be specified when testing a Task state")
        check_role(request, machine_arn)
    check_input(parameters.setdefault("input", "{}"))
    state_input = json.loads(parameters["input"])
    variables = _object(parameters.get("variables", "{}"), "Variables must be a JSON object")
    began = now()
    counted = {"RetryCount": 0} if state.get("Type") in _MOCKABLE else {}
    context = {
        "Execution": {
            "Id": scope.arn(f"express:{machine_name}:{run_id}"),
            "Input": state_input,
            "Name": run_id,
            "RoleArn": role,
            "StartTime": moment(began),
        },
        "StateMachine": {"Id": machine_arn, "Name": machine_name},
        "State": {"Name": name, "EnteredTime": moment(began)} | counted,
    } | ({"Map": {"Item": {"Index": 0, "Value": state_input}}} if in_map else {})
    if "context" in parameters:
        context = _context(parameters["context"], state)
    configuration = parameters.get("stateConfiguration", {})
    result = parameters.get("mock", {}).get("result")
    texts = [parameters["input"], result, configuration.get("mapItemReaderData")]
    test = StateTest(
        json.loads(machine),
        name,
        state_input,
        context,
        variables,
        mock,
        configuration.get("retrierRetryCount") or 0,
        configuration.get("mapIterationFailureCount") or 0,
        configuration.get("mapItemReaderData"),
        [text for text in texts if text is not None],
        outside(),
    )
    about = {"type": "EXPRESS", "roleArn": role, "name": machine_name}
    arn = scope.arn(f"express:{machine_name}:{run_id}:{uuid.uuid4()}")
    started = Started(machine_arn, about, began, {})
    run = _TestRun(arn, started, scope, test.execution, History(kept=False), "{}", began, world)
    run.test = test
    test.execution.context.update(context, Execution={"Id": arn, **context.get("Execution", {})})
    world.run_alone(run, _SECONDS)
    try:
        reply = test.reply or {"status": "FAILED", "error": "States.Timeout", "inspectionData": {}}
    except MockError as error:
        raise _invalid(str(error)) from error
    reply = dict(reply)
    if parameters.get("inspectionLevel", "INFO") == "INFO":
        del reply["inspectionData"]
    return json_reply(reply)


def _state(parameters: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], bool]:
    """The state with its name, in a machine of its own, and whether a Map holds it."""
    text, name, language = parameters["definition"], parameters.get("stateName", _DEFAULT_NAME), {}
    state: Any = None
    in_map = False
    if "stateName" in parameters:
        check_definition(text)
        whole = json.loads(text)
        state = dict(all_states(whole)).get(name)
        _refuse(state is None, "State not found in definition")
        maps = [its_map for _, its_map in all_states(whole) if its_map["Type"] == "Map"]
        in_map = any(name in dict(all_states(workflow)) for its_map in maps for workflow in branches(its_map))
        language = {key: whole[key] for key in ("QueryLanguage",) if key in whole}
    else:
        with suppress(ValueError, RecursionError):
            state = json.loads(text)
        if not isinstance(state, dict):
            check_definition(text)  # this raises the error
    # A definition without the states that may follow would be refused.
    states = {to: {"Type": "Succeed"} for _, to in ways_from(state)} | {name: state}
    machine = json.dumps({"StartAt": name, "States": states} | language)
    check_definition(machine)
    return machine, name, state, in_map


def _mock(parameters: Mapping[str, Any], state: Mapping[str, Any]) -> Mock | None:
    """The mock; None if the request has none, and the state needs none.

    Raises:
        RefusalError: In AWS's words.
    """
    kind, resource, mock = state.get("Type"), str(state.get("Resource", "")), parameters.get("mock")
    if mock is None:
        waits = _PATTERN.search(resource) or ":activity:" in resource
        only_with_mock = {
            "Context": "context" in parameters,
            "MapIterationFailureCount": "mapIterationFailureCount"
            in parameters.get("stateConfiguration", {}),
            "activities, '.sync' and '.waitForTaskToken'": waits,
        }
        for what, is_there in only_with_mock.items():
            _refuse(is_there, f"TestState does not support {what} when a mock is not specified.")
        if kind in {"Map", "Parallel"}:
            raise RefusalError("InvalidDefinition", _WITHOUT_MOCK)
        return None
    names = [name for name in ("result", "errorOutput") if mock.get(name) is not None]
    _refuse(kind not in _MOCKABLE, f"State type '{kind}' is not supported when a mock is specified")
    secrets = "TestState does not support RevealSecrets when a mock is specified."
    _refuse(parameters.get("revealSecrets"), secrets)
    only_one = "A test mock should have only one of the following fields: [result, errorOutput]."
    _refuse(len(names) != 1, only_one)
    if "errorOutput" in names:
        error = mock["errorOutput"]
        _refuse(error.get("error") is None, "A mocked errorOutput must have an error.")
        return Mock(error=error["error"], cause=error.get("cause"))
    try:
        result = json.loads(mock["result"])
    except (ValueError, RecursionError) as error:
        raise _invalid("Mocked result must be valid JSON") from error
    mode = mock.get("fieldValidationMode") or "STRICT"
    if kind == "Task" and mode != "NONE":
        check_result(resource, result, strict=mode == "STRICT")
    is_written = kind == "Map" and "ResultWriter" in state
    _refuse(is_written and not isinstance(result, dict), "Mocked result must be a JSON object.")
    is_list = kind != "Task" and not is_written
    _refuse(is_list and not isinstance(result, list), "Mocked result must be an array.")
    as_many = "Mocked result must contain the same number of items as number of Parallel branches."
    _refuse(kind == "Parallel" and len(result) != len(state["Branches"]), as_many)
    return Mock(result)


def _context(text: str, state: Mapping[str, Any]) -> dict[str, Any]:
    """The context object of the request.

    Raises:
        RefusalError: In AWS's words.
    """
    wrong = "Invalid Context object provided: "
    context = _object(text, f"{wrong}it must be a JSON object")
    _refuse("Map" in context, f"{wrong}'Map' field is not supported when mocking a Context object")
    for part, fields in context.items():
        _refuse(part not in _CONTEXT, f"{wrong}Field '{part}' is not allowed")
        _refuse(not isinstance(fields, dict), f"{wrong}{part} must be an object")
        for name, value in fields.items():
            _refuse(name not in _CONTEXT[part], f"{wrong}Field '{name}' is not allowed")
            its_type = _CONTEXT[part][name]
            fits = isinstance(value, its_type) and (its_type is not int or not isinstance(value, bool))
            words = "a number" if its_type is int else "a string"
            _refuse(not fits, f"{wrong}{part}.{name} must be {words}")
    pattern = "a '.sync' or '.waitForTaskToken' service integration pattern"
    no_token = f"Context object contains 'Task' when state is not a Task state with {pattern}"
    _refuse("Task" in context and not _PATTERN.search(str(state.get("Resource", ""))), f"{wrong}{no_token}")
    return context


def _object(text: str, fault: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise _invalid(fault)
    return value


def _refuse(is_wrong: object, message: str) -> None:
    if is_wrong:
        raise _invalid(message)


def _invalid(message: str) -> RefusalError:
    return RefusalError("ValidationException", message)
