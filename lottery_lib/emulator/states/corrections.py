"""Correct what moto tells of an execution that was ended from outside; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lottery_lib.emulator.moto.states_events import Event, time_of

__all__ = [
    "Abort",
    "aborted_description",
    "aborted_events",
    "holds",
    "timed_out_events",
]

_ENDS: Final = ("ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut")


@dataclass(frozen=True)
class Abort:
    """A StopExecution: its error and cause, and when it was, in seconds since 1970."""

    error: str | None
    cause: str | None
    at: float


def aborted_description(description: Mapping[str, Any], abort: Abort) -> dict[str, Any]:
    """DescribeExecution (or an entry of ListExecutions) of an execution that was stopped."""
    lost = {"error", "cause", "output", "outputDetails"}
    kept = {name: value for name, value in description.items() if name not in lost}
    details = _details(abort.error, abort.cause) if "input" in description else {}
    return kept | {"status": "ABORTED", "stopDate": abort.at} | details


def aborted_events(events: Sequence[Event], abort: Abort) -> list[Event]:
    """The history of an execution that was stopped: moto's engine goes on for a while and ends FAILED."""
    details = {"executionAbortedEventDetails": _details(abort.error, abort.cause)}
    return _cut(events, abort.at, {"type": "ExecutionAborted", "previousEventId": 0} | details)


def timed_out_events(events: Sequence[Event], at: float) -> list[Event]:
    """The history of one whose time was over: moto's engine says so only when the task is done."""
    end = {"type": "ExecutionTimedOut", "previousEventId": 0, "executionTimedOutEventDetails": {}}
    return _cut(events, at, end)


def _cut(events: Sequence[Event], at: float, end: Event) -> list[Event]:
    time = time_of(at)
    kept = [event for event in events if event["timestamp"] <= time and event["type"] not in _ENDS]
    return [*kept, {"timestamp": time, "id": len(kept) + 1} | end]


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
