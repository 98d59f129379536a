"""Answer Step Functions' API as AWS does; moto keeps the machines and runs them."""

import json
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from lottery_lib.emulator.moto_wire import Moto
from lottery_lib.emulator.replies import json_error, json_reply
from lottery_lib.emulator.states_checks import why_not_definition, why_not_execution
from lottery_lib.emulator.states_corrections import (
    Abort,
    aborted_description,
    aborted_events,
    choice_fault,
    corrected_description,
    corrected_events,
    holds,
    unmatched_choice,
)
from lottery_lib.emulator.states_pages import page_of
from lottery_lib.emulator.wire import Reply, Request, Scope

__all__ = ["StatesApi"]

_TARGET: Final = "AWSStepFunctions."
_STOP_SECONDS: Final = 5.0


class StatesApi:
    """The state machines of one emulator.

    Args:
        moto: Keeps them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._aborts: dict[str, Abort] = {}
        # moto looks whether a name is free and then takes it: two at once must not.
        self._naming = threading.Lock()
        self._operations = {
            "CreateStateMachine": self._create,
            "UpdateStateMachine": self._update,
            "DeleteStateMachine": self._delete,
            "ValidateStateMachineDefinition": self._validate,
            "StartExecution": self._start,
            "StopExecution": self._stop,
            "DescribeExecution": self._describe,
            "GetExecutionHistory": self._history,
            "ListExecutions": self._list,
        }

    def answer(self, request: Request) -> Reply | None:
        """Answer a request that is Step Functions'; None for any other."""
        if request.scope.service != "states":
            return None
        operation = self._operations.get(request.operation)
        return operation(request) if operation else self._moto(request)

    def reset(self) -> None:
        """Forget all."""
        self._aborts.clear()

    def _call(self, scope: Scope, operation: str, **parameters: Any) -> Reply:
        return self._moto.target(scope, _TARGET + operation, parameters)

    def _create(self, request: Request) -> Reply:
        if refusal := why_not_definition(str(request.json.get("definition", ""))):
            return json_error(*refusal)
        with self._naming:
            reply = self._moto(request)
            if not reply.ok:
                return _with_code(reply, "InvalidDefinition")
            arn = reply.json["stateMachineArn"]
            there = self._call(request.scope, "DescribeStateMachine", stateMachineArn=arn).json
        # moto answers for a machine of that name that was there, whatever it is.
        asked = request.json.get("definition"), request.json.get("type") or "STANDARD"
        if (there.get("definition"), there.get("type") or "STANDARD") != asked:
            return json_error("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        return reply

    def _update(self, request: Request) -> Reply:
        definition = request.json.get("definition")
        if definition is not None and (refusal := why_not_definition(str(definition))):
            return json_error(*refusal)
        return _with_code(self._moto(request), "InvalidDefinition")

    def _delete(self, request: Request) -> Reply:
        arn = request.json.get("stateMachineArn", "")
        # moto keeps the tags, and a new machine of that name would have them.
        listed = self._call(request.scope, "ListTagsForResource", resourceArn=arn)
        if listed.ok and (keys := [tag["key"] for tag in listed.json.get("tags", [])]):
            self._call(request.scope, "UntagResource", resourceArn=arn, tagKeys=keys)
        return self._moto(request)

    def _validate(self, request: Request) -> Reply:
        refusal = why_not_definition(str(request.json.get("definition", "")))
        if refusal is None:
            refusal = self._why_moto_refuses(request)
        if refusal is None:
            return json_reply({"result": "OK", "diagnostics": [], "truncated": False})
        fault = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": refusal[1]}
        return json_reply({"result": "FAIL", "diagnostics": [fault], "truncated": False})

    def _why_moto_refuses(self, request: Request) -> tuple[str, str] | None:
        # moto's parser is only reached by creating a machine.
        name, role = f"validate-{uuid.uuid4()}", "arn:aws:iam::123456789012:role/validate"
        definition = request.json.get("definition")
        reply = self._call(
            request.scope, "CreateStateMachine", name=name, definition=definition, roleArn=role
        )
        if not reply.ok:
            return "InvalidDefinition", str(reply.json.get("message"))
        self._call(request.scope, "DeleteStateMachine", stateMachineArn=reply.json["stateMachineArn"])
        return None

    def _start(self, request: Request) -> Reply:
        # moto calls an execution without a name "None", and refuses the next one.
        parameters = {"name": str(uuid.uuid4()), "input": "{}"} | _given(request.json)
        if refusal := why_not_execution(str(parameters["name"]), str(parameters["input"])):
            return json_error(*refusal)
        with self._naming:
            return self._moto(request.with_json(parameters))

    def _stop(self, request: Request) -> Reply:
        arn = request.json.get("executionArn", "")
        before = self._call(request.scope, "DescribeExecution", executionArn=arn)
        if not before.ok or before.json["status"] != "RUNNING" or arn in self._aborts:
            reply = self._moto(request)
            return reply.with_json({"stopDate": self._aborts[arn].at}) if arn in self._aborts else reply
        self._wait_for_engine(request.scope, arn)
        self._aborts[arn] = Abort(request.json.get("error"), request.json.get("cause"), round(time.time(), 3))
        reply = self._moto(request)
        return reply.with_json({"stopDate": self._aborts[arn].at}) if reply.ok else reply

    def _wait_for_engine(self, scope: Scope, arn: str) -> None:
        # moto cannot stop an execution that started this moment: its engine does not know it yet.
        deadline = time.monotonic() + _STOP_SECONDS
        while not self._events(scope, arn) and time.monotonic() < deadline:
            time.sleep(0.002)

    def _describe(self, request: Request) -> Reply:
        reply = self._moto(request)
        if not reply.ok:
            return reply
        arn = reply.json["executionArn"]
        if abort := self._abort(reply.json):
            return reply.with_json(aborted_description(reply.json, abort))
        if reply.json["status"] in {"RUNNING", "SUCCEEDED"}:
            return reply
        events = self._events(request.scope, arn)
        fault = self._fault(request.scope, arn, reply.json.get("cause"), events)
        stopped = events[-1]["timestamp"] if events else None
        return reply.with_json(corrected_description(reply.json, fault=fault, stopped=stopped))

    def _history(self, request: Request) -> Reply:
        reply = self._moto(request)
        if not reply.ok:
            return reply
        page = page_of(
            self._corrected(request.scope, request.json["executionArn"], reply.json["events"]),
            size=int(request.json.get("maxResults") or 0),
            token=request.json.get("nextToken"),
            newest_first=bool(request.json.get("reverseOrder")),
        )
        return reply.with_json(page) if page else json_error("InvalidToken", "Invalid Token: 'Invalid token'")

    def _corrected(self, scope: Scope, arn: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if arn in self._aborts:
            description = self._call(scope, "DescribeExecution", executionArn=arn)
            if description.ok and (abort := self._abort(description.json)):
                return aborted_events(events, abort)
        failed = events[-1].get("executionFailedEventDetails") or {} if events else {}
        return corrected_events(events, self._fault(scope, arn, failed.get("cause"), events))

    def _list(self, request: Request) -> Reply:
        if not self._aborts:
            return self._moto(request)
        # moto's word on what was stopped is not the last one: the filter must come after it.
        unfiltered = {name: value for name, value in request.json.items() if name != "statusFilter"}
        reply = self._moto(request.with_json(unfiltered))
        if not reply.ok:
            return reply
        wanted = request.json.get("statusFilter")
        corrected = [
            aborted_description(each, abort) if (abort := self._abort(each)) else each
            for each in reply.json["executions"]
        ]
        kept = [each for each in corrected if wanted in {None, each["status"]}]
        return reply.with_json(reply.json | {"executions": kept})

    def _abort(self, description: Mapping[str, Any]) -> Abort | None:
        abort = self._aborts.get(description["executionArn"])
        return abort if abort and holds(abort, description) else None

    def _events(self, scope: Scope, arn: str) -> list[dict[str, Any]]:
        return self._call(scope, "GetExecutionHistory", executionArn=arn).json.get("events", [])  # type: ignore[no-any-return]

    def _fault(
        self, scope: Scope, arn: str, cause: str | None, events: list[dict[str, Any]]
    ) -> tuple[str, str] | None:
        if (name := unmatched_choice(cause)) is None:
            return None
        machine = self._call(scope, "DescribeStateMachineForExecution", executionArn=arn).json
        return choice_fault(name, events, json.loads(machine.get("definition", "{}")))


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _with_code(reply: Reply, code: str) -> Reply:
    """Name the error that moto leaves without a name."""
    if reply.ok or reply.status >= 500 or reply.json.get("__type"):
        return reply
    return json_error(code, f"Invalid State Machine Definition: '{reply.json.get('message')}'")
