"""What the stage hears, and what the package holds; tests/browser/test_stage.py looks at the page."""

import tomllib

import pytest

from lottery_lib.names import KIT
from lottery_party.stage import WORDS, Stage


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


@pytest.mark.parametrize("name", ["lottery_lib", "lottery_party"])
def test_a_package_ships_its_data(name):
    """Each file of JavaScript, CSS, HTML or JSON in a package is part of it."""
    settings = tomllib.loads((KIT / "pyproject.toml").read_text(encoding="utf-8"))
    folder, patterns = KIT / name, settings["tool"]["setuptools"]["package-data"][name]
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    assert {path for kind in ("js", "css", "html", "json") for path in folder.rglob(f"*.{kind}")} <= shipped
