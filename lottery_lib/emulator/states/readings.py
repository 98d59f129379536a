"""Read executions as AWS tells them; moto keeps them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from lottery_lib.emulator.http.messages import Reply, Request, Scope
from lottery_lib.emulator.http.replies import json_error, json_reply
from lottery_lib.emulator.moto.application import Moto
from lottery_lib.emulator.moto.states_events import Event, noted, told
from lottery_lib.emulator.states.corrections import (
    Abort,
    aborted_description,
    aborted_events,
    holds,
    timed_out_events,
)
from lottery_lib.emulator.states.states_pages import page_of

__all__ = ["Readings"]


class Readings:
    """What DescribeExecution, its machine, GetExecutionHistory and ListExecutions say.

    Args:
        moto: Keeps the executions.
    """

    def __init__(self, moto: Moto) -> None:
        self.aborts: dict[str, Abort] = {}
        self._moto = moto
        self._definitions: dict[str, str] = {}  # of executions whose machine has another one by now

    def forget(self) -> None:
        """Forget all."""
        self.aborts.clear()
        self._definitions = {}

    def keep_definition(self, scope: Scope, machine_arn: str) -> None:
        """Remember what the machine's executions ran with: it is about to be given another definition."""
        machine = self._call(scope, "DescribeStateMachine", stateMachineArn=machine_arn).json
        listed = self._call(scope, "ListExecutions", stateMachineArn=machine_arn, maxResults=1000).json
        for each in listed.get("executions", []):
            self._definitions.setdefault(each["executionArn"], machine["definition"])

    def forget_definitions(self, machine_arn: str) -> None:
        """The machine is gone: another execution may have the name of one of its."""
        gone = machine_arn.replace(":stateMachine:", ":execution:") + ":"
        self._definitions = {arn: text for arn, text in self._definitions.items() if not arn.startswith(gone)}

    def describe_machine(self, request: Request) -> Reply:
        """DescribeStateMachineForExecution."""
        reply = self._moto(request)
        # moto tells the definition that the machine has now.
        definition = self._definitions.get(request.json.get("executionArn", ""))
        return reply.with_json(reply.json | {"definition": definition}) if reply.ok and definition else reply

    def describe(self, request: Request) -> Reply:
        """DescribeExecution."""
        reply = self._moto(request)
        if not reply.ok:
            return reply
        return reply.with_json(self._corrected_description(request.scope, reply.json))

    def _corrected_description(self, scope: Scope, description: dict[str, Any]) -> dict[str, Any]:
        if abort := self._abort(description):
            return aborted_description(description, abort)
        # moto does not tell when the time was over.
        if description["status"] != "TIMED_OUT":
            return description
        arn = description["executionArn"]
        machine = self._call(scope, "DescribeStateMachineForExecution", executionArn=arn).json
        seconds = json.loads(self._definitions.get(arn, machine["definition"]))["TimeoutSeconds"]
        return description | {"stopDate": description["startDate"] + seconds}

    def history(self, request: Request) -> Reply:
        """GetExecutionHistory."""
        arn = request.json.get("executionArn", "")
        described = self._call(request.scope, "DescribeExecution", executionArn=arn)
        if not described.ok:
            return described
        page = page_of(
            self._events(request.scope, described.json),
            size=int(request.json.get("maxResults") or 0),
            token=request.json.get("nextToken"),
            newest_first=bool(request.json.get("reverseOrder")),
        )
        if page is None:
            return json_error("InvalidToken", "Invalid Token: 'Invalid token'")
        return json_reply(page | {"events": [told(event) for event in page["events"]]})

    def _events(self, scope: Scope, description: dict[str, Any]) -> Sequence[Event]:
        events = noted(description["executionArn"])
        if abort := self._abort(description):
            return aborted_events(events, abort)
        if description["status"] == "TIMED_OUT":
            ended = self._corrected_description(scope, description)
            return timed_out_events(events, float(ended["stopDate"]))
        return events

    def list(self, request: Request) -> Reply:
        """ListExecutions."""
        # moto's word on what was stopped is not the last one: the filter must come after it.
        wanted = request.json.get("statusFilter")
        ignored = {"statusFilter"} if self.aborts else set()
        asked = {name: value for name, value in request.json.items() if name not in ignored}
        reply = self._moto(request.with_json(asked))
        if not reply.ok:
            return reply
        corrected = [self._corrected_description(request.scope, each) for each in reply.json["executions"]]
        kept = [each for each in corrected if wanted in {None, each["status"]}]
        return reply.with_json(reply.json | {"executions": kept})

    def _abort(self, description: Mapping[str, Any]) -> Abort | None:
        abort = self.aborts.get(description["executionArn"])
        return abort if abort and holds(abort, description) else None

    def _call(self, scope: Scope, operation: str, **parameters: Any) -> Reply:
        return self._moto.target(scope, f"AWSStepFunctions.{operation}", parameters)
