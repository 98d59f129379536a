"""Refuse the executions and definitions that Step Functions refuses and moto accepts."""

import json
import re
from collections.abc import Mapping
from typing import Final

from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.http.replies import violation
from states_language import faults as faults_of
from states_language import not_json

LARGEST_INPUT: Final = 262_144
_FORBIDDEN: Final = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


def check_execution(name: str, given: str) -> None:
    """Refuse a StartExecution.

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
    """Refuse a request that names a machine or an execution by something that is no ARN.

    Raises:
        RefusalError: With AWS's reason.
    """
    for name in ("executionArn", "stateMachineArn"):
        arn = str(parameters.get(name) or "")
        if arn and not (arn.startswith("arn:") and Arn.of(arn).resource):
            raise RefusalError("InvalidArn", f"Invalid Arn: 'Invalid ARN prefix: {arn}'")


def check_input(given: str) -> None:
    """Refuse an input that is too long or not JSON.

    Raises:
        RefusalError: With AWS's reason.
    """
    if len(given.encode()) > LARGEST_INPUT:
        text = violation("input", f"have length less than or equal to {LARGEST_INPUT}")
        raise RefusalError("ValidationException", text)
    check_json(given, "InvalidExecutionInput", "Invalid State Machine Execution Input")


def check_json(text: str, code: str, what: str) -> None:
    """Refuse a text that is not JSON.

    Raises:
        RefusalError: With this code. Its message begins with `what`.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        fault = not_json(text, error)
        raise RefusalError(code, f"{what}: '{fault.message}'") from error


def check_definition(definition: str, kind: str | None = None) -> None:
    """Refuse a definition that moto's parser would accept.

    Args:
        definition: Text in the Amazon States Language.
        kind: The type of the machine, such as ``"EXPRESS"``.

    Raises:
        RefusalError: With AWS's reasons.
    """
    faults = faults_of(definition, express=kind == "EXPRESS")
    if errors := [str(fault) for fault in faults if fault.severity == "ERROR"]:
        raise RefusalError("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(errors)}'")
