"""Describe executions and their histories as AWS does. moto stores them.

When an execution is stopped or times out, moto's engine goes on for a while. So this module corrects the
status, the end and the history of such an execution.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sfn_emulator.engine.application import Moto
from sfn_emulator.engine.backends import events_of, running
from sfn_emulator.http.messages import RefusalError, Reply, Request, Scope
from sfn_emulator.http.replies import json_reply
from states_language import variable_references

Event = dict[str, Any]
_ENDS: Final = ("ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut")
_PAGE: Final = 100  # AWS's default


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


class Executions:
    """Answers DescribeExecution, DescribeStateMachineForExecution, GetExecutionHistory and ListExecutions.

    Args:
        moto: Stores the executions.
    """

    def __init__(self, moto: Moto) -> None:
        self.aborts: dict[str, Abort] = {}
        self._moto = moto
        self._definitions: dict[str, str] = {}  # of executions whose machines were updated later
        # moto's objects for running executions, and the descriptions of these executions.
        self._running: dict[str, tuple[object, Reply]] = {}

    def forget(self) -> None:
        """Forget everything."""
        self.aborts.clear()
        self._definitions = {}
        self._running = {}

    def keep_definition(self, scope: Scope, machine_arn: str) -> None:
        """Keep the present definition for the machine's executions, because the machine will be updated."""
        machine = self.call(scope, "DescribeStateMachine", stateMachineArn=machine_arn).json
        reply = self.call(scope, "ListExecutions", stateMachineArn=machine_arn, maxResults=1000)
        for execution in reply.json.get("executions", []):
            self._definitions.setdefault(execution["executionArn"], machine["definition"])

    def forget_machine(self, machine_arn: str) -> None:
        """Forget the executions of a deleted machine, because a new execution may have the same ARN."""
        beginning = machine_arn.replace(":stateMachine:", ":execution:") + ":"
        for by_arn in (self.aborts, self._definitions, self._running):
            for arn in [arn for arn in by_arn if arn.startswith(beginning)]:
                del by_arn[arn]

    def describe_machine(self, request: Request) -> Reply:
        """Answer DescribeStateMachineForExecution."""
        reply = self._moto(request)
        # moto returns the definition that the machine has now.
        definition = self._definitions.get(request.json.get("executionArn", ""))
        return with_references(
            reply.with_json(reply.json | {"definition": definition}) if reply.ok and definition else reply
        )

    def describe(self, request: Request) -> Reply:
        """Answer DescribeExecution. The description of a running execution is kept for further calls."""
        arn = request.json.get("executionArn", "")
        execution = running(arn)
        same, description = self._running.get(arn, (None, None))
        if description and same is execution and arn not in self.aborts:
            return description
        reply = self._moto(request)
        if not reply.ok:
            return reply
        reply = reply.with_json(reply.json | {"inputDetails": {"included": True}})
        if execution is not None and reply.json["status"] == "RUNNING":
            self._running[arn] = execution, reply
        else:
            self._running.pop(arn, None)
        return reply.with_json(self._corrected(request.scope, reply.json))

    def list(self, request: Request) -> Reply:
        """Answer ListExecutions."""
        # Filter after the correction, because moto's status of a stopped execution is wrong.
        status = request.json.get("statusFilter")
        ignored = {"statusFilter"} if self.aborts else set()
        parameters = {name: value for name, value in request.json.items() if name not in ignored}
        reply = self._moto(request.with_json(parameters))
        if not reply.ok:
            return reply
        executions = [self._corrected(request.scope, execution) for execution in reply.json["executions"]]
        shown = [execution for execution in executions if status in {None, execution["status"]}]
        return reply.with_json(reply.json | {"executions": shown})

    def history(self, request: Request) -> Reply:
        """Answer GetExecutionHistory."""
        parameters, scope = request.json, request.scope
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
        end = begin + (int(parameters.get("maxResults") or 0) or _PAGE)
        count = len(events)  # count only once, because a running execution grows
        page = events[begin:end]
        if newest_first:
            page = events[max(count - end, 0) : max(count - begin, 0)][::-1]
        reply: dict[str, Any] = {"events": [as_aws(event) for event in page]}
        # A running execution grows, so pages counted from its end overlap. They do on AWS, too.
        if end < count:
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
        machine = self.call(scope, "DescribeStateMachineForExecution", executionArn=arn).json
        seconds = json.loads(self._definitions.get(arn, machine["definition"]))["TimeoutSeconds"]
        return description | {"stopDate": description["startDate"] + seconds}

    def _events(self, scope: Scope, description: dict[str, Any]) -> Sequence[Event]:
        events = events_of(description["executionArn"])
        # moto's engine ends these executions later: a stopped one as FAILED, a timed-out one after its task.
        if abort := self._abort(description):
            at, end = abort.at, {"type": "ExecutionAborted", "executionAbortedEventDetails": abort.details}
            events = events[: abort.events]
        elif description["status"] == "TIMED_OUT":
            at = float(self._corrected(scope, description)["stopDate"])
            end = {"type": "ExecutionTimedOut", "executionTimedOutEventDetails": {}}
        else:
            return events
        time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        kept = [event for event in events if event["timestamp"] <= time and event["type"] not in _ENDS]
        return [*kept, {"timestamp": time, "id": len(kept) + 1, "previousEventId": 0} | end]

    def _abort(self, description: Mapping[str, Any]) -> Abort | None:
        """The StopExecution that ended an execution; None if the execution ended otherwise, or runs."""
        abort = self.aborts.get(description["executionArn"])
        if abort is None or description["status"] in {"SUCCEEDED", "TIMED_OUT"}:
            return None
        return abort if float(description.get("stopDate") or abort.at) >= abort.at - 0.001 else None

    def call(self, scope: Scope, operation: str, **parameters: Any) -> Reply:
        """Call an operation of moto's Step Functions."""
        return self._moto.target(scope, f"AWSStepFunctions.{operation}", parameters)


def with_references(reply: Reply) -> Reply:
    """The description of a machine with the variables that its states read."""
    references = variable_references(reply.json.get("definition") or "{}") if reply.ok else {}
    return reply.with_json(reply.json | {"variableReferences": references}) if references else reply


def as_aws(event: Event) -> Event:
    """An event of moto's engine in the form of GetExecutionHistory."""
    plain = {name: event[name] for name in ("id", "previousEventId", "type")}
    details = {
        name: {key: value for key, value in fields.items() if value is not None}
        for name, fields in event.items()
        if name.endswith("EventDetails")
    }
    return plain | {"timestamp": datetime.fromisoformat(event["timestamp"]).timestamp()} | details
