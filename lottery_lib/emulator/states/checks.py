"""Refuse the executions and definitions that Step Functions refuses and moto accepts.

`statelint` also checks definitions, but its messages and places are not AWS's.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

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
    check_input(given)


def check_input(given: str) -> None:
    """Refuse an input that is too long or not JSON.

    Raises:
        RefusalError: With AWS's reason.
    """
    detected = "1 validation error detected: Value"
    if len(given.encode()) > LARGEST_INPUT:
        reason = (
            f"failed to satisfy constraint: Member must have length less than or equal to {LARGEST_INPUT}"
        )
        raise RefusalError("ValidationException", f"{detected} at 'input' {reason}")
    try:
        json.loads(given)
    except (ValueError, RecursionError) as error:
        text = f"Invalid State Machine Execution Input: '{_jackson(given, str(error))}'"
        raise RefusalError("InvalidExecutionInput", text) from error


def check_definition(definition: str) -> None:
    """Refuse a definition that moto's parser would accept.

    Raises:
        RefusalError: With AWS's reasons.
    """
    try:
        machine = json.loads(definition)
    except (ValueError, RecursionError) as error:
        faults = [f"INVALID_JSON_DESCRIPTION: {_jackson(definition, str(error))}"]
    else:
        faults = ["INVALID_JSON_DESCRIPTION: The definition is not a JSON object"]
        if isinstance(machine, dict):
            try:
                # AWS lists missing fields first. The order within each group stays.
                faults = sorted(_faults(machine, ""), key=lambda fault: not fault.startswith("SCHEMA"))
            except RecursionError:
                faults = ["INVALID_JSON_DESCRIPTION: Too many machines are inside each other"]
    if faults:
        raise RefusalError("InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(faults)}'")


def _jackson(text: str, fallback: str) -> str:
    # AWS's parser names the first word that is not JSON.
    if match := re.match(r"\s*([A-Za-z_]\w*)", text):
        return f"Unrecognized token '{match[1]}': was expecting ('true', 'false' or 'null')"
    return fallback


def _faults(machine: Mapping[str, Any], where: str) -> Iterator[str]:
    """The faults of a machine, a branch or an iterator, and of the branches and iterators inside it."""
    if missing := [name for name in ("StartAt", "States") if name not in machine]:
        yield f"SCHEMA_VALIDATION_FAILED: These fields are required: [{', '.join(missing)}] at {where or '/'}"
    states = machine.get("States")
    if not isinstance(states, dict):
        return
    targets = [(f"{where}/StartAt", machine["StartAt"])] if "StartAt" in machine else []
    inner: list[tuple[str, Any]] = []
    for name, state in states.items():
        if not isinstance(state, dict):
            continue
        at = f"{where}/States/{name}"
        if "StartAt" in machine:
            targets += [(f"{at}/{field}", state[field]) for field in ("Next", "Default") if field in state]
            targets += [
                (f"{at}/{field}[{index}]/Next", rule["Next"])
                for field in ("Catch", "Choices")
                for index, rule in enumerate(_list(state, field))
                if isinstance(rule, dict) and "Next" in rule
            ]
        branches = enumerate(_list(state, "Branches"))
        inner += [(f"{at}/Branches[{index}]", branch) for index, branch in branches]
        inner += [(f"{at}/{field}", state.get(field)) for field in ("Iterator", "ItemProcessor")]
    for place, target in targets:
        if not isinstance(target, list | dict) and target not in states:
            yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {place}"
    for place, part in inner:
        if isinstance(part, dict):
            yield from _faults(part, place)


def _list(state: Mapping[str, Any], field: str) -> list[Any]:
    """The field's list; empty if it is something else. moto's parser refuses that."""
    return found if isinstance(found := state.get(field), list) else []
