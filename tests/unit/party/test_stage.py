"""What the stage hears, and what the package holds; tests/browser/test_stage.py looks at the page."""

import tomllib
from pathlib import Path

import pytest

import lottery_lib
from lottery_party.stage import WORDS, Stage

PACKAGE = Path(lottery_lib.__file__).parent


@pytest.mark.parametrize(
    ("message", "heard"),
    [
        ({"press": "advance"}, ["advance"]),
        ({"press": "back"}, ["back"]),
        ({"press": "draw everything"}, []),
        ({"other": 1}, []),
    ],
)
def test_on_press(message, heard):
    """The callback hears the two presses, and nothing else that a browser may send."""
    stage, said = Stage(), []
    stage.on_press(said.append)
    stage._handle_custom_msg(message, [])
    assert said == heard


def test_turned():
    """The second callback hears to which entry a browser has turned, and nothing that is no number."""
    stage, said = Stage(), []
    stage.on_press(said.append, said.append)
    for first in (97, "97", None):
        stage._handle_custom_msg({"turned": first}, [])
    assert said == [97]


def test_words_are_for_one_stage():
    """A translation of one stage leaves the next one in English."""
    Stage().words["drawing"] = "正在抽奖"
    assert Stage().words == WORDS
    assert WORDS["drawing"] == "Drawing ..."


def test_the_package_ships_what_a_browser_needs():
    """Each file of JavaScript or CSS in the library is part of the package."""
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["lottery_lib"]
    shipped = {path for pattern in patterns for path in PACKAGE.glob(pattern)}
    assert {path for kind in ("*.js", "*.css") for path in PACKAGE.rglob(kind)} <= shipped
