"""Answer Step Functions' API as AWS does. moto stores the state machines and runs them."""

import threading
import time
import uuid
from dataclasses import asdict
from typing import Any, Final

from sfn_emulator.engine.application import Moto
from sfn_emulator.engine.backends import events_of
from sfn_emulator.engine.internals import parse_error
from sfn_emulator.engine.task_tokens import end_executions, report
from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.replies import json_reply
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.states.history import Abort, Executions, with_references
from sfn_emulator.states.test_state import test_state
from sfn_emulator.states.validation import check_arns, check_definition, check_execution, task_outcome
from states_language import SCHEMA, Diagnostic
from states_language import diagnostics as diagnostics_of

_MOST_DIAGNOSTICS: Final = 100
_STOP_SECONDS: Final = 5.0
_NOT_ASSUMED: Final = (
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
    "the provided role."
)


class StatesApi:
    """The state machines of one emulator.

    Args:
        moto: Stores them and runs their executions.
        authorizer: Checks whether Step Functions can assume their roles.
    """

    def __init__(self, moto: Moto, authorizer: Authorizer) -> None:
        self._moto = moto
        self._authorizer = authorizer
        self._executions = Executions(moto)
        self._call = self._executions.call
        # moto checks whether a name is free, and then uses it. Two requests at once could use the same name.
        self._naming = threading.Lock()
        self._operations = {
            "CreateStateMachine": self._create,
            "UpdateStateMachine": self._update,
            "DeleteStateMachine": self._delete,
            "DescribeStateMachine": lambda request: with_references(moto(request)),
            "ValidateStateMachineDefinition": _validate,
            "StartExecution": self._start,
            "StopExecution": self._stop,
            "DescribeExecution": self._executions.describe,
            "DescribeStateMachineForExecution": self._executions.describe_machine,
            "GetExecutionHistory": self._executions.history,
            "ListExecutions": self._executions.list,
            "SendTaskSuccess": _report,
            "SendTaskFailure": _report,
            "SendTaskHeartbeat": _report,
            "TestState": self._test,
        }

    def answer(self, request: Request) -> Reply:
        """Answer a request to Step Functions."""
        check_arns(request.json)
        return self._operations.get(request.operation, self._moto)(request)

    def reset(self) -> None:
        """Stop all executions and forget everything."""
        end_executions()
        self._executions.forget()

    def _create(self, request: Request) -> Reply:
        arn = request.scope.arn(f"stateMachine:{request.json.get('name', '')}")
        check_definition(str(request.json.get("definition", "")), request.json.get("type"))
        self._check_role(request, arn)
        with self._naming:
            reply = self._moto(request)
            if not reply.ok:
                return reply
            arn = reply.json["stateMachineArn"]
            machine = self._call(request.scope, "DescribeStateMachine", stateMachineArn=arn).json
        # If a machine with this name exists already, moto returns it, even if it is different.
        new = request.json.get("definition"), request.json.get("type") or "STANDARD"
        if (machine.get("definition"), machine.get("type") or "STANDARD") != new:
            raise RefusalError("StateMachineAlreadyExists", f"State Machine Already Exists: '{arn}'")
        return reply

    def _update(self, request: Request) -> Reply:
        definition, arn = request.json.get("definition"), request.json.get("stateMachineArn", "")
        if definition is not None:
            machine = self._call(request.scope, "DescribeStateMachine", stateMachineArn=arn).json
            check_definition(str(definition), machine.get("type"))
            self._executions.keep_definition(request.scope, arn)
        self._check_role(request, arn)
        return self._moto(request)

    def _check_role(self, request: Request, machine_arn: str) -> None:
        if not self._authorizer.can_assume("states", request.json.get("roleArn"), machine_arn):
            raise RefusalError("AccessDeniedException", _NOT_ASSUMED)

    def _delete(self, request: Request) -> Reply:
        arn = request.json.get("stateMachineArn", "")
        # moto does not delete the tags. A new machine with this name would have them.
        tags = self._call(request.scope, "ListTagsForResource", resourceArn=arn)
        if tags.ok and (keys := [tag["key"] for tag in tags.json.get("tags", [])]):
            self._call(request.scope, "UntagResource", resourceArn=arn, tagKeys=keys)
        # moto only removes the machine's executions from its list. They would go on.
        end_executions(arn)
        reply = self._moto(request)
        self._executions.forget_machine(arn)
        return reply

    def _test(self, request: Request) -> Reply:
        return test_state(request, self._check_role)

    def _start(self, request: Request) -> Reply:
        # moto calls an execution without a name "None", and refuses the next one.
        parameters = {"name": str(uuid.uuid4()), "input": "{}"}
        parameters |= {name: value for name, value in request.json.items() if value is not None}
        check_execution(str(parameters["name"]), str(parameters["input"]))
        machine_arn = str(parameters.get("stateMachineArn", ""))
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{parameters['name']}"
        # In moto, a stopped execution runs until its function ends, and a running one may be started again.
        if arn in self._executions.aborts:
            raise RefusalError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        with self._naming:
            return self._moto(request.with_json(parameters))

    def _stop(self, request: Request) -> Reply:
        arn = request.json.get("executionArn", "")
        before = self._call(request.scope, "DescribeExecution", executionArn=arn)
        abort = self._executions.aborts.get(arn)
        if before.ok and before.json["status"] == "RUNNING" and abort is None:
            _wait_for_engine(before.json)
            error, cause = request.json.get("error"), request.json.get("cause")
            at = int(time.time() * 1000) / 1000  # moto, too, cuts a time to milliseconds
            abort = Abort(error, cause, at, len(events_of(arn)))
            self._executions.aborts[arn] = abort
        reply = self._moto(request)
        return reply.with_json({"stopDate": abort.at}) if abort and reply.ok else reply


def _report(request: Request) -> Reply:
    """Answer SendTaskSuccess, SendTaskFailure or SendTaskHeartbeat."""
    outcome = task_outcome(request.operation, request.json)
    report(request.json["taskToken"], outcome)
    return json_reply({})


def _validate(request: Request) -> Reply:
    definition, most = str(request.json.get("definition", "")), request.json.get("maxResults")
    diagnostics = diagnostics_of(definition, express=request.json.get("type") == "EXPRESS")
    failed = any(diagnostic.severity == "ERROR" for diagnostic in diagnostics)
    if not failed and (message := parse_error(definition)):
        failed, diagnostics = True, [*diagnostics, Diagnostic(SCHEMA, message, None)]
    severities = {"ERROR", request.json.get("severity")}
    shown = [
        {name: value for name, value in asdict(diagnostic).items() if value}
        for diagnostic in diagnostics
        if diagnostic.severity in severities
    ]
    page = shown[: most or _MOST_DIAGNOSTICS]
    result = {"result": "FAIL" if failed else "OK", "diagnostics": page, "truncated": len(page) < len(shown)}
    return json_reply(result)


def _wait_for_engine(execution: dict[str, Any]) -> None:
    # moto cannot stop an execution before it has entered its first state.
    arn, until = execution["executionArn"], execution["startDate"] + _STOP_SECONDS
    while time.time() < until and len(events_of(arn)) < 2:
        time.sleep(0.002)
