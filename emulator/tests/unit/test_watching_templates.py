"""What a target gets from an event."""

import pytest

from sfn_emulator.watching.templates import text_for, unknown_placeholder

EVENT = {
    "id": "1",
    "detail-type": "t",
    "detail": {"status": "FAILED", "parts": ["a", "b"], "input": '{"n":1}', "is": True},
}


def given(template, **paths):
    transformer = {"InputTemplate": template, "InputPathsMap": paths}
    return text_for({"InputTransformer": transformer}, EVENT, "arn:rule", "rule")


def test_without_an_input_it_is_the_event():
    """As JSON without spaces."""
    assert text_for({}, {"a": [1, 2]}, "arn:rule", "rule") == '{"a":[1,2]}'


def test_it_may_be_something_else_or_a_part():
    """Input is taken as it is. A path that finds nothing gives null."""
    assert text_for({"Input": '{"a": 1}'}, EVENT, "", "") == '{"a": 1}'
    assert text_for({"InputPath": "$.detail.parts[1]"}, EVENT, "", "") == '"b"'
    assert text_for({"InputPath": "$.detail.none"}, EVENT, "", "") == "null"


@pytest.mark.parametrize(
    ("template", "path", "text"),
    [
        ('"It is <x>!"', "$.detail.status", '"It is FAILED!"'),
        ('"It is <x>!"', "$.detail.none", '"It is !"'),
        ('"It is <x>!"', "$.detail.is", '"It is true!"'),
        ('"It is <x>!"', "$.detail.parts", '"It is [a,b]!"'),
        ('{"is": <x>}', "$.detail.status", '{"is": "FAILED"}'),
        ('{"is": <x>}', "$.detail.parts", '{"is": ["a","b"]}'),
        ('{"is": <x>}', "$.detail.none", '{"is": ""}'),
        ('{"is": "a <x>"}', "$.detail.status", '{"is": "a FAILED"}'),
        ('{"is": <x>}', "$.detail.input", '{"is": "{\\"n\\":1}"}'),
        ('"<x>"\n"<x>"', "$.detail.status", '"FAILED"\n"FAILED"'),
    ],
)
def test_a_template_is_filled(template, path, text):
    """Inside quotes, a value is a text; elsewhere it is JSON. AWS was recorded doing this."""
    assert given(template, x=path) == text


@pytest.mark.parametrize("template", ['{"is": "<x>"}', "<x> without quotes", "{"])
def test_what_is_no_json_is_not_sent(template):
    """EventBridge sends nothing, and nobody learns it."""
    assert given(template, x="$.detail.parts") is None


def test_names_that_eventbridge_reserves():
    """The rule, the time, and the event with and without its detail."""
    assert given('"<aws.events.rule-name> <aws.events.rule-arn>"') == '"rule arn:rule"'
    assert given('{"e": <aws.events.event>}') == '{"e": {"id":"1","detailType":"t"}}'
    assert '"status":"FAILED"' in given('{"e": <aws.events.event.json>}')


def test_an_unknown_placeholder_is_found():
    """PutTargets refuses it."""
    assert unknown_placeholder({"InputTemplate": "<a> <b>", "InputPathsMap": {"a": "$"}}) == "b"
    assert not unknown_placeholder({"InputTemplate": "<aws.events.rule-arn>"})
