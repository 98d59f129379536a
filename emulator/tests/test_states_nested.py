"""States that start executions, and wait for them."""

import json

import pytest
from helpers import one, outcome, refused, wait_until
from test_states_run import http_headers


def start(other, pattern="", **more):
    """A state that starts an execution of a machine."""
    parameters = {"StateMachineArn": other.arn, "Input": {"a": 1}} | more
    resource = f"arn:aws:states:::states:startExecution{pattern}"
    return one({"Type": "Task", "Resource": resource, "Parameters": parameters})


@pytest.fixture
def passes(machine):
    return machine(one({"Type": "Pass"}))


def test_a_state_starts_an_execution(machine, passes):
    """The result is the reply of StartExecution, with names in capitals and the time in milliseconds."""
    execution = outcome(machine, start(passes, Name="child"))
    child = passes.client.describe_execution(executionArn=execution.pop("ExecutionArn"))
    assert (child["name"], child["input"]) == ("child", '{"a":1}')
    started = round(child["startDate"].timestamp() * 1000)
    assert [*execution] == ["SdkHttpMetadata", "SdkResponseMetadata", "StartDate"]
    assert (execution["StartDate"], [*http_headers(execution)]) == (
        started,
        ["connection", "Content-Length", "Content-Type", "Date", "x-amzn-RequestId"],
    )


@pytest.mark.parametrize(("pattern", "output"), [(".sync", '{"a":1}'), (".sync:2", {"a": 1})])
def test_a_state_waits_for_the_end_of_an_execution(machine, passes, pattern, output):
    """With `.sync`, input and output are texts; with `.sync:2`, they are read."""
    mine = machine(start(passes, pattern))
    execution = mine.run()
    child = json.loads(execution["output"])
    assert (child["Status"], child["Input"], child["Output"]) == ("SUCCEEDED", output, output)
    assert [*child] == [
        *("ExecutionArn", "Input", "InputDetails", "Name", "Output", "OutputDetails", "RedriveCount"),
        *("RedriveStatus", "RedriveStatusReason", "StartDate", "StateMachineArn", "Status", "StopDate"),
    ]
    assert child["InputDetails"] == child["OutputDetails"] == {"Included": True}
    reason = "Execution is SUCCEEDED and cannot be redriven"
    assert (child["RedriveCount"], child["RedriveStatusReason"]) == (0, reason)
    assert child["StopDate"] >= child["StartDate"] > 1_700_000_000_000
    events = mine.events(execution["executionArn"])[2:6]
    types = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"]
    assert [event["type"] for event in events] == types
    submitted = json.loads(events[2]["taskSubmittedEventDetails"]["output"])
    assert (submitted["ExecutionArn"], "connection" in http_headers(submitted)) == (
        child["ExecutionArn"],
        True,
    )


def test_an_execution_that_fails_fails_the_state_that_waits(machine):
    """The error is `States.TaskFailed`, and the cause describes the execution."""
    error, cause = outcome(machine, start(machine(one({"Type": "Fail", "Error": "E"})), ".sync:2"))
    assert error == "States.TaskFailed"
    cause = json.loads(cause)
    assert (cause["Error"], cause["Status"], cause["RedriveStatus"]) == ("E", "FAILED", "REDRIVABLE")
    assert not {"Cause", "Output", "OutputDetails", "RedriveStatusReason"} & {*cause}


def test_a_started_execution_can_send_the_token(machine):
    """With `.waitForTaskToken`, the result of the task is what the other machine sends."""
    arguments = {"TaskToken": "{% $states.input.token %}", "Output": {"sent": True}}
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Arguments": arguments,
    }
    sender = machine(one(send, QueryLanguage="JSONata"))
    starts = start(sender, ".waitForTaskToken", Input={"token.$": "$$.Task.Token"})
    assert outcome(machine, starts) == {"sent": True}


@pytest.mark.parametrize(
    ("more", "error"),
    [
        (
            {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:no"},
            "StateMachineDoesNotExist",
        ),
        ({"Name": "a b"}, "InvalidName"),
    ],
)
def test_an_execution_that_cannot_start(machine, passes, more, error):
    """The name of the error is that of AWS's SDK, so it ends with Exception."""
    assert machine(start(passes, **more)).run()["error"] == f"StepFunctions.{error}Exception"


@pytest.fixture
def waits(machine):
    return machine(one({"Type": "Wait", "Seconds": 60}))


def execution_of(mine):
    """The only execution of a machine, as soon as there is one."""
    listed = mine.client.list_executions(stateMachineArn=mine.arn)["executions"]
    return listed[0] if listed else None


def wait_for_status(mine, status):
    wait_until(lambda: (found := execution_of(mine)) and found["status"] == status)


LONG_ENOUGH = 4  # a busy machine needs a while to start the other execution
RUN = "states:StartExecution", "states:DescribeExecution"
RULE = "arn:aws:events:us-east-1:123456789012:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
MANAGE = {"Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": RULE}


def test_who_is_stopped_stops_what_it_waits_for(machine, waits):
    """The execution that it started is aborted, too."""
    mine = machine(start(waits, ".sync"))
    arn = mine.start()
    wait_for_status(waits, "RUNNING")
    mine.client.stop_execution(executionArn=arn)
    wait_for_status(waits, "ABORTED")


def test_a_task_that_times_out_stops_what_it_waits_for(machine, waits):
    """When its time is over, the execution that it started is aborted."""
    task = start(waits, ".sync:2")
    task["States"]["A"]["TimeoutSeconds"] = LONG_ENOUGH
    assert machine(task).run()["status"] == "FAILED"
    wait_for_status(waits, "ABORTED")


def test_a_branch_that_fails_stops_what_another_waits_for(machine, waits, gated):
    """The execution that the other branch has started is aborted."""
    function = gated("def lambda_handler(event, context): raise ValueError")
    fails = one({"Type": "Task", "Resource": function.arn}, "F")
    mine = machine(one({"Type": "Parallel", "Branches": [start(waits, ".sync:2"), fails]}, "P"))
    arn = mine.start()
    wait_for_status(waits, "RUNNING")
    function.open()
    assert mine.wait(arn)["status"] == "FAILED"
    wait_for_status(waits, "ABORTED")


def test_only_a_role_that_may_stops_an_execution(machine, waits, role):
    """Otherwise the execution goes on."""
    mine = role({"Action": RUN, "Resource": "*"}, MANAGE)
    task = start(waits, ".sync")
    task["States"]["A"]["TimeoutSeconds"] = LONG_ENOUGH
    parent = machine(task, roleArn=mine.arn)
    assert parent.run()["error"] == "States.Timeout"
    assert execution_of(waits)["status"] == "RUNNING"


def test_who_waits_must_be_allowed_to_look(machine, passes, role):
    """states:DescribeExecution."""
    mine = role({"Action": "states:StartExecution", "Resource": "*"}, MANAGE)
    told = machine(start(passes, ".sync"), roleArn=mine.arn).run()
    assert (told["status"], "states:DescribeExecution" in told["cause"]) == ("FAILED", True)


def test_who_waits_must_be_allowed_to_manage_a_rule(machine, passes, role):
    """AWS learns of the end of an execution by a rule of EventBridge, which the role must allow."""
    mine = role({"Action": RUN, "Resource": "*"})
    other = machine(start(passes), roleArn=mine.arn)
    inside = one({"Type": "Map", "ItemProcessor": start(passes, ".sync:2")}, "M")
    update = other.client.update_state_machine
    for call in (
        lambda: machine(inside, roleArn=mine.arn),
        lambda: update(stateMachineArn=other.arn, definition=json.dumps(inside)),
    ):
        message = f"'{mine.arn}' is not authorized to create managed-rule."
        assert refused(call) == ("AccessDeniedException", message)
    mine.allow(MANAGE, name="rule")
    assert machine(inside, roleArn=mine.arn).run([1])["status"] == "SUCCEEDED"
