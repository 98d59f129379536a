"""Read executions as AWS tells them; moto keeps them."""

import json
from collections.abc import Mapping
from typing import Any, Final

from lottery_lib.emulator.moto_wire import Moto
from lottery_lib.emulator.replies import json_error, json_reply
from lottery_lib.emulator.states_corrections import (
    Abort,
    aborted_description,
    aborted_events,
    holds,
    timed_out_events,
)
from lottery_lib.emulator.states_pages import page_of
from lottery_lib.emulator.wire import Reply, Request, Scope

__all__ = ["Readings"]

_KEPT: Final = 32
Events = list[dict[str, Any]]


class Readings:
    """What DescribeExecution, GetExecutionHistory and ListExecutions say.

    Args:
        moto: Keeps the executions.
    """

    def __init__(self, moto: Moto) -> None:
        self.aborts: dict[str, Abort] = {}
        self._moto = moto
        self._histories: dict[str, Events] = {}

    def forget(self) -> None:
        """Forget all."""
        self.aborts.clear()
        self.forget_histories()

    def forget_histories(self) -> None:
        """Another execution may have the name of one that is gone."""
        self._histories = {}

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
        seconds = json.loads(machine["definition"])["TimeoutSeconds"]
        return description | {"stopDate": description["startDate"] + seconds}

    def history(self, request: Request) -> Reply:
        """GetExecutionHistory."""
        arn = request.json.get("executionArn", "")
        # moto needs a second for a thousand events, whichever page is asked for. So the pages that follow are
        # of the history as it was at the first: who reads a loop that runs would else never come to its end.
        events = self._histories.get(arn)
        if events is None or not (request.json.get("nextToken") or _has_ended(events)):
            reply = self._moto(request)
            if not reply.ok:
                return reply
            events = self._corrected(request.scope, arn, reply.json["events"])
            self._keep(arn, events)
        page = page_of(
            events,
            size=int(request.json.get("maxResults") or 0),
            token=request.json.get("nextToken"),
            newest_first=bool(request.json.get("reverseOrder")),
        )
        return json_reply(page) if page else json_error("InvalidToken", "Invalid Token: 'Invalid token'")

    def _keep(self, arn: str, events: Events) -> None:
        self._histories = dict([*self._histories.items(), (arn, events)][-_KEPT:])

    def _corrected(self, scope: Scope, arn: str, events: Events) -> Events:
        if arn not in self.aborts and _has_ended(events):
            return events
        description = self._call(scope, "DescribeExecution", executionArn=arn)
        if description.ok and (abort := self._abort(description.json)):
            return aborted_events(events, abort)
        if description.ok and description.json["status"] == "TIMED_OUT":
            ended = self._corrected_description(scope, description.json)
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


def _has_ended(events: Events) -> bool:
    return bool(events) and events[-1]["type"] in {"ExecutionFailed", "ExecutionSucceeded"}
