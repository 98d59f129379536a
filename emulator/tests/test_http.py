import http.client
import json
import re
import socket
import threading

import psutil
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import create_loader
from helpers import Machine, Role, get, signed

FORM = "application/x-www-form-urlencoded"


def let_in(emulator, data):
    """The same request with the headers that every request needs."""
    headers = {"Host": f"127.0.0.1:{emulator['port']}"} | signed(emulator["access_key_id"])
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return data.replace(b" HTTP/1.1\r\n", f" HTTP/1.1\r\n{lines}".encode())


def raw(emulator, data):
    """Send bytes and read what comes back until the other side closes or is silent."""
    with socket.create_connection(("127.0.0.1", emulator["port"]), timeout=10) as wire:
        wire.sendall(let_in(emulator, data))
        wire.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := wire.recv(65536):
            received += chunk
        return received


@pytest.mark.parametrize(
    "data",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST / HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nX-Amz-Target: AWSStepFunctions.StartExecution\r\nContent-Length: 1\r\n\r\n{",
        b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.BatchWriteItem\r\nContent-Length: 2\r\n\r\n[]",
        b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nContent-Length: 1\r\n\r\n{",
    ],
)
def test_garbage_gets_a_4xx(emulator, browse, data):
    """What is no request, or not one of AWS's, is refused, and the emulator goes on."""
    status = raw(emulator, data).split(maxsplit=2)[1]
    assert status.startswith(b"4")
    assert browse(emulator["endpoint"] + "/_emulator/health")[0] == 200


@pytest.mark.parametrize(
    ("start", "status"),
    [(b"BREW / HTTP/1.1", b"405"), (b"GET / HTTP/9.9", b"400"), (b"GET / HTTP/x", b"400")],
)
def test_an_unknown_method_or_protocol_gets_a_4xx(emulator, start, status):
    """It is no fault of the emulator."""
    assert raw(emulator, start + b"\r\n\r\n").split(maxsplit=2)[1] == status


def test_a_malformed_header_ends_the_connection(emulator):
    """The headers after it are not read. So nobody knows the length of the body, which would be a request."""
    head = b"POST / HTTP/1.1\r\na b: c\r\nContent-Length: 34\r\n\r\n"
    told = raw(emulator, head + b"GET /_emulator/health HTTP/1.1\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", told) == [b"400"]


def test_one_connection_serves_many_requests(emulator):
    """A client need not connect anew for each call."""
    connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=10)
    connection.request("GET", "/_emulator/health")
    connection.getresponse().read()
    wire = connection.sock
    connection.request("GET", "/_emulator/health")
    assert json.loads(connection.getresponse().read())["pid"] == emulator["pid"]
    assert connection.sock is wire is not None
    connection.close()


def test_a_slow_request_does_not_stop_others(emulator, browse):
    """Somebody who sends half a request and waits holds only a thread."""
    with socket.create_connection(("127.0.0.1", emulator["port"])) as slow:
        slow.sendall(let_in(emulator, b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf"))
        assert browse(emulator["endpoint"] + "/_emulator/health")[0] == 200


def test_what_moto_does_not_know_is_said(aws):
    """An operation that moto lacks is an error with AWS's shape, not a broken connection."""
    with pytest.raises(ClientError) as caught:
        aws("lambda").get_account_settings()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] >= 400


def test_no_page_of_another_site_may_call(emulator):
    """A browser gets no permission to call from elsewhere."""
    connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=10)
    connection.request("POST", "/", body="Action=ListTopics", headers={"Origin": "https://example.org"})
    assert connection.getresponse().getheader("Access-Control-Allow-Origin") is None
    connection.close()


def test_managed_policies_are_there(aws):
    """The four policies of the tutorial's role can be attached."""
    for name in (
        "AmazonDynamoDBFullAccess",
        "service-role/AWSLambdaBasicExecutionRole",
        "AmazonSNSFullAccess",
        "AWSStepFunctionsFullAccess",
    ):
        assert aws("iam").get_policy(PolicyArn=f"arn:aws:iam::aws:policy/{name}")["Policy"]["IsAttachable"]


def test_reset_forgets_all(apart):
    """`POST /moto-api/reset` empties the account and the mailbox, also while a stack is made."""
    sns, events, cloudwatch, cloudformation = map(apart, ("sns", "events", "cloudwatch", "cloudformation"))
    arn = sns.create_topic(Name="T")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.org")
    events.put_rule(Name="r", EventPattern='{"source": ["s"]}')
    cloudwatch.put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1.0}])
    many = {"Resources": {f"T{number}": {"Type": "AWS::SNS::Topic"} for number in range(30)}}
    cloudformation.create_stack(StackName="many", TemplateBody=json.dumps(many))
    apart.reset()
    assert cloudformation.describe_stacks()["Stacks"] == []
    assert events.list_rules()["Rules"] == []
    assert cloudwatch.list_metrics()["Metrics"] == []
    assert sns.list_topics()["Topics"] == []
    mails = get(apart.told["endpoint"] + "/_emulator/mail", **signed(apart.told["access_key_id"]))
    assert json.loads(mails[1]) == []


def test_executions_run_after_a_reset(apart):
    """A reset does not take the emulator's settings away."""
    apart.reset()
    role = apart.role()
    succeed = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
    assert Machine(apart("stepfunctions"), succeed, roleArn=role).run()["status"] == "SUCCEEDED"


TOPICS = "import boto3\ndef lambda_handler(e, c): return boto3.client('sns').list_topics()['Topics']"


def test_a_reset_forgets_roles_and_goes_on_enforcing(apart):
    """A role of the same name begins with nothing."""
    apart.reset()
    apart.role()
    nobodys = Role(apart("iam"))
    told = apart.function(TOPICS, Timeout=30, Role=nobodys.arn)()
    assert told["errorType"] == "AuthorizationErrorException"


def post(emulator, body, service, **headers):
    """Status and text of a signed POST."""
    sent = signed(emulator["access_key_id"], service) | {
        key.replace("_", "-"): text for key, text in headers.items()
    }
    connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=60)
    connection.request("POST", "/", body=body, headers=sent)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


SERVICES = [
    ("states", "AWSStepFunctions.StartExecution"),
    ("states", "AWSStepFunctions.ListStateMachines"),
    ("dynamodb", "DynamoDB_20120810.BatchWriteItem"),
    ("logs", "Logs_20140328.DescribeLogGroups"),
]


@pytest.mark.parametrize("body", [b"\xff\xfe\x00", b'{"a": "\xff"}', b"{", b"null", b"[" * 100_000, b"5"])
@pytest.mark.parametrize(("service", "target"), SERVICES)
def test_parameters_that_are_none_get_a_4xx(emulator, service, target, body):
    """A body that is not UTF-8, not JSON, or not an object is refused."""
    status, text = post(emulator, body, service, X_Amz_Target=target)
    assert (status, json.loads(text)["__type"]) == (400, "SerializationException")


def test_parameters_of_another_shape_get_a_4xx(emulator):
    """A number instead of a list is refused."""
    body, target = b'{"RequestItems": {"t": 5}}', "DynamoDB_20120810.BatchWriteItem"
    assert post(emulator, body, "dynamodb", X_Amz_Target=target)[0] == 400


def test_an_unknown_operation_is_refused(emulator):
    """In a JSON protocol, an unknown operation is an UnknownOperationException."""
    status, text = post(emulator, b"{}", "dynamodb", X_Amz_Target="DynamoDB_20120810.Nope")
    assert (status, json.loads(text)["__type"]) == (400, "UnknownOperationException")


def test_an_unknown_action_is_refused(emulator):
    """In the query protocol, an unknown operation is an InvalidAction."""
    status, text = post(emulator, b"Action=Nope", "sns", Content_Type=FORM)
    assert status == 400 and "<Code>InvalidAction</Code>" in text


#: What only an engine says.
ENGINE = re.compile(r"moto|Error\(|NoneType|Traceback|object has no|not iterable|positional")


@pytest.mark.parametrize(
    ("service", "target"),
    [
        ("states", "AWSStepFunctions"),
        ("logs", "Logs_20140328"),
        ("dynamodb", "DynamoDB_20120810"),
        ("sns", ""),
        ("iam", ""),
    ],
)
def test_an_empty_request_gets_awss_words(emulator, service, target):
    """Any operation answers what is missing, whatever the engine makes of nothing."""
    model = create_loader().load_service_model({"states": "stepfunctions"}.get(service, service), "service-2")
    told = {}
    for operation in model["operations"]:
        form = f"Action={operation}&Version={model['metadata']['apiVersion']}".encode()
        headers = {"X_Amz_Target": f"{target}.{operation}"} if target else {"Content_Type": FORM}
        told[operation] = post(emulator, b"{}" if target else form, service, **headers)
    wrong = {name: text for name, (_, text) in told.items() if ENGINE.search(text)}
    assert wrong == {}


def test_a_request_without_a_signature_is_refused(emulator):
    """A request without a signature is a MissingAuthenticationTokenException."""
    data = (
        b"POST / HTTP/1.1\r\nX-Amz-Target: AWSStepFunctions.ListStateMachines\r\nContent-Length: 2\r\n\r\n{}"
    )
    data = data.replace(b"\r\n", b"\r\nHost: 127.0.0.1:%d\r\n" % emulator["port"], 1)
    with socket.create_connection(("127.0.0.1", emulator["port"]), timeout=10) as wire:
        wire.sendall(data)
        reply = wire.makefile("rb").read()
    assert reply.split()[1] == b"400" and b"MissingAuthenticationTokenException" in reply


def test_a_body_that_ends_early_gets_a_4xx(emulator):
    """A body that is shorter than its length is refused."""
    assert raw(emulator, b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort").split()[1] == b"400"


def test_a_body_that_goes_on_is_another_request(emulator):
    """The rest of a body that is longer than its length is refused, because it is no request."""
    head = b"GET /_emulator/health HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    statuses = re.findall(rb"^HTTP/1.1 (\d+)", raw(emulator, head + b"more\r\n\r\n"), re.MULTILINE)
    assert statuses[0] == b"200" and all(status.startswith(b"4") for status in statuses[1:])


def test_50_mb_are_read_and_refused(emulator, browse):
    """A huge body that means nothing is an error, and others are served meanwhile."""
    told = []
    body = b'{"input": "' + b"x" * 50_000_000 + b'"}'
    target = "AWSStepFunctions.StartExecution"
    huge = threading.Thread(target=lambda: told.append(post(emulator, body, "states", X_Amz_Target=target)))
    huge.start()
    assert browse(emulator["endpoint"] + "/_emulator/health")[0] == 200
    huge.join()
    assert 400 <= told[0][0] < 500


def test_many_half_requests_do_not_stop_others(emulator, browse):
    """A hundred clients that send half a header and wait do not stop others."""
    slow = [socket.create_connection(("127.0.0.1", emulator["port"])) for _ in range(100)]
    try:
        for wire in slow:
            wire.sendall(b"POST / HTTP/1.1\r\nX-Slow: ")
        assert browse(emulator["endpoint"] + "/_emulator/health")[0] == 200
    finally:
        for wire in slow:
            wire.close()


def test_large_bodies_are_forgotten(emulator):
    """Ten of them one after the other need the memory of one."""
    process, body = psutil.Process(emulator["pid"]), b"x" * 20_000_000
    post(emulator, body, "states")
    before = process.memory_info().rss
    for _ in range(10):
        post(emulator, body, "states")
    assert process.memory_info().rss - before < 100_000_000
