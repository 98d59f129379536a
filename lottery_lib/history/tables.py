"""Read an execution's event list as tables: which state ran when, how often, and how it ended."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from lottery_lib.definition import Machine
from lottery_lib.history.state_runs import (
    Entry,
    Event,
    Reader,
    Snapshot,
    details_of,
    parsed,
    readable,
    reason_of,
)

__all__ = [
    "Event",
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

#: What is to be looked at first has the highest number.
_URGENCY: Final = {"succeeded": 0, "aborted": 1, "caught": 2, "failed": 3, "running": 4}
_COLUMNS: Final = (
    *("state", "branch", "attempt", "status", "started", "duration"),
    *("input", "output", "error", "cause"),
)


@dataclass(frozen=True)
class Execution:
    """An execution as it can be shown: the definition that it ran with, and what has happened so far."""

    definition: Machine
    events: Sequence[Event]


def event_table(events: Iterable[Event], definition: Machine | None = None) -> pd.DataFrame:
    """One row per event, with the state that it belongs to.

    Args:
        events: What `get_execution_history` returns, all pages, in either order.
        definition: The parsed ASL, if the branch numbers shall be its own (see `state_table`).

    Returns:
        ``id``, ``previous_id``, ``time`` (UTC), ``type``, ``state`` and ``branch`` ('' where there is none).
    """
    reader = Reader(events, definition)
    rows = []
    for event in reader.events:
        entry = reader.owners.get(event["id"])
        where = (entry.name, entry.frame.label) if entry else ("", "")
        rows.append((event["id"], event.get("previousEventId", 0), event["timestamp"], event["type"], *where))
    table = pd.DataFrame(rows, columns=["id", "previous_id", "time", "type", "state", "branch"])
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return table


def state_table(events: Iterable[Event], definition: Machine | None = None) -> pd.DataFrame:
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
    reader = Reader(events, definition)
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
    reader = Reader(events)
    end = reader.end
    if end is None or end["type"] == "ExecutionSucceeded":
        return None
    error, cause = reason_of(end)
    if end["type"] == "ExecutionTimedOut":
        return error or "States.Timeout", cause or "The execution ran for longer than its TimeoutSeconds"
    if end["type"] == "ExecutionAborted":
        return error or "ExecutionAborted", cause or "The execution was stopped"
    if error or cause:
        return error, readable(cause)
    return reader.hidden_reason()


def output(events: Iterable[Event]) -> Any:
    """What an execution that succeeded gave out, as a Python value; None for any other."""
    ended = [event for event in events if event["type"] == "ExecutionSucceeded"]
    return parsed(details_of(ended[-1]).get("output")) if ended else None


def published(events: Iterable[Event]) -> list[str]:
    """The messages that SNS took, one for each time that it did: a Retry may have sent one again."""
    found = {event["id"]: event for event in events}
    taken = [event for event in found.values() if event["type"] == "TaskSucceeded"]
    given = [_parameters(found, event) for event in taken if details_of(event).get("resource") == "publish"]
    return [str(parameters.get("Message", "")) for parameters in given]


def _parameters(found: Mapping[int, Event], event: Event) -> dict[str, Any]:
    """What a task was called with, as the event says that scheduled it."""
    while event and event["type"] != "TaskScheduled":
        event = found.get(event.get("previousEventId", 0), {})
    given = parsed(details_of(event).get("parameters")) if event else None
    return given if isinstance(given, dict) else {}


def moments(events: Sequence[Event], after: int = 0) -> list[int]:
    """When somebody who watches sees something new: a state begins, fails, is tried again, or is aborted.

    That it succeeded is seen when the next one begins.

    Args:
        events: The history so far, in order of the ids.
        after: How many of its events have been seen.

    Returns:
        How many events there had been at each such moment.
    """
    reader, before, found = Reader([]), Snapshot(), []
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
    return sum(len(entry.attempts) for entry in Reader(events).entries)


def _rows(entry: Entry) -> Iterator[tuple[Any, ...]]:
    for number, attempt in enumerate(entry.attempts, start=1):
        duration = (attempt.ended - attempt.started).total_seconds() if attempt.ended else float("nan")
        what = (entry.name, entry.frame.label, number, attempt.status, attempt.started, duration)
        yield *what, entry.given, attempt.output, attempt.error, attempt.cause
