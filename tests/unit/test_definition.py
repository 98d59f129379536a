"""The definition is the tutorial's, and filling it in is a step one sees."""

import json

import pytest

from lottery_lib import definition
from lottery_lib.errors import LotteryError

PLACEHOLDERS = [
    "<InputWinners:ARN>",
    "<RandomSelectWinners:ARN>",
    "<ValidateWinners:ARN>",
    "<Notification:ARN>",
    "<RecordWinners:ARN>",
]


def arns(partition: str) -> dict[str, str]:
    functions = {
        purpose: f"arn:{partition}:lambda:r:1:function:{purpose}" for purpose in definition.FUNCTIONS
    }
    return definition.arns_by_placeholder(functions, f"arn:{partition}:sns:r:1:topic")


def test_placeholders_as_printed():
    """The file on disk carries the tutorial's five placeholders, each once."""
    assert definition.placeholders(definition.load()) == PLACEHOLDERS


def test_filled_definition_is_valid():
    """Filled in, the definition has no diagnostics."""
    assert definition.diagnostics(definition.fill(definition.load(), arns("aws"))) == []


def test_open_placeholders_are_named():
    """Each open placeholder is one diagnostic in plain words, and the only ones."""
    found = definition.diagnostics(definition.load())
    assert found == [f"{each} is still to be replaced by an ARN" for each in PLACEHOLDERS]


def test_fill_changes_nothing_else():
    """Filling in leaves the rest of the text as it is."""
    text = definition.load()
    filled = definition.fill(text, arns("aws"))
    for placeholder, arn in arns("aws").items():
        filled = filled.replace(arn, placeholder)
    assert filled == text


def test_china():
    """In China the SNS integration carries China's partition too."""
    filled = definition.fill(definition.load(), arns("aws-cn"))
    assert "arn:aws-cn:states:::sns:publish" in filled
    assert "arn:aws:" not in filled


def test_no_arn():
    """What is not an ARN is refused with the placeholder's name."""
    with pytest.raises(LotteryError, match="<InputWinners:ARN>: 'Lottery' is not an ARN"):
        definition.fill(definition.load(), {"<InputWinners:ARN>": "Lottery"})


def test_diagnostics_of_a_broken_machine():
    """A transition to a state that is not there is found."""
    broken = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    assert any("B" in line for line in definition.diagnostics(broken))


def test_states_inside():
    """The states inside a Parallel are listed with the others."""
    names = [name for name, _ in definition.states(json.loads(definition.load()))]
    assert len(names) == 8
    assert {"Notify Winners", "Record Winner Queue", "Failed"} <= set(names)


@pytest.mark.parametrize("text", ["null", "[]", '"abc"', "7"])
def test_diagnostics_of_no_object(text):
    """JSON that is no object is no definition."""
    assert definition.diagnostics(text) == ["The definition must be a JSON object"]


def test_diagnostics_of_broken_json():
    """Broken JSON is one diagnostic that says where."""
    assert "line 1" in definition.diagnostics("{")[0]
