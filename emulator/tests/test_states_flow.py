"""How an execution goes on: retries, waits, branches, limits."""

import datetime
import json
import re

import pytest
from helpers import ECHO, flow, module, one, outcome

PASS = {"Type": "Pass", "End": True}


# Nothing ends it, but AWS wants a state that could.
LOOP = {
    "A": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.end", "IsPresent": True, "Next": "C"}],
        "Default": "B",
    },
    "B": {"Type": "Pass", "Next": "A"},
    "C": {"Type": "Succeed"},
}


def fails(event, context):
    """The handler of a function that fails, and counts its calls."""
    fails.calls = getattr(fails, "calls", 0) + 1
    raise ValueError(fails.calls)


def test_another_error_is_not_retried(machine, function):
    """A Retry is for the errors that it names."""
    retry = [{"ErrorEquals": ["KeyError"]}]
    _, cause = outcome(machine, one({"Type": "Task", "Resource": function(fails).arn, "Retry": retry}))
    assert json.loads(cause)["errorMessage"] == "1"


def test_a_catch_may_lead_back_to_its_own_state(machine, function):
    """The state begins again, with the Error Output as its input."""
    once = "def lambda_handler(event, context): return event['Error']"
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "A"}]
    task = {"Type": "Task", "Resource": function(once).arn, "Catch": catch, "Next": "B"}
    assert outcome(machine, flow(A=task, B=PASS)) == "KeyError"


def test_a_parallel_state_that_is_retried_runs_all_its_branches(machine, function):
    """ParallelStateStarted comes again, and so does the branch that had succeeded."""
    good = function(module("counter"))
    after = {"W": {"Type": "Wait", "Seconds": 2, "Next": "B"}}  # so that the other branch has succeeded
    bad = one({"Type": "Task", "Resource": function(fails).arn}, "B")
    bad = {"StartAt": "W", "States": after | bad["States"]}
    branches = [one({"Type": "Task", "Resource": good.arn}, "G"), bad]
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]
    mine = machine(one({"Type": "Parallel", "Branches": branches, "Retry": retry}))
    types = [event["type"] for event in mine.events(mine.run()["executionArn"])]
    assert types.count("ParallelStateStarted") == 2
    assert good()[0] == 3


def test_a_branch_that_is_aborted_as_it_starts(machine, function):
    """The history of a failed Parallel can be read, even if another branch was just being scheduled."""
    mine = function("def lambda_handler(event, context): pass")
    branches = [
        one({"Type": "Fail", "Error": "E"}, "F"),
        one({"Type": "Task", "Resource": mine.arn, "TimeoutSeconds": 9}, "B"),
    ]
    both = machine(one({"Type": "Parallel", "Branches": branches}))
    for _ in range(40):
        arn = both.start({"some": "input"})
        assert both.wait(arn)["error"] == "E"
        for event in both.events(arn):
            assert event.get("lambdaFunctionScheduledEventDetails", {}).get("timeoutInSeconds", 9) == 9


def test_the_context_object_is_complete(machine):
    """The context object has Execution, State and StateMachine, with times in AWS's form."""
    mine = machine(one({"Type": "Pass", "Parameters": {"it.$": "$$"}}))
    execution = mine.run({"a": 1}, name="mine")
    it = json.loads(execution["output"])["it"]
    times = it["Execution"].pop("StartTime"), it["State"].pop("EnteredTime")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", time) for time in times)
    assert datetime.datetime.fromisoformat(times[0]) == execution["startDate"]
    assert it == {
        "Execution": {
            "Id": execution["executionArn"],
            "Input": {"a": 1},
            "Name": "mine",
            "RoleArn": "arn:aws:iam::123456789012:role/tests",
            "RedriveCount": 0,
        },
        "State": {"Name": "A"},
        "StateMachine": {"Id": mine.arn, "Name": mine.name},
    }


def test_every_state_of_an_iteration_sees_its_item(machine, function):
    """Also a Task, a state in a Parallel, and the ItemSelector of a Map inside the Map."""
    echo = function(ECHO)
    here = {"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value"}
    branches = [
        one({"Type": "Task", "Resource": echo.arn, "Parameters": here}, "T"),
        one({"Type": "Map", "Parameters": here, "Iterator": one({"Type": "Pass"}, "P")}, name="M"),
        one(
            {"Type": "Map", "ItemsPath": "$$.Map.Item.Value", "Iterator": one({"Type": "Pass"}, "Q")},
            name="N",
        ),
    ]
    mine = one({"Type": "Map", "Iterator": one({"Type": "Parallel", "Branches": branches}, "B")})
    assert outcome(machine, mine, [["x"], ["y"]]) == [
        [{"i": 0, "v": ["x"]}, [{"i": 0, "v": "x"}], ["x"]],
        [{"i": 1, "v": ["y"]}, [{"i": 0, "v": "y"}], ["y"]],
    ]


def test_a_task_sees_how_often_it_was_retried(machine, function):
    """At the first attempt, `$$.State.RetryCount` is 0."""
    echo = function(ECHO)
    state = {"Type": "Task", "Resource": echo.arn, "Parameters": {"n.$": "$$.State.RetryCount"}}
    assert outcome(machine, one(state)) == {"n": 0}


def test_an_output_over_256_kb_is_too_large(machine):
    """An output of a Pass may be too large, too. The error is States.DataLimitExceeded."""
    parameters = {"a.$": "$.text", "b.$": "$.text"}
    error, _ = outcome(machine, one({"Type": "Pass", "Parameters": parameters}), {"text": "x" * 140_000})
    assert error == "States.DataLimitExceeded"


def test_a_result_that_is_too_large_can_be_caught(machine, function):
    """States.ALL catches a result that is too large. The cause was recorded on AWS."""
    big = function("def lambda_handler(event, context): return 'x' * 300_000", Timeout=10)
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
    state = {"Type": "Task", "Resource": big.arn, "Catch": catch, "End": True}
    assert outcome(machine, flow(A=state, B=PASS)) == {
        "Error": "States.DataLimitExceeded",
        "Cause": f"The state/task '{big.arn}' returned a result with a size exceeding the maximum number of "
        "bytes service limit.",
    }


def test_an_endless_loop_ends_at_25000_events(machine):
    """An execution fails with States.Runtime at its 25,000th event. All events can be read.

    The benchmarks compare the time of reading with the run's.
    """
    mine = machine(flow(**LOOP))
    execution = mine.run()
    assert (execution["status"], execution["error"], execution["cause"]) == AT_25000
    assert last_event(mine, execution["executionArn"]) == (25_000, "ExecutionFailed")
    look = mine.client.get_paginator("get_execution_history").paginate
    pages = look(executionArn=execution["executionArn"], maxResults=1000)
    assert sum(len(page["events"]) for page in pages) == 25_000


def test_an_endless_loop_can_be_stopped(machine):
    """StopExecution does not wait for its end."""
    mine = machine(flow(**LOOP))
    arn = mine.start({"text": "x" * 200_000})
    mine.client.stop_execution(executionArn=arn)
    assert mine.client.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert last_event(mine, arn)[1] == "ExecutionAborted"


@pytest.mark.long
def test_the_limit_of_events_cannot_be_caught(machine):
    """No Catch around a branch that loops sees the limit.

    It is long: it makes 25,000 events. `test_a_map_ends_at_25000_events` has the same Catch.
    """
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Z"}]
    state = {"Type": "Parallel", "Branches": [flow(**LOOP)], "Catch": catch, "End": True}
    mine = machine(flow(P=state, Z=PASS))
    execution = mine.run()
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Runtime")


def mapped(inner, **more):
    """A machine that maps its input."""
    state = {"Type": "Map", "ItemsPath": "$", "ItemProcessor": flow(**inner), "End": True}
    return one(state | more, "M")


def last_event(machine, arn):
    """The newest event's number and type."""
    newest = machine.client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    return newest["events"][0]["id"], newest["events"][0]["type"]


AT_25000 = (
    "FAILED",
    "States.Runtime",
    "The execution reached the maximum number of history events (25000).",
)


def test_a_map_ends_at_25000_events(machine):
    """The events of all iterations count together, and no Catch of the Map sees the limit."""
    inner = {"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}
    definition = mapped(inner, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Z"}])
    definition["States"]["Z"] = PASS
    mine = machine(definition)
    execution = mine.run([1, 2, 3])
    assert (execution["status"], execution["error"], execution["cause"]) == AT_25000
    assert last_event(mine, execution["executionArn"]) == (25_000, "ExecutionFailed")


def test_nothing_happens_after_an_execution_failed(machine, advance):
    """The last event says that it failed, although another iteration still waited then."""
    fails = {"Variable": "$", "NumericEquals": 1, "Next": "F"}
    inner = {
        "A": {"Type": "Choice", "Choices": [fails], "Default": "W"},
        "F": {"Type": "Fail"},
        "W": {"Type": "Wait", "Seconds": 60, "End": True},
    }
    mine = machine(mapped(inner))
    execution = mine.run([2, 1])
    advance(60)
    assert last_event(mine, execution["executionArn"])[1] == "ExecutionFailed"


@pytest.mark.parametrize("at_once", [0, 1])
def test_a_map_of_many_items_succeeds(machine, at_once):
    """A Map can have more items than Python has levels of recursion, also one by one."""
    mine = machine(mapped({"A": PASS}, MaxConcurrency=at_once))
    execution = mine.run([1] * 1100)
    assert (execution["status"], execution.get("cause")) == ("SUCCEEDED", None)


@pytest.mark.long
@pytest.mark.parametrize(("count", "status"), [(4000, "SUCCEEDED"), (8000, "FAILED")])
def test_a_map_of_thousands(machine, count, status):
    """4,000 iterations have less than 25,000 events, 8,000 have more.

    It is long: it makes 40,000 events. `test_a_map_ends_at_25000_events` tests the same limit.
    """
    mine = machine(mapped({"A": PASS}))
    execution = mine.run([1] * count)
    assert execution["status"] == status


@pytest.mark.parametrize("result", ["text", "42", None, [], {"a": "王"}])
def test_an_output_is_json(machine, result):
    """A text has its quotes, and nothing is `null`; the last event says the same."""
    mine = machine(one({"Type": "Pass", "Result": result}))
    execution = mine.run()
    assert json.loads(execution["output"]) == result
    last = mine.events(execution["executionArn"])[-1]
    assert last["executionSucceededEventDetails"]["output"] == execution["output"]


def test_deleting_a_machine_ends_its_executions(machine, aws, topic, mails, browse):
    """An execution of a deleted machine does not reach its next state."""
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.org")
    browse(mails()[0]["link"])
    publish = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}
    publish["Parameters"] = {"TopicArn": topic, "Message": "too late"}
    mine = machine(flow(A={"Type": "Wait", "Seconds": 3, "Next": "B"}, B=publish))
    mine.start()
    mine.client.delete_state_machine(stateMachineArn=mine.arn)
    machine(one({"Type": "Wait", "Seconds": 4})).run()
    assert [mail["type"] for mail in mails()] == ["confirmation"]


def test_creating_a_machine_again_keeps_its_role(machine, role):
    """Another role and other tags are not looked at."""
    mine = machine(one({"Type": "Pass"}), tags=[{"key": "a", "value": "1"}])
    another = role().arn
    machine(one({"Type": "Pass"}), name=mine.name, roleArn=another, tags=[{"key": "b", "value": "2"}])
    described = mine.client.describe_state_machine(stateMachineArn=mine.arn)
    assert described["roleArn"] == "arn:aws:iam::123456789012:role/tests"
    assert mine.client.list_tags_for_resource(resourceArn=mine.arn)["tags"] == [{"key": "a", "value": "1"}]


def test_partitions_are_the_regions(aws):
    """An ARN in a region of China has the partition `aws-cn`."""
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    iam, states = aws("iam", "cn-north-1"), aws("stepfunctions", "cn-north-1")
    role = iam.create_role(RoleName="cn", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    definition = json.dumps(one({"Type": "Pass"}))
    arn = states.create_state_machine(name="cn", definition=definition, roleArn=role)["stateMachineArn"]
    assert arn == "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:cn"
    states.delete_state_machine(stateMachineArn=arn)
