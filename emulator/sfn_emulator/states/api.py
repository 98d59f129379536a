"""Answer Step Functions' API as AWS does. moto stores the state machines and runs them."""

import uuid
from dataclasses import asdict
from typing import Final

from sfn_emulator.engine.application import Moto
from sfn_emulator.engine.executions import Announce
from sfn_emulator.engine.map_runs import child, forget, map_runs_of
from sfn_emulator.engine.task_tokens import check_token, end_executions, report
from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.replies import json_reply, unknown_operation
from sfn_emulator.http.service_models import check_call
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.logs import LogWriter
from sfn_emulator.states import map_runs
from sfn_emulator.states.history import Executions, sync_result
from sfn_emulator.states.machines import Machines, Started
from sfn_emulator.states.test_state import test_state
from sfn_emulator.states.validation import check_arns, check_execution, check_size, faults, task_outcome

_MOST_DIAGNOSTICS: Final = 100
_STOP_SECONDS: Final = 5.0


class StatesApi:
    """The state machines of one emulator.

    Args:
        moto: Stores them and runs their executions.
        authorizer: Checks whether Step Functions can assume their roles.
        writer: Writes the logs of their executions.
        announce: Learns that an execution has begun or ended.
    """

    def __init__(self, moto: Moto, authorizer: Authorizer, writer: LogWriter, announce: Announce) -> None:
        self._moto = moto
        self._machines = Machines(moto, authorizer)
        self._executions = Executions(moto, writer, announce)
        self._call = self._executions.call
        self._operations = self._machines.operations | {
            "DeleteStateMachine": self._delete,
            "ValidateStateMachineDefinition": _validate,
            "StartExecution": self._start,
            "StartSyncExecution": self._start_sync,
            "StopExecution": self._executions.stop,
            "DescribeExecution": self._executions.describe,
            "DescribeStateMachineForExecution": self._executions.describe_machine,
            "GetExecutionHistory": self._executions.history,
            "ListExecutions": self._list,
            "RedriveExecution": self._executions.redrive,
            "DescribeMapRun": map_runs.describe_map_run,
            "ListMapRuns": self._list_map_runs,
            "UpdateMapRun": map_runs.update_map_run,
            "SendTaskSuccess": _report,
            "SendTaskFailure": _report,
            "SendTaskHeartbeat": _report,
            "TestState": self._test,
            # moto is right about these. It has a part of activities, too, but no worker could get a task.
            **dict.fromkeys(("ListTagsForResource", "UntagResource"), moto),
        }

    def answer(self, request: Request) -> Reply:
        """Answer a request to Step Functions."""
        check_arns(request.json)
        if request.operation.startswith("List"):
            check_call("stepfunctions", request.operation, request.json)
        if (answer := self._operations.get(request.operation)) is None:
            raise unknown_operation(request)
        return answer(request)

    def reset(self) -> None:
        """Stop all executions and forget everything."""
        end_executions()
        forget()
        self._executions.forget()
        self._machines.forget()

    def _delete(self, request: Request) -> Reply:
        check_call("stepfunctions", request.operation, request.json)
        arn = request.json["stateMachineArn"]
        # moto does not delete the tags. A new machine with this name would have them.
        tags = self._call(request.scope, "ListTagsForResource", resourceArn=arn)
        if tags.ok and (keys := [tag["key"] for tag in tags.json.get("tags", [])]):
            self._call(request.scope, "UntagResource", resourceArn=arn, tagKeys=keys)
        # moto only removes the machine's executions from its list. They would go on.
        end_executions(arn)
        forget(arn)
        reply = self._moto(request)
        self._executions.forget_machine(arn)
        self._machines.forget(arn)
        return reply

    def _test(self, request: Request) -> Reply:
        return test_state(request, self._machines.check_role)

    def _start(self, request: Request) -> Reply:
        started, name, given = self._asked(request)
        if started.machine["type"] == "EXPRESS":
            execution = self._executions.begin(request.scope, started, name, given)
        else:
            arn = started.execution_arn(name)
            with self._machines.naming:
                execution = self._executions.same(arn, given)
                execution = execution or self._executions.begin(request.scope, started, name, given)
        began = int(execution.start_date.timestamp() * 1000) / 1000  # moto, too, cuts a time to milliseconds
        return json_reply({"executionArn": execution.exec_arn, "startDate": began})

    def _list(self, request: Request) -> Reply:
        arn, of_run = request.json.get("stateMachineArn", ""), request.json.get("mapRunArn")
        if bool(arn) == bool(of_run):
            raise RefusalError("ValidationException", "Must provide a StateMachine ARN or MapRun ARN")
        if of_run:
            return map_runs.children_of([map_runs.asked(request)], request)
        if runs := map_runs_of(arn):
            return map_runs.children_of(runs, request)
        if self._machines.chosen(arn).machine["type"] == "EXPRESS":
            raise map_runs.not_of_this_type()
        return self._executions.list(request)

    def _list_map_runs(self, request: Request) -> Reply:
        arn = request.json["executionArn"]
        exists = bool(child(arn)) or self._call(request.scope, "DescribeExecution", executionArn=arn).ok
        return map_runs.list_map_runs(request, exists)

    def _start_sync(self, request: Request) -> Reply:
        started, name, given = self._asked(request)
        if started.machine["type"] != "EXPRESS":
            raise map_runs.not_of_this_type()
        execution = self._executions.begin(request.scope, started, name, given, sync=True)
        return json_reply(sync_result(execution, started))

    def _asked(self, request: Request) -> tuple[Started, str, str]:
        """What a request starts: the machine, and the execution's name and input."""
        # moto calls an execution without a name "None", and refuses the next one.
        parameters = {"name": str(uuid.uuid4()), "input": "{}"}
        parameters |= {name: value for name, value in request.json.items() if value is not None}
        name, given = str(parameters["name"]), str(parameters["input"])
        check_execution(name, given)
        return self._machines.chosen(str(parameters.get("stateMachineArn", ""))), name, given


def _report(request: Request) -> Reply:
    """Answer SendTaskSuccess, SendTaskFailure or SendTaskHeartbeat."""
    outcome = task_outcome(request.operation, request.json, check_token)
    report(request.json["taskToken"], outcome)
    return json_reply({})


def _validate(request: Request) -> Reply:
    definition, most = str(request.json.get("definition", "")), request.json.get("maxResults")
    check_size(definition)
    diagnostics = faults(definition, request.json.get("type"))
    failed = any(diagnostic.severity == "ERROR" for diagnostic in diagnostics)
    chosen = [it for it in diagnostics if it.severity in {"ERROR", request.json.get("severity")}]
    shown = [{name: value for name, value in asdict(it).items() if value} for it in chosen]
    page = shown[: most or _MOST_DIAGNOSTICS]
    result = {"result": "FAIL" if failed else "OK", "diagnostics": page, "truncated": len(page) < len(shown)}
    return json_reply(result)
