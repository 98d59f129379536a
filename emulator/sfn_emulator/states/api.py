"""Answer Step Functions' API as AWS does."""

import json
import uuid
from dataclasses import asdict, replace
from typing import Final

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.replies import json_reply, unknown_operation
from sfn_emulator.http.service_models import check_call
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.states.executions import Executions, sync_result
from sfn_emulator.states.machines import Machines, Started
from sfn_emulator.states.map_runs import not_of_this_type
from sfn_emulator.states.test_state import test_state
from sfn_emulator.states.validation import check_arns, check_execution, check_size, task_outcome
from sfn_emulator.states.world import World
from sfn_emulator.storage.application import Moto
from states_language import diagnostics
from states_language.execution import Answered, Beat

_MOST_DIAGNOSTICS: Final = 100
#: AWS looks at something else of these first, such as a name or a token.
_LATER: Final = {
    "CreateStateMachineAlias", "SendTaskFailure", "SendTaskHeartbeat", "SendTaskSuccess", "StartExecution",
    "StartSyncExecution", "TestState", "UpdateStateMachineAlias",
}  # fmt: skip


class StatesApi:
    """The state machines of one emulator.

    Args:
        moto: Stores log groups.
        authorizer: Checks whether Step Functions can assume their roles.
        world: Where their executions run.
    """

    def __init__(self, moto: Moto, authorizer: Authorizer, world: World) -> None:
        self._world = world
        self._machines = Machines(moto, authorizer)
        self._executions = Executions(world)
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
            "DescribeMapRun": self._world.map_runs.describe,
            "ListMapRuns": self._list_map_runs,
            "UpdateMapRun": self._update_map_run,
            "SendTaskSuccess": self._report,
            "SendTaskFailure": self._report,
            "SendTaskHeartbeat": self._report,
            "TestState": lambda request: test_state(request, self._machines.check_role, self._world),
        }

    def answer(self, request: Request) -> Reply:
        """Answer a request to Step Functions."""
        check_arns(request.json)
        if (answer := self._operations.get(request.operation)) is None:
            raise unknown_operation(request)
        if request.operation not in _LATER:
            check_call("stepfunctions", request.operation, request.json)
        reply: Reply = answer(request)
        return reply

    def mock(self, request: Request) -> Reply:
        """Set or remove the mock of a Task. Step Functions has no such operation."""
        return self._world.mocks.change(request, self._machines.tasks_of)

    def reset(self) -> None:
        """Stop all executions and forget everything."""
        self._world.reset()
        self._machines.forget()

    def _delete(self, request: Request) -> Reply:
        arn = request.json["stateMachineArn"]
        with self._machines.naming:  # nobody starts it meanwhile
            self._machines.forget(arn)
            self._executions.end_all_of(arn)
        return json_reply({})

    def _start(self, request: Request) -> Reply:
        started, name, given = self._asked(request)
        if started.machine["type"] == "EXPRESS":
            run = self._executions.begin(request.scope, started, name, given)
        else:
            arn = started.execution_arn(name)
            with self._machines.naming:
                self._machines.chosen(started.arn)  # it may just have been deleted
                run = self._executions.same(arn, given) or self._executions.begin(
                    request.scope, started, name, given
                )
        return json_reply({"executionArn": run.arn, "startDate": run.began})

    def _start_sync(self, request: Request) -> Reply:
        started, name, given = self._asked(request)
        if started.machine["type"] != "EXPRESS":
            raise not_of_this_type()
        return json_reply(sync_result(self._executions.begin(request.scope, started, name, given, wait=True)))

    def _list(self, request: Request) -> Reply:
        arn, of_run = request.json.get("stateMachineArn", ""), request.json.get("mapRunArn")
        if bool(arn) == bool(of_run):
            raise RefusalError("ValidationException", "Must provide a StateMachine ARN or MapRun ARN")
        map_runs = self._world.map_runs
        if of_run:
            return map_runs.children_of([map_runs.asked(request)], request)
        if runs := map_runs.of(arn):
            return map_runs.children_of(runs, request)
        started = self._machines.chosen(arn)
        if started.machine["type"] == "EXPRESS":
            raise not_of_this_type()
        return self._executions.list(request, started.arn)

    def _list_map_runs(self, request: Request) -> Reply:
        arn = request.json["executionArn"]
        if not self._executions.exists(arn):
            raise RefusalError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return self._world.map_runs.list(request)

    def _update_map_run(self, request: Request) -> Reply:
        map_run = self._world.map_runs.update(request)
        self._world.tell(map_run.run, Beat(map_run.arn))  # the new values count at once
        return json_reply({})

    def _asked(self, request: Request) -> tuple[Started, str, str]:
        """What a request starts: the machine, and the execution's name and input."""
        parameters = {"name": str(uuid.uuid4()), "input": "{}"}
        parameters |= {name: value for name, value in request.json.items() if value is not None}
        name, given = str(parameters["name"]), str(parameters["input"])
        check_execution(name, given)
        arn, _, case = str(parameters.get("stateMachineArn", "")).partition("#")
        started = self._machines.chosen(arn)
        if case:  # as in Step Functions Local
            mocks = self._world.mocks.test_case(started.machine["name"], case)
            started = replace(started, test_case=mocks)
        return started, name, given

    def _report(self, request: Request) -> Reply:
        """Answer SendTaskSuccess, SendTaskFailure or SendTaskHeartbeat."""
        outcome = task_outcome(request.operation, request.json, self._check_token)
        token = request.json["taskToken"]
        message: Answered | Beat = Beat(token)
        if outcome is not None and "output" in outcome:
            message = Answered(token, json.loads(outcome["output"] or ""))
        elif outcome is not None:
            message = Answered(token, error=outcome["error"], cause=outcome["cause"], is_failure=True)
        if not self._world.report(message):
            raise RefusalError("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
        return json_reply({})

    def _check_token(self, token: str) -> None:
        if not self._world.is_token(token):
            raise RefusalError("InvalidToken", "Invalid Token: 'Invalid token'")


def _validate(request: Request) -> Reply:
    definition, most = str(request.json.get("definition", "")), request.json.get("maxResults")
    check_size(definition)
    found = diagnostics(definition, express=request.json.get("type") == "EXPRESS")
    failed = any(diagnostic.severity == "ERROR" for diagnostic in found)
    chosen = [it for it in found if it.severity in {"ERROR", request.json.get("severity")}]
    shown = [{name: value for name, value in asdict(it).items() if value} for it in chosen]
    page = shown[: most or _MOST_DIAGNOSTICS]
    result = {"result": "FAIL" if failed else "OK", "diagnostics": page, "truncated": len(page) < len(shown)}
    return json_reply(result)
