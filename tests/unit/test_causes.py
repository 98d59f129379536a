"""Why a draw failed is told in the attendee's language."""

import re

import pytest

from lottery_lib import translation
from lottery_lib.names import KIT

MESSAGES = sorted({text for text, _path in translation.error_messages()})
VALUES = ("3", '"a. b"', "王芳", "x")


@pytest.fixture
def chinese(catalogue, monkeypatch):
    """A catalogue that turns the values of each message around."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    ours = (translation.CANCELLED, translation.STOPPED, translation.TORN_DOWN, translation._RECORDED)
    found = {text: " ".join(["译", *reversed(re.findall(r"\{\d+\}", text))]) for text in (*MESSAGES, *ours)}
    catalogue(found)
    return found


def test_each_function_has_messages():
    """Those of the functions that refuse an input are found."""
    found = {path.parent.name for _text, path in translation.error_messages()}
    assert found == {"commit_draw", "draw_prize", "hardened", "input_winners", "random_select_winners"}
    assert "There is no prize {0}: {1} has {2}." in MESSAGES
    assert 'The input must look like {{"input": 2}}: the key "input" is missing.' in MESSAGES


@pytest.mark.parametrize("text", MESSAGES)
def test_a_cause_is_recognised(chinese, text):
    """It is translated, with its values in the place that they have there."""
    values = VALUES[: len(re.findall(r"\{\d+\}", text))]
    told = translation.cause_in_words(text.format(*values))
    assert told.split() == " ".join(["译", *reversed(values)]).split()


def test_advice_stays(chinese):
    """The kit's own sentence after a cause is translated already."""
    told = "There is no draw x to go on with. 已记录的中奖者不变。"
    assert translation.cause_in_words(told) == "译 x已记录的中奖者不变。"


def test_a_part_of_a_cause(chinese):
    """The end of a message is translated, too, and the functions still have it."""
    told = "5 winners were asked for, but only 3 of 9 employees remain, 2 of whom this draw has recorded."
    assert translation.cause_in_words(told) == "译 译 2 9 3 5"
    source = (KIT / "lambdas" / "draw_prize" / "lambda_function.py").read_text(encoding="utf-8")
    assert translation._RECORDED.replace("{0}", "{recorded}") in source


@pytest.mark.parametrize("cause", ["", "list index out of range", "User: x is not authorized to perform: y"])
def test_others_stay(chinese, cause):
    """What AWS, Python or an attendee wrote is not ours."""
    assert translation.cause_in_words(cause) == cause


def test_english_stays():
    """No message changes."""
    assert translation.cause_in_words(translation.CANCELLED) == translation.CANCELLED
