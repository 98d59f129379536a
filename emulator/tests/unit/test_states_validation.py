"""Definitions and outcomes of tasks are accepted or refused, whatever they hold."""

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfn_emulator.http.messages import MalformedRequestError, RefusalError
from sfn_emulator.states.validation import check_arns, check_definition, check_execution, task_outcome

WORDS = st.sampled_from(
    [
        *("StartAt", "States", "A", "Next", "Default", "Catch", "Choices", "Branches", "Iterator"),
        *("ItemProcessor", "Resource"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(
    st.fixed_dictionaries(
        {"StartAt": JSON, "States": st.dictionaries(WORDS, JSON | st.dictionaries(WORDS, JSON))}
    )
)
def test_no_definition_is_too_strange(definition):
    """A definition whose fields have any type is accepted or refused."""
    with contextlib.suppress(RefusalError):
        check_definition(json.dumps(definition), "EXPRESS")


def test_a_definition_has_at_most_1_mb():
    """A longer one is refused, in the words of AWS's model. Its text is not repeated."""
    definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}).ljust(1_048_576)
    check_definition(definition)
    text = "1 validation error detected: Value at 'definition' failed to satisfy constraint: "
    with pytest.raises(RefusalError) as refused:
        check_definition(definition + " ")
    assert refused.value.code == "ValidationException"
    assert refused.value.message == f"{text}Member must have length less than or equal to 1048576"


@pytest.mark.parametrize("depth", [100, 2_000, 50_000])
def test_no_definition_is_too_deep(depth):
    """A definition with any number of levels is accepted or refused."""
    inner = '{"StartAt":"A","States":{"A":{"Type":"Map","Iterator":' * depth + "5" + "}}}" * depth
    with contextlib.suppress(RefusalError):
        check_definition(inner, "EXPRESS")


def test_a_fault_is_found_among_thousands_of_states():
    """Only its place is named."""
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke"}
    states = {f"S{n}": task | {"Next": f"S{n + 1}"} for n in range(8000)}
    last = {"Type": "Task", "Resource": "arn:aws:states:::dynamodb:knows", "End": True}
    _, message = refused(check_definition, json.dumps({"StartAt": "S0", "States": states | {"S8000": last}}))
    assert message.endswith(" at /States/S8000/Resource'")
    assert message.count(" at /States/") == 1


PYTHON = re.compile(r"<class|None|Error|Exception|Expected at least|mismatched|line 1:")
TASK = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
INNER = {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}
TIMES = {"TimeoutSeconds": 9, "HeartbeatSeconds": 3, "Credentials": {"RoleArn": "arn:x"}}
VALID = [
    {"Type": "Pass", "Parameters": {"a.$": "States.Format('{} \\'', $.b)"}, "ResultPath": "$.d", "End": True},
    TASK | TIMES | {"Retry": [{"ErrorEquals": ["States.ALL"], "BackoffRate": 1.5}]},
    {"Type": "Map", "ItemsPath": "$.a", "ItemSelector": {"b.$": "$"}, "ItemProcessor": INNER, "End": True},
    {"Type": "Wait", "Timestamp": "2026-01-01T00:00:00.5+01:00", "End": True},
    {"Type": "Choice", "Choices": [{"Variable": "$.a", "StringEquals": "b", "Next": "A"}], "Default": "A"},
    {"Type": "Fail", "ErrorPath": "$.e", "CausePath": "States.Format('{}', $.c)"},
    {"Type": "Pass", "QueryLanguage": "JSONata", "Output": {"a": "{% $states.input %}"}, "End": True},
]
TEXTS = [
    "$.a",
    "$$",
    "$x",
    "States.Foo(1)",
    "States.UUID(1)",
    "{% 1 %}",
    "{% 1",
    "JSONata",
    "CausePath",
    "",
    "A",
]
ODD = st.sampled_from([*TEXTS, None, True, False, -1, 0, 2, 0.5]) | st.sampled_from(["{}", "[{}]"]).map(
    json.loads
)


@given(st.sampled_from(VALID), st.data())
@settings(max_examples=300)
def test_no_refusal_has_words_of_python(state, data):
    """Whatever a field of a valid definition is changed to, it is accepted, or refused in plain words."""
    state = json.loads(json.dumps(state))
    part: Any = state
    while True:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not (isinstance(part[key], dict | list) and part[key] and data.draw(st.booleans())):
            break
        part = part[key]
    part[key] = data.draw(ODD)
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    try:
        check_definition(definition)
    except RefusalError as refusal:
        assert not PYTHON.search(
            re.sub("'[A-Z]+(Path|Equals)'|(Error|Cause)(Path|Equals)", "", refusal.message)
        )


def test_an_express_machine_waits_nowhere():
    """An express machine waits neither for a token nor for a job, at any depth. The places are AWS's."""
    token, job, other = (
        {"Type": "Task", "Resource": f"arn:aws:states:::{each}"}
        for each in ("sqs:sendMessage.waitForTaskToken", "states:startExecution.sync", "sqs:sendMessage")
    )
    branches = [{"StartAt": name, "States": {name: job | {"End": True}}} for name in ("I", "J", "K")]
    states = {
        "T": token | {"Next": "P"},
        "P": {"Type": "Parallel", "Branches": branches[:2], "Next": "M"},
        "M": {"Type": "Map", "ItemProcessor": branches[2], "Next": "O"},
        "O": other | {"End": True},
    }
    text = json.dumps({"StartAt": "T", "States": states})
    check_definition(text, "STANDARD")
    check_definition(text)
    with pytest.raises(RefusalError) as refusal:
        check_definition(text, "EXPRESS")
    fault = "SCHEMA_VALIDATION_FAILED: Express state machine does not support '{}' service integration at {}"
    inside = "P/Branches[0]/States/I", "P/Branches[1]/States/J", "M/ItemProcessor/States/K"
    faults = [
        fault.format(".waitForTaskToken", "/States/T/Resource").replace(" at ", "  at ")
    ]  # as AWS has it
    faults += [fault.format(".sync", f"/States/{place}/Resource") for place in inside]
    assert refusal.value.code == "InvalidDefinition"
    assert refusal.value.message == f"Invalid State Machine Definition: '{', '.join(faults)}'"


def refused(check, *arguments):
    """The code and the message of an error."""
    with pytest.raises(RefusalError) as error:
        check(*arguments)
    return error.value.code, error.value.message


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a/b", "{a}", "a\nb", "a*"])
def test_an_execution_has_a_plain_name(name):
    """A name without characters, with spaces, or with special characters is refused."""
    assert refused(check_execution, name, "{}") == ("InvalidName", f"Invalid Name: '{name}'")


def test_the_name_of_an_execution_has_at_most_80_characters():
    """A longer name is refused, with the name in the message."""
    check_execution("n" * 80, "{}")
    code, message = refused(check_execution, "n" * 81, "{}")
    assert code == "ValidationException"
    assert f"'{'n' * 81}' at 'name'" in message
    assert message.endswith("Member must have length less than or equal to 80")


def test_the_input_of_an_execution_is_json():
    """Any other text is refused in the words of AWS's parser."""
    code, message = refused(check_execution, "n", "nope")
    assert code == "InvalidExecutionInput"
    assert message.startswith("Invalid State Machine Execution Input: 'Unrecognized token 'nope'")


def test_the_input_of_an_execution_has_at_most_256_kb():
    """An input may have 262,144 bytes."""
    check_execution("n", json.dumps("x" * 262_142))
    assert refused(check_execution, "n", json.dumps("x" * 262_143)) == fault(
        "input", "have length less than or equal to 262144"
    )


@pytest.mark.parametrize("arn", ["x", "arn:x", "arn:aws:states:us-east-1"])
@pytest.mark.parametrize("parameter", ["executionArn", "stateMachineArn"])
def test_a_part_of_an_arn_is_refused(parameter, arn):
    """A text that is not a whole ARN names nothing."""
    assert refused(check_arns, {parameter: arn}) == (
        "InvalidArn",
        f"Invalid Arn: 'Invalid ARN prefix: {arn}'",
    )


def refusal(operation, **parameters):
    """The error of an operation on a task token."""
    return refused(task_outcome, f"SendTask{operation}", parameters)


def fault(name, what):
    null = " null" if what == "not be null" else ""
    reason = f"Value{null} at '{name}' failed to satisfy constraint: Member must {what}"
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
def test_a_parameter_has_a_largest_length(operation, name, value, most):
    """A parameter may be as long as AWS's model says. An output is measured in bytes."""
    parameters = {"taskToken": "t", "output": "1", name: value}
    task_outcome(f"SendTask{operation}", parameters)
    assert refusal(operation, **parameters | {name: value + "x"}) == fault(
        name, f"have length less than or equal to {most}"
    )


@pytest.mark.parametrize("operation", ["Success", "Failure", "Heartbeat"])
def test_a_token_is_required(operation):
    """A token has at least one character."""
    assert refusal(operation, output="1") == fault("taskToken", "not be null")
    assert refusal(operation, output="1", taskToken="") == fault(
        "taskToken", "have length greater than or equal to 1"
    )


def test_only_a_success_needs_its_values():
    """A success needs an output. A failure needs no error and no cause. A heartbeat has neither."""
    assert refusal("Success", taskToken="t") == fault("output", "not be null")
    assert task_outcome("SendTaskFailure", {"taskToken": "t"}) == {"error": None, "cause": None}
    assert task_outcome("SendTaskHeartbeat", {"taskToken": "t"}) is None


@pytest.mark.parametrize("output", ["", "yes", "{", "[" * 100_000])
def test_an_output_is_json(output):
    """Any other text is refused with InvalidOutput, however deep it is nested."""
    assert refusal("Success", taskToken="t", output=output)[0] == "InvalidOutput"


def test_an_output_may_have_half_a_character():
    """JSON can contain half of a surrogate pair, so it is accepted."""
    parameters = {"taskToken": "t", "output": '"\ud800"'}
    assert task_outcome("SendTaskSuccess", parameters) == {"output": '"\ud800"'}


@pytest.mark.parametrize(
    ("operation", "name"),
    [("Heartbeat", "taskToken"), ("Success", "output"), ("Failure", "error"), ("Failure", "cause")],
)
def test_a_parameter_is_a_text(operation, name):
    """With a parameter of another type, the body cannot be read. This is so for every operation."""
    with pytest.raises(MalformedRequestError):
        task_outcome(f"SendTask{operation}", {"taskToken": "t", "output": "1", name: {"a": 1}})
