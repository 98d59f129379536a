"""Whose calls the clients of state machines and stacks make, and what comes back."""

import threading

import pytest
from patience import SECONDS

from sfn_emulator.http.messages import Reply
from sfn_emulator.http.replies import query_reply
from sfn_emulator.storage.clients import PARAMETERS, CallError, Clients

HERE = "us-east-1"


@pytest.fixture
def clients():
    """Clients whose calls end in a list: `clients.keys` are the access keys of the callers."""

    def answer(request):
        made.keys.append(request.scope.access_key)
        return made.reply

    made = Clients(answer)
    made.keys, made.reply = [], query_reply("sns", "ListTopics", {})
    return made


def list_topics(clients, key):
    return clients.call_as(key, HERE, "sns", "ListTopics", {})


def invoke(clients, **given):
    return clients.invoke_as("ann", HERE, {"FunctionName": "f", "Payload": b"{}", **given})


def test_a_call_is_made_with_somebodys_key(clients):
    """One client calls with one key after the other."""
    for key in ("ann", "bob", "ann"):
        list_topics(clients, key)
    assert clients.keys == ["ann", "bob", "ann"]
    assert clients.of(HERE, "sns") is clients.of(HERE, "sns")


def test_a_call_is_its_own_threads(clients):
    """The key of another execution, used in the meantime, is not this one's."""
    inside, go = threading.Event(), threading.Event()
    send = clients._send

    def waits(scope, request, **more):
        if threading.current_thread() is first:
            inside.set()
            go.wait(SECONDS)
        return send(scope, request, **more)

    clients._send = waits
    first = threading.Thread(target=list_topics, args=(clients, "ann"))
    first.start()
    assert inside.wait(SECONDS)
    list_topics(clients, "bob")
    go.set()
    first.join()
    assert clients.keys == ["bob", "ann"]


@pytest.mark.parametrize("given", [{}, {"InvocationType": "RequestResponse"}])
@pytest.mark.parametrize("failed", [{}, {"X-Amz-Function-Error": "Unhandled"}])
def test_a_function_answers_as_through_botocore(clients, given, failed):
    """A call with more parameters is botocore's. The others go without it, and mean the same."""
    clients.reply = Reply(200, b'{"a": 1}', {"X-Amz-Executed-Version": "$LATEST", **failed})
    told = invoke(clients, **given)
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST")
    assert told.get("FunctionError") == failed.get("X-Amz-Function-Error")
    assert told["Payload"].read() == b'{"a": 1}'
    assert clients.keys == ["ann"]


def test_a_refused_call_of_a_function_is_made_once(clients):
    """The client reads the refusal that is there already. The next call is a new one."""
    body = b'{"Message": "Function not found: f", "Type": "User"}'
    clients.reply = Reply(404, body, {"x-amzn-ErrorType": "ResourceNotFoundException"})
    for times in (1, 2):
        with pytest.raises(CallError, match="Function not found: f") as caught:
            invoke(clients)
        assert caught.value.code == "ResourceNotFoundException"
        assert len(clients.keys) == times


def test_a_refused_call_says_why(clients):
    """With the service's code, status and message."""
    xml = b"<ErrorResponse><Error><Code>NotFound</Code><Message>No topic</Message></Error></ErrorResponse>"
    clients.reply = Reply(404, xml)
    with pytest.raises(CallError, match="No topic") as caught:
        list_topics(clients, "ann")
    assert (caught.value.code, caught.value.status) == ("NotFound", 404)


def test_a_call_that_is_not_made_says_so(clients):
    """The client finds that the name of a bucket is no name."""
    with pytest.raises(CallError, match="Invalid bucket name") as caught:
        clients.call_as("ann", HERE, "s3", "ListObjectsV2", {"Bucket": "not a bucket"})
    assert (caught.value.code, clients.keys) == (PARAMETERS, [])
