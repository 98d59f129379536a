"""Correct what moto's engine tells of an execution; pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = [
    "Abort",
    "aborted_description",
    "aborted_events",
    "choice_fault",
    "corrected_description",
    "corrected_events",
    "holds",
    "unmatched_choice",
]

Event = dict[str, Any]
_ENDS: Final = ("ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut")
_NO_BRANCH: Final = re.compile(
    r"RuntimeError\(\('No branching option reached in state %s', (['\"])(.*)\1\)\)"
)
_SIMPLE_PATH: Final = re.compile(r"\$(\.\w+)*")


@dataclass(frozen=True)
class Abort:
    """A StopExecution: its error and cause, and when it was, in seconds since 1970."""

    error: str | None
    cause: str | None
    at: float


def unmatched_choice(cause: str | None) -> str | None:
    """The Choice state of which moto says that no rule matched; None when it says something else."""
    match = _NO_BRANCH.fullmatch(cause or "")
    return match[2] if match else None


def choice_fault(name: str, events: Sequence[Event], definition: Mapping[str, Any]) -> tuple[str, str]:
    """Error and cause of a Choice state that led nowhere, as AWS has them.

    Args:
        name: The state.
        events: The execution's history.
        definition: The state machine.
    """
    entered = next((event for event in reversed(events) if _enters(event, name)), None)
    event_id = entered["id"] if entered else 0
    at = f"An error occurred while executing the state '{name}' (entered at the event id #{event_id}). "
    given = json.loads(entered["stateEnteredEventDetails"]["input"]) if entered else None
    for variable in _variables(_state(definition, name)):
        if not _there(variable, given):
            text = (
                f"Invalid path '{variable}': The choice state's condition path references an invalid value."
            )
            return "States.Runtime", at + text
    reason = "Failed to transition out of the state. The state does not point to a next state."
    return "States.NoChoiceMatched", at + reason


def corrected_description(
    description: Mapping[str, Any], *, fault: tuple[str, str] | None, stopped: float | None
) -> dict[str, Any]:
    """DescribeExecution with what moto lost.

    Args:
        description: moto's.
        fault: What `choice_fault` found.
        stopped: When the last event was, for an execution that ended without a stop date.
    """
    corrected = dict(description)
    if corrected.get("stopDate") is None and stopped is not None:
        corrected["stopDate"] = stopped
    return corrected | (_details(*fault) if fault else {})


def aborted_description(description: Mapping[str, Any], abort: Abort) -> dict[str, Any]:
    """DescribeExecution (or an entry of ListExecutions) of an execution that was stopped."""
    lost = {"error", "cause", "output", "outputDetails"}
    kept = {name: value for name, value in description.items() if name not in lost}
    details = _details(abort.error, abort.cause) if "input" in description else {}
    return kept | {"status": "ABORTED", "stopDate": abort.at} | details


def corrected_events(events: Sequence[Event], fault: tuple[str, str] | None) -> list[Event]:
    """The history with what moto lost; ``fault`` as in `corrected_description`."""
    corrected = [dict(event) for event in events]
    for event in corrected:
        if event["type"] == "ExecutionFailed" and fault:
            event["executionFailedEventDetails"] = _details(*fault)
    return corrected


def aborted_events(events: Sequence[Event], abort: Abort) -> list[Event]:
    """The history of an execution that was stopped: moto's engine goes on for a while and ends FAILED."""
    kept = [event for event in events if event["timestamp"] <= abort.at and event["type"] not in _ENDS]
    end = {
        "timestamp": abort.at,
        "type": "ExecutionAborted",
        "id": len(kept) + 1,
        "previousEventId": 0,
        "executionAbortedEventDetails": _details(abort.error, abort.cause),
    }
    return [*kept, end]


def holds(abort: Abort, description: Mapping[str, Any]) -> bool:
    """Whether the execution was stopped indeed, and had not ended just before.

    Args:
        abort: What StopExecution was given, when moto said that the execution runs.
        description: moto's.
    """
    if description["status"] in {"SUCCEEDED", "TIMED_OUT"}:
        return False
    return float(description.get("stopDate") or abort.at) >= abort.at - 0.001


def _details(error: str | None, cause: str | None) -> dict[str, str]:
    return {key: value for key, value in (("error", error), ("cause", cause)) if value}


def _enters(event: Event, name: str) -> bool:
    details = event.get("stateEnteredEventDetails") or {}
    return event["type"] == "ChoiceStateEntered" and details.get("name") == name


def _state(machine: Any, name: str) -> Mapping[str, Any]:
    """The state of that name, at any depth: names are unique in a machine."""
    found: Mapping[str, Any] = {}
    states = machine.get("States") or {} if isinstance(machine, dict) else {}
    if name in states:
        return states[name]  # type: ignore[no-any-return]
    for state in states.values():
        for inner in [*(state.get("Branches") or []), state.get("Iterator"), state.get("ItemProcessor")]:
            found = found or _state(inner, name)
    return found


def _variables(rule: Any) -> list[str]:
    """Every path that a Choice compares, except where it asks whether it is there."""
    if isinstance(rule, list):
        return [variable for item in rule for variable in _variables(item)]
    if not isinstance(rule, dict):
        return []
    own = [rule["Variable"]] if "Variable" in rule and "IsPresent" not in rule else []
    parts = (rule.get(field) for field in ("Choices", "And", "Or", "Not"))
    return own + [variable for part in parts for variable in _variables(part)]


def _there(path: str, value: Any) -> bool:
    if not _SIMPLE_PATH.fullmatch(path):
        return True  # cannot tell
    for name in path.split(".")[1:]:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
