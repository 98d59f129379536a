import http.client
import json
import socket
import time

import pytest
from botocore.exceptions import ClientError


def raw(emulator, data):
    """Send bytes and read what comes back until the other side closes or is silent."""
    with socket.create_connection(("127.0.0.1", emulator["port"]), timeout=10) as wire:
        wire.sendall(data)
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
    assert browse(emulator["endpoint"] + "/lottery/health")[0] == 200


def test_one_connection_serves_many_requests(emulator):
    """A client need not connect anew for each call."""
    connection = http.client.HTTPConnection("127.0.0.1", emulator["port"], timeout=10)
    connection.request("GET", "/lottery/health")
    connection.getresponse().read()
    wire = connection.sock
    connection.request("GET", "/lottery/health")
    assert json.loads(connection.getresponse().read())["pid"] == emulator["pid"]
    assert connection.sock is wire is not None
    connection.close()


def test_a_slow_request_does_not_stop_others(emulator, browse):
    """Somebody who sends half a request and waits holds only a thread."""
    with socket.create_connection(("127.0.0.1", emulator["port"])) as slow:
        slow.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        begun = time.monotonic()
        assert browse(emulator["endpoint"] + "/lottery/health")[0] == 200
        assert time.monotonic() - begun < 5


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


def test_reset_forgets_all(own, browse):
    """`POST /moto-api/reset` empties the account and the mailbox."""
    sns = own("sns")
    arn = sns.create_topic(Name="T")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="a@example.org")
    reset(own)
    assert sns.list_topics()["Topics"] == []
    assert json.loads(browse(own.told["endpoint"] + "/lottery/mail")[1]) == []


def test_executions_run_after_a_reset(own):
    """A reset does not take the emulator's settings away."""
    reset(own)
    states = own("stepfunctions")
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}'
    role = "arn:aws:iam::123456789012:role/r"
    arn = states.create_state_machine(name="m", definition=definition, roleArn=role)["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=arn)["executionArn"]
    deadline = time.monotonic() + 10
    while states.describe_execution(executionArn=execution)["status"] != "SUCCEEDED":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reset(own):
    connection = http.client.HTTPConnection("127.0.0.1", own.told["port"], timeout=10)
    connection.request("POST", "/moto-api/reset")
    assert connection.getresponse().status == 200
    connection.close()
