"""Random requests get AWS's 2xx or 4xx: no 5xx, no closed connection, no endless wait, no words of Python."""

import http.client
import io
import json
import os
import re
from xml.etree import ElementTree

import pytest
from botocore.parsers import RpcV2CBORParser
from garbage import MODELS, NAME, Generator
from helpers import ECHO, ROLE, Function, Own, emulator_in, policy, signed, trust
from patience import SECONDS

#: The same seed makes the same requests again: `GARBAGE_SEED=2 pytest tests/test_garbage.py`.
SEED = os.environ.get("GARBAGE_SEED", "1")
#: How long a request may take. The machine of the tests may be busy.
_PYTHON = re.compile(
    r"Traceback|\b(?:Key|Type|Attribute|Value|Index|Name|Unicode\w*|JSONDecode|NotImplemented|Recursion|"
    r"Assertion|Overflow|Runtime|ZeroDivision|Lookup|Parse|OS|Import)Error\b|object has no|NoneType|"
    r"not subscriptable|not iterable|positional argument|unexpected keyword|<class '|unhashable|must be str|"
    r"invalid literal|\bmoto\b"
)


#: A call that reads what there is, by which a test sees that an API still works.
_READS = {
    "cloudformation": "list_stacks",
    "dynamodb": "list_tables",
    "events": "list_rules",
    "iam": "list_roles",
    "lambda": "list_functions",
    "logs": "describe_log_groups",
    "monitoring": "describe_alarms",
    "s3": "list_buckets",
    "sns": "list_topics",
    "sqs": "list_queues",
    "states": "list_state_machines",
    "sts": "get_caller_identity",
}


class Wire:
    """One connection, as its client has the owner's key."""

    def __init__(self, told, api):
        self.key = signed(told["access_key_id"], api)
        self.connection = http.client.HTTPConnection("127.0.0.1", told["port"], timeout=SECONDS)

    def __call__(self, it):
        """Status, headers and body of the reply."""
        self.connection.putrequest(it.method, it.target, skip_accept_encoding=True)
        for name, value in (it.headers | self.key | {"Content-Length": str(len(it.body))}).items():
            self.connection.putheader(name, value.encode("latin-1", "replace"))
        self.connection.endheaders(it.body)
        reply = self.connection.getresponse()
        return reply.status, reply.headers, reply.read()


def fault(it, api, status, headers, body):
    """What is wrong with a reply; empty if it could be AWS's."""
    text = body.decode(errors="replace")
    if 200 <= status < 300 or (status == 304 and api == "s3"):
        return ""
    if found := _PYTHON.search(text):
        return f"{status} with {found[0]}: {text[:300]}"
    if not 400 <= status < 500:
        return f"{status}: {text[:300]}"
    if it.method == "HEAD":
        return ""
    code = headers.get("x-amzn-errortype", "")
    if text.startswith("<"):
        found = ElementTree.fromstring(text).iterfind(".//{*}Code")
        code = next((element.text or "" for element in found), "")
    elif "cbor" in headers["Content-Type"]:
        code = RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body)))["__type"]
    elif text.startswith("{"):
        code = code or json.loads(text).get("__type", "")
    return "" if re.search(r"[A-Za-z]{4}", code) else f"{status} without a code: {text[:300]}"


def prepare(own):
    """One of each thing, so that some requests find what they name."""
    own("dynamodb").create_table(
        TableName=NAME,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    Function(own("lambda"), ECHO, FunctionName=NAME, Publish=True)
    own("sns").create_topic(Name=NAME)
    own("sqs").create_queue(QueueName=NAME)
    own("s3").create_bucket(Bucket=NAME)
    own("s3").put_object(Bucket=NAME, Key=NAME, Body=b"a,b\n1,2\n")
    own("events").put_rule(Name=NAME, EventPattern='{"source": ["a"]}')
    own("logs").create_log_group(logGroupName=NAME)
    own("logs").create_log_stream(logGroupName=NAME, logStreamName=NAME)
    machine = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    own("stepfunctions").create_state_machine(
        name=NAME, definition=json.dumps(machine), roleArn=ROLE, publish=True
    )
    iam = own("iam")
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust()))
    iam.create_user(UserName=NAME)
    iam.create_group(GroupName=NAME)
    everything = json.dumps(policy({"Action": "*", "Resource": "*"}))
    iam.create_policy(PolicyName=NAME, PolicyDocument=everything)
    own("cloudwatch").put_metric_alarm(
        AlarmName=NAME, Namespace="N", MetricName="M", Period=60, Statistic="Sum", EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    template = {"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}
    own("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(template))


def wrong_replies(own, api, count):
    """The wrong replies to random requests, and what was sent."""
    own.reset()
    own.role()
    prepare(own)
    wire, found = Wire(own.told, api), []
    for it in Generator(api, SEED).requests(count):
        try:
            reason = fault(it, api, *wire(it))
        except (http.client.HTTPException, OSError, ElementTree.ParseError, ValueError) as error:
            reason, wire = repr(error), Wire(own.told, api)
        if reason:
            found.append(f"{reason} <- {it}")
    return found


def check(own, api, count):
    """Fail if a reply is wrong, or if the API does not work afterwards."""
    found = wrong_replies(own, api, count)
    summary = f"{len(found)} of {count} requests to {api}, GARBAGE_SEED={SEED}:"
    assert not found, "\n".join([summary, *found[:10]])
    getattr(own(MODELS[api]), _READS[api])()


@pytest.fixture(scope="module")
def ticking(tmp_path_factory):
    """An emulator whose time goes on: who asks a queue may wait for some seconds."""
    with emulator_in(tmp_path_factory.mktemp("state"), clock="machine") as told:
        yield Own(told)


@pytest.mark.parametrize("api", MODELS)
def test_random_requests_get_a_2xx_or_4xx(ticking, api):
    """Whatever is in a request, the answer has a code of AWS."""
    check(ticking, api, 100)


@pytest.mark.long
@pytest.mark.parametrize("api", MODELS)
def test_two_thousand_random_requests_get_a_2xx_or_4xx(ticking, api):
    """The same with more of them, which takes more than a minute."""
    check(ticking, api, 2000)
