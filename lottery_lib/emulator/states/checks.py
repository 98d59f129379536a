"""Refuse the executions and definitions that Step Functions refuses and moto accepts."""

import json
import re
from typing import Final

from lottery_lib import language
from lottery_lib.emulator.http.messages import RefusalError

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
    detected = "1 validation error detected: Value"
    if len(name) > 80:
        reason = "failed to satisfy constraint: Member must have length less than or equal to 80"
        raise RefusalError("ValidationException", f"{detected} '{name}' at 'name' {reason}")
    if not name or _FORBIDDEN.search(name):
        raise RefusalError("InvalidName", f"Invalid Name: '{name}'")
    if len(given.encode()) > LARGEST_INPUT:
        reason = (
            f"failed to satisfy constraint: Member must have length less than or equal to {LARGEST_INPUT}"
        )
        raise RefusalError("ValidationException", f"{detected} at 'input' {reason}")
    try:
        json.loads(given)
    except (ValueError, RecursionError) as error:
        text = f"Invalid State Machine Execution Input: '{language.not_json(given, error).message}'"
        raise RefusalError("InvalidExecutionInput", text) from error


def check_definition(definition: str) -> None:
    """Refuse a definition that moto's parser would accept.

    Raises:
        RefusalError: With AWS's reasons.
    """
    if errors := [str(fault) for fault in language.faults(definition) if fault.severity == "ERROR"]:
        raise RefusalError("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(errors)}'")
