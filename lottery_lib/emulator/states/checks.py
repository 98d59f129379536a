"""Refuse the executions and definitions that Step Functions refuses and moto accepts.

`statelint` checks definitions, too, but says neither AWS's words nor AWS's places.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["Refusal", "why_not_definition", "why_not_execution"]

Refusal = tuple[str, str]
"""An error code and a message of AWS's."""

LARGEST_INPUT: Final = 262_144
_FORBIDDEN: Final = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")


def why_not_execution(name: str, given: str) -> Refusal | None:
    """AWS's reason to refuse a StartExecution, or None.

    Args:
        name: The execution's.
        given: Its input.
    """
    if len(name) > 80:
        return "ValidationException", (
            f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: "
            "Member must have length less than or equal to 80"
        )
    if not name or _FORBIDDEN.search(name):
        return "InvalidName", f"Invalid Name: '{name}'"
    if len(given.encode()) > LARGEST_INPUT:
        return "ValidationException", (
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LARGEST_INPUT}"
        )
    try:
        json.loads(given)
    except (ValueError, RecursionError) as error:
        reason = _jackson(given, str(error))
        return "InvalidExecutionInput", f"Invalid State Machine Execution Input: '{reason}'"
    return None


def why_not_definition(definition: str) -> Refusal | None:
    """AWS's reason to refuse a definition that moto's parser would accept, or None."""
    try:
        machine = json.loads(definition)
    except (ValueError, RecursionError) as error:
        faults = [f"INVALID_JSON_DESCRIPTION: {_jackson(definition, str(error))}"]
    else:
        faults = ["INVALID_JSON_DESCRIPTION: The definition is not a JSON object"]
        if isinstance(machine, dict):
            # Stable: AWS tells missing fields first.
            faults = sorted(_faults(machine, ""), key=lambda fault: not fault.startswith("SCHEMA"))
    if not faults:
        return None
    return "InvalidDefinition", f"Invalid State Machine Definition: '{', '.join(faults)}'"


def _jackson(text: str, fallback: str) -> str:
    # AWS's parser names the first word that is not JSON.
    if match := re.match(r"\s*([A-Za-z_]\w*)", text):
        return f"Unrecognized token '{match[1]}': was expecting ('true', 'false' or 'null')"
    return fallback


def _faults(machine: Mapping[str, Any], where: str) -> Iterator[str]:
    """What is wrong with a machine, a branch or an iterator, and with those inside it."""
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
                for index, rule in enumerate(state.get(field) or [])
                if isinstance(rule, dict) and "Next" in rule
            ]
        branches = enumerate(state.get("Branches") or [])
        inner += [(f"{at}/Branches[{index}]", branch) for index, branch in branches]
        inner += [(f"{at}/{field}", state.get(field)) for field in ("Iterator", "ItemProcessor")]
    for place, target in targets:
        if target not in states:
            yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {place}"
    for place, part in inner:
        if isinstance(part, dict):
            yield from _faults(part, place)
