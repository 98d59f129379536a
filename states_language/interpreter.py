"""Run a state machine without any input or output: `step` is told what happened, and returns what to do.

An execution is a value (`execution`). `step` reads no clock, calls nobody and starts no thread. Time,
randomness, ids and a guard for slow expressions are arguments (`outside`). What a kind of state does is in
`kinds`, `tasks`, `maps` and `map_run`. Here is what all of them share:

    enter     a state begins, and its event is written
    attempt   its kind begins it: the first time, and again after each Retry
    settle    it has a result: its output is evaluated, its event is written, and the next state follows
    failed    it has failed: a Retry, a Catch, or the end of its run

A run of states goes on until it has to wait. Then the next one goes on, in the order in which they became
ready.

Each run has a chain of events. An event follows ``Run.last`` and becomes it. AWS puts some events aside, such
as MapStateSucceeded: the next event of the chain does not follow them. ``Run.tail`` is the latest event of
both kinds.

See https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html and https://states-language.net
"""

import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from states_language import kinds, map_run, maps, retry, tasks
from states_language.execution import (
    ENDS,
    Answered,
    Beat,
    Cancel,
    Done,
    Due,
    Effect,
    Execution,
    Frame,
    Input,
    Json,
    Redrive,
    Run,
    SetTimer,
    Start,
    State,
    Stop,
)
from states_language.expressions import WITH_RESULT
from states_language.failures import DATA_LIMIT, RUNTIME, TIMEOUT, Failure, too_large
from states_language.fields import View
from states_language.outputs import Result, caught, finished
from states_language.outside import Outside
from states_language.values import compact, is_too_large, moment

_EXPRESS_SECONDS: Final = 300
_MOST_EVENTS: Final = 25_000
_INTERNAL: Final = "An internal error occurred while the state '{}' ran: {}"


def step(execution: Execution, inputs: Iterable[Input], outside: Outside) -> list[Effect]:
    """Tell an execution what has happened.

    Args:
        execution: The execution, which changes. Its events are appended to its history.
        inputs: What has happened, in order. Timers that are due at the same moment belong into one call,
            because AWS writes all their events before it acts on one of them.
        outside: The time, randomness, ids, and a guard for slow expressions.

    Returns:
        What the world shall do, in order.
    """
    stepping = Step(execution, outside)
    for each in inputs:
        stepping.unless_full(partial(stepping.tell, each))
    stepping.go_on()
    return stepping.effects


KINDS: Final[dict[str, kinds.Kind]] = {
    "Pass": kinds.Pass(),
    "Wait": kinds.Wait(),
    "Choice": kinds.Choice(),
    "Succeed": kinds.Succeed(),
    "Fail": kinds.Fail(),
    "Task": tasks.Task(),
    "Parallel": maps.Parallel(),
    "Map": maps.Map(),
}


@dataclass
class Step:
    """One step of an execution.

    Attributes:
        effects: What the world shall do.
        ready: What goes on in this step, in order.
    """

    execution: Execution
    outside: Outside

    def __post_init__(self) -> None:
        self.now, self.new_id = self.outside.now, self.outside.new_id
        self.effects: list[Effect] = []
        self.ready: deque[Callable[[], None]] = deque()

    # What TestState replaces

    def note(self, name: str, value: Json) -> None:
        """Take note of a value on its way. Only TestState does."""

    def mock(self, frame: Frame, given: Json) -> Result | None:
        """The result of a state whose work is mocked; None if it is not."""

    # What happens

    def tell(self, message: Input) -> None:
        """Take in one input. What follows from it happens in `go_on`."""
        execution = self.execution
        if isinstance(message, Redrive):
            if execution.status not in {"RUNNING", "SUCCEEDED"}:
                self._redrive()
        elif execution.status != "RUNNING":
            return
        elif isinstance(message, Start):
            self._start()
        elif isinstance(message, Stop):
            self._stop(message)
        elif isinstance(message, Due) and message.id == execution.timer:
            self._time_out()
        else:
            key = message.token if isinstance(message, Answered | Beat) else message.id
            frame = execution.frames.get(key)
            if frame is not None:
                what = frame.waits[key]
                if isinstance(message, Due):
                    self.came(frame, key)
                if what == "retry":
                    self.ready.append(lambda: self.attempt(frame))
                else:
                    self._guarded(frame, lambda: self.kind(frame).told(self, frame, what, message))

    def go_on(self) -> None:
        """Let everything that is ready go on until it waits."""
        while self.execution.status == "RUNNING" and (self.ready or self.execution.interrupt):
            if self.execution.interrupt and not self.execution.history:  # it ends before it could begin
                self._write_start()
            if isinstance(interrupt := self.execution.interrupt, Stop):
                self._stop(interrupt)
            elif interrupt:
                self.fail_execution(self.execution.root, interrupt)
            else:
                self.unless_full(self.ready.popleft())

    def unless_full(self, act: Callable[[], None]) -> None:
        """Do something. If the history becomes full, the execution fails."""
        try:
            act()
        except Failure as failure:
            self.execution.error, self.execution.cause = failure.error, failure.cause
            self._end("FAILED", "ExecutionFailed", len(self.execution.history), failure.details)

    def _start(self) -> None:
        text = self._write_start()
        self._limit()
        self.begin_run(self.execution.root, self.execution.input, text)

    def _write_start(self) -> str:
        """Write the first event; the input as it stands there."""
        execution = self.execution
        text = compact(execution.input) if execution.text is None else execution.text
        details: dict[str, Any] = {"input": text, "inputDetails": {"truncated": False}}
        if role := execution.context["Execution"].get("RoleArn"):
            details["roleArn"] = role
        self.write(0, "ExecutionStarted", details)
        return text

    def _limit(self) -> None:
        """Set the timer of the whole execution. An Express execution has five minutes at most."""
        limits = [self.execution.definition.get("TimeoutSeconds")]
        if self.execution.type == "EXPRESS":
            limits.append(_EXPRESS_SECONDS)
        if known := [seconds for seconds in limits if seconds is not None]:
            self.execution.timer = self.new_id()
            self.effects.append(SetTimer(self.execution.timer, self.now + min(known)))

    def _stop(self, message: Stop) -> None:
        details = {key: text for key, text in (("error", message.error), ("cause", message.cause)) if text}
        self._end("ABORTED", "ExecutionAborted", 0, details)
        self.execution.error, self.execution.cause = message.error, message.cause

    def _time_out(self) -> None:
        self._end("TIMED_OUT", "ExecutionTimedOut", 0, {"error": TIMEOUT})

    def _redrive(self) -> None:
        execution = self.execution
        everything = execution.error == DATA_LIMIT
        execution.redrives += 1
        execution.interrupt = None
        execution.status, execution.output, execution.error, execution.cause = "RUNNING", None, None, None
        redriven = {"RedriveCount": execution.redrives, "RedriveTime": moment(self.now)}
        execution.context["Execution"] |= redriven
        last = len(execution.history)
        number = self.write(last, "ExecutionRedriven", {"redriveCount": execution.redrives})
        self._limit()
        self.resume(execution.root, number, everything=everything)

    def resume(self, run: Run, after: int, *, everything: bool = False) -> None:
        """Let a run that did not succeed go on with its last state."""
        run.status, frame = "RUNNING", run.frame
        if run.parent is None or frame is None:
            run.last = run.tail = after
        if frame is None:
            self.begin_run(run, run.input)
            return
        frame.tries = {}
        inner = [child for child in frame.children if child]
        if frame.state["Type"] == "Fail":
            self.ready.append(lambda: self.enter(run, frame.name, frame.input))
        elif frame.map_run is not None:
            self.later(frame, lambda: map_run.resume(self, frame))
        elif inner and not everything:
            self.later(frame, lambda: maps.resume(self, frame))
        else:
            self.ready.append(lambda: self.attempt(frame))

    # Events

    def write(self, previous: int, kind: str, details: Json = None) -> int:
        """Append an event to the history.

        Args:
            previous: The id of the event that it follows.
            kind: Its type.
            details: Its details; None if its type has none.

        Returns:
            Its id.

        Raises:
            Failure: The history is full.
        """
        history = self.execution.history
        number = len(history) + 1
        if number >= _MOST_EVENTS and kind not in ENDS and self.execution.type == "STANDARD":
            raise Failure(
                RUNTIME, f"The execution reached the maximum number of history events ({_MOST_EVENTS})."
            )
        event = {"id": number, "previousEventId": previous, "timestamp": self.now, "type": kind}
        if details is not None:
            name = kind[kind.index("State") :] if kind.endswith(("StateEntered", "StateExited")) else kind
            event[f"{name[0].lower()}{name[1:]}EventDetails"] = details
        history.append(event)
        return number

    def event(self, run: Run, kind: str, details: Json = None) -> int:
        """Write the next event of a run's chain; its id."""
        run.last = run.tail = self.write(run.last, kind, details)
        return run.last

    def aside(self, run: Run, kind: str, details: Json = None, *, after: int) -> None:
        """Write an event that the next one of the chain does not follow.

        Args:
            run: The run.
            kind: The event's type.
            details: Its details.
            after: The id of the event that it follows.
        """
        run.tail = self.write(after, kind, details)

    # The life of a state

    def begin_run(self, run: Run, value: Json, text: str | None = None) -> None:
        """Let a run begin with its first state, after those that are ready."""
        run.input = value
        self.ready.append(lambda: self.enter(run, run.workflow["StartAt"], value, text))

    def enter(self, run: Run, name: str, value: Json, text: str | None = None) -> None:
        """Begin a state.

        Args:
            run: The run that has the state.
            name: The state's name.
            value: Its input.
            text: The input as JSON, if it is known.
        """
        if run.status != "RUNNING":
            return
        state = run.workflow["States"][name]
        run.frame = frame = Frame(run, name, state, value, entered_at=self.now)
        frame.text = compact(value) if text is None else text
        details = {"name": name, "input": frame.text}
        details["inputDetails"] = {"truncated": False}  # type: ignore[assignment]
        self._guarded(frame, lambda: self._enter(frame, details))

    def _enter(self, frame: Frame, details: Json) -> Result | None:
        frame.entered = self.event(frame.run, f"{frame.state['Type']}StateEntered", details)
        return self.kind(frame).begin(self, frame)

    def kind(self, frame: Frame) -> kinds.Kind:
        """What the kind of a state does."""
        return KINDS[frame.state["Type"]]

    def attempt(self, frame: Frame) -> None:
        """Begin an attempt of a state."""
        if frame.run.status == "RUNNING" and frame.run.frame is frame:
            self._guarded(frame, lambda: self.kind(frame).begin(self, frame))

    def _guarded(self, frame: Frame, act: Callable[[], Result | None]) -> None:
        """Let a state act, and handle its result or its failure. Any other exception ends the execution."""
        try:
            try:
                if (result := act()) is not None:
                    self.settle(frame, result)
            except Failure as failure:
                self.failed(frame, failure)
        except Failure:  # the history is full
            raise
        except Exception as error:
            self.execution.faults.append("".join(traceback.format_exception(error)))
            reason = _INTERNAL.format(frame.name, f"{type(error).__name__}: {error}")
            self.fail_execution(frame.run, Failure(RUNTIME, reason))

    def later(self, frame: Frame, act: Callable[[], Result | None]) -> None:
        """Let a state act later in this step, unless it has ended until then."""

        def act_now() -> None:
            if frame.run.status == "RUNNING" and frame.run.frame is frame:
                self._guarded(frame, act)

        self.ready.append(act_now)

    def settle(self, frame: Frame, result: Result) -> None:
        """A state has a result: evaluate its output, and leave it."""
        output, assigned = finished(self.view(frame), result)
        text = result.text if output is result.value else None
        self.leave(frame, output, assigned, result.next or frame.state.get("Next"), text)

    def leave(
        self,
        frame: Frame,
        output: Json,
        assigned: dict[str, Json],
        following: str | None,
        text: str | None = None,
    ) -> None:
        """Write that a state ends, and go on with the next one."""
        self.forget(frame)
        run = frame.run
        if text is None:  # AWS keeps what passes through a state as it was written
            text = frame.text if output is frame.input and frame.text is not None else compact(output)
        if is_too_large(text):
            raise too_large(frame.name)
        details: dict[str, Any] = {"name": frame.name, "output": text, "outputDetails": {"truncated": False}}
        if assigned:
            details["assignedVariables"] = {name: compact(value) for name, value in assigned.items()}
            details["assignedVariablesDetails"] = {"truncated": False}
            run.variables.update(assigned)
        self.event(run, f"{frame.state['Type']}StateExited", details)
        if following is None:
            self._succeed(run, output, text)
        else:
            self.ready.appendleft(lambda: self.enter(run, following, output, text))

    def _succeed(self, run: Run, output: Json, text: str) -> None:
        run.status, run.output, run.text = "SUCCEEDED", output, text
        if (parent := run.parent) is not None:
            self._guarded(parent, lambda: self.kind(parent).child_ended(self, parent, run))
            return
        self.execution.output = output
        self._end(
            "SUCCEEDED",
            "ExecutionSucceeded",
            run.last,
            {"output": text, "outputDetails": {"truncated": False}},
        )

    def failed(self, frame: Frame, failure: Failure) -> None:
        """A state has failed: try again, go on as its Catch says, or end its run."""
        if frame.run.status != "RUNNING":
            return
        self._describe(frame, failure)
        map_run.failed(self, frame, failure)
        self.forget(frame)
        if not failure.is_caught:
            self.fail_execution(frame.run, failure)
            return
        maps.abort(self, frame)
        delay = retry.delay(frame, failure, self.outside.random)
        if delay is not None:
            self.wait(frame, "retry", self.now + delay)
            return
        before = frame.run.last
        self._write_failed(frame)
        if found := retry.named_in(frame.state.get("Catch", ()), failure):
            self._catch(frame, found[0], failure, before)
        else:
            self._fail_run(frame.run, failure)

    def _catch(self, frame: Frame, number: int, failure: Failure, before: int) -> None:
        """Go on as a Catcher says. If its fields fail, or its output is too large, the state fails again.

        Args:
            frame: The state.
            number: The Catcher's number.
            failure: What it catches.
            before: The event that an EvaluationFailed follows: the latest one before the state has failed.
        """
        run, catcher, after = frame.run, frame.state["Catch"][number], frame.run.last
        run.last = before
        try:
            output, assigned = caught(self.view(frame), catcher, number, failure)
            run.last = after
            self.leave(frame, output, assigned, catcher["Next"])
        except Failure as other:
            self._describe(frame, other)
            if other.is_caught:
                self._write_failed(frame)
                self._fail_run(run, other)
            else:
                self.fail_execution(run, other)

    def _write_failed(self, frame: Frame) -> None:
        if (kind := frame.state["Type"]) in {"Parallel", "Map"}:
            self.event(frame.run, f"{kind}StateFailed")

    def _describe(self, frame: Frame, failure: Failure) -> None:
        """Complete the cause of a failure, and write the event of an expression."""
        if not failure.needs_prefix:
            return
        failure.needs_prefix = False
        where = f"'{frame.name}' (entered at the event id #{frame.entered})"
        failure.cause = f"An error occurred while executing the state {where}. {failure.cause}"
        if failure.location is not None:
            details = {**failure.details, "state": frame.name}
            if failure.location:
                details["location"] = failure.location
            self.event(frame.run, "EvaluationFailed", details)

    def _fail_run(self, run: Run, failure: Failure) -> None:
        run.status = "FAILED"
        if (parent := run.parent) is None:
            self.fail_execution(run, failure)
        else:
            maps.child_failed(self, parent, run)
            self.failed(parent, failure)

    def fail_execution(self, run: Run, failure: Failure) -> None:
        """End the execution, whatever Retry and Catch there are."""
        self.execution.error, self.execution.cause = failure.error, failure.cause
        self._end("FAILED", "ExecutionFailed", run.tail, failure.details)

    def _end(self, status: str, kind: str, previous: int, details: Json) -> None:
        execution = self.execution
        self.write(previous, kind, details)
        execution.status = status
        for waiting in list(execution.frames.values()):
            self.forget(waiting)
        if execution.timer:
            self.effects.append(Cancel(execution.timer))
            execution.timer = ""
        self.effects.append(Done())

    # Waiting

    def wait(self, frame: Frame, what: str, at: float) -> str:
        """Set a timer of a state; its id."""
        key = self.expect(frame, what)
        self.effects.append(SetTimer(key, at))
        return key

    def expect(self, frame: Frame, what: str, key: str | None = None) -> str:
        """Let a state wait for something.

        Args:
            frame: The state.
            what: What it is, such as ``"call"``.
            key: Its id; by default a new one.
        """
        key = key or self.new_id()
        frame.waits[key] = what
        self.execution.frames[key] = frame
        return key

    def came(self, frame: Frame, key: str) -> None:
        """What a state waited for has come."""
        frame.waits.pop(key, None)
        self.execution.frames.pop(key, None)

    def cancel(self, frame: Frame, what: str) -> None:
        """A state waits no longer for this."""
        for key in [key for key, its in frame.waits.items() if its == what]:
            self.came(frame, key)
            self.effects.append(Cancel(key))

    def forget(self, frame: Frame) -> None:
        """A state waits for nothing any more."""
        for key, what in list(frame.waits.items()):
            self.came(frame, key)
            if what != "token":
                self.effects.append(Cancel(key))
        frame.token = None
        if frame.map_run is not None and frame.map_run.status == "RUNNING":
            frame.map_run.status = "ABORTED"

    # What fields read

    def view(self, frame: Frame) -> View:
        """What the fields of a state can read now."""
        execution, state = self.execution, frame.state
        language = "JSONata" if state.get("QueryLanguage", execution.language) != "JSONPath" else "JSONPath"
        variables: dict[str, Json] = {}
        shown: dict[str, Json] = {}
        runs: list[Run] = []
        run: Run | None = frame.run
        while run is not None:
            runs.append(run)
            run = run.parent.run if run.parent else None
        for each in reversed(runs):
            variables |= each.variables
            shown |= each.shown
        return View(
            state,
            language,
            frame.input,
            self.context(frame, shown),
            variables,
            self.outside,
            self.note,
        )

    @property
    def region(self) -> str:
        """The region of AWS in which the execution runs, which its ARN names."""
        region: str = self.execution.context["Execution"]["Id"].split(":")[3]
        return region

    def context(self, frame: Frame, shown: State) -> dict[str, Json]:
        """The context object that a state sees, with what its run shows of an item."""
        state: dict[str, Json] = {"EnteredTime": moment(frame.entered_at), "Name": frame.name}
        if frame.state["Type"] in WITH_RESULT:
            state["RetryCount"] = frame.retries
        context = {**self.execution.context, "State": state, **shown}
        is_seen = frame.token and ":activity:" not in frame.state["Resource"]
        return context | ({"Task": {"Token": frame.token}} if is_seen else {})
