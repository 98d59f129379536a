"""EventBridge's rules: they send what executions do to topics and queues."""

import datetime
import json
import uuid
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from helpers import checked, policy, wait_until

PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
FAIL = {"StartAt": "A", "States": {"A": {"Type": "Fail", "Error": "E", "Cause": "C"}}}
WAIT = {"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 60, "End": True}}}
ADDRESS = "employee@example.org"


@pytest.fixture
def events(aws):
    return checked(aws("events"))


@pytest.fixture
def rule(events):
    """`rule({"source": [...]}, {"Arn": ...})`: the name of a rule of the test's own with these targets."""
    made = []

    def make(pattern, *targets, **more):
        name = f"r-{uuid.uuid4().hex[:12]}"
        made.append(name)
        events.put_rule(Name=name, EventPattern=json.dumps(pattern), **more)
        if targets:
            entries = [{"Id": str(number), **target} for number, target in enumerate(targets)]
            assert events.put_targets(Rule=name, Targets=entries)["FailedEntryCount"] == 0
        return name

    yield make
    for name in made:
        ids = [target["Id"] for target in events.list_targets_by_rule(Rule=name)["Targets"]]
        if ids:
            events.remove_targets(Rule=name, Ids=ids)
        events.delete_rule(Name=name)


@pytest.fixture
def received(aws, topic, mails, browse):
    """The texts that a subscriber of the test's topic has. `received.let_in(...)` is the topic's policy."""

    def texts():
        return [it["text"].partition("\n\n--\n")[0] for it in mails() if it["type"] == "notification"]

    def let_in(principal, **more):
        statement = {"Principal": principal, "Action": "SNS:Publish", "Resource": topic} | more
        document = json.dumps(policy(statement))
        aws("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=document)

    texts.let_in, texts.topic = let_in, topic
    let_in({"Service": "events.amazonaws.com"})
    aws("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    browse(mails()[0]["link"])
    return texts


@pytest.fixture
def queue(aws):
    """A queue of the test's own, which lets EventBridge in."""
    name = f"q-{uuid.uuid4().hex[:12]}"
    url = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    allowed = {"Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy(allowed))})

    def message():
        (found,) = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
        return json.loads(found["Body"])

    yield SimpleNamespace(arn=arn, message=message)
    aws("sqs").delete_queue(QueueUrl=url)


def of_status(machine, *statuses):
    detail = {"stateMachineArn": [machine.arn]} | ({"status": list(statuses)} if statuses else {})
    return {"source": ["aws.states"], "detail": detail}


def test_a_rule_mails_when_an_execution_fails(machine, rule, received):
    """The event has the fields that AWS was recorded sending, in their order."""
    mine = machine(FAIL)
    rule(of_status(mine, "FAILED"), {"Arn": received.topic})
    told = mine.run({"a": 1})
    wait_until(received)
    event = json.loads(received()[0])
    detail = event.pop("detail")
    assert event.pop("id")
    assert event.pop("time") == f"{told['stopDate'].astimezone(datetime.UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert event == {
        "version": "0",
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": "123456789012",
        "region": "us-east-1",
        "resources": [told["executionArn"]],
    }
    assert list(detail.items()) == [
        ("executionArn", told["executionArn"]),
        ("stateMachineArn", mine.arn),
        ("name", told["name"]),
        ("status", "FAILED"),
        ("startDate", round(told["startDate"].timestamp() * 1000)),
        ("stopDate", round(told["stopDate"].timestamp() * 1000)),
        ("input", told["input"]),
        ("output", None),
        ("stateMachineVersionArn", None),
        ("stateMachineAliasArn", None),
        ("redriveCount", 0),
        ("redriveDate", None),
        ("redriveStatus", "REDRIVABLE"),
        ("redriveStatusReason", None),
        ("inputDetails", {"included": True}),
        ("outputDetails", None),
        ("error", "E"),
        ("cause", "C"),
    ]


def test_every_change_of_an_execution_is_an_event(machine, rule, received):
    """RUNNING comes first, and tells nothing of the end."""
    mine = machine(PASS)
    rule(of_status(mine), {"Arn": received.topic})
    mine.run(input='{"a": 1}')
    wait_until(lambda: len(received()) == 2)
    running, succeeded = (json.loads(text)["detail"] for text in received())
    assert (running["status"], running["stopDate"], running["output"]) == ("RUNNING", None, None)
    assert (running["name"], running["input"]) == (succeeded["name"], '{"a": 1}')
    assert running["redriveStatusReason"] == "Execution is RUNNING and cannot be redriven"
    assert (succeeded["status"], succeeded["output"]) == ("SUCCEEDED", '{"a": 1}')
    assert succeeded["outputDetails"] == {"included": True}


def test_a_stopped_execution_is_aborted_at_once(machine, rule, received):
    """With the error and the cause of StopExecution, and only once."""
    mine = machine(WAIT)
    rule(of_status(mine, "ABORTED", "FAILED"), {"Arn": received.topic})
    mine.client.stop_execution(executionArn=mine.start(), error="mine", cause="why")
    wait_until(received)
    machine(PASS).run()  # what would still happen to the other one, happens meanwhile
    (detail,) = (json.loads(text)["detail"] for text in received())
    assert (detail["status"], detail["error"], detail["cause"]) == ("ABORTED", "mine", "why")


def test_an_execution_times_out_at_its_time(machine, rule, received):
    """The event has the time that DescribeExecution has."""
    mine = machine(WAIT | {"TimeoutSeconds": 1})
    rule(of_status(mine, "TIMED_OUT"), {"Arn": received.topic})
    told = mine.run()
    wait_until(received)
    detail = json.loads(received()[0])["detail"]
    assert detail["stopDate"] == round(told["stopDate"].timestamp() * 1000) >= detail["startDate"] + 1000


def test_an_express_execution_has_no_events(machine, rule, received):
    """A standard one after it has."""
    express, standard = machine(FAIL, type="EXPRESS"), machine(FAIL)
    pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [express.arn, standard.arn]}}
    rule(pattern | {"detail": pattern["detail"] | {"status": ["FAILED"]}}, {"Arn": received.topic})
    express.client.start_sync_execution(stateMachineArn=express.arn)
    standard.run()
    wait_until(received)
    assert [json.loads(text)["detail"]["stateMachineArn"] for text in received()] == [standard.arn]


OWNER = {"StringEquals": {"AWS:SourceOwner": "123456789012"}}  # of a topic's first policy
ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


@pytest.mark.parametrize(
    ("principal", "condition"), [({"AWS": "*"}, OWNER), ({"Service": "events.amazonaws.com"}, ACCOUNT)]
)
def test_a_topic_may_keep_events_out(machine, rule, received, queue, principal, condition):  # noqa: PLR0917
    """A topic's first policy does. EventBridge gives no values for the conditions of a topic's policy."""
    received.let_in(principal, Condition=condition)
    mine = machine(FAIL)
    rule(of_status(mine, "FAILED"), {"Arn": received.topic}, {"Arn": queue.arn})
    mine.run()
    assert queue.message()["detail"]["status"] == "FAILED"  # the topic's turn was before
    assert not received()


def test_a_disabled_rule_sends_nothing(machine, rule, events, received, queue):
    """Until it is enabled."""
    mine = machine(FAIL)
    name = rule(of_status(mine, "FAILED"), {"Arn": received.topic}, State="DISABLED")
    rule(of_status(mine, "FAILED"), {"Arn": queue.arn})
    mine.run()
    assert queue.message()["detail"]["status"] == "FAILED"  # the event has met the rules
    events.enable_rule(Name=name)
    arn = mine.run()["executionArn"]
    wait_until(received)
    assert [json.loads(text)["detail"]["executionArn"] for text in received()] == [arn]


def test_events_of_ones_own(rule, events, received):
    """PutEvents tells of each entry whether it is right; those that are right are delivered."""
    source = f"tests.{uuid.uuid4().hex[:8]}"
    rule(
        {"source": [source, "aws.states"], "detail": {"n": [{"numeric": [">", 1]}]}},
        {"Arn": received.topic, "InputPath": "$.detail"},
    )
    told = events.put_events(
        Entries=[
            {"Source": source, "DetailType": "t", "Detail": '{"n":1}'},
            {"Source": source, "DetailType": "t", "Detail": '{"n":2}'},
            {"Source": source, "DetailType": "t", "Detail": "[]"},
            {"Source": source, "Detail": "{}"},
            {"Source": "aws.states", "DetailType": "t", "Detail": '{"n":3}'},
        ]
    )
    wait_until(received)
    assert received() == ['{"n":2}']
    assert [entry.get("ErrorCode") for entry in told["Entries"]] == [
        None,
        None,
        "MalformedDetail",
        "InvalidArgument",
        "NotAuthorizedForSourceException",
    ]


def test_a_machine_sends_events_of_its_own(machine, rule, received):
    """By the integration of EventBridge. What it adds to the entries is not in the input of the state."""
    source = f"tests.{uuid.uuid4().hex[:8]}"
    rule({"source": [source]}, {"Arn": received.topic, "InputPath": "$.detail"})
    given = {"entries": [{"Source": source, "DetailType": "t", "Detail": {"n": 3}}]}
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Parameters": {"Entries.$": "$.entries"},
        "ResultSelector": {"failed.$": "$.FailedEntryCount"},
        "ResultPath": "$.result",
        "End": True,
    }
    told = machine({"StartAt": "A", "States": {"A": task}}).run(given)
    assert json.loads(told["output"]) == given | {"result": {"failed": 0}}
    wait_until(received)
    assert json.loads(received()[0])["n"] == 3


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ('{"a": 1}', '"a" must be an object or an array'),
        ('{"a": []}', "Empty arrays are not allowed"),
        ('{"a": [{"Suffix": "b"}]}', "Unrecognized match type Suffix"),
        ('{"a": [{"wildcard": "a**"}]}', "Consecutive wildcard characters at pos 2"),
    ],
)
def test_a_pattern_that_is_refused(events, pattern, reason):
    """When a rule is put, and when somebody tests the pattern."""
    for call, more in ((events.put_rule, {"Name": "r"}), (events.test_event_pattern, {"Event": "{}"})):
        with pytest.raises(ClientError) as caught:
            call(EventPattern=pattern, **more)
        assert caught.value.response["Error"]["Code"] == "InvalidEventPatternException"
        assert caught.value.response["Error"]["Message"] == f"Event pattern is not valid. Reason: {reason}"


def test_a_pattern_may_be_tested(events):
    """With an event that has all fields that events have."""
    names = ("id", "account", "source", "time", "region", "detail-type")
    event = dict.fromkeys(names, "a")
    for wanted, result in (("a", True), ("b", False)):
        pattern = json.dumps({"source": [wanted]})
        assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is result
    with pytest.raises(ClientError, match=r"Parameter Event is not valid\."):
        events.test_event_pattern(EventPattern=pattern, Event='{"id": "1"}')


def test_what_rules_and_targets_are_told(rule, events, topic):
    """DescribeRule, ListRules, ListTargetsByRule and tags."""
    name = rule({"source": ["s"]}, {"Arn": topic}, Description="d", Tags=[{"Key": "k", "Value": "v"}])
    told = events.describe_rule(Name=name)
    arn = f"arn:aws:events:us-east-1:123456789012:rule/{name}"
    assert told.pop("ResponseMetadata")
    described = {
        "Name": name,
        "Arn": arn,
        "EventPattern": '{"source": ["s"]}',
        "State": "ENABLED",
        "Description": "d",
        "EventBusName": "default",
    }
    assert told == described | {"CreatedBy": "123456789012"}
    assert events.list_rules(NamePrefix=name)["Rules"] == [described]
    assert events.list_rules(NamePrefix=".*")["Rules"] == []
    assert events.list_targets_by_rule(Rule=name)["Targets"] == [{"Id": "0", "Arn": topic}]
    assert events.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "k", "Value": "v"}]


def test_targets_come_page_by_page(rule, events, topic):
    """Also if they have the same ARN."""
    name = rule({"source": ["s"]}, *[{"Arn": topic}] * 3)
    first = events.list_targets_by_rule(Rule=name, Limit=2)
    second = events.list_targets_by_rule(Rule=name, Limit=2, NextToken=first["NextToken"])
    assert [target["Id"] for target in first["Targets"] + second["Targets"]] == ["0", "1", "2"]
    assert "NextToken" not in second


def test_what_is_refused_of_rules_and_targets(rule, events, topic):
    """AWS's names and sentences."""
    name = rule({"source": ["s"]}, {"Arn": topic})
    template = {"InputTemplate": '"<missing>"', "InputPathsMap": {}}
    targets = [{"Id": str(number), "Arn": topic} for number in range(6)]
    for call, given, message in (
        (events.describe_rule, {"Name": "none"}, "Rule none does not exist on EventBus default."),
        (events.list_targets_by_rule, {"Rule": "none"}, "Rule none does not exist on EventBus default."),
        (events.delete_rule, {"Name": name}, "Rule can't be deleted since it has targets."),
        (
            events.put_targets,
            {"Rule": name, "Targets": [{"Id": "1", "Arn": topic}, {"Id": "!", "Arn": topic}]},
            "1 validation error detected: Value '!' at 'targets.2.member.id' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
        ),
        (
            events.put_targets,
            {"Rule": name, "Targets": [{"Id": "1", "Arn": topic, "Input": "{}", "InputPath": "$"}]},
            "Only one of Input, InputPath, or InputTransformer must be provided for target 1.",
        ),
        (
            events.put_targets,
            {"Rule": name, "Targets": [{"Id": "1", "Arn": topic, "InputTransformer": template}]},
            "InputTemplate for target 1 contains invalid placeholder missing.",
        ),
        (
            events.put_targets,
            {"Rule": name, "Targets": targets},
            "The requested resource exceeds the maximum number allowed.",
        ),
    ):
        with pytest.raises(ClientError) as caught:
            call(**given)
        assert caught.value.response["Error"]["Message"] == message


def test_a_user_needs_the_right_to_a_rule(user, rule, topic):
    """The resource is the rule's ARN, and a role of a target has to be passed."""
    name = rule({"source": ["s"]})
    arn = f"arn:aws:events:us-east-1:123456789012:rule/{name}"
    ann = user({"Action": "events:*", "Resource": arn})("events")
    ann.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": topic}])
    with pytest.raises(ClientError, match=r"events:DescribeRule on resource: .*:rule/other because"):
        ann.describe_rule(Name="other")
    with pytest.raises(ClientError, match="events:ListRules"):
        ann.list_rules()
    role = "arn:aws:iam::123456789012:role/tests"
    with pytest.raises(ClientError, match="iam:PassRole"):
        ann.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": topic, "RoleArn": role}])
