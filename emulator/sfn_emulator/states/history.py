"""Describe executions and their histories as AWS does. moto stores them.

When an execution is stopped or times out, moto's engine goes on for a while. So this module corrects the
status, the end and the history of such an execution.
"""

import base64
import binascii
import json
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sfn_emulator.engine.application import Moto, signed
from sfn_emulator.engine.backends import events_of, execution_of, machine_of, remove_execution, running
from sfn_emulator.engine.executions import Announce, StatusChange, prepared
from sfn_emulator.engine.map_runs import child, forget_runs_of
from sfn_emulator.engine.payloads import ENDS
from sfn_emulator.engine.redrives import go_on
from sfn_emulator.http.messages import RefusalError, Reply, Request, Scope
from sfn_emulator.http.paging import page_of
from sfn_emulator.http.replies import json_reply
from sfn_emulator.http.service_models import check_call
from sfn_emulator.logs import LogWriter
from sfn_emulator.states.execution_log import ExecutionLog
from sfn_emulator.states.machines import Started, with_references
from sfn_emulator.states.map_runs import describe_child
from sfn_emulator.states.redrives import Redrives

Event = dict[str, Any]
_PAGE: Final = 100  # AWS's default
_NO_INPUT: Final = "The emulator has removed the input of this execution, because its files had no more room"
_PAGE_LETTERS: Final = 4_000_000
_SMALL: Final = 10_000
_MOST_EXECUTIONS: Final = 10_000
_DESCRIBES: Final = {
    "x-amz-target": "AWSStepFunctions.DescribeExecution",
    "content-type": "application/x-amz-json-1.0",
}
#: What DescribeStateMachineForExecution says of a machine.
_OF_EXECUTION: Final = frozenset(
    ("name", "definition", "roleArn", "revisionId", "loggingConfiguration", "tracingConfiguration")
) | {"encryptionConfiguration"}


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


class Executions:
    """Answers the operations on executions that exist, and begins executions.

    Args:
        moto: Stores the executions.
        writer: Writes their logs.
        announce: Learns that an execution has begun or ended.
    """

    def __init__(self, moto: Moto, writer: LogWriter, announce: Announce) -> None:
        self._writer = writer
        self._announce = announce
        self._logs: dict[str, ExecutionLog] = {}
        self._listing = threading.Lock()
        self._redriving = threading.Lock()
        self._redrives: dict[str, Redrives] = {}
        self.aborts: dict[str, Abort] = {}
        self._moto = moto
        self.started: dict[str, Started] = {}
        # moto's objects for running executions, and the descriptions of these executions.
        self._running: dict[str, tuple[object, Reply]] = {}

    def forget(self) -> None:
        """Forget everything."""
        self.aborts.clear()
        self.started = {}
        self._logs = {}
        self._redrives = {}
        self._running = {}

    def begin(self, scope: Scope, started: Started, name: str, given: str, *, sync: bool = False) -> Any:
        """Start an execution, and wait for its end if it is `sync`; moto's object of it."""
        arn = started.execution_arn(name)
        machine = {**started.machine, "stateMachineArn": started.arn}
        is_express = machine["type"] == "EXPRESS"
        log = self._log(scope, arn, machine)

        def ended() -> None:
            # An execution that was stopped, or whose machine was deleted, has ended before.
            if arn not in self.aborts and (is_express or self.started.get(arn) is started):
                at = execution.stop_date.timestamp()
                self.tell(scope, execution, started, execution.status, at, redriven=self._is_redriven(arn))

        execution = prepared(machine, arn, name, given, log, sync=sync, ended=ended)
        executions = machine_of(started.arn).executions
        with self._listing:
            if is_express:  # nobody can ask for one that has ended
                executions[:] = [each for each in executions if each.exec_status in {None, "RUNNING"}]
            else:
                self.started[arn] = started
                if len(self.started) > _MOST_EXECUTIONS:
                    self._forget_oldest()
            executions.append(execution)
        self.tell(scope, execution, started, "RUNNING", execution.start_date.timestamp())
        execution.start()
        return execution

    def _log(self, scope: Scope, arn: str, machine: Mapping[str, Any], redrives: int = 0) -> Any:
        """Where the events of an execution go, besides its history; None if the machine has no log."""
        if machine["loggingConfiguration"]["level"] == "OFF":
            return None
        log = ExecutionLog(arn, machine, scope, self._writer, redrives)
        if machine["type"] == "STANDARD":
            self._logs[arn] = log
        return log

    def redrive(self, request: Request) -> Reply:
        """Answer RedriveExecution."""
        check_call("stepfunctions", request.operation, request.json)
        arn, token = request.json["executionArn"], request.json.get("clientToken")
        with self._redriving:
            described = self.call(request.scope, "DescribeExecution", executionArn=arn)
            if not described.ok:
                return described
            now = int(time.time() * 1000) / 1000
            redrives = self._redrives.setdefault(arn, Redrives())
            if (date := redrives.date_of(token, now)) is not None:
                return json_reply({"redriveDate": date})
            events = self._events(request.scope, described.json)
            execution = self._corrected(request.scope, described.json)
            if reason := redrives.reason_against(execution, len(events), now):
                raise RefusalError("ExecutionNotRedrivable", reason)
            if execution_of(arn).execution_input is None:
                raise RefusalError("ExecutionNotRedrivable", _NO_INPUT)
            redrives.add(token, now)
            self.aborts.pop(arn, None)
            self._running.pop(arn, None)
            log = self._log(request.scope, arn, self.started[arn].machine, redrives.count)
            self.tell(request.scope, execution_of(arn), self.started[arn], "RUNNING", now, redriven=True)
            go_on(execution_of(arn), redrives.count, datetime.fromtimestamp(now, UTC), events, log)
        return json_reply({"redriveDate": now})

    def _is_redriven(self, arn: str) -> bool:
        return self._redrives.get(arn, Redrives()).count > 0

    def tell(
        self,
        scope: Scope,
        execution: Any,
        started: Started,
        status: str,
        at: float,
        *,
        redriven: bool = False,
    ) -> None:
        """Announce that an execution has begun, or how it ended.

        Args:
            scope: Its scope.
            execution: moto's object of it.
            started: What it was started with.
            status: The new status.
            at: The time of the change, in seconds since 1970.
            redriven: Whether a redrive began this run of it.
        """
        arn, express = execution.exec_arn, started.machine["type"] == "EXPRESS"
        began = int(execution.start_date.timestamp() * 1000) / 1000  # moto, too, cuts a time to milliseconds

        def described() -> Mapping[str, Any]:
            if status == "RUNNING":  # moto cannot describe it before it has begun
                return {"name": execution.name, "input": execution.execution_input, "startDate": began}
            request = Request("POST", "/", signed(scope) | _DESCRIBES)
            return self.describe(request.with_json({"executionArn": arn})).json

        names = started.names
        self._announce(StatusChange(arn, started.arn, names, express, status, at, began, described, redriven))

    def same(self, arn: str, given: str) -> Any:
        """The running execution with this name and input; None if the name is free.

        Raises:
            RefusalError: The name is not free.
        """
        # In moto, a stopped execution runs until its function ends, and a running one may be started again.
        if arn not in self.started:
            return None
        execution: Any = running(arn)
        if arn in self.aborts or execution is None or execution.execution_input != given:
            raise RefusalError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        return execution

    def stop(self, scope: Scope, arn: str, abort: Abort) -> None:
        """Store that an execution was stopped, and tell it. moto's engine ends the execution later."""
        self.aborts[arn] = abort
        if (execution := running(arn)) and (started := self.started.get(arn)):
            self.tell(scope, execution, started, "ABORTED", abort.at, redriven=self._is_redriven(arn))
        if log := self._logs.pop(arn, None):
            at = datetime.fromtimestamp(abort.at, UTC).isoformat()
            number = str(abort.events + 1)
            event = {
                "id": number,
                "previous_event_id": "0",
                "type": "ExecutionAborted",
                "event_timestamp": at,
            }
            log.end(event, abort.details)

    def _forget_oldest(self) -> None:
        """Forget the oldest execution, unless it runs. AWS forgets one after 90 days."""
        arn = next(iter(self.started))
        if running(arn):
            self.started[arn] = self.started.pop(arn)  # look at another one next time
            return
        remove_execution(self.started[arn].arn, arn)
        forget_runs_of(arn)
        for by_arn in (self.aborts, self.started, self._logs, self._redrives, self._running):
            by_arn.pop(arn, None)

    def forget_machine(self, machine_arn: str) -> None:
        """Forget the executions of a deleted machine, because a new execution may have the same ARN."""
        beginning = machine_arn.replace(":stateMachine:", ":execution:") + ":"
        for by_arn in (self.aborts, self.started, self._logs, self._redrives, self._running):
            for arn in [arn for arn in by_arn if arn.startswith(beginning)]:
                del by_arn[arn]

    def describe_machine(self, request: Request) -> Reply:
        """Answer DescribeStateMachineForExecution."""
        found = child(request.json.get("executionArn", ""))
        arn = found[0].execution_arn if found else request.json.get("executionArn", "")
        while parent := child(arn):
            arn = parent[0].execution_arn
        if (started := self.started.get(arn)) is None:
            return self._moto(request)
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
        execution = running(arn)
        same, description = self._running.get(arn, (None, None))
        if description and same is execution and arn not in self.aborts:
            return description
        reply = self._moto(request)
        if not reply.ok:
            return reply
        told = self._corrected(request.scope, reply.json) | self._names(arn)
        for name in ("input", "output"):
            if name == "input" or f"{name}Details" in told:
                told[f"{name}Details"] = {"included": told.get(name) is not None}
        told = {name: value for name, value in told.items() if value is not None}
        redrives = self._redrives.get(arn, Redrives())
        reply = reply.with_json(told | redrives.facts(told, len(events_of(arn)), time.time()))
        is_small = len(reply.body) < _SMALL
        if execution is not None and is_small and told["status"] == "RUNNING":
            self._running[arn] = execution, reply
        else:
            self._running.pop(arn, None)
        return reply

    def list(self, request: Request) -> Reply:
        """Answer ListExecutions."""
        asked, status = request.json.get("stateMachineArn", ""), request.json.get("statusFilter")
        if asked and "redriveFilter" in request.json:
            raise RefusalError("ValidationException", "redriveFilter is only supported with mapRunArn")
        machine_arn = ":".join(asked.split(":")[:7])
        if asked == machine_arn and not (self.aborts and status):
            reply = self._moto(request)
            listed = [self._listed(request.scope, each) for each in reply.json.get("executions", [])]
            return reply.with_json(reply.json | {"executions": listed}) if reply.ok else reply
        found, token = list[dict[str, Any]](), dict[str, str]()
        while True:
            pages = {"stateMachineArn": machine_arn, "maxResults": 1000} | token
            reply = self._moto(request.with_json(pages))
            if not reply.ok:
                return reply
            found += reply.json["executions"]
            token = {name: value for name, value in reply.json.items() if name == "nextToken" and value}
            if not token:
                break
        # Filter after the correction, because moto's status of a stopped execution is wrong.
        listed = [self._listed(request.scope, execution) for execution in found]
        chosen = [it for it in listed if status in {None, it["status"]} and asked in it.values()]
        page, next_page = page_of(chosen, request.json)
        return json_reply({"executions": page} | next_page)

    def _listed(self, scope: Scope, execution: dict[str, Any]) -> dict[str, Any]:
        arn = execution["executionArn"]
        counted = self._redrives.get(arn, Redrives()).counted()
        return self._corrected(scope, execution) | self._names(arn) | counted

    def _names(self, arn: str) -> dict[str, str]:
        """The version and the alias by which an execution was started."""
        started = self.started.get(arn)
        return dict(started.names) if started else {}

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
            events = self._events(scope, execution.json)
        newest_first = bool(parameters.get("reverseOrder"))
        try:
            token = parameters.get("nextToken")
            begin, order = json.loads(base64.urlsafe_b64decode(token)) if token else (0, newest_first)
        except (binascii.Error, ValueError, TypeError):
            begin, order = None, None
        if order != newest_first or not isinstance(begin, int):
            raise RefusalError("InvalidToken", "Invalid Token: 'Invalid token'")
        most = int(parameters.get("maxResults") or 0) or _PAGE
        count = len(events)  # count only once, because a running execution grows
        page, letters = list[Event](), 0
        for number in range(count)[:: -1 if newest_first else 1][begin : begin + most]:
            page.append(as_aws(events[number]))
            # The size of a page must have a limit, because an event may have 256 KB twice.
            letters += _letters(page[-1])
            if letters > _PAGE_LETTERS:
                break
        reply: dict[str, Any] = {"events": page}
        # A running execution grows, so pages counted from its end overlap. They do on AWS, too.
        if (end := begin + len(page)) < count:
            reply["nextToken"] = base64.urlsafe_b64encode(json.dumps([end, newest_first]).encode()).decode()
        return json_reply(reply)

    def _corrected(self, scope: Scope, description: dict[str, Any]) -> dict[str, Any]:
        if abort := self._abort(description):
            motos = {"error", "cause", "output", "outputDetails"}
            kept = {name: value for name, value in description.items() if name not in motos}
            details = abort.details if "input" in description else {}  # a list has no error and cause
            return kept | {"status": "ABORTED", "stopDate": abort.at} | details
        # moto does not say when the time-out was.
        if description["status"] != "TIMED_OUT":
            return description
        arn = description["executionArn"]
        seconds = json.loads(self.started[arn].machine["definition"])["TimeoutSeconds"]
        redrives = self._redrives.get(arn, Redrives())
        return description | {"stopDate": (redrives.date or description["startDate"]) + seconds}

    def _events(self, scope: Scope, description: dict[str, Any]) -> Sequence[Event]:
        events: Sequence[Event] = events_of(description["executionArn"])
        # moto's engine ends these executions later: a stopped one as FAILED, a timed-out one after its task.
        if abort := self._abort(description):
            at, end = abort.at, {"type": "ExecutionAborted", "executionAbortedEventDetails": abort.details}
        elif description["status"] == "TIMED_OUT":
            at = float(self._corrected(scope, description)["stopDate"])
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
        abort = self.aborts.get(description["executionArn"])
        if abort is None or description["status"] in {"SUCCEEDED", "TIMED_OUT"}:
            return None
        return abort if float(description.get("stopDate") or abort.at) >= abort.at - 0.001 else None

    def call(self, scope: Scope, operation: str, **parameters: Any) -> Reply:
        """Call an operation of moto's Step Functions."""
        return self._moto.target(scope, f"AWSStepFunctions.{operation}", parameters)


def not_of_this_type() -> RefusalError:
    """The error of an operation on a machine of the other type."""
    reason = "This operation is not supported by this type of state machine"
    return RefusalError("StateMachineTypeNotSupported", reason)


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
