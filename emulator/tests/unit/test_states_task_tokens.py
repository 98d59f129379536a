"""What SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat accept, before anybody looks for the token."""

import json

import pytest

from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Request
from sfn_emulator.states.task_tokens import send


def refusal(operation, **parameters):
    """The code and the message of an error."""
    headers = {"x-amz-target": f"AWSStepFunctions.SendTask{operation}"}
    with pytest.raises(RefusalError) as error:
        send(Request("POST", "/", headers, json.dumps(parameters).encode()))
    return error.value.code, error.value.message


def fault(name, what):
    reason = f"Value at '{name}' failed to satisfy constraint: Member must {what}"
    return "ValidationException", f"1 validation error detected: {reason}"


@pytest.mark.parametrize(
    ("operation", "name", "value", "most"),
    [
        ("Success", "taskToken", "x" * 2048, 2048),
        ("Failure", "taskToken", "x" * 2048, 2048),
        ("Heartbeat", "taskToken", "x" * 2048, 2048),
        ("Success", "output", json.dumps("x" * 262_142), 262_144),
        ("Success", "output", json.dumps("é" * 131_071, ensure_ascii=False), 262_144),
        ("Failure", "error", "x" * 256, 256),
        ("Failure", "cause", "x" * 32_768, 32_768),
    ],
)
def test_how_long_a_parameter_may_be(operation, name, value, most):
    """As AWS's model says. What is not too long comes to the token, which is none here."""
    given = {"taskToken": "t", **({"output": "1"} if operation == "Success" else {})}
    assert refusal(operation, **given | {name: value})[0] == "InvalidToken"
    assert refusal(operation, **given | {name: value + "x"}) == fault(
        name, f"have length less than or equal to {most}"
    )


@pytest.mark.parametrize("operation", ["Success", "Failure", "Heartbeat"])
def test_a_token_is_required(operation):
    """It has one character at least."""
    assert refusal(operation, output="1") == fault("taskToken", "not be null")
    assert refusal(operation, output="1", taskToken="") == fault(
        "taskToken", "have length greater than or equal to 1"
    )


def test_an_output_is_required():
    """Of a success. A failure needs neither an error nor a cause."""
    assert refusal("Success", taskToken="t") == fault("output", "not be null")
    assert refusal("Failure", taskToken="t")[0] == "InvalidToken"


@pytest.mark.parametrize("output", ["", "yes", "{", "[" * 100_000])
def test_an_output_is_json(output):
    """InvalidOutput, and not an error of the emulator."""
    assert refusal("Success", taskToken="t", output=output)[0] == "InvalidOutput"


def test_an_output_may_have_half_a_character():
    """JSON can say so, and nothing breaks."""
    assert refusal("Success", taskToken="t", output='"\ud800"')[0] == "InvalidToken"


@pytest.mark.parametrize(
    ("operation", "name"),
    [("Heartbeat", "taskToken"), ("Success", "output"), ("Failure", "error"), ("Failure", "cause")],
)
def test_a_parameter_is_a_text(operation, name):
    """Otherwise the body cannot be read, as with any other operation."""
    body = json.dumps({"taskToken": "t", name: {"a": 1}}).encode()
    with pytest.raises(MalformedRequestError):
        send(Request("POST", "/", {"x-amz-target": f"AWSStepFunctions.SendTask{operation}"}, body))
