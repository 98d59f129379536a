"""State machines in JSONata. What AWS does is in docs/emulator.md's sources: its guide, and recorded executions."""

import json

import pytest

PASS = {"Type": "Pass", "End": True}
ENTERED = "An error occurred while executing the state 'A' (entered at the event id #2). "
CATCH = [{"ErrorEquals": ["States.QueryEvaluationError"], "Next": "Z"}]


def jsonata(**states):
    """A machine in JSONata. It begins at the first of the states."""
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}


def one(**state):
    """A machine in JSONata of one state, A."""
    return jsonata(A={"End": True} | state)


def output(machine, definition, given=None):
    told = machine(definition).run(given)
    assert told["status"] == "SUCCEEDED", told.get("cause")
    return json.loads(told["output"])


def failed(machine, definition, given=None):
    """The error and the cause of an execution that fails."""
    told = machine(definition).run(given)
    assert told["status"] == "FAILED", told.get("output")
    return told["error"], told["cause"]


def types(mine, told):
    return [event["type"] for event in mine.events(told["executionArn"])]


INPUT = {"n": 5, "text": 'say "hi"', "none": None, "half": 0.5, "list": [1, 2, 3], "one": 1.0}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("{% $states.input.n %}", 5),
        ("{%1+1%}", 2),
        ("{%\n 1 +\n 1 \n%}", 2),
        ("{% $states.input %}", INPUT),
        ("{% $states.input.text %}", 'say "hi"'),
        ("{% $states.input.none %}", None),
        ("{% $states.input.half %}", 0.5),
        ("{% {'k': $states.input.nope} %}", {}),
        ("{% 10 / 4 %}", 2.5),
        ("{% [1/0, -1/0] %}", ["Infinity", "-Infinity"]),
        ("{% $replace('a-b', /-/, '+') %}", "a+b"),
        ('{% "é" & \'"\' %}', 'é"'),
        ("{% $states.input.list[$ > 1] %}", [2, 3]),
        ("{% ($x := 2; $x * 3) %}", 6),
        ({"a": {"b": ["{% 1 %}", 2, "$x", None, True]}}, {"a": {"b": [1, 2, "$x", None, True]}}),
        ("plain", "plain"),
        ("{% $states.context.State.Name %}", "A"),
        ("{% $states.context.Execution.Input.n %}", 5),
        ("{% $range(1, 9, 9) %}", 1),
        ("{% $partition([0], 1) %}", [[0]]),
        ("{% $hash('input', 'SHA-1') %}", "140f86aae51ab9e1cda9b4254fe98a74eb54c1a1"),
        ("{% $random(42) %}", 0.7275636800328681),
        ("{% $parse('{\"a\":[1,null]}') %}", {"a": [1, None]}),
        ("{% $length($uuid()) %}", 36),
    ],
)
def test_an_output_is_evaluated(machine, field, expected):
    """Each text between the delimiters, at any depth; everything else is as it stands."""
    assert output(machine, one(Type="Pass", Output=field), INPUT) == expected
