"""The requests of TestState that are refused before the state runs."""

import json

import pytest
from helpers import ROLE

from sfn_emulator.http.messages import RefusalError, Request
from sfn_emulator.states import test_state as api

PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "End": True}
START = TASK | {"Resource": "arn:aws:states:::states:startExecution"}
ONE = {"StartAt": "Inner", "States": {"Inner": PASS}}
MAP = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": ONE, "End": True}
TWO = [ONE, {"StartAt": "Other", "States": {"Other": PASS}}]
PARALLEL = {"Type": "Parallel", "Branches": TWO, "End": True}
WRITTEN = MAP | {"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {}}}
RESULT = {"result": "{}"}
THREE = {"result": "[7, 8, 9]"}
ERROR = {"errorOutput": {"error": "Oops", "cause": "why"}}
FAILED_ITERATION = {"stateConfiguration": {"mapIterationFailureCount": 1}}


def refusal(definition, given=None, **options):
    """The code and the message of an error."""
    text = definition if isinstance(definition, str) else json.dumps(definition)
    parameters = {"definition": text, "input": "{}" if given is None else given} | options
    request = Request("POST", "/", {}, json.dumps(parameters).encode())
    with pytest.raises(RefusalError) as raised:
        api.test_state(request, lambda *_: None, None)
    return raised.value.code, raised.value.message


@pytest.mark.parametrize(
    ("state", "options", "message"),
    [
        (PASS, {"mock": RESULT}, "State type 'Pass' is not supported when a mock is specified"),
        (TASK, {}, "RoleArn must be specified when testing a Task state"),
        *(
            (
                TASK,
                {"mock": mock},
                "A test mock should have only one of the following fields: [result, errorOutput].",
            )
            for mock in (RESULT | ERROR, {})
        ),
        (
            TASK,
            {"mock": RESULT, "revealSecrets": True},
            "TestState does not support RevealSecrets when a mock is specified.",
        ),
        (TASK, {"mock": {"result": "no", "fieldValidationMode": "NONE"}}, "Mocked result must be valid JSON"),
        (MAP, {"mock": RESULT}, "Mocked result must be an array."),
        (WRITTEN, {"mock": THREE}, "Mocked result must be a JSON object."),
        (PARALLEL, {"mock": RESULT}, "Mocked result must be an array."),
        (
            PARALLEL,
            {"mock": THREE},
            "Mocked result must contain the same number of items as number of Parallel branches.",
        ),
        (
            TASK,
            {"roleArn": ROLE} | FAILED_ITERATION,
            "TestState does not support MapIterationFailureCount when a mock is not specified.",
        ),
        (ONE, {"stateName": "Nobody"}, "State not found in definition"),
    ],
)
def test_a_request_that_does_not_fit_together(state, options, message):
    """AWS refuses a request whose parts do not fit together, in these words."""
    assert refusal(state, **options) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({"Execution": {"Id": 1}}, "Execution.Id must be a string"),
        ({"State": {"RetryCount": True}}, "State.RetryCount must be a number"),
        ({"Map": {}}, "'Map' field is not supported when mocking a Context object"),
        ({"Execution": {"x": 1}}, "Field 'x' is not allowed"),
        ({"X": {}}, "Field 'X' is not allowed"),
        (
            {"Task": {"Token": "t"}},
            "Context object contains 'Task' when state is not a Task state with a '.sync' or "
            "'.waitForTaskToken' service integration pattern",
        ),
    ],
)
def test_a_wrong_context(context, message):
    """A context object has certain fields, and each of them has a certain type."""
    told = refusal(TASK, mock=RESULT, context=json.dumps(context))
    assert told == ("ValidationException", f"Invalid Context object provided: {message}")


@pytest.mark.parametrize("state", [MAP, PARALLEL])
def test_map_and_parallel_need_a_mock(state):
    """Without a mock, AWS says that it supports neither a Map nor a Parallel."""
    supported = "Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]"
    message = f"TestState API does not support Map or Parallel states. {supported}"
    assert refusal(state) == ("InvalidDefinition", message)


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        (
            {"Type": "Map", "ItemProcessor": {"StartAt": "A"}, "End": True},
            "SCHEMA_VALIDATION_FAILED: These fields are required: [States] "
            "at /States/StateName/ItemProcessor",
        ),
        (
            "no",
            "INVALID_JSON_DESCRIPTION: Unrecognized token 'no': was expecting ('true', 'false' or 'null')",
        ),
    ],
)
def test_a_wrong_definition(definition, fault):
    """A state alone is validated as a machine whose state is called StateName."""
    told = refusal(definition, mock=THREE)
    assert told == ("InvalidDefinition", f"Invalid State Machine Definition: '{fault}'")


@pytest.mark.parametrize(
    ("state", "options", "code"),
    [
        (TASK, {"roleArn": ROLE, "context": "{}"}, "ValidationException"),
        *(
            (TASK | {"Resource": resource}, {"roleArn": ROLE}, "ValidationException")
            for resource in (
                "arn:aws:states:::sns:publish.waitForTaskToken",
                "arn:aws:states:::states:startExecution.sync",
                "arn:aws:states:us-east-1:123456789012:activity:a",
            )
        ),
        (TASK, {"roleArn": "role"}, "InvalidArn"),
        (PASS, {"variables": "[1]"}, "ValidationException"),
        (PASS, {"inspectionLevel": "ALL"}, "ValidationException"),
        (TASK, {"mock": RESULT, "context": "[1]"}, "ValidationException"),
        (TASK, {"mock": {"errorOutput": {"cause": "c"}}}, "ValidationException"),
        ({"Type": "Nothing"}, {}, "InvalidDefinition"),
        ({"Type": "Pass", "Catch": [1], "Choices": 5, "Next": {}}, {}, "InvalidDefinition"),
        ({"Type": "Parallel", "Branches": 7}, {"mock": THREE}, "InvalidDefinition"),
        ("5", {}, "InvalidDefinition"),
        (PASS, {"stateName": "Pass"}, "InvalidDefinition"),
        (PASS, {"given": "{"}, "InvalidExecutionInput"),
    ],
)
def test_a_refusal_in_words_of_our_own(state, options, code):
    """AWS refuses these requests with the same code. Its texts are not known."""
    assert refusal(state, **options)[0] == code


@pytest.mark.parametrize(
    ("mode", "result"),
    [("STRICT", '{"executionArn": "e"}'), ("PRESENT", '{"ExecutionArn": 1}'), (None, "{}")],
)
def test_a_mode_of_validation_refuses_a_mock(mode, result):
    """STRICT, which is the default, wants the required fields. PRESENT checks the fields that are there."""
    mock = {"result": result} | ({"fieldValidationMode": mode} if mode else {})
    assert "'ExecutionArn'" in refusal(START, mock=mock)[1]
