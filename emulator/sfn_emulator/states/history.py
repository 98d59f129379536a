"""Describe executions and their histories as AWS does. moto stores them.

When an execution is stopped or times out, moto's engine goes on for a while. So this module corrects the
status, the end and the history of such an execution.
"""

import json
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sfn_emulator.engine.application import Moto, signed
from sfn_emulator.engine.backends import events_of, execution_of, machine_of, remove_execution, running
from sfn_emulator.engine.executions import Announce, StatusChange, prepared
from sfn_emulator.engine.map_runs import child, forget_runs_of
from sfn_emulator.engine.payloads import ENDS
from sfn_emulator.engine.redrives import go_on
from sfn_emulator.http.messages import RefusalError, Reply, Request, Scope
from sfn_emulator.http.paging import bounds_of, page_of, token_of
from sfn_emulator.http.replies import json_reply
from sfn_emulator.http.service_models import check_call
from sfn_emulator.logs import LogWriter
from sfn_emulator.states.execution_log import ExecutionLog
from sfn_emulator.states.machines import CONFIGURATIONS, Started, seconds_now, with_references
from sfn_emulator.states.map_runs import describe_child
from sfn_emulator.states.redrives import Redrives

Event = dict[str, Any]
_NO_INPUT: Final = "The emulator has removed the input of this execution, because its files had no more room"
_PAGE_LETTERS: Final = 4_000_000
_SMALL: Final = 10_000
_MOST_EXECUTIONS: Final = 10_000
_ALL: Final = 1_000_000  # more than there can be
_STOP_SECONDS: Final = 5.0
_DESCRIBES: Final = {
    "x-amz-target": "AWSStepFunctions.DescribeExecution",
    "content-type": "application/x-amz-json-1.0",
}
#: What DescribeStateMachineForExecution says of a machine.
_OF_EXECUTION: Final = ("name", "definition", "roleArn", "revisionId", *CONFIGURATIONS)


@dataclass(frozen=True)
class Abort:
    """A call of StopExecution.

    Args:
        error: Its error.
        cause: Its cause.
        at: Its time, in seconds since 1970.
        events: How many events the execution had. moto's engine may add others, because it ends later.
    """

    error: str | None
    cause: str | None
    at: float
    events: int

    @property
    def details(self) -> dict[str, str]:
        """The error and the cause, if the call gave them."""
        return {key: value for key, value in (("error", self.error), ("cause", self.cause)) if value}


@dataclass(frozen=True)
class _Ended(Sequence[Event]):
    """The first events of an execution, and an end that moto does not know."""

    events: Sequence[Event]
    end: Event
    kept: int

    def __len__(self) -> int:
        return self.kept + 1

    def __getitem__(self, number: Any) -> Any:
        if number > self.kept:  # moto may have written more; an iteration ends here
            raise IndexError(number)
        return self.end if number == self.kept else self.events[number]


_NOTHING: Final = Started("", {}, 0, {})


@dataclass
class _Known:
    """What is known of an execution, besides what moto knows.

    Attributes:
        started: What it was started with.
        log: Its log; None if it has none, or was stopped.
        abort: The StopExecution that ended it; None if there was none.
        redrives: Its redrives.
        description: While it runs, moto's object of it, and its description.
    """

    started: Started = _NOTHING
    log: ExecutionLog | None = None
    abort: Abort | None = None
    redrives: Redrives = field(default_factory=Redrives)
    description: tuple[object, Reply | None] = (None, None)


class Executions:
    """Answers the operations on executions that exist, and begins executions.

    Args:
        moto: Stores the executions.
        writer: Writes their logs.
        announce: Learns that an execution has begun or ended.

    Attributes:
        known: Standard executions by their ARNs, the oldest first.
    """

    def __init__(self, moto: Moto, writer: LogWriter, announce: Announce) -> None:
        self._moto = moto
        self._writer = writer
        self._announce = announce
        self._listing = threading.Lock()
        self._redriving = threading.Lock()
        self.known: dict[str, _Known] = {}

    def forget(self) -> None:
        """Forget everything."""
        self.known = {}

    def _of(self, arn: str) -> _Known:
        return self.known.get(arn) or _Known()

    def begin(self, scope: Scope, started: Started, name: str, given: str, *, sync: bool = False) -> Any:
        """Start an execution, and wait for its end if it is `sync`; moto's object of it."""
        arn = started.execution_arn(name)
        machine = {**started.machine, "stateMachineArn": started.arn}
        is_express = machine["type"] == "EXPRESS"
        known = _Known(started, self._log(scope, arn, started))

        def ended() -> None:
            # An execution that was stopped, or whose machine was deleted, has ended before.
            if is_express or (self.known.get(arn) is known and not known.abort):
                self._tell(scope, execution, started, execution.status, execution.stop_date.timestamp())

        execution = prepared(machine, arn, name, given, known.log, sync=sync, ended=ended)
        executions = machine_of(started.arn).executions
        with self._listing:
            if is_express:  # nobody can ask for one that has ended
                executions[:] = [each for each in executions if each.exec_status in {None, "RUNNING"}]
            else:
                self.known[arn] = known
                if len(self.known) > _MOST_EXECUTIONS:
                    self._forget_oldest()
            executions.append(execution)
        self._tell(scope, execution, started, "RUNNING", execution.start_date.timestamp())
        execution.start()
        return execution

    def _log(self, scope: Scope, arn: str, started: Started, redrives: int = 0) -> ExecutionLog | None:
        """Where the events of an execution go, besides its history; None if the machine has no log."""
        machine = started.machine
        if machine["loggingConfiguration"]["level"] == "OFF":
            return None
        return ExecutionLog(arn, machine, scope, self._writer, redrives=redrives, names=started.names)

    def redrive(self, request: Request) -> Reply:
        """Answer RedriveExecution."""
        check_call("stepfunctions", request.operation, request.json)
        arn, token = request.json["executionArn"], request.json.get("clientToken")
        with self._redriving:
            described = self.call(request.scope, "DescribeExecution", executionArn=arn)
            if not described.ok:
                return described
            now, known = seconds_now(), self.known[arn]
            redrives = known.redrives
            if (date := redrives.date_of(token, now)) is not None:
                return json_reply({"redriveDate": date})
            events = self._events(described.json)
            execution = self._corrected(described.json)
            if reason := redrives.reason_against(execution, len(events), now):
                raise RefusalError("ExecutionNotRedrivable", reason)
            if execution_of(arn).execution_input is None:
                raise RefusalError("ExecutionNotRedrivable", _NO_INPUT)
            redrives.add(token, now)
            known.abort, known.description = None, (None, None)
            known.log = self._log(request.scope, arn, known.started, redrives.count)
            self._tell(request.scope, execution_of(arn), known.started, "RUNNING", now)
            go_on(execution_of(arn), redrives.count, datetime.fromtimestamp(now, UTC), events, known.log)
        return json_reply({"redriveDate": now})

    def _tell(self, scope: Scope, execution: Any, started: Started, status: str, at: float) -> None:
        """Announce that an execution has begun, or how it ended. The time is in seconds since 1970."""
        arn, express = execution.exec_arn, started.machine["type"] == "EXPRESS"
        began = int(execution.start_date.timestamp() * 1000) / 1000  # moto, too, cuts a time to milliseconds

        def described() -> Mapping[str, Any]:
            if status == "RUNNING":  # moto cannot describe it before it has begun
                return {"name": execution.name, "input": execution.execution_input, "startDate": began}
            request = Request("POST", "/", signed(scope) | _DESCRIBES)
            return self.describe(request.with_json({"executionArn": arn})).json

        names, redriven = started.names, self._of(arn).redrives.count > 0
        self._announce(StatusChange(arn, started.arn, names, express, status, at, began, described, redriven))

    def same(self, arn: str, given: str) -> Any:
        """The running execution with this name and input; None if the name is free.

        Raises:
            RefusalError: The name is not free.
        """
        # In moto, a stopped execution runs until its function ends, and a running one may be started again.
        if (known := self.known.get(arn)) is None:
            return None
        execution: Any = running(arn)
        if known.abort or execution is None or execution.execution_input != given:
            raise RefusalError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return execution

    def stop(self, request: Request) -> Reply:
        """Answer StopExecution. moto's engine ends the execution later."""
        arn = request.json.get("executionArn", "")
        error, cause = request.json.get("error"), request.json.get("cause")
        if found := child(arn):
            run, it = found
            run.stop_child(it, error, cause)
            return json_reply({"stopDate": (it.stop or it.start).timestamp()})
        known, described = self._of(arn), self.call(request.scope, "DescribeExecution", executionArn=arn)
        if described.ok and described.json["status"] == "RUNNING" and not known.abort:
            # moto cannot stop an execution before it has entered its first state.
            until = described.json["startDate"] + _STOP_SECONDS
            while time.time() < until and len(events_of(arn)) < 2:
                time.sleep(0.002)
            known.abort = abort = Abort(error, cause, seconds_now(), len(events_of(arn)))
            if execution := running(arn):
                self._tell(request.scope, execution, known.started, "ABORTED", abort.at)
            if known.log:
                known.log.end(abort.events + 1, "ExecutionAborted", abort.at, abort.details)
                known.log = None
        reply = self._moto(request)
        return reply.with_json({"stopDate": known.abort.at}) if known.abort and reply.ok else reply

    def _forget_oldest(self) -> None:
        """Forget the oldest execution, unless it runs. AWS forgets one after 90 days."""
        arn = next(iter(self.known))
        known = self.known.pop(arn)
        if running(arn):
            self.known[arn] = known  # look at another one next time
            return
        remove_execution(known.started.arn, arn)
        forget_runs_of(arn)

    def forget_machine(self, machine_arn: str) -> None:
        """Forget the executions of a deleted machine, because a new execution may have the same ARN."""
        beginning = machine_arn.replace(":stateMachine:", ":execution:") + ":"
        for arn in [arn for arn in list(self.known) if arn.startswith(beginning)]:
            self.known.pop(arn, None)

    def describe_machine(self, request: Request) -> Reply:
        """Answer DescribeStateMachineForExecution."""
        found = child(request.json.get("executionArn", ""))
        arn = found[0].execution_arn if found else request.json.get("executionArn", "")
        while parent := child(arn):
            arn = parent[0].execution_arn
        if arn not in self.known:
            return self._moto(request)
        started = self.known[arn].started
        described = {name: value for name, value in started.machine.items() if name in _OF_EXECUTION}
        described |= {"stateMachineArn": started.arn, "updateDate": started.updated}
        if found:
            run, _ = found
            described |= {"stateMachineArn": run.machine_arn, "definition": run.written.children}
            described |= {"mapRunArn": run.arn, "label": run.label}
        return json_reply(with_references(described))

    def describe(self, request: Request) -> Reply:
        """Answer DescribeExecution. The description of a running execution is kept for further calls."""
        arn = request.json.get("executionArn", "")
        if found := child(arn):
            return json_reply(describe_child(*found))
        execution, known = running(arn), self._of(arn)
        same, description = known.description
        if description and same is execution and not known.abort:
            return description
        reply = self._moto(request)
        if not reply.ok:
            return reply
        told = self._corrected(reply.json) | dict(known.started.names)
        for name in ("input", "output"):
            if name == "input" or f"{name}Details" in told:
                told[f"{name}Details"] = {"included": told.get(name) is not None}
        told = {name: value for name, value in told.items() if value is not None}
        reply = reply.with_json(told | known.redrives.facts(told, len(events_of(arn)), time.time()))
        keep = execution is not None and len(reply.body) < _SMALL and told["status"] == "RUNNING"
        known.description = (execution, reply) if keep else (None, None)
        return reply

    def list(self, request: Request) -> Reply:
        """Answer ListExecutions."""
        asked, status = request.json.get("stateMachineArn", ""), request.json.get("statusFilter")
        if asked and "redriveFilter" in request.json:
            raise RefusalError("ValidationException", "redriveFilter is only supported with mapRunArn")
        machine_arn = ":".join(asked.split(":")[:7])
        if asked == machine_arn and not (status and any(known.abort for known in list(self.known.values()))):
            reply = self._moto(request)
            listed = [self._listed(each) for each in reply.json.get("executions", [])]
            return reply.with_json(reply.json | {"executions": listed}) if reply.ok else reply
        reply = self._moto(request.with_json({"stateMachineArn": machine_arn, "maxResults": _ALL}))
        if not reply.ok:
            return reply
        # Filter after the correction, because moto's status of a stopped execution is wrong.
        listed = [self._listed(execution) for execution in reply.json["executions"]]
        chosen = [it for it in listed if status in {None, it["status"]} and asked in it.values()]
        page, next_page = page_of(chosen, request.json)
        return json_reply({"executions": page} | next_page)

    def _listed(self, execution: dict[str, Any]) -> dict[str, Any]:
        known = self._of(execution["executionArn"])
        return self._corrected(execution) | dict(known.started.names) | known.redrives.counted()

    def history(self, request: Request) -> Reply:
        """Answer GetExecutionHistory."""
        parameters, scope = request.json, request.scope
        events: Sequence[Event]
        if found := child(parameters.get("executionArn", "")):
            events = found[0].told(found[1])["events"]
        else:
            execution = self.call(scope, "DescribeExecution", executionArn=parameters.get("executionArn", ""))
            if not execution.ok:
                return execution
            events = self._events(execution.json)
        newest_first = bool(parameters.get("reverseOrder"))
        begin, end = bounds_of(parameters, order=newest_first)
        count = len(events)  # count only once, because a running execution grows
        page, letters = list[Event](), 0
        for number in range(count)[:: -1 if newest_first else 1][begin:end]:
            page.append(as_aws(events[number]))
            if (begun := page[-1].get("executionStartedEventDetails")) and not found:
                begun |= self._of(parameters["executionArn"]).started.names
            # The size of a page must have a limit, because an event may have 256 KB twice.
            letters += _letters(page[-1])
            if letters > _PAGE_LETTERS:
                break
        reply: dict[str, Any] = {"events": page}
        # A running execution grows, so pages counted from its end overlap. They do on AWS, too.
        if (end := begin + len(page)) < count:
            reply |= token_of(end, order=newest_first)
        return json_reply(reply)

    def _corrected(self, description: dict[str, Any]) -> dict[str, Any]:
        if abort := self._abort(description):
            motos = {"error", "cause", "output", "outputDetails"}
            kept = {name: value for name, value in description.items() if name not in motos}
            details = abort.details if "input" in description else {}  # a list has no error and cause
            return kept | {"status": "ABORTED", "stopDate": abort.at} | details
        # moto does not say when the time-out was.
        if description["status"] != "TIMED_OUT":
            return description
        known = self._of(description["executionArn"])
        seconds = json.loads(known.started.machine["definition"])["TimeoutSeconds"]
        return description | {"stopDate": (known.redrives.date or description["startDate"]) + seconds}

    def _events(self, description: dict[str, Any]) -> Sequence[Event]:
        events: Sequence[Event] = events_of(description["executionArn"])
        # moto's engine ends these executions later: a stopped one as FAILED, a timed-out one after its task.
        if abort := self._abort(description):
            at, end = abort.at, {"type": "ExecutionAborted", "executionAbortedEventDetails": abort.details}
        elif description["status"] == "TIMED_OUT":
            at = float(self._corrected(description)["stopDate"])
            end = {"type": "ExecutionTimedOut", "executionTimedOutEventDetails": {}}
        else:
            return events
        until = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        count = min(len(events), abort.events if abort else len(events))
        while count and ((last := events[count - 1])["timestamp"] > until or last["type"] in ENDS):
            count -= 1
        return _Ended(events, {"timestamp": until, "id": count + 1, "previousEventId": 0} | end, count)

    def _abort(self, description: Mapping[str, Any]) -> Abort | None:
        """The StopExecution that ended an execution; None if the execution ended otherwise, or runs."""
        abort = self._of(description["executionArn"]).abort
        if abort is None or description["status"] in {"SUCCEEDED", "TIMED_OUT"}:
            return None
        return abort if float(description.get("stopDate") or abort.at) >= abort.at - 0.001 else None

    def call(self, scope: Scope, operation: str, **parameters: Any) -> Reply:
        """Call an operation of moto's Step Functions."""
        return self._moto.target(scope, f"AWSStepFunctions.{operation}", parameters)


def sync_result(execution: Any, started: Started) -> dict[str, Any]:
    """The result of StartSyncExecution, with what AWS would bill: units of 100 ms and 64 MB."""
    told = execution.to_start_sync_execution_output()
    seconds = (told["stopDate"] - told["startDate"]).total_seconds()
    told |= {name: told[name].timestamp() for name in ("startDate", "stopDate")}
    if "output" in told:
        told["output"] = execution.output  # `failures` has made a text of it
    billed = max(1, math.ceil(seconds * 10)) * 100
    bill = {"billedDurationInMilliseconds": billed, "billedMemoryUsedInMB": 64}
    told = {name: value for name, value in told.items() if value is not None}
    return told | {"stateMachineArn": started.arn, "billingDetails": bill}


def _letters(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_letters, value.values()))
    return len(value) if isinstance(value, str) else 0


def as_aws(event: Event) -> Event:
    """An event of moto's engine in the form of GetExecutionHistory."""
    plain = {name: event[name] for name in ("id", "previousEventId", "type")}
    details = {
        name: {key: value for key, value in fields.items() if value is not None}
        for name, fields in event.items()
        if name.endswith("EventDetails")
    }
    return plain | {"timestamp": datetime.fromisoformat(event["timestamp"]).timestamp()} | details
