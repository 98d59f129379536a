"""Whose calls the clients of moto's engine and of CloudFormation make."""

import threading

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError

from sfn_emulator.engine.clients import CallError, EngineClients
from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import Reply
from sfn_emulator.http.replies import query_reply

ROLES = [f"arn:aws:iam::123456789012:role/{name}" for name in "ab"]
LOCAL = {"endpoint_url": "http://localhost:1", "aws_access_key_id": "ak", "aws_secret_access_key": "sk"}


@pytest.fixture
def engine():
    """Clients whose calls end in a list: `engine.callers`."""
    sessions = Sessions()

    def answer(request):
        made.keys.append(request.scope.access_key)
        made.callers.append(sessions.find(request.scope.access_key))
        return made.reply

    made = EngineClients(answer, sessions)
    made.keys, made.callers, made.reply = [], [], query_reply("ListTopics", {})
    return made


def make(region, service):
    return boto3.session.Session().client(service, region_name=region, **LOCAL)


def list_topics(engine, role=None):
    engine.client(make, "us-east-1", "sns", role).list_topics()


def test_a_call_is_made_as_the_role_that_was_told(engine):
    """One client calls with one role after the other."""
    for role in [*ROLES, ROLES[0]]:
        list_topics(engine, role)
    first, second, third = engine.callers
    assert [first.principal, second.principal] == ROLES
    assert (first, first.service) == (third, "states")


def test_a_call_is_its_own_threads(engine):
    """Another execution's role, used in the meantime, is not this one's."""
    client = engine.client(make, "us-east-1", "sns", ROLES[0])
    other = threading.Thread(target=engine.client, args=(make, "us-east-1", "sns", ROLES[1]))
    other.start()
    other.join()
    client.list_topics()
    assert engine.callers[0].principal == ROLES[0]


def test_without_a_role_a_call_is_denied(engine):
    """The call does not reach the router, even if the thread made a call with a role before."""
    list_topics(engine, ROLES[0])
    with pytest.raises(ClientError) as caught:
        list_topics(engine)
    assert caught.value.response["Error"]["Code"] == "AuthorizationError"
    assert "no role" in caught.value.response["Error"]["Message"]
    assert len(engine.callers) == 1


def invoke(engine, **given):
    client = engine.client(make, "us-east-1", "lambda", ROLES[0])
    return client.invoke(FunctionName="f", Payload=b"{}", **given)


@pytest.mark.parametrize("given", [{}, {"InvocationType": "RequestResponse"}])
@pytest.mark.parametrize("failed", [{}, {"X-Amz-Function-Error": "Unhandled"}])
def test_a_function_answers_as_through_boto3(engine, given, failed):
    """A call with more parameters is boto3's. The others go without it, and mean the same."""
    engine.reply = Reply(200, b'{"a": 1}', {"X-Amz-Executed-Version": "$LATEST", **failed})
    told = invoke(engine, **given)
    assert (told["StatusCode"], told["ExecutedVersion"]) == (200, "$LATEST")
    assert told.get("FunctionError") == failed.get("X-Amz-Function-Error")
    assert told["Payload"].read() == b'{"a": 1}'
    assert [caller.principal for caller in engine.callers] == ROLES[:1]


def test_a_refused_call_of_a_function_is_made_once(engine):
    """boto3 reads the refusal that is there already. The next call is a new one."""
    body = b'{"Message": "Function not found: f", "Type": "User"}'
    engine.reply = Reply(404, body, {"x-amzn-ErrorType": "ResourceNotFoundException"})
    for times in (1, 2):
        with pytest.raises(ClientError) as caught:
            invoke(engine)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert len(engine.callers) == times


def test_a_refusal_is_of_one_call(engine):
    """If boto3 does not even send the call, the next call does not get its refusal."""
    engine.reply = Reply(404, b"{}")
    with pytest.raises(ParamValidationError):
        engine.client(make, "us-east-1", "lambda", ROLES[0]).invoke(FunctionName="f", Payload=1)
    engine.reply = query_reply("ListTopics", {})
    list_topics(engine, ROLES[1])
    assert [caller.principal for caller in engine.callers] == ROLES


def test_a_call_is_made_with_somebodys_key(engine):
    """And after it, a state machine's call has its role again."""
    engine.call_as("key-of-ann", "us-east-1", "sns", "ListTopics", {})
    list_topics(engine, ROLES[0])
    assert engine.keys == ["key-of-ann", engine.keys[1]]
    assert engine.callers[1].principal == ROLES[0]


def test_a_refused_call_says_why(engine):
    """With the service's code, status and message."""
    xml = b"<ErrorResponse><Error><Code>NotFound</Code><Message>No topic</Message></Error></ErrorResponse>"
    engine.reply = Reply(404, xml)
    with pytest.raises(CallError, match="No topic") as caught:
        engine.call_as("key-of-ann", "us-east-1", "sns", "ListTopics", {})
    assert (caught.value.code, caught.value.status) == ("NotFound", 404)
