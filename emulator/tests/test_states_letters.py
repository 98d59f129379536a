"""Letters of all languages stand in inputs, outputs, errors and the history as they are, as on AWS."""

import json

import pytest

NAME = "李娜 é 😀"
ECHO = "def lambda_handler(event, context): return event"
FAILS = "def lambda_handler(event, context): raise ValueError(event['name'])"
INVOKE = "arn:aws:states:::lambda:invoke"
JSONATA = {"QueryLanguage": "JSONata"}


def of(state, name="A"):
    return {"StartAt": name, "States": {name: state | {"End": True}}}


def text_of(events):
    """What the history says in texts of JSON."""
    return "\n".join(
        str(value)
        for event in events
        for details in event.values()
        if isinstance(details, dict)
        for value in details.values()
    )


STATES = {
    "pass": {"Type": "Pass"},
    "map": {"Type": "Map", "ItemsPath": "$.all", "ItemProcessor": of({"Type": "Pass"}, "B")},
    "parallel": {"Type": "Parallel", "Branches": [of({"Type": "Pass"}, "B")]},
    "intrinsic": {"Type": "Pass", "Parameters": {"text.$": "States.JsonToString($)"}},
    "format": {"Type": "Pass", "Parameters": {"text.$": "States.Format('{}', $.all)"}},
    "jsonata": JSONATA | {"Type": "Pass", "Output": "{% $string($states.input) %}"},
    "variable": {"Type": "Pass", "Assign": {"kept.$": "$.name"}},
}


@pytest.mark.parametrize("kind", [*STATES, "function", "integration", "jsonata integration", "topic"])
def test_letters_are_not_escaped(kind, machine, function, topic):
    """Neither in an output nor in an event."""
    state = STATES.get(kind)
    if kind == "topic":
        message = {"TopicArn": topic, "Message.$": "$"}
        state = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Parameters": message}
        state["ResultPath"] = None
    elif kind == "function":
        state = {"Type": "Task", "Resource": function(ECHO).arn}
    elif state is None:
        payload = {"FunctionName": function(ECHO).arn}
        payload |= {"Payload": "{% $states.input %}"} if "jsonata" in kind else {"Payload.$": "$"}
        field = "Arguments" if "jsonata" in kind else "Parameters"
        state = {"Type": "Task", "Resource": INVOKE, field: payload}
        state |= JSONATA if "jsonata" in kind else {}
    mine = machine(of(state))
    ended = mine.run({"name": NAME, "all": [NAME]})
    assert NAME in ended["output"]
    told = text_of(mine.events(ended["executionArn"]))
    assert NAME in told
    assert "\\u" not in ended["output"] + told.replace(json.dumps({"name": NAME, "all": [NAME]}), "")


@pytest.mark.parametrize("by", ["function", "integration", "state"])
def test_letters_of_an_error_are_not_escaped(by, machine, function):
    """In the cause, and in the Error Output that a Catch takes."""
    state = {"Type": "Fail", "Error": "E", "Cause": NAME}
    if by == "function":
        state = {"Type": "Task", "Resource": function(FAILS).arn, "End": True}
    elif by == "integration":
        payload = {"FunctionName": function(FAILS).arn, "Payload.$": "$"}
        state = {"Type": "Task", "Resource": INVOKE, "Parameters": payload, "End": True}
    assert NAME in machine({"StartAt": "A", "States": {"A": state}}).run({"name": NAME})["cause"]
    if by != "state":
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
        caught = {"StartAt": "A", "States": {"A": state, "B": {"Type": "Pass", "End": True}}}
        assert NAME in machine(caught).run({"name": NAME})["output"]


def test_half_a_letter_does_not_stop_an_execution(machine):
    """It is half of a surrogate pair, which JSON may have and UTF-8 may not."""
    ended = machine(of({"Type": "Pass"})).run({"name": "\ud800"})
    assert ended["status"] == "SUCCEEDED"
    assert json.loads(ended["output"]) == {"name": "?"}
