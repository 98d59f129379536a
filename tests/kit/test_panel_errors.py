"""What AWS refuses is a sentence in the panel: the real calls, with a refusal in place of the answer."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from botocore.awsrequest import AWSResponse

from lottery_lib import DrawPanel, Draws, connect


class Body:
    """What botocore reads of a response."""

    def __init__(self, text):
        self.text = text

    def stream(self):
        yield self.text.encode()


def refuse(target, code, message):
    """Let Step Functions refuse every start of an execution."""
    body = json.dumps({"__type": code, "message": message})
    answer = AWSResponse("https://aws", 400, {"Content-Type": "application/x-amz-json-1.0"}, Body(body))
    client = target.client("stepfunctions")
    client.meta.events.register("before-send.sfn.StartExecution", lambda **_: answer)


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        ("ExpiredTokenException", "The security token included in the request is expired", "Renew the cred"),
        ("ThrottlingException", "Rate exceeded", "wait half a minute"),
        ("AccessDeniedException", "User: ann is not authorized to perform: states:StartExecution", "Ask the"),
        ("UnrecognizedClientException", "The security token included in the request is invalid", "Renew the"),
    ],
)
def test_refusal(stack, monkeypatch, code, message, advice):
    """Expired credentials, a throttle, a missing right: AWS's sentence, its code, and what to do."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    target = connect(attendee=stack.target.names.attendee)  # whose clients are its own
    panel = DrawPanel(Draws(target), pace=0)
    refuse(target, code, message)
    assert asyncio.run(panel.run(1)) is None
    assert f"✗ AWS StartExecution: {message} ({code})." in panel.message.value
    assert advice in panel.message.value
    assert not panel.draw_button.disabled
