"""CloudWatch's alarms: they change with their metrics, and tell their topics."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError
from helpers import checked, one, policy, refused, wait_until

FAIL = one({"Type": "Fail", "Error": "E"})
ADDRESS = "employee@example.org"


@pytest.fixture
def cloudwatch(aws):
    return checked(aws("cloudwatch"))


@pytest.fixture
def subscribed(aws, topic, mails, browse):
    """The notifications of the test's topic, for subscribers by e-mail or, with `json=True`, of JSON."""
    for protocol, address in (("email", ADDRESS), ("email-json", f"json-{ADDRESS}")):
        aws("sns").subscribe(TopicArn=topic, Protocol=protocol, Endpoint=address)
    for mail in mails():
        browse(mail["link"])

    def received(*, json=False):
        return [it for it in mails() if it["type"] == "notification" and json is it["to"].startswith("json-")]

    return received


@pytest.fixture
def alarm(cloudwatch):
    """`alarm(MetricName=...)`: a function that describes an alarm of the test's own."""
    made = []

    def make(**settings):
        name = f"a-{uuid.uuid4().hex[:12]}"
        made.append(name)
        defaults = {
            "Namespace": f"n-{name}",
            "MetricName": "m",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }
        given = defaults | {"AlarmName": name} | settings
        cloudwatch.put_metric_alarm(**{key: value for key, value in given.items() if value is not None})
        return lambda: cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]

    yield make
    cloudwatch.delete_alarms(AlarmNames=made)


def put(cloudwatch, told, value, **more):
    data = [{"MetricName": "m", "Value": value, **more}]
    cloudwatch.put_metric_data(Namespace=told["Namespace"], MetricData=data)


@pytest.fixture
def reaches(advance):
    """`reaches(describe, state)` lets time pass until an alarm has a state."""

    def wait(describe, state):
        for _ in range(20):
            if describe()["StateValue"] == state:
                return
            advance(10)
        raise AssertionError(f"{describe()} is not {state} after 200 s")

    return wait


def test_a_failed_execution_raises_an_alarm_that_mails(alarm, machine, topic, subscribed, reaches):
    """The topic has AWS's message, and subscribers by e-mail have sentences."""
    mine = machine(FAIL)
    describe = alarm(
        Namespace="AWS/States",
        MetricName="ExecutionsFailed",
        Dimensions=[{"Name": "StateMachineArn", "Value": mine.arn}],
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
    )
    mine.run()
    reaches(describe, "ALARM")
    wait_until(lambda: subscribed() and subscribed(json=True))
    (mail,), (structured,) = subscribed(), subscribed(json=True)
    told, name = describe(), describe()["AlarmName"]
    assert mail["subject"] == f'ALARM: "{name}" in US East (N. Virginia)'
    assert told["StateReason"] in mail["text"]
    message = json.loads(structured["text"].partition("\n\n--\n")[0])
    assert (message["AlarmName"], message["NewStateValue"]) == (name, "ALARM")
    assert message["NewStateReason"] == told["StateReason"]


def test_an_alarm_goes_back_when_its_metric_does(alarm, cloudwatch, topic, subscribed, reaches):
    """A good value in a later period makes the alarm OK, and OKActions have their turn."""
    describe = alarm(Statistic="Maximum", Period=10, OKActions=[topic])
    put(cloudwatch, describe(), 5.0)
    reaches(describe, "ALARM")
    put(cloudwatch, describe(), 0.0)
    reaches(describe, "OK")
    wait_until(subscribed)
    assert subscribed()[0]["subject"].startswith("OK: ")


#: No minute that begins gives such an alarm another state: nobody puts a value of its metric.
STAYS = {"TreatMissingData": "ignore"}


def test_a_new_alarm_has_no_data(alarm):
    """As AWS describes it before its first look at the metric."""
    told = alarm()()
    assert told.pop("AlarmName") in told.pop("AlarmArn")
    assert {name: value for name, value in told.items() if not name.endswith("Timestamp")} == {
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        "StateValue": "INSUFFICIENT_DATA",
        "StateReason": "Unchecked: Initial alarm creation",
        "MetricName": "m",
        "Namespace": told["Namespace"],
        "Statistic": "Sum",
        "Dimensions": [],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    }


def test_missing_values_may_be_breaching(alarm, reaches):
    """Then an alarm needs no value at all."""
    describe = alarm(TreatMissingData="breaching", EvaluationPeriods=2)
    reaches(describe, "ALARM")
    assert describe()["StateReason"].endswith("2 missing datapoints were treated as [Breaching].")


def test_a_sum_that_still_grows_is_not_too_small(alarm, cloudwatch, advance, reaches):
    """Whether a period's sum is below a threshold is only known at its end."""
    describe = alarm(ComparisonOperator="LessThanThreshold", Threshold=10, Period=10)
    advance(10 - advance() % 10)  # a period begins
    put(cloudwatch, describe(), 1.0)
    advance(9)
    assert describe()["StateValue"] == "INSUFFICIENT_DATA"
    reaches(describe, "ALARM")


def test_a_state_that_somebody_sets_counts_and_is_history(alarm, cloudwatch, topic, subscribed):
    """SetAlarmState acts as any other change. The history says what happened, newest first."""
    describe = alarm(AlarmActions=[topic], **STAYS)
    name = describe()["AlarmName"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="testing")
    assert describe()["StateReason"] == "testing"
    wait_until(subscribed)
    items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert [it["HistorySummary"] for it in items] == [
        f"Successfully executed action {topic}",
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
    ]
    assert json.loads(items[1]["HistoryData"])["newState"] == {
        "stateValue": "ALARM",
        "stateReason": "testing",
    }


def test_disabled_actions_are_not_taken(alarm, cloudwatch, topic, subscribed):
    """The state changes all the same."""
    describe = alarm(AlarmActions=[topic], **STAYS)
    name = describe()["AlarmName"]
    cloudwatch.disable_alarm_actions(AlarmNames=[name])
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")
    items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    assert [it["HistoryItemType"] for it in items] == ["StateUpdate"]
    assert not subscribed()


def test_a_topic_that_takes_no_message_of_a_service(alarm, cloudwatch, aws):
    """A FIFO topic wants a group. The history has a fixed text, none of the engine."""
    sns = aws("sns")
    new = f"{uuid.uuid4().hex[:12]}.fifo"
    fifo = sns.create_topic(Name=new, Attributes={"FifoTopic": "true"})["TopicArn"]
    name = alarm(AlarmActions=[fifo])()["AlarmName"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    summary = items["AlarmHistoryItems"][0]["HistorySummary"]
    sns.delete_topic(TopicArn=fifo)
    assert summary == f'Failed to execute action {fifo}. Received error: "Invalid parameter"'


def test_a_topic_decides_which_services_publish(alarm, cloudwatch, aws, topic, subscribed):
    """A policy that names another service keeps the alarm's message out; the history says so."""
    statement = {"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish", "Resource": topic}
    document = json.dumps(policy(statement))
    aws("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)
    describe = alarm(AlarmActions=[topic])
    name = describe()["AlarmName"]
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="r")
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    summary = items["AlarmHistoryItems"][0]["HistorySummary"]
    assert summary.startswith(f"Failed to execute action {topic}.")
    assert "is not authorized to perform: SNS:Publish on resource" in summary
    assert not subscribed()


def test_an_alarm_keeps_its_state_when_it_is_changed(alarm, cloudwatch):
    """PutMetricAlarm replaces the settings only."""
    describe = alarm(**STAYS)
    told = describe()
    cloudwatch.set_alarm_state(AlarmName=told["AlarmName"], StateValue="ALARM", StateReason="r")
    names = ("AlarmName", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods")
    settings = {name: told[name] for name in (*names, "ComparisonOperator")}
    cloudwatch.put_metric_alarm(**settings, **STAYS, Threshold=7)
    assert (describe()["Threshold"], describe()["StateValue"]) == (7.0, "ALARM")


@pytest.mark.parametrize(
    ("name", "state", "code", "message"),
    [
        (
            "any",
            "INVALID",
            "ValidationError",
            "1 validation error detected: Value 'INVALID' at 'stateValue' failed to satisfy constraint: "
            "Member must satisfy enum value set: [INSUFFICIENT_DATA, ALARM, OK]",
        ),
        ("nowhere", "OK", "ResourceNotFound", ""),
    ],
)
def test_a_state_that_cannot_be_set(cloudwatch, name, state, code, message):
    """AWS's names and sentences."""
    asked = {"AlarmName": name, "StateValue": state, "StateReason": "r"}
    assert refused(cloudwatch.set_alarm_state, **asked) == (code, message)


@pytest.mark.parametrize(
    ("wrong", "code", "message"),
    [
        (
            {"AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:t"]},
            "ValidationError",
            "Invalid region eu-west-1 specified. Only us-east-1 is supported.",
        ),
        ({"TreatMissingData": "notbreaching"}, "ValidationError", "Option notbreaching is not supported."),
        ({"ComparisonOperator": "Greater"}, "ValidationError", "Value 'Greater' at 'comparisonOperator'"),
        (
            {"Statistic": None, "ExtendedStatistic": "tm90"},
            "InvalidParameterValue",
            "The value tm90 for parameter ExtendedStatistic is not supported.",
        ),
    ],
)
def test_an_alarm_that_is_refused(alarm, wrong, code, message):
    """A topic of another region, and words that CloudWatch does not know."""
    told = refused(alarm, **wrong)
    assert told.code == code
    assert message in told.message


def test_a_user_needs_the_right_to_an_alarm(user, cloudwatch, alarm):
    """The resource is the alarm's ARN. Tags need a right of their own."""
    name = alarm()()["AlarmName"]
    arn = f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"
    ann = user({"Action": ["cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"], "Resource": arn})
    assert ann("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    with pytest.raises(ClientError, match=r"on resource: arn:aws:cloudwatch:us-east-1:123456789012:alarm:\*"):
        ann("cloudwatch").describe_alarms()
    told = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    names = ("AlarmName", "Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold")
    settings = {key: told[key] for key in (*names, "ComparisonOperator")}
    with pytest.raises(ClientError, match="cloudwatch:TagResource"):
        ann("cloudwatch").put_metric_alarm(**settings, Tags=[{"Key": "k", "Value": "v"}])


def test_the_tags_of_an_alarm(cloudwatch, alarm):
    """They are given when the alarm is made, or later."""
    arn = alarm(Tags=[{"Key": "a", "Value": "1"}])()["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "b", "Value": "2"}]


def test_alarms_are_found_by_name_state_and_metric(cloudwatch, alarm):
    """A page has a token for the next one."""
    told = [alarm()() for _ in range(3)]
    names = sorted(it["AlarmName"] for it in told)
    page = cloudwatch.describe_alarms(AlarmNamePrefix="a-", MaxRecords=2)
    rest = cloudwatch.describe_alarms(AlarmNamePrefix="a-", MaxRecords=2, NextToken=page["NextToken"])
    found = [it["AlarmName"] for it in page["MetricAlarms"] + rest["MetricAlarms"]]
    assert [name for name in found if name in names] == names
    of_metric = cloudwatch.describe_alarms_for_metric(MetricName="m", Namespace=told[0]["Namespace"])
    assert [it["AlarmName"] for it in of_metric["MetricAlarms"]] == [told[0]["AlarmName"]]
    assert not cloudwatch.describe_alarms(AlarmNames=names, StateValue="ALARM")["MetricAlarms"]
