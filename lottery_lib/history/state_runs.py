"""Attribute each event of an execution to the state that it belongs to, and follow what became of the state.

The order of the list says nothing about who did what, as the branches of a Parallel interleave. Every
event is therefore attributed by its ``previousEventId``: one pass, in order of the ids, in which each
event's owner is found from the owner of the event before it.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from lottery_lib.definition import Machine, branches, states

__all__ = ["Entry", "Event", "Reader", "Snapshot", "details_of", "parsed", "readable", "reason_of"]

Event = dict[str, Any]
Snapshot = set[tuple[int, int, str]]

_CONTAINERS: Final = ("Parallel", "Map")
_STATE_EVENT: Final = re.compile(r"(?P<kind>[A-Z][a-z]+)State(?P<what>[A-Z]\w+)")
_TASK_EVENT: Final = re.compile(
    r"(?:LambdaFunction|Task|Activity)(?P<what>Scheduled|Started|(?:Schedule|Start|Submit)?Failed|TimedOut)"
)
_ENDINGS: Final = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
# AWS names the state of a States.Runtime error only in this sentence of the cause.
_ENTERED_AT: Final = re.compile(r"\(entered at the event id #(\d+)\)")


@dataclass(eq=False)
class _Frame:
    """A sequence of states, of which one is current: the top level, a branch, or an iteration."""

    label: str = ""
    container: "Entry | None" = None
    current: "Entry | None" = None


@dataclass(eq=False)
class _Attempt:
    started: datetime
    ended: datetime | None = None
    status: str = "running"
    output: Any = None
    error: str = ""
    cause: str = ""
    begun: bool = False  # its Scheduled (or, of a Parallel or Map, its Started) event was seen

    def settle(self, status: str, ended: datetime) -> None:
        """End it once: what comes later, such as a stray exit of an aborted branch, is too late."""
        if self.status == "running":
            self.status, self.ended = status, ended


@dataclass(eq=False)
class Entry:
    """One time that a state was entered."""

    name: str
    kind: str
    frame: _Frame
    previous: "Entry | None"
    given: Any
    attempts: list[_Attempt]
    frames: list[_Frame] = field(default_factory=list)  # branches or iterations of the latest attempt
    culprit: "Entry | None" = None  # the inner state that failed this one
    exited: bool = False

    @property
    def last(self) -> _Attempt:
        """The latest attempt."""
        return self.attempts[-1]

    @property
    def over(self) -> bool:
        """Whether nothing can become of it any more."""
        return self.exited or self.last.status in ("failed", "aborted")

    def line(self) -> "Iterator[Entry]":
        """Itself, then what holds it, from the inside out."""
        entry: Entry | None = self
        while entry:
            yield entry
            entry = entry.frame.container


class Reader:
    """Attributes every event to its state, and follows what became of each state."""

    def __init__(self, events: Iterable[Event], definition: Machine | None = None) -> None:
        self.events: list[Event] = []
        self.entries: list[Entry] = []
        self.owners: dict[int, Entry | None] = {}
        self.end: Event | None = None
        self._top = _Frame()
        self._opened: dict[int, _Frame] = {}  # by the id of the MapIterationStarted event
        self._by_name: dict[str, Entry] = {}
        self._by_id: dict[int, Event] = {}
        self._branch_numbers = dict(_branch_numbers(definition)) if definition else {}
        for event in sorted(events, key=lambda event: int(event["id"])):
            self.read(event)

    def read(self, event: Event) -> None:
        """Take in the next event."""
        self.events.append(event)
        self._by_id[event["id"]] = event
        self.owners[event["id"]] = self._read(event)

    def snapshot(self) -> Snapshot:
        """What each state looks like now: which entering it is, which attempt, and its status."""
        return {(id(one), len(one.attempts), one.last.status) for one in self._by_name.values()}

    def hidden_reason(self) -> tuple[str, str]:
        """The reason that a Fail state without one was reached for."""
        entry = self.owners.get(self.end.get("previousEventId", 0)) if self.end else None
        entry = entry or self._top.current
        while entry and entry.culprit:
            entry = entry.culprit
        name = entry.name if entry else ""
        while entry and not (entry.last.error or entry.last.cause):
            entry = entry.previous
        if entry:
            return entry.last.error, readable(entry.last.cause)
        return "", f"The state {name!r} ended the execution without an Error and a Cause"

    def _read(self, event: Event) -> Entry | None:
        kind = event["type"]
        # Some emulators leave previousEventId out: then the state that runs at the top is the best guess.
        before = self.owners.get(event.get("previousEventId", 0)) or self._top.current
        if kind.startswith("Execution"):
            self._read_execution(event, before)
            return None
        if self.end is not None:  # an emulator's threads may still speak after the execution has ended
            return before
        if kind.startswith("MapIteration"):
            return self._read_iteration(event, before)
        if match := _STATE_EVENT.fullmatch(kind):
            return self._read_state(event, before, match["kind"], match["what"])
        if match := _TASK_EVENT.fullmatch(kind):
            self._read_task(event, before, match["what"])
        elif kind == "EvaluationFailed" and before:
            _fail(before, event["timestamp"], *reason_of(event))
        return before

    def _read_state(self, event: Event, before: Entry | None, kind: str, what: str) -> Entry | None:
        if what == "Entered":
            return self._enter(event, before, kind)
        if what == "Exited":
            return self._exit(event, before)
        entry = _first(before, lambda one: one.kind == kind and not one.over)
        entry = entry or _first(before, lambda one: one.kind == kind)
        if entry and what == "Started":
            self._begin_container(entry, event)
        elif entry and what == "Failed":
            self._fail_container(entry, before, event["timestamp"])
        elif entry and what == "Aborted":
            _abort(entry, event["timestamp"])
        return entry

    def _enter(self, event: Event, before: Entry | None, kind: str) -> Entry:
        details = details_of(event)
        name, time = details["name"], event["timestamp"]
        frame = self._frame(event, before, name)
        previous = frame.current
        if previous and not previous.exited:  # an emulator without Exited events
            _leave(previous, time)
        entry = Entry(name, kind, frame, previous, parsed(details.get("input")), [_Attempt(time)])
        if kind == "Fail":
            entry.last.settle("failed", time)
        frame.current = self._by_name[name] = entry
        self.entries.append(entry)
        return entry

    def _frame(self, event: Event, before: Entry | None, name: str) -> _Frame:
        previous_id = event.get("previousEventId", 0)
        if previous_id in self._opened:
            return self._opened[previous_id]
        if before is None:
            return self._top
        opener = self._by_id.get(previous_id, {}).get("type", "")
        if before.kind in _CONTAINERS and opener.endswith(("StateStarted", "StateEntered")):
            number = self._branch_numbers.get((before.name, name), len(before.frames))
            return _open(before, number)
        return before.frame

    def _exit(self, event: Event, before: Entry | None) -> Entry | None:
        details = details_of(event)
        entry = _first(before, lambda one: one.name == details["name"] and not one.exited)
        entry = entry or self._by_name.get(details["name"])
        if entry is None or entry.exited:
            return entry
        if entry.last.status == "running" and _failed_inside(entry):
            self._fail_container(entry, before, event["timestamp"])
        output = parsed(details.get("output"))
        if entry.last.status == "failed" and isinstance(output, dict):
            # Only here does a Fail state inside a Parallel say why.
            _learn(entry, str(output.get("Error", "")), str(output.get("Cause", "")))
        _leave(entry, event["timestamp"], output)
        return entry

    def _read_task(self, event: Event, entry: Entry | None, what: str) -> None:
        if entry is None or entry.exited:
            return
        last, time = entry.last, event["timestamp"]
        again = what == "Scheduled" and last.begun and entry.kind not in _CONTAINERS  # which have many tasks
        if last.status != "running" or again:
            last.settle("failed", time)
            entry.attempts.append(_Attempt(time))
        entry.last.begun = True
        if what.endswith(("Failed", "TimedOut")):
            error, cause = reason_of(event)
            _fail(entry, time, error or ("States.Timeout" if what == "TimedOut" else ""), cause)

    def _begin_container(self, entry: Entry, event: Event) -> None:
        if entry.last.begun:  # a Retry: AWS repeats Started, without a Failed in between
            before = self._by_id.get(event.get("previousEventId", 0), event)
            self._fail_container(entry, self.owners.get(before["id"]), before["timestamp"])
            entry.attempts.append(_Attempt(event["timestamp"]))
            entry.frames = []
        entry.last.begun = True

    def _fail_container(self, entry: Entry, before: Entry | None, time: datetime) -> None:
        # The previous event of a failure may lie in a branch that is well (moto): ask the branches first.
        failed = _failed_inside(entry)
        culprit = max(failed, key=lambda one: one.last.ended or time) if failed else before
        if culprit and culprit is not entry:
            _fail(culprit, time)
            if culprit.last.status == "failed":
                entry.culprit = culprit
                _fail(entry, culprit.last.ended or time, culprit.last.error, culprit.last.cause)
        _fail(entry, time)
        _abort(entry, time)

    def _read_iteration(self, event: Event, before: Entry | None) -> Entry | None:
        details, time = details_of(event), event["timestamp"]
        name, index = details.get("name"), details.get("index", 0)
        entry = _first(before, lambda one: one.kind == "Map" and one.name == name) or before
        if entry and event["type"].endswith("Started"):
            self._opened[event["id"]] = _open(entry, index)
        elif entry and event["type"].endswith("Failed") and before and before is not entry:
            _fail(before, time)
        return entry

    def _read_execution(self, event: Event, before: Entry | None) -> None:
        if event["type"] == "ExecutionRedriven":
            self.end = None
        if event["type"] not in _ENDINGS:
            return
        self.end = event
        if event["type"] == "ExecutionFailed":
            self._end_in_failure(event, before)
        elif event["type"] == "ExecutionSucceeded" and self._top.current and not self._top.current.exited:
            _leave(self._top.current, event["timestamp"])
        _abort_frame(self._top, event["timestamp"])

    def _end_in_failure(self, event: Event, before: Entry | None) -> None:
        error, cause = reason_of(event)
        if error == "States.Runtime" and (match := _ENTERED_AT.search(cause)):
            before = self.owners.get(int(match[1])) or before
        for entry in before.line() if before else ():
            _fail(entry, event["timestamp"], error, cause)


def _first(entry: Entry | None, wanted: Callable[[Entry], bool]) -> Entry | None:
    return next((one for one in entry.line() if wanted(one)), None) if entry else None


def _open(container: Entry, number: int) -> _Frame:
    label = f"{container.name}[{number}]"
    outer = container.frame.label
    frame = _Frame(f"{outer} / {label}" if outer else label, container)
    container.frames.append(frame)
    return frame


def _leave(entry: Entry, time: datetime, output: Any = None) -> None:
    entry.exited = True
    if entry.last.status == "failed" and entry.kind != "Fail":
        entry.last.status = "caught"
    entry.last.settle("succeeded", time)
    entry.last.output = output
    _abort(entry, time)


def _fail(entry: Entry, time: datetime, error: str = "", cause: str = "") -> None:
    if not entry.exited:
        entry.last.settle("failed", time)
        _learn(entry, error, cause)


def _abort(entry: Entry, time: datetime) -> None:
    """End the state and all that still runs inside it."""
    entry.last.settle("aborted", time)
    for frame in entry.frames:
        _abort_frame(frame, time)
    entry.frames = []


def _abort_frame(frame: _Frame, time: datetime) -> None:
    if frame.current:
        _abort(frame.current, time)


def _failed_inside(entry: Entry) -> list[Entry]:
    inner = (frame.current for frame in entry.frames)
    return [one for one in inner if one and one.last.status == "failed"]


def _learn(entry: Entry, error: str, cause: str) -> None:
    """Tell a failed state its reason, and the inner state that it got it from, if they know none."""
    one: Entry | None = entry
    while one and one.last.status == "failed" and not (one.last.error or one.last.cause):
        one.last.error, one.last.cause = error, cause
        one = one.culprit


def details_of(event: Event) -> dict[str, Any]:
    """What an event tells, which AWS keeps under a key made of its type."""
    kind = event["type"]
    for what in ("StateEntered", "StateExited"):
        if kind.endswith(what):
            kind = what
    found: dict[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails") or {}
    return found


def reason_of(event: Event) -> tuple[str, str]:
    """Error and cause of an event, '' where there is none."""
    details = details_of(event)
    return details.get("error") or "", details.get("cause") or ""


def parsed(text: str | None) -> Any:
    """An input or output as a Python value; text that is not JSON as it is."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def readable(cause: str) -> str:
    """A cause in words: that of a Lambda error is JSON, which has them in ``errorMessage``."""
    told = parsed(cause)
    return str(told["errorMessage"]) if isinstance(told, dict) and "errorMessage" in told else cause


def _branch_numbers(machine: Machine) -> Iterator[tuple[tuple[str, str], int]]:
    """((name of the Parallel, first state of the branch), number), at every depth."""
    for name, state in states(machine).items():
        for number, branch in enumerate(branches(state)):
            if state["Type"] == "Parallel":
                yield (name, branch["StartAt"]), number
            yield from _branch_numbers(branch)
