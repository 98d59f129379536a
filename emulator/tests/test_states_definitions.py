"""Definitions that AWS accepts are accepted, and run."""

import json

import pytest
from helpers import one

PASS = {"Type": "Pass", "End": True}
CALL = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
MAP = {"Type": "Map", "ItemProcessor": one(PASS, "I"), "End": True}
WORDS = ("JSONata", "JSONPath", "CausePath", "ErrorPath")
JSONATA = {"QueryLanguage": "JSONata"}


@pytest.fixture
def faults(aws):
    """What ValidateStateMachineDefinition refuses in some states."""

    def validate(**states):
        text = json.dumps({"StartAt": next(iter(states)), "States": states})
        return aws("stepfunctions").validate_state_machine_definition(definition=text)["diagnostics"]

    return validate


@pytest.mark.parametrize(
    "state",
    [
        *(PASS | {"Result": {word: [word, {"Type": "Fail", word: word}]}, "Comment": word} for word in WORDS),
        *(PASS | JSONATA | {"Output": word, "Assign": {"x": {word: word}}} for word in WORDS),
        {"Type": "Fail", "ErrorPath": "$.CausePath", "CausePath": "$.JSONata"},
        *(CALL | JSONATA | {"Arguments": each} for each in ("x", [1, "{% 2 %}"], None, "{% 1 %}", {"a": 1})),
        *(MAP | JSONATA | {"ItemSelector": each} for each in ("{% 1 %}", {"a": "{% 1 %}"})),
        MAP | {"ItemProcessor": MAP["ItemProcessor"] | {"ProcessorConfig": {}}},
        {
            "Type": "Choice",
            "Choices": [{"Variable": "$.a", "StringEquals": "JSONata", "Next": "Z"}],
            "Default": "Z",
        },
        CALL | {"Retry": [{"ErrorEquals": ["States.Http.Socket"]}]},
        {"Type": "Wait", "Timestamp": "2026-01-01T00:00:00.25+05:30", "End": True},
        PASS | {"Parameters": {"a.$": "States.Array(null, 1.5, 'it\\'s', States.UUID())"}},
    ],
)
def test_a_valid_state_is_accepted(faults, state):
    """Neither a word of the language in a payload, nor an unusual value of a field, is a fault."""
    assert faults(A=state, **({"Z": PASS} if state["Type"] == "Choice" else {})) == []


def test_end_may_be_false(faults):
    """Beside Next, it says nothing."""
    assert faults(A={"Type": "Pass", "End": False, "Next": "JSONata"}, JSONata=PASS) == []


def test_parameters_may_be_a_list(machine):
    """With paths inside, as in an object."""
    state = PASS | {"Parameters": [{"a.$": "$.x"}, 2]}
    assert machine(one(state)).run({"x": 1})["output"] == '[{"a":1},2]'
