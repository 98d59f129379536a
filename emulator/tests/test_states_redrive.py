"""RedriveExecution: an execution goes on where it failed."""

import datetime
import json
import uuid

import pytest
from helpers import flow, one, refused, wait_until


class Gate:
    """A state that fails until the gate is open."""

    def __init__(self, client):
        self.client, self.table = client, f"gate-{uuid.uuid4().hex[:12]}"

    def state(self, **more):
        resource = "arn:aws:states:::aws-sdk:dynamodb:describeTable"
        return dict(
            Type="Task",
            Resource=resource,
            Parameters={"TableName": self.table},
            ResultSelector={"name.$": "$.Table.TableName"},
            ResultPath="$.gate",
            **more,
        )

    def open(self):
        self.client.create_table(
            TableName=self.table,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )


@pytest.fixture
def gate(aws):
    return Gate(aws("dynamodb"))


def passing(**more):
    return {"Type": "Pass"} | more


def redriven(mine, arn, **options):
    """What DescribeExecution says at the end of a redrive."""
    mine.client.redrive_execution(executionArn=arn, **options)
    return mine.wait(arn)


def types(events):
    return [event["type"] for event in events]


def entered(events):
    return [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]


def test_the_failed_state_runs_again(machine, gate, advance):
    """It gets the same input. What succeeded before does not run again, and the history goes on."""
    first = passing(Result={"n": 1}, Next="B")
    mine = machine(flow(A=first, B=gate.state()))
    failed = mine.run({"a": 1})
    assert (failed["status"], failed["redriveCount"], failed["redriveStatus"]) == ("FAILED", 0, "REDRIVABLE")
    assert "redriveStatusReason" not in failed
    gate.open()
    advance(1)
    told = redriven(mine, failed["executionArn"])
    assert (told["status"], json.loads(told["output"])) == (
        "SUCCEEDED",
        {"n": 1, "gate": {"name": gate.table}},
    )
    assert (told["redriveCount"], told["redriveStatus"], told["redriveStatusReason"]) == (
        *(1, "NOT_REDRIVABLE"),
        "Execution is SUCCEEDED and cannot be redriven",
    )
    assert "error" not in told and "cause" not in told
    assert (
        told["startDate"]
        == failed["startDate"]
        <= failed["stopDate"]
        < told["redriveDate"]
        <= told["stopDate"]
    )
    events = mine.events(told["executionArn"])
    assert [event["id"] for event in events] == [*range(1, len(events) + 1)]
    assert types(events)[5:] == [
        *("TaskStarted", "TaskFailed", "ExecutionFailed", "ExecutionRedriven"),
        *("TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited", "ExecutionSucceeded"),
    ]
    assert entered(events) == ["A", "B"]
    redrive = events[8]
    assert (redrive["executionRedrivenEventDetails"], redrive["previousEventId"]) == ({"redriveCount": 1}, 8)
    assert redrive["timestamp"] == told["redriveDate"]
    (listed,) = mine.client.list_executions(stateMachineArn=mine.arn)["executions"]
    assert (listed["redriveCount"], listed["redriveDate"]) == (1, told["redriveDate"])


def test_variables_are_kept(machine, gate):
    """The state that runs again sees what earlier states have assigned."""
    first = {"Type": "Pass", "Assign": {"n": 5, "of": {"a": [1]}}, "Next": "B"}
    mine = machine(
        flow(
            A=first,
            B=gate.state(Next="C") | {"Assign": {"n": 6}},
            C=passing(Parameters={"n.$": "$n", "of.$": "$of"}),
        )
    )
    failed = mine.run()
    gate.open()
    assert json.loads(redriven(mine, failed["executionArn"])["output"]) == {"n": 6, "of": {"a": [1]}}


def test_the_context_object_counts_redrives(machine, gate):
    """It has the time of the latest redrive, too."""
    last = passing(Parameters={"count.$": "$$.Execution.RedriveCount", "execution.$": "$$.Execution"})
    mine = machine(flow(A=gate.state(Next="B"), B=last))
    arn = mine.run()["executionArn"]
    assert redriven(mine, arn)["status"] == "FAILED"
    gate.open()
    told = redriven(mine, arn)
    output = json.loads(told["output"])
    assert (output["count"], output["execution"]["RedriveCount"], told["redriveCount"]) == (2, 2, 2)
    at = told["redriveDate"].astimezone(datetime.UTC).isoformat(timespec="milliseconds")
    assert output["execution"]["RedriveTime"] == at.replace("+00:00", "Z")


def test_a_retry_begins_at_zero(machine, gate):
    """The state may be tried again as often as in the first run."""
    retry = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 2}]
    mine = machine(one(gate.state(Retry=retry)))
    arn = mine.run()["executionArn"]
    assert redriven(mine, arn)["status"] == "FAILED"
    assert types(mine.events(arn)).count("TaskFailed") == 6


def test_a_later_redrive_goes_on_at_the_later_state(machine, gate, aws):
    """Each redrive begins where the latest run failed. An error that is caught then ends nothing."""
    other = Gate(aws("dynamodb"))
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "C", "ResultPath": "$.error"}]
    caught = gate.state(Catch=catch) | {"Parameters": {"TableName": "no"}}
    mine = machine(flow(A=gate.state(Next="B"), B=other.state(Next="D"), D=caught, C=passing()))
    arn = mine.run()["executionArn"]
    gate.open()
    assert redriven(mine, arn)["status"] == "FAILED"
    other.open()
    told = redriven(mine, arn)
    assert json.loads(told["output"])["error"]["Error"] == "DynamoDb.ResourceNotFoundException"
    assert entered(mine.events(arn)) == ["A", "B", "D", "C"]


def test_a_fail_state_is_entered_again(machine):
    """It fails again."""
    mine = machine(one({"Type": "Fail", "Error": "E"}))
    arn = mine.run()["executionArn"]
    assert redriven(mine, arn)["error"] == "E"
    assert types(mine.events(arn)) == [
        *("ExecutionStarted", "FailStateEntered", "ExecutionFailed"),
        *("ExecutionRedriven", "FailStateEntered", "ExecutionFailed"),
    ]


def test_a_choice_is_decided_again(machine):
    """It is not entered again, and its error names the event with which it began."""
    rule = {"Variable": "$.no", "NumericEquals": 1, "Next": "B"}
    mine = machine(flow(A={"Type": "Choice", "Choices": [rule]}, B=passing()))
    failed = mine.run()
    told = redriven(mine, failed["executionArn"])
    assert (told["error"], told["cause"]) == (failed["error"], failed["cause"])
    assert entered(mine.events(told["executionArn"])) == ["A"]


def parallel(*branches):
    return flow(P={"Type": "Parallel", "Branches": list(branches)})


def test_only_the_unsuccessful_branches_run_again(machine, gate):
    """A branch that failed goes on at its failed state, and one that succeeded keeps its output."""
    first = {"Type": "Pass", "Assign": {"v": 1}, "Next": "B"}
    bad = flow(A=first, B=gate.state(Next="C"), C=passing(Parameters={"v.$": "$v"}))
    mine = machine(parallel(flow(Good=passing(Result="good")), bad))
    failed = mine.run()
    assert failed["status"] == "FAILED"
    gate.open()
    told = redriven(mine, failed["executionArn"])
    assert json.loads(told["output"]) == ["good", {"v": 1}]
    events = mine.events(told["executionArn"])
    assert sorted(entered(events)) == ["A", "B", "C", "Good", "P"]
    scheduled = [event for event in events if event["type"] == "TaskScheduled"]
    assert events[scheduled[1]["previousEventId"] - 1]["type"] == "ExecutionRedriven"


def test_a_retry_runs_all_branches(machine, gate):
    """The redrive begins with those that failed in the latest attempt. A Retry after it begins with all."""
    mine = parallel(flow(Good=passing()), flow(B=gate.state()))
    mine["States"]["P"]["Retry"] = [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    mine = machine(mine)
    arn = mine.run()["executionArn"]
    names = entered(mine.events(arn))
    assert (names.count("Good"), names.count("B")) == (2, 2)
    assert redriven(mine, arn)["status"] == "FAILED"
    names = entered(mine.events(arn))
    assert (names.count("Good"), names.count("B")) == (3, 3)


def test_a_branch_that_was_aborted_runs_again(machine, gate):
    """It waits again."""
    waits = flow(W={"Type": "Wait", "Seconds": 4, "Next": "X"}, X=passing(Result="waited"))
    mine = machine(parallel(waits, flow(B=gate.state())))
    failed = mine.run()
    gate.open()
    told = redriven(mine, failed["executionArn"])
    assert (json.loads(told["output"])[0], (told["stopDate"] - told["redriveDate"]).seconds >= 4) == (
        "waited",
        True,
    )


def test_only_the_unsuccessful_iterations_run_again(machine, gate):
    """Iterations that succeeded keep their output, also those of a Map inside a Map."""
    choose = {
        "Type": "Choice",
        "Default": "Good",
        "Choices": [{"Variable": "$.n", "NumericEquals": 2, "Next": "B"}],
    }
    inner = flow(C=choose, Good=passing(), B=gate.state())
    deep = flow(I={"Type": "Map", "ItemProcessor": inner})
    mine = machine(flow(M={"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": deep}))
    given = [[{"n": 1}, {"n": 2}], [{"n": 3}]]
    failed = mine.run(given)
    assert failed["status"] == "FAILED"
    gate.open()
    told = redriven(mine, failed["executionArn"])
    assert json.loads(told["output"]) == [[{"n": 1}, {"n": 2, "gate": {"name": gate.table}}], [{"n": 3}]]
    names = entered(mine.events(told["executionArn"]))
    assert (names.count("M"), names.count("C"), names.count("Good"), names.count("B")) == (1, 3, 2, 1)


def test_after_too_much_data_all_branches_run_again(machine, function):
    """AWS says so of States.DataLimitExceeded. The branches may give less then."""
    big = function("def lambda_handler(event, context): return 'x' * 200_000")
    branches = [flow(**{name: {"Type": "Task", "Resource": big.arn}}) for name in "AB"]
    mine = machine(parallel(*branches))
    failed = mine.run()
    assert failed["error"] == "States.DataLimitExceeded"
    told = redriven(mine, failed["executionArn"])
    assert sorted(entered(mine.events(told["executionArn"]))) == ["A", "A", "B", "B", "P"]


def test_a_stopped_execution_goes_on(machine):
    """So does one that is stopped while a redrive runs."""
    mine = machine(flow(A={"Type": "Wait", "Seconds": 3, "Next": "B"}, B=passing()))
    arn = mine.start()
    wait_until(lambda: "WaitStateEntered" in types(mine.events(arn)))  # else it is stopped before that

    def described():
        told = mine.client.describe_execution(executionArn=arn)
        reason = told.get("redriveStatusReason")
        return told["status"], told["redriveCount"], told["redriveStatus"], reason, told.get("error")

    running = "NOT_REDRIVABLE", "Execution is RUNNING and cannot be redriven", None
    assert described() == ("RUNNING", 0, *running)
    mine.client.stop_execution(executionArn=arn, error="Enough")
    mine.client.redrive_execution(executionArn=arn)
    assert described() == ("RUNNING", 1, *running)
    mine.client.stop_execution(executionArn=arn, error="Enough")
    assert described() == ("ABORTED", 1, "REDRIVABLE", None, "Enough")
    mine.client.redrive_execution(executionArn=arn)
    assert described() == ("RUNNING", 2, *running)
    assert mine.wait(arn)["status"] == "SUCCEEDED"
    assert types(mine.events(arn)) == [
        *("ExecutionStarted", "WaitStateEntered", "ExecutionAborted", "ExecutionRedriven"),
        *("ExecutionAborted", "ExecutionRedriven", "WaitStateExited"),
        *("PassStateEntered", "PassStateExited", "ExecutionSucceeded"),
    ]


def test_a_cause_names_when_the_state_was_entered(machine):
    """Also if the execution was stopped in between."""
    ends = {"Type": "Wait", "Seconds": 2, "OutputPath": "$.no"}
    mine = machine(flow(Z={"Type": "Pass", "Next": "A"}, A=ends))
    arn = mine.start()
    wait_until(lambda: entered(mine.events(arn))[-1:] == ["A"])
    mine.client.stop_execution(executionArn=arn)
    assert "'A' (entered at the event id #4)" in redriven(mine, arn)["cause"]


def test_what_still_runs_of_the_old_run_is_forgotten(machine, function, table, aws, tmp_path):
    """Its function ends after the redrive, and changes neither the description nor the history."""

    def lambda_handler(event, context):
        import time
        from pathlib import Path

        import boto3

        if event["n"] == 0:
            while not Path(event["go"]).exists():
                time.sleep(0.01)
            boto3.client("dynamodb").put_item(TableName=event["table"], Item={"id": {"S": "old"}})

    go = tmp_path / "go"
    given = {"n.$": "$$.Execution.RedriveCount", "go": str(go), "table": table}
    task = {"Type": "Task", "Resource": function(lambda_handler, Timeout=60).arn, "Parameters": given}
    mine = machine(one(task))
    arn = mine.start()
    wait_until(lambda: len(mine.events(arn)) > 3)
    mine.client.stop_execution(executionArn=arn)
    mine.client.redrive_execution(executionArn=arn)
    wait_until(lambda: mine.told(arn)["status"] == "SUCCEEDED")  # the old function runs, so no time passes
    told, events = mine.told(arn), mine.events(arn)
    assert types(events)[2:] == [
        *("LambdaFunctionScheduled", "LambdaFunctionStarted", "ExecutionAborted", "ExecutionRedriven"),
        *("LambdaFunctionScheduled", "LambdaFunctionStarted", "LambdaFunctionSucceeded", "TaskStateExited"),
        "ExecutionSucceeded",
    ]
    key = {"id": {"S": "old"}}
    assert "Item" not in aws("dynamodb").get_item(TableName=table, Key=key)
    go.touch()
    wait_until(lambda: "Item" in aws("dynamodb").get_item(TableName=table, Key=key))
    machine(one(passing())).run()  # meanwhile, the emulator gets the old answer
    assert mine.events(arn) == events
    assert mine.client.describe_execution(executionArn=arn)["stopDate"] == told["stopDate"]


def test_the_time_out_begins_again(machine):
    """The time-out of the machine counts from the redrive."""
    mine = machine(one({"Type": "Wait", "Seconds": 60}, TimeoutSeconds=1))
    failed = mine.run()
    told = redriven(mine, failed["executionArn"])
    assert (failed["status"], told["status"]) == ("TIMED_OUT", "TIMED_OUT")
    assert (told["stopDate"] - told["redriveDate"]).total_seconds() >= 1
    assert types(mine.events(told["executionArn"])) == [
        *("ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"),
        *("ExecutionRedriven", "ExecutionTimedOut"),
    ]


def test_a_waiting_task_gets_another_token(machine, function, table, aws):
    """The token of the first run is of no use any more."""

    def lambda_handler(event, context):
        import boto3

        boto3.client("dynamodb").put_item(**event)

    item = {"id": {"S": "token"}, "token": {"S.$": "$$.Task.Token"}}
    payload = {"TableName": table, "Item": item}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": function(lambda_handler).name, "Payload": payload},
        "End": True,
    }
    mine = machine(one(state))
    key = {"id": {"S": "token"}}

    def token(not_this=None):
        item = aws("dynamodb").get_item(TableName=table, Key=key).get("Item")
        return item and item["token"]["S"] != not_this and item["token"]["S"]

    arn = mine.start()
    wait_until(token)
    first = token()
    mine.client.send_task_failure(taskToken=first, error="E")
    assert mine.wait(arn)["error"] == "E"
    mine.client.redrive_execution(executionArn=arn)
    wait_until(lambda: token(first))
    assert refused(mine.client.send_task_success, taskToken=first, output="1")[0] == "TaskTimedOut"
    mine.client.send_task_success(taskToken=token(), output="1")
    assert mine.wait(arn)["output"] == "1"


def test_the_definition_stays(machine, gate):
    """An update counts only for new executions."""
    mine = machine(flow(A=gate.state(Next="B"), B=passing(Result="old")))
    arn = mine.run()["executionArn"]
    mine.client.update_state_machine(stateMachineArn=mine.arn, definition=json.dumps(flow(Z=passing())))
    gate.open()
    assert redriven(mine, arn)["output"] == '"old"'


def test_what_cannot_be_redriven(machine):
    """AWS's reasons."""
    mine = machine(one(passing()))
    redrive = mine.client.redrive_execution
    arn = mine.run()["executionArn"]
    reason = "Execution is SUCCEEDED and cannot be redriven"
    assert refused(redrive, executionArn=arn) == ("ExecutionNotRedrivable", reason)
    assert refused(redrive, executionArn=f"{arn}-no")[0] == "ExecutionDoesNotExist"
    assert refused(redrive, executionArn="no")[0] == "InvalidArn"
    waiting = machine(one({"Type": "Wait", "Seconds": 60}))
    reason = "Execution is RUNNING and cannot be redriven"
    assert refused(redrive, executionArn=waiting.start()) == ("ExecutionNotRedrivable", reason)
    code = refused(mine.client.list_executions, stateMachineArn=mine.arn, redriveFilter="REDRIVEN")[0]
    assert code == "ValidationException"


def test_a_client_token_counts_once(machine, advance):
    """The same token gives the same answer. Another one is another redrive."""
    mine = machine(one({"Type": "Fail"}))
    arn = mine.run()["executionArn"]
    dates = []
    for token in ("a", "a", "b", "a"):
        dates.append(mine.client.redrive_execution(executionArn=arn, clientToken=token)["redriveDate"])
        mine.wait(arn)
        advance(1)
    assert dates[0] == dates[1] == dates[3] < dates[2]
    assert mine.client.describe_execution(executionArn=arn)["redriveCount"] == 2


def test_a_user_needs_the_right_to_redrive(machine, user):
    """states:RedriveExecution, for the execution."""
    mine = machine(one({"Type": "Fail"}))
    arn = mine.run()["executionArn"]
    code, message = refused(user()("stepfunctions").redrive_execution, executionArn=arn)
    assert (code, "states:RedriveExecution on resource: " + arn in message) == ("AccessDeniedException", True)
    ann = user({"Action": "states:RedriveExecution", "Resource": arn})
    ann("stepfunctions").redrive_execution(executionArn=arn)
    assert mine.wait(arn)["redriveCount"] == 1
