"""What the call of a Task makes of what nobody expects."""

import pytest

from sfn_emulator.states.calls import Calls
from states_language.execution import Call, Failed

CONTEXT = {
    "Execution": {"Id": "arn:aws:states:us-east-1:123456789012:execution:M:e"},
    "StateMachine": {"Id": "arn:aws:states:us-east-1:123456789012:stateMachine:M"},
}


class Broken:
    """Clients that fail as no client should."""

    def __getattr__(self, name):
        raise ValueError("oops")


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:f",
        "arn:aws:states:::lambda:invoke",
        "arn:aws:states:::dynamodb:getItem",
        "arn:aws:states:::aws-sdk:sns:publish",
        "arn:aws:states:::s3:getObject",
    ],
)
def test_an_error_of_ours_fails_the_execution(resource, capsys):
    """The cause has no words of Python. The log has them."""
    told = Calls(Broken(), lambda role: "key").make(Call("1", resource, {}, "A"), CONTEXT, "role")
    cause = "The emulator could not make this call. Its log says why."
    assert told == Failed("1", "States.Runtime", cause)
    assert "ValueError: oops" in capsys.readouterr().err
