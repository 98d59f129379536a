"""What executions write to the log group of their machine."""

import json

import pytest
from helpers import flow, one, refused

DEFINITION = flow(A={"Type": "Pass", "Next": "B"}, B={"Type": "Fail", "Error": "E", "Cause": "c"})
ALL = ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]


@pytest.fixture
def logs(aws):
    return aws("logs")


@pytest.fixture
def group(logs, request):
    """A log group of the test's own: its name."""
    name = f"/executions/{abs(hash(request.node.nodeid))}"
    logs.create_log_group(logGroupName=name)
    yield name
    logs.delete_log_group(logGroupName=name)


def logging(group, level="ALL", data=False):
    """The configuration of a machine that writes to this group."""
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    where = [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}]
    return {"level": level, "includeExecutionData": data, "destinations": where}


def events(logs, group):
    """All events in a group, in order."""
    listed = logs.filter_log_events(logGroupName=group)["events"]
    return [json.loads(each["message"]) for each in listed]


@pytest.mark.parametrize(
    ("level", "types"), [("ALL", ALL), ("ERROR", ALL[3:]), ("FATAL", ALL[4:]), ("OFF", [])]
)
def test_a_level_chooses_events(machine, logs, group, level, types):
    """AWS's page on log levels lists them. An express machine has the same ones."""
    machine(DEFINITION, loggingConfiguration=logging(group, level)).run()
    express = machine(DEFINITION, type="EXPRESS", loggingConfiguration=logging(group, level))
    express.client.start_sync_execution(stateMachineArn=express.arn)
    assert [each["type"] for each in events(logs, group)] == 2 * types


def test_an_event(machine, logs, group):
    """It has the fields of the history, in AWS's names."""
    mine = machine(DEFINITION, loggingConfiguration=logging(group))
    arn = mine.start({"secret": 1})
    mine.wait(arn)
    first, entered, *_, failed = events(logs, group)
    assert first == {
        "id": "1",
        "type": "ExecutionStarted",
        "details": {"roleArn": "arn:aws:iam::123456789012:role/tests"},
        "previous_event_id": "0",
        "event_timestamp": first["event_timestamp"],
        "execution_arn": arn,
        "redrive_count": "0",
    }
    assert (entered["details"], failed["details"]) == ({"name": "A"}, {"error": "E", "cause": "c"})
    history = mine.client.get_execution_history(executionArn=arn)["events"]
    assert int(first["event_timestamp"]) == round(history[0]["timestamp"].timestamp() * 1000)


def test_the_first_event_names_alias_and_version(machine, logs, group):
    """So a log says which version of the machine ran."""
    mine = machine(DEFINITION, loggingConfiguration=logging(group))
    version = mine.client.publish_state_machine_version(stateMachineArn=mine.arn)["stateMachineVersionArn"]
    routing = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = mine.client.create_state_machine_alias(name="live", routingConfiguration=routing)
    started = mine.client.start_execution(stateMachineArn=alias["stateMachineAliasArn"])
    mine.wait(started["executionArn"])
    named = {"stateMachineAliasArn": alias["stateMachineAliasArn"], "stateMachineVersionArn": version}
    assert named.items() <= events(logs, group)[0]["details"].items()


def test_data_is_written_if_asked_for(machine, logs, group):
    """Inputs and outputs stand in the details, as they were written."""
    mine = machine(DEFINITION, loggingConfiguration=logging(group, data=True))
    mine.run(input='{"a": 1}')
    details = [each["details"] for each in events(logs, group)]
    assert ["input" in each for each in details] == [True, True, False, True, False]
    assert details[1]["input"] == '{"a": 1}'
    assert details[2]["output"] == '{"a": 1}'


def test_executions_share_a_stream(machine, logs, group):
    """Besides the one with which AWS tries whether it may write."""
    mine = machine(DEFINITION, loggingConfiguration=logging(group))
    for _ in range(3):
        mine.run()
    assert len(events(logs, group)) == 3 * len(ALL)
    streams = [each["logStreamName"] for each in logs.describe_log_streams(logGroupName=group)["logStreams"]]
    assert "log_stream_created_by_aws_to_validate_log_delivery_subscriptions" in streams
    assert 2 <= len(streams) <= 3  # a minute may end between them
    assert all(name.startswith((f"states/{mine.name}/", "log_stream_created")) for name in streams)


def test_a_stop_is_the_last_event(machine, logs, group):
    """Nothing follows ExecutionAborted."""
    waiting = one({"Type": "Wait", "Seconds": 60})
    mine = machine(waiting, loggingConfiguration=logging(group))
    arn = mine.start()
    mine.client.stop_execution(executionArn=arn, error="Enough", cause="It is late.")
    *_, last = events(logs, group)
    assert (last["type"], last["details"]) == (
        "ExecutionAborted",
        {"error": "Enough", "cause": "It is late."},
    )


def test_a_redrive_goes_on_with_the_log(machine, logs, group, advance):
    """Its events count the redrives, also if the execution was stopped before."""
    waiting = flow(A={"Type": "Wait", "Seconds": 1, "Next": "B"}, B={"Type": "Fail"})
    mine = machine(waiting, loggingConfiguration=logging(group))
    arn = mine.start()
    advance()
    mine.client.stop_execution(executionArn=arn)
    mine.client.redrive_execution(executionArn=arn)
    mine.wait(arn)
    written = [(each["id"], each["type"], each["redrive_count"]) for each in events(logs, group)]
    assert written == [
        *(("1", "ExecutionStarted", "0"), ("2", "WaitStateEntered", "0"), ("3", "ExecutionAborted", "0")),
        *(("4", "ExecutionRedriven", "1"), ("5", "WaitStateExited", "1"), ("6", "FailStateEntered", "1")),
        ("7", "ExecutionFailed", "1"),
    ]


def test_a_group_may_disappear(machine, logs, group):
    """The execution goes on, and the group does not come back."""
    mine = machine(DEFINITION, loggingConfiguration=logging(group))
    logs.delete_log_group(logGroupName=group)
    assert mine.run()["error"] == "E"
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    logs.create_log_group(logGroupName=group)


def test_the_role_must_allow_it(machine, logs, group, role):
    """Otherwise the machine is refused. A role that writes nothing need not."""
    mine = role({"Action": "logs:CreateLogDelivery", "Resource": "*"})
    machine(DEFINITION, roleArn=mine.arn, loggingConfiguration=logging(group, "OFF"))
    code, message = refused(machine, DEFINITION, roleArn=mine.arn, loggingConfiguration=logging(group))
    assert code == "AccessDeniedException"
    assert "not authorized to access the Log Destination" in message
    whole = role({"Action": "logs:*", "Resource": "*"})
    machine(DEFINITION, roleArn=whole.arn, loggingConfiguration=logging(group))
