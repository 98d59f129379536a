"""Refuse what Step Functions refuses and moto accepts. Nothing here makes a call."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sfn_emulator.engine.internals import is_parsed, shape
from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.http.replies import violation
from sfn_emulator.http.service_models import check_call
from states_language import SCHEMA, Diagnostic, branches, diagnostics, not_json, states
from states_language.structure import State

_UNSUPPORTED: Final = "This emulator does not support the definition of this state"
_LARGEST: Final = 262_144
_LARGEST_DEFINITION: Final = 1_048_576
_LARGE_DEFINITION: Final = 65_536
_FORBIDDEN: Final = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


def check_execution(name: str, given: str) -> None:
    """Refuse a StartExecution with a wrong name or input.

    Args:
        name: The name of the execution.
        given: Its input.

    Raises:
        RefusalError: With AWS's reason.
    """
    if len(name) > 80:
        text = violation("name", "have length less than or equal to 80", name)
        raise RefusalError("ValidationException", text)
    if not name or _FORBIDDEN.search(name):
        raise RefusalError("InvalidName", f"Invalid Name: '{name}'")
    check_input(given)


def check_arns(parameters: Mapping[str, object]) -> None:
    """Refuse a request in which the ARN of a machine or an execution is no ARN.

    Raises:
        RefusalError: With AWS's reason.
    """
    for name in ("executionArn", "stateMachineArn", "mapRunArn"):
        arn = str(parameters.get(name) or "")
        if parameters.get(name) == "":
            text = violation(name, "have length greater than or equal to 1", "")
            raise RefusalError("ValidationException", text)
        if arn and not (arn.startswith("arn:") and Arn.of(arn).resource):
            raise RefusalError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")
        if name == "executionArn" and Arn.of(arn).resource.startswith("express:"):
            reason = "Resource type not valid in this context: express"
            raise RefusalError("InvalidArn", f"Invalid Arn: '{reason}'")


def check_input(given: str) -> None:
    """Refuse an input that is too long or not JSON.

    Raises:
        RefusalError: With AWS's reason.
    """
    _check_json(given, "input", "InvalidExecutionInput", "Invalid State Machine Execution Input")


def task_outcome(
    operation: str, parameters: dict[str, Any], check_token: Callable[[str], None] = lambda _: None
) -> Mapping[str, str | None] | None:
    """Check the parameters of SendTaskSuccess, SendTaskFailure or SendTaskHeartbeat.

    Args:
        operation: One of these.
        parameters: Its parameters.
        check_token: Refuses a token that nobody gave. AWS looks at the token before it looks at the output.

    Returns:
        The outcome of the task: its output, or its error and cause. None for a heartbeat.

    Raises:
        RefusalError: With AWS's reason.
        MalformedRequestError: A parameter has the wrong type.
    """
    check_call("stepfunctions", operation, parameters)
    check_token(parameters["taskToken"])
    if operation == "SendTaskHeartbeat":
        return None
    if operation == "SendTaskFailure":
        return {name: parameters.get(name) for name in ("error", "cause")}
    _check_json(parameters["output"], "output", "InvalidOutput", "Invalid Output")
    return {"output": parameters["output"]}


def _check_json(text: str, parameter: str, code: str, what: str) -> None:
    if len(text.encode(errors="replace")) > _LARGEST:
        reason = violation(parameter, f"have length less than or equal to {_LARGEST}")
        raise RefusalError("ValidationException", reason)
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusalError(code, f"{what}: '{not_json(text, error).message}'") from error


def check_size(definition: str) -> None:
    """Refuse a definition of more than 1 MB. These are the words of AWS's model. Nobody recorded AWS's reply.

    Raises:
        RefusalError: It is too long.
    """
    if len(definition) > _LARGEST_DEFINITION:
        rule = f"have length less than or equal to {_LARGEST_DEFINITION}"
        raise RefusalError("ValidationException", violation("definition", rule))


def check_definition(definition: str, kind: str | None = None) -> None:
    """Refuse a definition in which `faults` finds an error.

    Args:
        definition: Text in the Amazon States Language.
        kind: The type of the machine, such as ``"EXPRESS"``.

    Raises:
        RefusalError: With AWS's reasons.
    """
    check_size(definition)
    errors = [str(fault) for fault in faults(definition, kind) if fault.severity == "ERROR"]
    if errors:
        reason = ", ".join(errors)
        raise RefusalError("InvalidDefinition", f"Invalid State Machine Definition: '{reason}'")


def faults(definition: str, kind: str | None = None) -> list[Diagnostic]:
    """List what AWS says about a definition, and what this emulator cannot run.

    Args:
        definition: Text in the Amazon States Language.
        kind: The type of the machine, such as ``"EXPRESS"``.

    Returns:
        Empty if there is nothing to say.
    """
    found = diagnostics(definition, express=kind == "EXPRESS")
    if any(fault.severity == "ERROR" for fault in found):
        return found
    machine = json.loads(definition)
    if len(definition) > _LARGE_DEFINITION:
        # moto's parser takes a millisecond for each state. A smaller definition is parsed as a whole, because
        # the parser then remembers it for the executions.
        machine["States"] = _one_of_each_shape(machine["States"])
        definition = json.dumps(machine)
    if not is_parsed(definition):
        language = {"QueryLanguage": machine.get("QueryLanguage", "JSONPath")}
        found.append(Diagnostic(SCHEMA, _UNSUPPORTED, _not_parsed(machine, "", language)))
    return found


def _one_of_each_shape(states: Mapping[str, State]) -> dict[str, State]:
    found: dict[str, tuple[str, State]] = {}
    for name, state in states.items():
        found.setdefault(shape(state), (name, state))
    return dict(found.values())


def _not_parsed(workflow: State, at: str, language: Mapping[str, str]) -> str | None:
    """The place of the first state that moto's parser does not accept."""
    for name, state in states(workflow).items():
        here = f"{at}/States/{name}"
        holder = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
        for index, inner in enumerate(branches(state)):
            inside = f"{here}/{holder}" if state["Type"] == "Map" else f"{here}/Branches[{index}]"
            if place := _not_parsed(inner, inside, language):
                return place
        if not is_parsed(json.dumps({"StartAt": name, "States": {name: state}, **language})):
            return here
    return None
