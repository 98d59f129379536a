"""Letters of all languages stand in inputs, outputs, errors and the history as they are, as on AWS."""

import json

import pytest
from helpers import ECHO, flow, one

NAME = "李娜 é 😀"
FAILS = "def lambda_handler(event, context): raise ValueError(event['name'])"
INVOKE = "arn:aws:states:::lambda:invoke"
JSONATA = {"QueryLanguage": "JSONata"}


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
    "map": {"Type": "Map", "ItemsPath": "$.all", "ItemProcessor": one({"Type": "Pass"}, "B")},
    "parallel": {"Type": "Parallel", "Branches": [one({"Type": "Pass"}, "B")]},
    "intrinsic": {"Type": "Pass", "Parameters": {"text.$": "States.JsonToString($)"}},
    "format": {"Type": "Pass", "Parameters": {"text.$": "States.Format('{}', $.all)"}},
    "jsonata": JSONATA | {"Type": "Pass", "Output": "{% $string($states.input) %}"},
    "variable": {"Type": "Pass", "Assign": {"kept.$": "$.name"}},
}


@pytest.mark.parametrize("kind", [*STATES, "function", "integration", "jsonata integration", "topic"])
def test_letters_are_not_escaped(kind, machine, function, topic):
    """Neither in an output nor in an event. What a state passes on keeps the escapes of the input."""
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
    mine = machine(one(state))
    ended = mine.run(input=json.dumps({"name": NAME, "all": [NAME]}, ensure_ascii=False))
    assert NAME in ended["output"]
    assert "\\u" not in ended["output"] + text_of(mine.events(ended["executionArn"]))


def test_what_passes_through_a_state_stays_as_it_was_written(machine):
    """With its escapes and its spaces. A value that a state makes is written anew."""
    pass_on, anew = {"Type": "Pass", "Next": "B"}, {"Type": "Pass", "Parameters": {"n.$": "$.n"}, "End": True}
    mine = machine(flow(A=pass_on, B=anew))
    given = f'{{"n":  {json.dumps(NAME)} }}'
    ended = mine.run(input=given)
    assert ended["output"] == json.dumps({"n": NAME}, separators=(",", ":"), ensure_ascii=False)
    texts = [
        event["stateExitedEventDetails"]["output"]
        for event in mine.events(ended["executionArn"])
        if event["type"] == "PassStateExited"
    ]
    assert texts == [given, ended["output"]]


@pytest.mark.parametrize("by", ["function", "integration", "state"])
def test_letters_of_an_error_are_not_escaped(by, machine, function):
    """In the cause, and in the Error Output that a Catch takes."""
    state = {"Type": "Fail", "Error": "E", "Cause": NAME}
    if by == "function":
        state = {"Type": "Task", "Resource": function(FAILS).arn, "End": True}
    elif by == "integration":
        payload = {"FunctionName": function(FAILS).arn, "Payload.$": "$"}
        state = {"Type": "Task", "Resource": INVOKE, "Parameters": payload, "End": True}
    assert NAME in machine(one(state)).run({"name": NAME})["cause"]
    if by != "state":
        state["Catch"] = [{"ErrorEquals": ["States.ALL"], "Next": "B"}]
        caught = flow(A=state, B={"Type": "Pass"})
        assert NAME in machine(caught).run({"name": NAME})["output"]


def test_half_a_letter_does_not_stop_an_execution(machine):
    """It is half of a surrogate pair, which JSON may have and UTF-8 may not."""
    ended = machine(one({"Type": "Pass", "Parameters": {"name.$": "$.name"}})).run({"name": "\ud800"})
    assert (ended["status"], ended["output"]) == ("SUCCEEDED", '{"name":"?"}')
