"""Read what an execution did: events become states, states become pandas tables. Nothing here calls AWS."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

import pandas as pd

from lottery_lib.definition import Machine
from lottery_lib.history.state_runs import Event, Reader, details_of, message_of, parsed, reason_of
from lottery_lib.texts import harmless
from lottery_lib.translation import _

#: AWS's price for a standard workflow, in most regions. China has its own price list.
DOLLARS_PER_TRANSITION: Final = 0.025 / 1000
#: The status to look at first has the highest number.
_URGENCY: Final = {"succeeded": 0, "aborted": 1, "caught": 2, "failed": 3, "running": 4, "waiting": 5}
#: SNS has a message when a task has succeeded, or when it begins to wait for its token.
_PUBLISHED: Final = {("TaskSucceeded", "publish"), ("TaskSubmitted", "publish.waitForTaskToken")}
_EVENT_COLUMNS: Final = ["id", "previous_id", "time", "type", "state", "branch"]
_STATE_COLUMNS: Final = [
    *("state", "branch", "attempt", "status", "started", "duration"),
    *("input", "output", "variables", "error", "cause"),
]


class Winner(TypedDict):
    """An employee who has won, with the prize if there were prizes."""

    employee_id: str
    employee_name: NotRequired[str]
    prize: NotRequired[str]


class DrawResult(TypedDict):
    """The result of a draw. `error` and `cause` are None if all went well.

    If a draw still runs at the deadline, its error is `StillRunning`. If a draw failed and its history cannot
    be read, its error is `HistoryNotRead`. A hardened draw that succeeded can have the error
    `RecordedNotMailed`.
    """

    status: str
    winners: Sequence[Winner]
    execution_arn: str
    error: str | None
    cause: str | None


@dataclass(frozen=True)
class ExecutionRecord:
    """What a picture of an execution needs: the definition that it ran with, and its events so far."""

    definition: Machine
    events: Sequence[Event]


@dataclass(frozen=True)
class Progress:
    """How far a draw is: its history so far, and its result once it has ended."""

    events: Sequence[Event]
    result: DrawResult | None = None


def event_table(events: Iterable[Event], definition: Machine | None = None) -> pd.DataFrame:
    """One row per event, with the state that it belongs to.

    Args:
        events: What `get_execution_history` returns, all pages, in any order.
        definition: The parsed ASL, to number the branches as in ``Branches`` (see `state_table`).

    Returns:
        ``id``, ``previous_id``, ``time`` (UTC), ``type``, ``state`` and ``branch`` ('' if there is none).
    """
    reader = Reader(events, definition)
    rows = []
    for event in reader.events:
        run = reader.owners[event["id"]]
        state, branch = (run.name, run.branch.label) if run else ("", "")
        previous = event.get("previousEventId", 0)
        rows.append((event["id"], previous, event["timestamp"], event["type"], state, branch))
    table = pd.DataFrame(rows, columns=_EVENT_COLUMNS)
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return table


def state_table(events: Iterable[Event], definition: Machine | str | None = None) -> pd.DataFrame:
    """One row for each attempt of a state, in the order in which the states were entered.

    A state that was entered several times, as in a loop, has rows for each time.

    Args:
        events: What `get_execution_history` returns, all pages, in any order. The execution may still run.
        definition: The ASL, as text or parsed. Events have no branch number. With the definition, a branch
            gets its index in ``Branches``. Without it, the branches are numbered as they began.

    Returns:
        ``state``; ``branch``, such as ``"Both[0] / For Each[3]"``, '' at the top; ``attempt`` from 1;
        ``status``, one of running, waiting (for its token), succeeded, failed, caught (failed, and a Catch
        moved on), aborted; ``started`` (UTC); ``duration`` in seconds, NaN until it ends; ``input`` of the
        state and ``output`` as Python values; ``variables`` that it assigned, by name, None if it assigned
        none; ``error`` and ``cause`` as AWS gives them, with controls as in JSON; '' if there is none.
    """
    return table_of(Reader(events, definition))


def table_of(reader: Reader) -> pd.DataFrame:
    """The `state_table` of the events that a reader has read so far."""
    rows: list[tuple[Any, ...]] = []
    for run in reader.runs:
        for number, attempt in enumerate(run.attempts, start=1):
            took = (attempt.ended - attempt.started).total_seconds() if attempt.ended else float("nan")
            what = (run.name, run.branch.label, number, attempt.status, attempt.started, took)
            why = harmless(attempt.error), harmless(attempt.cause)
            rows.append((*what, run.input, attempt.output, attempt.variables, *why))
    # dtype=object first, so that pandas does not convert inputs that are numbers.
    table = pd.DataFrame(rows, columns=_STATE_COLUMNS, dtype=object)
    table["started"] = pd.to_datetime(table["started"], utc=True)
    texts = dict.fromkeys(["state", "branch", "status", "error", "cause"], "str")
    return table.astype({"attempt": "int64", "duration": "float64"} | texts)


def latest_rows(table: pd.DataFrame) -> pd.DataFrame:
    """One row for each state of a `state_table`, in the same order: the row of its latest attempt.

    A state in a Map has a latest attempt in each iteration. Then the status decides which row is returned: a
    waiting one first, then running, failed, caught, aborted, succeeded. If the statuses are equal, it is the
    row with the most attempts, and after that the latest row.
    """
    # In Python: for the few rows of a draw, pandas takes four times as long.
    keys = zip(table["state"], table["branch"], strict=True)
    latest = {key: place for place, key in enumerate(keys)}
    urgency, attempts = table["status"].map(_URGENCY).tolist(), table["attempt"].tolist()
    rows: dict[str, int] = {}
    for (state, _branch), place in latest.items():
        rows[state] = max(rows.get(state, place), place, key=lambda at: (urgency[at], attempts[at], at))
    return table.iloc[list(rows.values())].set_index("state", drop=False)


def state_statuses(events: Iterable[Event]) -> dict[str, str]:
    """The status of each state that was entered, from its row in `latest_rows`."""
    statuses: dict[str, str] = latest_rows(state_table(events))["status"].to_dict()
    return statuses


def state_attempts(events: Iterable[Event]) -> dict[str, int]:
    """How many attempts each state has had since it was last entered, from its row in `latest_rows`."""
    attempts: dict[str, int] = latest_rows(state_table(events))["attempt"].to_dict()
    return attempts


def failure(events: Iterable[Event]) -> tuple[str, str] | None:
    """Why the execution ended, in words for a person.

    A Fail state without Error and Cause (such as the tutorial's `Failed`) hides the reason. If a Catch led to
    the Fail state, this returns the reason of the failure that was caught.

    Returns:
        Error and cause. The cause of a Lambda error is its ``errorMessage``. None if the execution still runs
        or succeeded.
    """
    return failure_of(Reader(events))


def failure_of(reader: Reader) -> tuple[str, str] | None:
    """The `failure` of the events that a reader has read so far."""
    end = reader.end
    if end is None or end["type"] == "ExecutionSucceeded":
        return None
    error, cause = reason_of(end)
    if end["type"] == "ExecutionTimedOut":
        return error or "States.Timeout", cause or _("The execution ran for longer than its TimeoutSeconds")
    if end["type"] == "ExecutionAborted":
        return error or "ExecutionAborted", cause or _("The execution was stopped")
    if error or cause:
        return error, message_of(cause)
    run = reader.owners.get(end.get("previousEventId", 0))
    while run and run.culprit:
        run = run.culprit
    name = run.name if run else ""
    while run:
        if run.last.error or run.last.cause:
            return run.last.error, message_of(run.last.cause)
        run = run.previous
    return "", _("The state {name!r} ended the execution without an Error and a Cause", name=name)


def output(events: Iterable[Event]) -> Any:
    """The output of an execution that succeeded, as a Python value; None for any other execution."""
    ended = [event for event in events if event["type"] == "ExecutionSucceeded"]
    return parsed(details_of(ended[-1]).get("output")) if ended else None


def published(events: Iterable[Event]) -> list[str]:
    """The messages that SNS accepted. If a Retry sent a message again, it is in the list again."""
    events_by_id = {event["id"]: event for event in events}
    messages = []
    for event in events_by_id.values():
        if (event["type"], details_of(event).get("resource")) in _PUBLISHED:
            scheduled: Event | None = event
            while scheduled and scheduled["type"] != "TaskScheduled":
                scheduled = events_by_id.get(scheduled.get("previousEventId", 0))
            parameters = parsed(details_of(scheduled or {}).get("parameters"))
            messages.append(str(parameters.get("Message", "")) if isinstance(parameters, dict) else "")
    return messages


def transitions(events: Iterable[Event]) -> int:
    """How many state transitions AWS would bill: each state entered is one, and each retry.

    See https://aws.amazon.com/step-functions/pricing/.
    """
    return sum(len(run.attempts) for run in Reader(events).runs)
