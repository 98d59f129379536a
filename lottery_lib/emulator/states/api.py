"""Answer Step Functions' API as AWS does; moto keeps the machines and runs them."""

import functools
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from lottery_lib.emulator.http.messages import Reply, Request, Scope
from lottery_lib.emulator.http.replies import json_error, json_reply
from lottery_lib.emulator.iam.gate import Iam
from lottery_lib.emulator.moto.application import Moto
from lottery_lib.emulator.moto.states_events import noted
from lottery_lib.emulator.states.checks import why_not_definition, why_not_execution
from lottery_lib.emulator.states.corrections import Abort
from lottery_lib.emulator.states.readings import Readings

__all__ = ["StatesApi"]

_TARGET: Final = "AWSStepFunctions."
_STOP_SECONDS: Final = 5.0
_NOT_ASSUMED: Final = (
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
    "the provided role."
)


class StatesApi:
    """The state machines of one emulator.

    Args:
        moto: Keeps them.
        iam: Knows whether Step Functions can assume their roles.
        act_as: Is told the role of the machine whose call the engine makes next.
    """

    def __init__(self, moto: Moto, iam: Iam, act_as: Callable[[str], None]) -> None:
        self._moto = moto
        self._iam = iam
        self._act_as = act_as
        self._readings = Readings(moto)
        # moto looks whether a name is free and then takes it: two at once must not.
        self._naming = threading.Lock()
        self._operations = {
            "CreateStateMachine": self._create,
            "UpdateStateMachine": self._update,
            "DeleteStateMachine": self._delete,
            "ValidateStateMachineDefinition": self._validate,
            "StartExecution": self._start,
            "StopExecution": self._stop,
            "DescribeExecution": self._readings.describe,
            "DescribeStateMachineForExecution": self._readings.describe_machine,
            "GetExecutionHistory": self._readings.history,
            "ListExecutions": self._readings.list,
        }

    def answer(self, request: Request) -> Reply | None:
        """Answer a request that is Step Functions'; None for any other."""
        if request.scope.service != "states":
            return None
        _correct_engine(self._act_as)
        operation = self._operations.get(request.operation)
        return operation(request) if operation else self._moto(request)

    def reset(self) -> None:
        """Forget all."""
        self._readings.forget()

    def _call(self, scope: Scope, operation: str, **parameters: Any) -> Reply:
        return self._moto.target(scope, _TARGET + operation, parameters)

    def _create(self, request: Request) -> Reply:
        if refusal := why_not_definition(str(request.json.get("definition", ""))):
            return json_error(*refusal)
        if refused := self._why_not_role(request, _machine_arn(request)):
            return refused
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
        if refused := self._why_not_role(request, request.json.get("stateMachineArn", "")):
            return refused
        if definition is not None:
            self._readings.keep_definition(request.scope, request.json.get("stateMachineArn", ""))
        return _with_code(self._moto(request), "InvalidDefinition")

    def _why_not_role(self, request: Request, machine_arn: str) -> Reply | None:
        if self._iam.can_assume("states", request.json.get("roleArn"), machine_arn):
            return None
        return json_error("AccessDeniedException", _NOT_ASSUMED)

    def _delete(self, request: Request) -> Reply:
        arn = request.json.get("stateMachineArn", "")
        # moto keeps the tags, and a new machine of that name would have them.
        listed = self._call(request.scope, "ListTagsForResource", resourceArn=arn)
        if listed.ok and (keys := [tag["key"] for tag in listed.json.get("tags", [])]):
            self._call(request.scope, "UntagResource", resourceArn=arn, tagKeys=keys)
        self._end_all(request.scope, arn)
        self._readings.forget_definitions(arn)
        return self._moto(request)

    def _end_all(self, scope: Scope, machine_arn: str) -> None:
        # moto forgets them, and lets them go on.
        running = self._call(scope, "ListExecutions", stateMachineArn=machine_arn, statusFilter="RUNNING")
        for execution in running.json.get("executions", []):
            self._wait_for_engine(execution)
            self._call(scope, "StopExecution", executionArn=execution["executionArn"])

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
        abort = self._readings.aborts.get(arn)
        if before.ok and before.json["status"] == "RUNNING" and abort is None:
            self._wait_for_engine(before.json)
            parameters = request.json
            abort = Abort(parameters.get("error"), parameters.get("cause"), round(time.time(), 3))
            self._readings.aborts[arn] = abort
        reply = self._moto(request)
        return reply.with_json({"stopDate": abort.at}) if abort and reply.ok else reply

    def _wait_for_engine(self, execution: dict[str, Any]) -> None:
        # moto cannot stop an execution that started this moment: its engine does not know it yet.
        while time.time() < execution["startDate"] + _STOP_SECONDS:
            if noted(execution["executionArn"]):
                return
            time.sleep(0.002)


@functools.cache
def _correct_engine(act_as: Callable[[str], None]) -> None:
    # These load moto's engine.
    from lottery_lib.emulator.moto.errors import correct_engine  # noqa: PLC0415
    from lottery_lib.emulator.moto.iam_engine import call_as_roles  # noqa: PLC0415

    correct_engine()
    call_as_roles(act_as)


def _machine_arn(request: Request) -> str:
    partition = "aws-cn" if request.scope.region.startswith("cn-") else "aws"
    name = request.json.get("name", "")
    return f"arn:{partition}:states:{request.scope.region}:123456789012:stateMachine:{name}"


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _with_code(reply: Reply, code: str) -> Reply:
    """Name the error that moto leaves without a name."""
    if reply.ok or reply.status >= 500 or reply.json.get("__type"):
        return reply
    return json_error(code, f"Invalid State Machine Definition: '{reply.json.get('message')}'")
