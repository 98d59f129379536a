"""What an execution did: its events become states. Nothing here calls AWS, or needs pandas.

The events of parallel branches are mixed, so the order of the list does not say which state an event belongs
to. Its ``previousEventId`` says it: the event belongs to the state of that event, or it enters the next
state. One pass in the order of the ids finds the state of every event:

    id  previous  event                  it belongs to
     2      0     TaskStateEntered A     A, which begins
     3      2     TaskScheduled          A, as event 2
     4      3     TaskFailed             A: its first attempt has failed
     5      4     TaskScheduled          A: a Retry, its second attempt
     6      5     TaskFailed             A
     7      6     TaskStateExited A      A, which is *caught*: a failed state does not exit otherwise
     8      7     PassStateEntered B     B, which follows A

If a state in a Parallel fails, the Parallel fails, too; that inner state is its *culprit*.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NotRequired, TypedDict

from lottery_lib.definition import Machine, parse
from lottery_lib.translation import _
from states_language import branches, states

#: An event as boto3 returns it from `get_execution_history`.
Event = Mapping[str, Any]

# AWS names the state of States.Runtime and of a failed expression only in this sentence of the cause.
_ENTERED_AT: Final = re.compile(r"\(entered at the event id #(\d+)\)")


#: AWS's price for a standard workflow, in most regions. China has its own price list.
DOLLARS_PER_TRANSITION: Final = 0.025 / 1000
#: The status to look at first has the highest number.
_URGENCY: Final = {"succeeded": 0, "aborted": 1, "caught": 2, "failed": 3, "running": 4, "waiting": 5}
#: SNS has a message when a task has succeeded, or when it begins to wait for its token.
_PUBLISHED: Final = {("TaskSucceeded", "publish"), ("TaskSubmitted", "publish.waitForTaskToken")}


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


@dataclass(eq=False)
class Branch:
    """States that follow each other: the top level, a branch of a Parallel, or an iteration of a Map."""

    label: str = ""
    container: "StateRun | None" = None
    current: "StateRun | None" = None


@dataclass(eq=False)
class Attempt:
    """One try of a state: the first one, a Retry, or after a redrive."""

    started: datetime
    ended: datetime | None = None
    waits_since: datetime | None = None  # for its token
    status: str = "running"
    sent: str = ""  # JSON: what the service got, and what it gave back
    received: str = ""
    output: Any = None
    variables: dict[str, Any] | None = None  # those that it assigned
    error: str = ""
    cause: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return (self.ended - self.started).total_seconds() if self.ended else None

    def end(self, status: str, time: datetime) -> None:
        """End it, if it has not ended: an aborted branch may still send an event."""
        if self.ended is None:
            self.status, self.ended = status, max(time, self.started)


@dataclass(eq=False)
class StateRun:
    """One time that a state was entered."""

    name: str
    kind: str
    branch: Branch
    previous: "StateRun | None"
    input: Any
    attempts: list[Attempt]
    inner: list[Branch] = field(default_factory=list)  # the branches of the latest attempt
    culprit: "StateRun | None" = None  # the inner state that made this one fail
    exited: bool = False

    @property
    def last(self) -> Attempt:
        """The latest attempt."""
        return self.attempts[-1]

    def outward(self) -> "Iterator[StateRun]":
        """Itself, then the Parallel or Map around it, and so on."""
        run: StateRun | None = self
        while run:
            yield run
            run = run.branch.container

    def open(self, number: int) -> Branch:
        """Begin a branch or an iteration."""
        label, outer = f"{self.name}[{number}]", self.branch.label
        self.inner.append(Branch(f"{outer} / {label}" if outer else label, self))
        return self.inner[-1]

    def fail(self, time: datetime, error: str = "", cause: str = "") -> None:
        """Mark it as failed. It and its culprit get the reason, if they have none yet."""
        if not self.exited:
            self.last.end("failed", time)
        run: StateRun | None = self
        while run and run.last.status == "failed" and not (run.last.error or run.last.cause):
            run.last.error, run.last.cause = error, cause
            run = run.culprit

    def fail_inside(self, before: "StateRun", time: datetime) -> None:
        """Mark it as failed, with the reason of the first inner state that failed. Abort the other branches.

        Args:
            before: The state of the event before ParallelStateFailed or MapStateFailed. If no inner state has
                failed so far, this one has: it may have no event of its own that says so.
            time: When the failure was reported.
        """
        inner = (branch.current for branch in self.inner)
        failed = [run for run in inner if run and run.last.status == "failed"]
        culprit = min(failed, key=lambda run: run.last.ended or time) if failed else before
        culprit.fail(time)
        if culprit is not self and culprit.last.status == "failed":
            self.culprit, time = culprit, culprit.last.ended or time
            self.fail(time, culprit.last.error, culprit.last.cause)
        self.fail(time)  # without a reason, if no inner state has one
        self.abort(time)

    def abort(self, time: datetime) -> None:
        """End everything that still runs in this state."""
        self.last.end("aborted", time)
        for branch in self.inner:
            if branch.current:
                branch.current.abort(time)


class Reader:
    """Finds the state of every event, and what happened to each state.

    Args:
        events: The history, in any order.
        definition: The ASL as text or parsed, to number the branches as in ``Branches``.

    Attributes:
        definition: As given; empty if it was not given.
        events: The events that were read, in order.
        runs: Each time that a state was entered, in order.
        owners: The state of each event, by the event's id; None for events of the execution.
        end: The event that ended the execution.
    """

    def __init__(self, events: Iterable[Event] = (), definition: Machine | str | None = None) -> None:
        self.definition: Machine = parse(definition) if definition else {}
        self.events: list[Event] = []
        self.runs: list[StateRun] = []
        self.owners: dict[int, StateRun | None] = {}
        self.end: Event | None = None
        self._top = Branch()
        self._iterations: dict[int, Branch] = {}  # by the id of the MapIterationStarted event
        self._latest: dict[str, StateRun] = {}  # by the state's name
        self._branch_numbers = dict(_branch_numbers(self.definition))
        for event in sorted(events, key=lambda event: int(event["id"])):
            self.read(event)

    def read(self, event: Event) -> None:
        """Read the next event."""
        kind, _word, what = event["type"].partition("State")  # such as Task, State, Entered
        # AWS always gives a previousEventId. Without it, the best guess is the id before this one.
        owner = before = self.owners.get(event.get("previousEventId", event["id"] - 1))
        if kind == "EvaluationFailed" and (match := _ENTERED_AT.search(reason_of(event)[1])):
            owner = before = self.owners.get(int(match[1]))  # AWS's previousEventId is of the state before
        if kind.startswith("Execution"):
            owner = self._read_execution(event, before)
        elif self.end:
            pass  # a branch that was aborted may still report after the end
        elif what == "Entered":
            owner = self._enter(event, before, kind)
        elif before and kind.startswith("MapIteration"):
            owner = self._read_iteration(event, before)
        elif before and what == "Exited":
            owner = self._exit(event, before)
        elif before and what:
            owner = self._read_state(event, before, kind, what)
        elif before:
            self._read_task(event, before)
        self.owners[event["id"]] = owner
        self.events.append(event)  # last: another thread may look up the state of each event that is here

    def moments(self, events: Iterable[Event]) -> Iterator[int]:
        """Read the next events, and stop wherever there is something new to see.

        That is when a state begins, fails, is tried again, waits, or is aborted. A success is no moment of
        its own: people see it when the next state begins.

        Args:
            events: Those that follow the events read so far, in order of the ids.

        Yields:
            The number of all events that have been read.
        """
        before = self._snapshot()
        for event in events:
            self.read(event)
            now = self._snapshot()
            if any(status not in ("succeeded", "caught") for *_, status in now - before):
                yield len(self.events)
            before = now

    def failed(self) -> StateRun | None:
        """The state whose failure ended the execution; None if another reason ended it, or nothing did."""
        if self.end is None or self.end["type"] != "ExecutionFailed":
            return None
        run = self.owners.get(self.end.get("previousEventId", 0))
        while run and not (run.culprit or run.last.error or run.last.cause):
            run = run.previous  # a Fail state without a reason: what led to it has one
        while run and run.culprit:
            run = run.culprit
        return run

    def failure(self) -> tuple[str, str] | None:
        """Why the execution ended, in words for a person.

        A Fail state without Error and Cause (such as the tutorial's `Failed`) hides the reason. If a Catch
        led to the Fail state, this returns the reason of the failure that was caught.

        Returns:
            Error and cause. The cause of a Lambda error is its ``errorMessage``. None if the execution still
            runs or succeeded.
        """
        end = self.end
        if end is None or end["type"] == "ExecutionSucceeded":
            return None
        error, cause = reason_of(end)
        if end["type"] == "ExecutionTimedOut":
            why = _("The execution ran for longer than its TimeoutSeconds")
            return error or "States.Timeout", cause or why
        if end["type"] == "ExecutionAborted":
            return error or "ExecutionAborted", cause or _("The execution was stopped")
        if error or cause:
            return error, message_of(cause)
        run = self.failed()
        if run and (run.last.error or run.last.cause):
            return run.last.error, message_of(run.last.cause)
        run = run or self.owners.get(end.get("previousEventId", 0))
        name = run.name if run else ""
        return "", _("The state {name!r} ended the execution without an Error and a Cause", name=name)

    def transitions(self) -> int:
        """How many state transitions AWS would bill: each state entered is one, and each retry.

        See https://aws.amazon.com/step-functions/pricing/.
        """
        return sum(len(run.attempts) for run in self.runs)

    def latest(self) -> dict[str, StateRun]:
        """The latest run of each state, by its name, in the order in which they were first entered.

        A state in a Map has a latest run in each iteration. Then the status decides: a waiting one comes
        first, then running, failed, caught, aborted, succeeded. If the statuses are equal, it is the run with
        the most attempts, and after that the latest one.
        """
        latest = {(run.name, run.branch.label): place for place, run in enumerate(self.runs)}
        places: dict[str, int] = {}

        def rank(place: int) -> tuple[int, int, int]:
            run = self.runs[place]
            return _URGENCY[run.last.status], len(run.attempts), place

        for (name, _branch), place in latest.items():
            places[name] = max(places.get(name, place), place, key=rank)
        return {name: self.runs[place] for name, place in places.items()}

    def _snapshot(self) -> set[tuple[int, int, str]]:
        """For each state: its latest run, how many attempts that run has, and its status."""
        return {(id(run), len(run.attempts), run.last.status) for run in self._latest.values()}

    def _enter(self, event: Event, before: StateRun | None, kind: str) -> StateRun:
        details, time = details_of(event), event["timestamp"]
        name = details["name"]
        branch = self._iterations.get(event.get("previousEventId", 0))
        if branch is None and before and before.kind == "Parallel" and not before.exited:
            branch = before.open(self._branch_numbers.get((before.name, name), len(before.inner)))
        elif branch is None:
            branch = before.branch if before else self._top
        run = StateRun(name, kind, branch, branch.current, parsed(details.get("input")), [Attempt(time)])
        if kind == "Fail":
            run.fail(time)
        branch.current = self._latest[name] = run
        self.runs.append(run)
        return run

    def _exit(self, event: Event, before: StateRun) -> StateRun | None:
        details, time = details_of(event), event["timestamp"]
        run = _first(before, lambda run: run.name == details["name"] and not run.exited)
        if run is None:
            return None
        output = parsed(details.get("output"))
        if run.last.status == "failed" and isinstance(output, dict):
            # Only this output says why a Fail state inside a Parallel was reached.
            run.fail(time, str(output.get("Error", "")), str(output.get("Cause", "")))
        if run.last.status == "failed":
            run.last.status = "caught"
        run.last.end("succeeded", time)  # unless it has ended already, as a caught one has
        run.last.output, run.exited = output, True
        if assigned := details.get("assignedVariables"):
            run.last.variables = {name: parsed(text) for name, text in assigned.items()}
        run.abort(time)  # what still runs in its branches; it has ended itself
        return run

    def _read_state(self, event: Event, before: StateRun, kind: str, what: str) -> StateRun:
        """Read that a Parallel or Map has started, succeeded or failed, or that any state was aborted."""
        time = event["timestamp"]
        run = _first(before, lambda run: run.kind == kind and run.last.status == "running") or before
        if what == "Started" and run.inner:  # a Retry: AWS repeats Started, without a Failed before it
            run.fail_inside(before, time)
            run.attempts.append(Attempt(time))
            run.inner = []
        elif what == "Failed":
            run.fail_inside(before, time)
        elif what == "Aborted":
            run.abort(time)
        return run

    def _read_iteration(self, event: Event, before: StateRun) -> StateRun:
        details = details_of(event)
        run = _first(before, lambda run: run.kind == "Map" and run.name == details.get("name")) or before
        if event["type"].endswith("Started"):
            self._iterations[event["id"]] = run.open(details.get("index", 0))
        elif event["type"].endswith("Failed") and before is not run:
            before.fail(event["timestamp"])
        return run

    def _read_task(self, event: Event, run: StateRun) -> None:
        kind, time = event["type"], event["timestamp"]
        if kind.endswith(("Scheduled", "ScheduleFailed")) and run.last.status == "failed":  # a Retry
            run.attempts.append(Attempt(time))
        details = details_of(event)
        resource = details.get("resource") or ""
        run.last.sent = details.get("parameters") or details.get("input") or run.last.sent
        run.last.received = details.get("output") or run.last.received
        if kind == "TaskSubmitted" and resource.endswith(".waitForTaskToken") and run.last.ended is None:
            run.last.status, run.last.waits_since = "waiting", time
        if kind.endswith(("Failed", "TimedOut")):
            error, cause = reason_of(event)
            run.fail(time, error or ("States.Timeout" if kind.endswith("TimedOut") else ""), cause)

    def _read_execution(self, event: Event, before: StateRun | None) -> StateRun | None:
        kind, time, current = event["type"], event["timestamp"], self._top.current
        if kind == "ExecutionStarted":
            return None
        if kind == "ExecutionRedriven":
            self.end, run = None, current
            while run and run.culprit:  # a Parallel or a Map goes on, and what failed in it runs again
                run.attempts.append(Attempt(time))
                run.culprit, run = None, run.culprit
            return run
        self.end = event
        if kind == "ExecutionFailed":
            error, cause = reason_of(event)
            if error == "States.Runtime" and (match := _ENTERED_AT.search(cause)):
                before = self.owners.get(int(match[1])) or before
            for run in before.outward() if before else ():
                run.fail(time, error, cause)
        if current:
            current.abort(time)
        return None


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


def _first(run: StateRun, wanted: Callable[[StateRun], bool]) -> StateRun | None:
    """The first state that is wanted: this run, or the nearest Parallel or Map around it."""
    return next(filter(wanted, run.outward()), None)


def details_of(event: Event) -> Mapping[str, Any]:
    """The details of an event, which AWS keeps under a key such as ``taskFailedEventDetails``."""
    details: Iterator[Mapping[str, Any]] = (event[key] for key in event if key.endswith("EventDetails"))
    return next(details, {})


def reason_of(event: Event) -> tuple[str, str]:
    """Error and cause of an event; '' if there is none."""
    details = details_of(event)
    return details.get("error") or "", details.get("cause") or ""


def parsed(text: str | None) -> Any:
    """An input or output as a Python value. Text that is not JSON stays text."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def message_of(cause: str) -> str:
    """The message in a cause. The cause of a Lambda error is JSON with the message in ``errorMessage``."""
    value = parsed(cause)
    return str(value["errorMessage"]) if isinstance(value, dict) and "errorMessage" in value else cause


def _branch_numbers(machine: Machine) -> Iterator[tuple[tuple[str, str], int]]:
    """((name of the Parallel, first state of the branch), number), at every depth."""
    for name, state in states(machine).items():
        for number, branch in enumerate(branches(state)):
            if state.get("Type") == "Parallel":
                yield (name, branch.get("StartAt", "")), number
            yield from _branch_numbers(branch)
