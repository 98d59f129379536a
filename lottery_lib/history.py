"""Read an execution's event list as tables: which state ran when, how often, and how it ended.

The order of the list says nothing about who did what, as the branches of a Parallel interleave. Every
event is therefore attributed by its ``previousEventId``: one pass, in order of the ids, in which each
event's owner is found from the owner of the event before it.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pandas as pd

__all__ = [
    "Execution",
    "event_table",
    "failure",
    "latest_rows",
    "moments",
    "output",
    "published",
    "state_attempts",
    "state_statuses",
    "state_table",
    "transitions",
]

Event = dict[str, Any]
_Snapshot = set[tuple[int, int, str]]

_CONTAINERS: Final = ("Parallel", "Map")
_STATE_EVENT: Final = re.compile(r"(?P<kind>[A-Z][a-z]+)State(?P<what>[A-Z]\w+)")
_TASK_EVENT: Final = re.compile(
    r"(?:LambdaFunction|Task|Activity)(?P<what>Scheduled|Started|(?:Schedule|Start|Submit)?Failed|TimedOut)"
)
_ENDINGS: Final = ("ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
# AWS names the state of a States.Runtime error only in this sentence of the cause.
_ENTERED_AT: Final = re.compile(r"\(entered at the event id #(\d+)\)")
#: What is to be looked at first has the highest number.
_URGENCY: Final = {"succeeded": 0, "aborted": 1, "caught": 2, "failed": 3, "running": 4}
_COLUMNS: Final = (
    *("state", "branch", "attempt", "status", "started", "duration"),
    *("input", "output", "error", "cause"),
)


@dataclass(frozen=True)
class Execution:
    """An execution as it can be shown: the definition that it ran with, and what has happened so far."""

    definition: Mapping[str, Any]
    events: Sequence[Event]


def event_table(events: Iterable[Event], definition: dict[str, Any] | None = None) -> pd.DataFrame:
    """One row per event, with the state that it belongs to.

    Args:
        events: What `get_execution_history` returns, all pages, in either order.
        definition: The parsed ASL, if the branch numbers shall be its own (see `state_table`).

    Returns:
        ``id``, ``previous_id``, ``time`` (UTC), ``type``, ``state`` and ``branch`` ('' where there is none).
    """
    reader = _Reader(events, definition)
    rows = []
    for event in reader.events:
        entry = reader.owners.get(event["id"])
        where = (entry.name, entry.frame.label) if entry else ("", "")
        rows.append((event["id"], event.get("previousEventId", 0), event["timestamp"], event["type"], *where))
    table = pd.DataFrame(rows, columns=["id", "previous_id", "time", "type", "state", "branch"])
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return table


def state_table(events: Iterable[Event], definition: dict[str, Any] | None = None) -> pd.DataFrame:
    """One row per attempt of each time a state was entered, in order of entering.

    Args:
        events: What `get_execution_history` returns, all pages, in either order, of an execution that
            has ended or still runs.
        definition: The parsed ASL. Events carry no branch number: with it, a branch has its index in
            ``Branches``; without it, its place in the order in which the branches began.

    Returns:
        ``state``; ``branch``, such as ``"Both[0] / For Each[3]"``, '' at the top; ``attempt`` from 1;
        ``status``, one of running, succeeded, failed, caught (failed, and a Catch moved on), aborted;
        ``started`` (UTC); ``duration`` in seconds, NaN while running; ``input`` of the state and
        ``output`` as Python values; ``error`` and ``cause`` as AWS gives them, '' where there is none.
    """
    reader = _Reader(events, definition)
    rows = [row for entry in reader.entries for row in _rows(entry)]
    # Objects first: pandas would make numbers of a column of inputs that happen to be numbers.
    table = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    table["started"] = pd.to_datetime(table["started"], utc=True)
    return table.astype(
        {"attempt": "int64", "duration": "float64"}
        | dict.fromkeys(["state", "branch", "status", "error", "cause"], "str")
    )


def latest_rows(table: pd.DataFrame) -> pd.DataFrame:
    """One row a state of a `state_table`, in the same order: that of its latest attempt.

    A state in a Map has one in each iteration: of these, what still runs comes before what failed, that
    before what was tried more often, and that before what was entered earlier.
    """
    latest = table.drop_duplicates(["state", "branch"], keep="last")
    urgency = latest["status"].map(_URGENCY)
    ordered = latest.assign(urgency=urgency).sort_values(["urgency", "attempt"], kind="stable")
    rows = ordered.drop_duplicates("state", keep="last").set_index("state", drop=False)
    return rows.loc[table["state"].unique(), list(table.columns)]


def state_statuses(events: Iterable[Event]) -> dict[str, str]:
    """The status of each state that was entered, from its row in `latest_rows`."""
    statuses: dict[str, str] = latest_rows(state_table(events))["status"].to_dict()
    return statuses


def state_attempts(events: Iterable[Event]) -> dict[str, int]:
    """How many attempts each state has had since it was entered, from its row in `latest_rows`."""
    attempts: dict[str, int] = latest_rows(state_table(events))["attempt"].to_dict()
    return attempts


def failure(events: Iterable[Event]) -> tuple[str, str] | None:
    """Why the execution ended, in words for a person.

    A Fail state without Error and Cause hides the reason (the tutorial's `Failed` does): then it is that
    of the failure which a Catch sent there.

    Returns:
        Error and cause, the cause of a Lambda error being its ``errorMessage``; None while the execution
        runs, and when it succeeded.
    """
    reader = _Reader(events)
    end = reader.end
    if end is None or end["type"] == "ExecutionSucceeded":
        return None
    error, cause = _reason(end)
    if end["type"] == "ExecutionTimedOut":
        return error or "States.Timeout", cause or "The execution ran for longer than its TimeoutSeconds"
    if end["type"] == "ExecutionAborted":
        return error or "ExecutionAborted", cause or "The execution was stopped"
    if error or cause:
        return error, _readable(cause)
    return reader.hidden_reason()


def output(events: Iterable[Event]) -> Any:
    """What an execution that succeeded gave out, as a Python value; None for any other."""
    ended = [event for event in events if event["type"] == "ExecutionSucceeded"]
    return _parsed(_details(ended[-1]).get("output")) if ended else None


def published(events: Iterable[Event]) -> list[str]:
    """The messages that SNS took, one for each time that it did: a Retry may have sent one again."""
    found = {event["id"]: event for event in events}
    taken = [event for event in found.values() if event["type"] == "TaskSucceeded"]
    given = [_parameters(found, event) for event in taken if _details(event).get("resource") == "publish"]
    return [str(parameters.get("Message", "")) for parameters in given]


def _parameters(found: Mapping[int, Event], event: Event) -> dict[str, Any]:
    """What a task was called with, as the event says that scheduled it."""
    while event and event["type"] != "TaskScheduled":
        event = found.get(event.get("previousEventId", 0), {})
    parsed = _parsed(_details(event).get("parameters")) if event else None
    return parsed if isinstance(parsed, dict) else {}


def moments(events: Sequence[Event], after: int = 0) -> list[int]:
    """When somebody who watches sees something new: a state begins, fails, is tried again, or is aborted.

    That it succeeded is seen when the next one begins.

    Args:
        events: The history so far, in order of the ids.
        after: How many of its events have been seen.

    Returns:
        How many events there had been at each such moment.
    """
    reader, before, found = _Reader([]), _Snapshot(), []
    for count, event in enumerate(events, start=1):
        reader.read(event)
        now = reader.snapshot()
        if count > after and any(one[-1] not in ("succeeded", "caught") for one in now - before):
            found.append(count)
        before = now
    return found


def transitions(events: Iterable[Event]) -> int:
    """How many state transitions AWS would bill: each state entered is one, and each retry.

    See https://aws.amazon.com/step-functions/pricing/.
    """
    return sum(len(entry.attempts) for entry in _Reader(events).entries)


@dataclass(eq=False)
class _Frame:
    """A sequence of states, of which one is current: the top level, a branch, or an iteration."""

    label: str = ""
    container: "_Entry | None" = None
    current: "_Entry | None" = None


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
class _Entry:
    """One time that a state was entered."""

    name: str
    kind: str
    frame: _Frame
    previous: "_Entry | None"
    given: Any
    attempts: list[_Attempt]
    frames: list[_Frame] = field(default_factory=list)  # branches or iterations of the latest attempt
    culprit: "_Entry | None" = None  # the inner state that failed this one
    exited: bool = False

    @property
    def last(self) -> _Attempt:
        return self.attempts[-1]

    @property
    def over(self) -> bool:
        return self.exited or self.last.status in ("failed", "aborted")

    def line(self) -> "Iterator[_Entry]":
        """Itself, then what holds it, from the inside out."""
        entry: _Entry | None = self
        while entry:
            yield entry
            entry = entry.frame.container


class _Reader:
    """Attributes every event to its state, and follows what became of each state."""

    def __init__(self, events: Iterable[Event], definition: dict[str, Any] | None = None) -> None:
        self.events: list[Event] = []
        self.entries: list[_Entry] = []
        self.owners: dict[int, _Entry | None] = {}
        self.end: Event | None = None
        self._top = _Frame()
        self._opened: dict[int, _Frame] = {}  # by the id of the MapIterationStarted event
        self._by_name: dict[str, _Entry] = {}
        self._by_id: dict[int, Event] = {}
        self._branch_numbers = dict(_branch_numbers(definition)) if definition else {}
        for event in sorted(events, key=lambda event: int(event["id"])):
            self.read(event)

    def read(self, event: Event) -> None:
        """Take in the next event."""
        self.events.append(event)
        self._by_id[event["id"]] = event
        self.owners[event["id"]] = self._read(event)

    def snapshot(self) -> _Snapshot:
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
            return entry.last.error, _readable(entry.last.cause)
        return "", f"The state {name!r} ended the execution without an Error and a Cause"

    def _read(self, event: Event) -> _Entry | None:
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
            _fail(before, event["timestamp"], *_reason(event))
        return before

    def _read_state(self, event: Event, before: _Entry | None, kind: str, what: str) -> _Entry | None:
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

    def _enter(self, event: Event, before: _Entry | None, kind: str) -> _Entry:
        details = _details(event)
        name, time = details["name"], event["timestamp"]
        frame = self._frame(event, before, name)
        previous = frame.current
        if previous and not previous.exited:  # an emulator without Exited events
            _leave(previous, time)
        entry = _Entry(name, kind, frame, previous, _parsed(details.get("input")), [_Attempt(time)])
        if kind == "Fail":
            entry.last.settle("failed", time)
        frame.current = self._by_name[name] = entry
        self.entries.append(entry)
        return entry

    def _frame(self, event: Event, before: _Entry | None, name: str) -> _Frame:
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

    def _exit(self, event: Event, before: _Entry | None) -> _Entry | None:
        details = _details(event)
        entry = _first(before, lambda one: one.name == details["name"] and not one.exited)
        entry = entry or self._by_name.get(details["name"])
        if entry is None or entry.exited:
            return entry
        if entry.last.status == "running" and _failed_inside(entry):
            self._fail_container(entry, before, event["timestamp"])
        output = _parsed(details.get("output"))
        if entry.last.status == "failed" and isinstance(output, dict):
            # Only here does a Fail state inside a Parallel say why.
            _learn(entry, str(output.get("Error", "")), str(output.get("Cause", "")))
        _leave(entry, event["timestamp"], output)
        return entry

    def _read_task(self, event: Event, entry: _Entry | None, what: str) -> None:
        if entry is None or entry.exited:
            return
        last, time = entry.last, event["timestamp"]
        again = what == "Scheduled" and last.begun and entry.kind not in _CONTAINERS  # which have many tasks
        if last.status != "running" or again:
            last.settle("failed", time)
            entry.attempts.append(_Attempt(time))
        entry.last.begun = True
        if what.endswith(("Failed", "TimedOut")):
            error, cause = _reason(event)
            _fail(entry, time, error or ("States.Timeout" if what == "TimedOut" else ""), cause)

    def _begin_container(self, entry: _Entry, event: Event) -> None:
        if entry.last.begun:  # a Retry: AWS repeats Started, without a Failed in between
            before = self._by_id.get(event.get("previousEventId", 0), event)
            self._fail_container(entry, self.owners.get(before["id"]), before["timestamp"])
            entry.attempts.append(_Attempt(event["timestamp"]))
            entry.frames = []
        entry.last.begun = True

    def _fail_container(self, entry: _Entry, before: _Entry | None, time: datetime) -> None:
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

    def _read_iteration(self, event: Event, before: _Entry | None) -> _Entry | None:
        details, time = _details(event), event["timestamp"]
        name, index = details.get("name"), details.get("index", 0)
        entry = _first(before, lambda one: one.kind == "Map" and one.name == name) or before
        if entry and event["type"].endswith("Started"):
            self._opened[event["id"]] = _open(entry, index)
        elif entry and event["type"].endswith("Failed") and before and before is not entry:
            _fail(before, time)
        return entry

    def _read_execution(self, event: Event, before: _Entry | None) -> None:
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

    def _end_in_failure(self, event: Event, before: _Entry | None) -> None:
        error, cause = _reason(event)
        if error == "States.Runtime" and (match := _ENTERED_AT.search(cause)):
            before = self.owners.get(int(match[1])) or before
        for entry in before.line() if before else ():
            _fail(entry, event["timestamp"], error, cause)


def _first(entry: _Entry | None, wanted: Callable[[_Entry], bool]) -> _Entry | None:
    return next((one for one in entry.line() if wanted(one)), None) if entry else None


def _open(container: _Entry, number: int) -> _Frame:
    label = f"{container.name}[{number}]"
    outer = container.frame.label
    frame = _Frame(f"{outer} / {label}" if outer else label, container)
    container.frames.append(frame)
    return frame


def _leave(entry: _Entry, time: datetime, output: Any = None) -> None:
    entry.exited = True
    if entry.last.status == "failed" and entry.kind != "Fail":
        entry.last.status = "caught"
    entry.last.settle("succeeded", time)
    entry.last.output = output
    _abort(entry, time)


def _fail(entry: _Entry, time: datetime, error: str = "", cause: str = "") -> None:
    if not entry.exited:
        entry.last.settle("failed", time)
        _learn(entry, error, cause)


def _abort(entry: _Entry, time: datetime) -> None:
    """End the state and all that still runs inside it."""
    entry.last.settle("aborted", time)
    for frame in entry.frames:
        _abort_frame(frame, time)
    entry.frames = []


def _abort_frame(frame: _Frame, time: datetime) -> None:
    if frame.current:
        _abort(frame.current, time)


def _failed_inside(entry: _Entry) -> list[_Entry]:
    inner = (frame.current for frame in entry.frames)
    return [one for one in inner if one and one.last.status == "failed"]


def _learn(entry: _Entry, error: str, cause: str) -> None:
    """Tell a failed state its reason, and the inner state that it got it from, if they know none."""
    one: _Entry | None = entry
    while one and one.last.status == "failed" and not (one.last.error or one.last.cause):
        one.last.error, one.last.cause = error, cause
        one = one.culprit


def _rows(entry: _Entry) -> Iterator[tuple[Any, ...]]:
    for number, attempt in enumerate(entry.attempts, start=1):
        duration = (attempt.ended - attempt.started).total_seconds() if attempt.ended else float("nan")
        what = (entry.name, entry.frame.label, number, attempt.status, attempt.started, duration)
        yield *what, entry.given, attempt.output, attempt.error, attempt.cause


def _details(event: Event) -> dict[str, Any]:
    kind = event["type"]
    for what in ("StateEntered", "StateExited"):
        if kind.endswith(what):
            kind = what
    found: dict[str, Any] = event.get(f"{kind[0].lower()}{kind[1:]}EventDetails") or {}
    return found


def _reason(event: Event) -> tuple[str, str]:
    details = _details(event)
    return details.get("error") or "", details.get("cause") or ""


def _parsed(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _readable(cause: str) -> str:
    parsed = _parsed(cause)
    return str(parsed["errorMessage"]) if isinstance(parsed, dict) and "errorMessage" in parsed else cause


def _branch_numbers(machine: dict[str, Any]) -> Iterator[tuple[tuple[str, str], int]]:
    """((name of the Parallel, first state of the branch), number), at every depth."""
    for name, state in machine.get("States", {}).items():
        for number, branch in enumerate(state.get("Branches", [])):
            yield (name, branch["StartAt"]), number
            yield from _branch_numbers(branch)
        for key in ("ItemProcessor", "Iterator"):
            yield from _branch_numbers(state.get(key, {}))
