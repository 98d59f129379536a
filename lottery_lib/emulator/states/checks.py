"""Refuse the executions and definitions that Step Functions refuses; moto lets them through."""

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
        return (
            "InvalidExecutionInput",
            f"Invalid State Machine Execution Input: '{_jackson(given, str(error))}'",
        )
    return None


def why_not_definition(definition: str) -> Refusal | None:
    """AWS's reason to refuse a definition that moto's parser would take, or None."""
    try:
        machine = json.loads(definition)
    except (ValueError, RecursionError) as error:
        return _invalid(f"INVALID_JSON_DESCRIPTION: {_jackson(definition, str(error))}")
    if not isinstance(machine, dict):
        return _invalid("INVALID_JSON_DESCRIPTION: The definition is not a JSON object")
    faults = [*_schema_faults(machine, ""), *_target_faults(machine, "")]
    return _invalid(", ".join(faults)) if faults else None


def _invalid(text: str) -> Refusal:
    return "InvalidDefinition", f"Invalid State Machine Definition: '{text}'"


def _jackson(text: str, fallback: str) -> str:
    # AWS's parser names the first word that is no JSON.
    if match := re.match(r"\s*([A-Za-z_]\w*)", text):
        return f"Unrecognized token '{match[1]}': was expecting ('true', 'false' or 'null')"
    return fallback


def _schema_faults(machine: Mapping[str, Any], where: str) -> Iterator[str]:
    missing = [name for name in ("StartAt", "States") if name not in machine]
    if missing:
        yield f"SCHEMA_VALIDATION_FAILED: These fields are required: [{', '.join(missing)}] at {where or '/'}"
    for path, inner in _inner_machines(machine, where):
        yield from _schema_faults(inner, path)


def _target_faults(machine: Mapping[str, Any], where: str) -> Iterator[str]:
    states = machine.get("States")
    if not isinstance(states, dict) or "StartAt" not in machine:
        return
    if machine["StartAt"] not in states:
        yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {machine['StartAt']} at {where}/StartAt"
    for name, state in states.items():
        for path, target in _targets(state, f"{where}/States/{name}"):
            if target not in states:
                yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {path}"
    for path, inner in _inner_machines(machine, where):
        yield from _target_faults(inner, path)


def _targets(state: Any, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(state, dict):
        return
    for field in ("Next", "Default"):
        if field in state:
            yield f"{where}/{field}", state[field]
    for field in ("Catch", "Choices"):
        for index, rule in enumerate(state.get(field) or []):
            if isinstance(rule, dict) and "Next" in rule:
                yield f"{where}/{field}[{index}]/Next", rule["Next"]


def _inner_machines(machine: Mapping[str, Any], where: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    states = machine.get("States")
    for name, state in states.items() if isinstance(states, dict) else ():
        if not isinstance(state, dict):
            continue
        for index, branch in enumerate(state.get("Branches") or []):
            yield f"{where}/States/{name}/Branches[{index}]", branch
        for field in ("Iterator", "ItemProcessor"):
            if isinstance(state.get(field), dict):
                yield f"{where}/States/{name}/{field}", state[field]
