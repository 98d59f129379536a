"""Refuse what Step Functions refuses and the language does not know. Nothing here makes a call."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.http.replies import violation
from sfn_emulator.http.service_models import check_call
from states_language import diagnostics, not_json

#: The ARN of a role.
ROLE: Final = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")
_LARGEST: Final = 262_144
_LARGEST_DEFINITION: Final = 1_048_576
_FORBIDDEN: Final = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


def check_execution(name: str, given: str) -> None:
    """Refuse a StartExecution with a wrong name or input.

    Args:
        name: The name of the execution.
        given: Its input.

    Raises:
        RefusalError: With AWS's reason.
    """
    check_name(name)
    check_input(given)


def check_name(name: str) -> None:
    """Refuse the name of a machine or an execution.

    Raises:
        RefusalError: With AWS's reason.
    """
    if len(name) > 80:
        text = violation("name", "have length less than or equal to 80", name)
        raise RefusalError("ValidationException", text)
    if not name or _FORBIDDEN.search(name):
        raise RefusalError("InvalidName", f"Invalid Name: '{name}'")


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
        json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise RefusalError(code, f"{what}: '{not_json(text, error).message}'") from error


def _no_json(constant: str) -> None:
    """NaN and Infinity are no JSON, although Python reads them."""
    raise ValueError(f"Non-standard token '{constant}': enable JsonParser.Feature.ALLOW_NON_NUMERIC_NUMBERS")


def check_size(definition: str) -> None:
    """Refuse a definition of more than 1 MB. These are the words of AWS's model. Nobody recorded AWS's reply.

    Raises:
        RefusalError: It is too long.
    """
    if len(definition) > _LARGEST_DEFINITION:
        rule = f"have length less than or equal to {_LARGEST_DEFINITION}"
        raise RefusalError("ValidationException", violation("definition", rule))


def check_definition(definition: str, kind: str | None = None) -> None:
    """Refuse a definition in which AWS finds an error.

    Args:
        definition: Text in the Amazon States Language.
        kind: The type of the machine, such as ``"EXPRESS"``.

    Raises:
        RefusalError: With AWS's reasons.
    """
    check_size(definition)
    found = diagnostics(definition, express=kind == "EXPRESS")
    if errors := [str(fault) for fault in found if fault.severity == "ERROR"]:
        reason = ", ".join(errors)
        raise RefusalError("InvalidDefinition", f"Invalid State Machine Definition: '{reason}'")
