"""Clocks that stand, and move when they are told, or jump over what nobody wants to wait for."""

import contextlib
import json
import time
from datetime import timedelta

import boto3
import pytest
from helpers import ROLE, clock, flow, one, trust, wait_until, zip_of

from sfn_emulator import EmulatorError, running

WAIT = one({"Type": "Wait", "Seconds": 3600}, "W")
ASK = {"QueueUrl": "https://example.com/q", "MessageBody.$": "$$.Task.Token"}


class Standing:
    """An emulator whose time stands."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.states = self("stepfunctions")
        self.made = 0

    def __call__(self, service):
        return boto3.client(service, **self.emulator.client_arguments)

    def start(self, definition):
        """Start an execution: its ARN."""
        self.made += 1
        text = json.dumps(definition)
        made = self.states.create_state_machine(name=f"m{self.made}", definition=text, roleArn=ROLE)
        return self.states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"]

    def told(self, arn):
        return self.states.describe_execution(executionArn=arn)

    def events(self, arn):
        """The types of its events, and the seconds from its start."""
        events = self.states.get_execution_history(executionArn=arn)["events"]
        return [(e["type"], round((e["timestamp"] - events[0]["timestamp"]).total_seconds())) for e in events]

    def function(self, source):
        code = {"ZipFile": zip_of({"lambda_function": source})}
        function = {"Runtime": "python3.12", "Role": ROLE, "Handler": "lambda_function.lambda_handler"}
        self.made += 1
        made = self("lambda").create_function(FunctionName=f"f{self.made}", Code=code, **function)
        return made["FunctionArn"]


@contextlib.contextmanager
def with_clock(clock):
    with running(clock=clock) as emulator:
        made = Standing(emulator)
        iam = made("iam")
        iam.create_role(RoleName="tests", AssumeRolePolicyDocument=json.dumps(trust()))
        iam.attach_role_policy(RoleName="tests", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        made.queue = made("sqs").create_queue(QueueName="q")["QueueUrl"]
        yield made


@pytest.fixture(scope="module")
def standing():
    with with_clock("virtual") as made:
        yield made


@pytest.fixture(scope="module")
def skipping():
    with with_clock("skipping") as made:
        yield made


def hour(told):
    """Whether a Wait of an hour has ended, and its dates say so."""
    lasted = told.get("stopDate", told["startDate"]) - told["startDate"]
    return told["status"] == "SUCCEEDED" and timedelta(hours=1) <= lasted < timedelta(minutes=61)


def test_a_skipping_clock_jumps_over_waits_and_retries(skipping):
    """Nobody waits, and the dates are as if somebody had."""
    wait = skipping.start(WAIT)
    wait_until(lambda: hour(skipping.told(wait)))
    function = skipping.function("def lambda_handler(event, context): raise ValueError")
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 100, "MaxAttempts": 2, "BackoffRate": 3}]
    task = {"Type": "Task", "Resource": function, "Retry": retry, "End": True}
    arn = skipping.start(one(task))
    wait_until(lambda: skipping.told(arn)["status"] == "FAILED")
    first, second, third = (at for kind, at in skipping.events(arn) if kind == "LambdaFunctionFailed")
    assert (second - first, third - second) == (pytest.approx(100, abs=5), pytest.approx(300, abs=5))


def test_a_skipping_clock_jumps_over_no_time_out(skipping):
    """A task that waits for a token has its whole time. As soon as it has ended, the time jumps."""
    _, token = asking(skipping, TimeoutSeconds=600)
    wait = skipping.start(WAIT)
    skipping.emulator.advance(0)
    assert skipping.told(wait)["status"] == "RUNNING"
    skipping.states.send_task_success(taskToken=token, output="1")
    wait_until(lambda: hour(skipping.told(wait)))


def test_a_skipping_clock_can_be_held(skipping):
    """Then time stands, until it is let go."""
    emulator = skipping.emulator
    clock(emulator.endpoint, emulator.access_key_id, hold=True)
    wait = skipping.start(WAIT)
    first, second = (skipping.emulator.advance(0) for _ in range(2))
    assert (first, skipping.told(wait)["status"]) == (second, "RUNNING")
    clock(emulator.endpoint, emulator.access_key_id, hold=False)
    wait_until(lambda: hour(skipping.told(wait)))


def test_a_wait(standing):
    """It ends when its hour has passed, and not before."""
    arn = standing.start(WAIT)
    standing.emulator.advance("59m")
    assert standing.told(arn)["status"] == "RUNNING"
    at = standing.emulator.advance("1m")
    told = standing.told(arn)
    assert told["status"] == "SUCCEEDED"
    assert told["stopDate"] - told["startDate"] == timedelta(hours=1)
    assert abs(told["stopDate"] - at) < timedelta(milliseconds=1)


def test_time_stands(standing):
    """Without `advance`, no time passes, whatever happens."""
    first, second = (standing.told(standing.start(WAIT))["startDate"] for _ in range(2))
    assert first == second


def test_one_moment_after_the_other(standing):
    """What a moment sets off happens at that moment: ten waits of a minute end ten minutes later."""
    states = {f"W{n}": {"Type": "Wait", "Seconds": 60, "Next": f"W{n + 1}"} for n in range(10)}
    arn = standing.start({"StartAt": "W0", "States": states | {"W10": {"Type": "Succeed"}}})
    standing.emulator.advance("1d")
    assert standing.events(arn)[-1] == ("ExecutionSucceeded", 600)


def test_retries_and_a_function_that_runs(standing):
    """A function ends before time moves. Its Retries wait for their intervals."""

    def lambda_handler(event, context):
        import time

        time.sleep(0.2)
        raise ValueError

    function = standing.function(lambda_handler)
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 100, "MaxAttempts": 2, "BackoffRate": 3}]
    task = {"Type": "Task", "Resource": function, "Retry": retry, "End": True}
    arn = standing.start(one(task))
    standing.emulator.advance("399s")
    assert standing.told(arn)["status"] == "RUNNING"
    standing.emulator.advance(1)
    failed = [seconds for kind, seconds in standing.events(arn) if kind == "LambdaFunctionFailed"]
    assert failed == [0, 100, 400]


def asking(standing, **limits):
    task = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": True}
    task |= {"Parameters": ASK | {"QueueUrl": standing.queue}} | limits
    arn = standing.start(one(task))
    standing.emulator.advance(0)  # the message is sent
    message = standing("sqs").receive_message(QueueUrl=standing.queue)["Messages"][0]
    standing("sqs").delete_message(QueueUrl=standing.queue, ReceiptHandle=message["ReceiptHandle"])
    return arn, message["Body"]


def test_a_heartbeat(standing):
    """Each one gives the task its whole time again."""
    arn, token = asking(standing, HeartbeatSeconds=60)
    for _ in range(3):
        standing.emulator.advance(59)
        standing.states.send_task_heartbeat(taskToken=token)
    standing.emulator.advance(59)
    assert standing.told(arn)["status"] == "RUNNING"
    standing.emulator.advance(1)
    assert standing.told(arn)["error"] == "States.Timeout"
    assert standing.events(arn)[-1] == ("ExecutionFailed", 237)


def test_a_time_out(standing):
    """A task ends at the moment of its TimeoutSeconds; a machine, too."""
    arn, token = asking(standing, TimeoutSeconds=600)
    standing.emulator.advance("1h")
    assert standing.events(arn)[-1] == ("ExecutionFailed", 600)
    with pytest.raises(standing.states.exceptions.TaskTimedOut):
        standing.states.send_task_success(taskToken=token, output="{}")
    arn = standing.start(WAIT | {"TimeoutSeconds": 600})
    standing.emulator.advance("1h")
    assert standing.told(arn)["status"] == "TIMED_OUT"
    assert standing.events(arn)[-1] == ("ExecutionTimedOut", 600)


def test_alarms_metrics_and_logs(standing):
    """A failed execution counts at its time. Its alarm changes, and changes back when the period is over."""
    cloudwatch, logs = standing("cloudwatch"), standing("logs")
    logs.create_log_group(logGroupName="/g")
    began = standing.emulator.advance(0)
    fails = flow(W={"Type": "Wait", "Seconds": 30, "Next": "F"}, F={"Type": "Fail"})
    arn = standing.start(fails)
    machine = arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
    cloudwatch.put_metric_alarm(
        AlarmName="failed",
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": machine}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
    )
    standing.emulator.advance("2m")
    standing.emulator.advance("10m")
    found = cloudwatch.describe_alarm_history(AlarmName="failed", HistoryItemType="StateUpdate")
    changes = [
        (item["HistorySummary"].rpartition(" to ")[2], (item["Timestamp"] - began).total_seconds())
        for item in reversed(found["AlarmHistoryItems"])
    ]
    states = [state for state, _ in changes]
    assert "ALARM" in states
    assert states[-1] == "OK"
    at = dict(changes)["ALARM"]
    assert 30 <= at <= 120
    logs.create_log_stream(logGroupName="/g", logStreamName="s")
    stream = logs.describe_log_streams(logGroupName="/g")["logStreams"][0]
    assert abs(stream["creationTime"] / 1000 - standing.emulator.advance(0).timestamp()) < 1


def test_dates_of_other_services(standing):
    """The dates of moto's services are those of the clock, too."""
    at = standing.emulator.advance("2d")
    made = standing("sns").create_topic(Name="t")
    role = standing("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust()))["Role"]
    assert made["TopicArn"].endswith(":t")
    assert abs(role["CreateDate"] - at) < timedelta(seconds=1)
    assert abs(role["CreateDate"].timestamp() - time.time()) > 86_400


@pytest.mark.parametrize("wrong", ["soon", -1, float("inf"), "1y", None, [], "-5m"])
def test_what_is_no_time(standing, wrong):
    with pytest.raises(EmulatorError, match="is no time"):
        standing.emulator.advance(wrong)


def test_the_clock_of_the_machine_cannot_be_moved():
    """A sentence says how to start an emulator whose time stands."""
    with running(clock="machine") as emulator, pytest.raises(EmulatorError) as caught:
        emulator.advance(1)
    assert "its clock is that of the machine. Start it with clock=" in str(caught.value)


def test_a_wrong_setting():
    with pytest.raises(EmulatorError) as caught, running(clock="fast"):
        pass
    told = "SFN_EMULATOR_CLOCK: it is 'fast'. Set it to machine, skipping or virtual."
    assert str(caught.value) == told


def test_settings_by_their_names():
    """IAM is off here, so a machine needs no role that exists. A name that is no setting is refused."""
    with running(iam="off", clock="virtual") as emulator:
        states = boto3.client("stepfunctions", **emulator.client_arguments)
        states.create_state_machine(name="m", definition=json.dumps(WAIT), roleArn=f"{ROLE}-none")
    with pytest.raises(TypeError, match="no setting ian"), running(ian="off"):
        pass
