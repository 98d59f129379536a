"""The definition is the tutorial's, and filling it in is a step one sees."""

import re

import pytest

from lottery_lib import definition
from lottery_lib.errors import LotteryError
from lottery_lib.names import EDITIONS

PLACEHOLDERS = [
    "<InputWinners:ARN>",
    "<RandomSelectWinners:ARN>",
    "<ValidateWinners:ARN>",
    "<Notification:ARN>",
    "<RecordWinners:ARN>",
]


def arns(partition: str) -> dict[str, str]:
    purposes = [purpose for edition in EDITIONS.values() for purpose in edition]
    functions = {purpose: f"arn:{partition}:lambda:r:1:function:{purpose}" for purpose in purposes}
    topic, table = f"arn:{partition}:sns:r:1:topic", f"arn:{partition}:dynamodb:r:1:table/Draws"
    return definition.arns_by_placeholder(functions, topic) | {"<Draws:ARN>": table}


def test_placeholders_as_printed():
    """The file on disk carries the tutorial's five placeholders, each once."""
    assert definition.placeholders(definition.load()) == PLACEHOLDERS


def _told(text):
    return [fault.text for fault in definition.faults(text)]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
@pytest.mark.parametrize("file", sorted(definition.ASL_FOLDER.glob("*.asl.json")), ids=lambda file: file.name)
def test_every_definition_is_valid_in_every_partition(file, partition):
    """Each definition that the kit has, filled in, has no diagnostics, and names no other partition."""
    filled = definition.fill(file.read_text(encoding="utf-8"), arns(partition))
    assert _told(filled) == []
    assert definition.placeholders(filled) == []
    assert set(re.findall(r"arn:([\w-]+):", filled)) == {partition}


def test_open_placeholders_are_named():
    """Each open placeholder is one diagnostic in plain words, and the only ones."""
    found = _told(definition.load())
    assert found == [f"{each} must still be replaced by an ARN" for each in PLACEHOLDERS]


def test_fill_changes_nothing_else():
    """Filling in leaves the rest of the text as it is."""
    text = definition.load()
    filled = definition.fill(text, arns("aws"))
    for placeholder, arn in arns("aws").items():
        filled = filled.replace(arn, placeholder)
    assert filled == text


def test_no_arn():
    """What is not an ARN is refused with the placeholder's name."""
    with pytest.raises(LotteryError, match="<InputWinners:ARN>: 'Lottery' is not an ARN"):
        definition.fill(definition.load(), {"<InputWinners:ARN>": "Lottery"})


BREAKS = {
    '"Next": "Validate Winners"': ('"Next": "Nowhere"', "Missing 'Next' target: Nowhere at /States/Random"),
    '"StartAt": "Notify Winners"': ('"StartAt": "Nowhere"', "Nowhere at /States/Send SNS and Record In Dyn"),
    '"Type": "Choice"': ('"Type": "Choise"', "Parallel, Map] at /States/Is Winner In Past Draw/Type"),
    '"NumericEquals": 0': ('"NumericEquals": "0"', "Expected value of type [INTEGER, FLOAT] at /States/Is"),
    '["CustomError"]': ('["States.ALL"]', "States.ALL must appear alone and at end of list at /States/"),
    '"MaxAttempts": 2': ('"MaxTries": 2', "Field 'MaxTries' is not supported at /States/Random Select"),
    '"InputPath": "$.body"': ('"Output": "{% 1 %}"', "field 'Output' is only supported for the 'JSONata'"),
}


@pytest.mark.parametrize("part", BREAKS)
def test_diagnostics_of_a_broken_machine(part):
    """A part of the kit's own definition that is broken is found and named, filled in as it is."""
    instead, told = BREAKS[part]
    filled = definition.fill(definition.load(), arns("aws"))
    assert part in filled
    assert any(told in line for line in _told(filled.replace(part, instead, 1)))


@pytest.mark.parametrize("text", ["null", "[]", '"abc"', "7"])
def test_diagnostics_of_no_object(text):
    """JSON that is no object is no definition."""
    assert _told(text) == ["INVALID_JSON_DESCRIPTION: The definition is not a JSON object"]


def test_diagnostics_of_broken_json():
    """Broken JSON is one diagnostic that says where."""
    assert "line 1" in _told("{")[0]
