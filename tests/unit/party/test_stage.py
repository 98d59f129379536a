"""What a night hears from the stage, and what the packages hold; tests/browser/test_stage.py has the page."""

import tomllib

import pytest

from lottery_lib.names import KIT, Names
from lottery_lib.target import elsewhere
from lottery_party.evening import EveningState, PrizeState
from lottery_party.night import Night


class Fake:
    """An evening with one prize that can be drawn. It notes what it is asked to do."""

    name, file, target = "night", None, elsewhere("123456789012", "us-east-1", Names())

    def __init__(self):
        self.done, self.stage = [], {"scene": "ready", "number": 1}

    def refresh(self):
        told = {"prizes": [{"prize": "Car", "count": 1}], "size": 3, "absent": "out", "question": ""}
        car = PrizeState(1, "Car", 1, (), (), done=False, added=False)
        return EveningState("ready", 0, [car], told, stage=self.stage)

    def show(self, scene="", number=0, **stage):
        self.done += [scene] if scene else []
        self.stage = {**self.stage, **stage}

    def draw(self, number):
        self.done.append(f"draw {number}")


def hear(night, message):
    """Let a night hear a message, and do what it wishes."""
    night.heard(message)
    while not night._wishes.empty():
        night._wishes.get()()


@pytest.mark.parametrize(
    ("message", "done"),
    [
        ({"do": "press", "way": "advance", "seen": ["ready", 1]}, ["rolling", "draw 1"]),
        ({"do": "press", "way": "back", "seen": ["ready", 1]}, ["opening"]),
        ({"do": "press", "way": "advance", "seen": ["opening", 0]}, []),
        ({"do": "draw everything"}, []),
        ({"press": "advance"}, []),
    ],
)
def test_a_press(message, done):
    """Both presses are heard if the page showed what is true, and nothing else that a browser may send."""
    hear(Night(evening := Fake(), lambda _news: None), message)
    assert evening.done == done


def test_turned():
    """All pages turn to the entry to which a browser has turned. What is no number turns nothing."""
    night = Night(evening := Fake(), lambda _news: None)
    hear(night, {"do": "turned", "first": 97})
    for first in ("many", None):
        with pytest.raises((ValueError, TypeError)):  # the server ends the link of such a page
            hear(night, {"do": "turned", "first": first})
    assert night.now().stage["first"] == 97
    assert evening.done == []


@pytest.mark.parametrize("name", ["lottery_lib", "lottery_party"])
def test_a_package_ships_its_data(name):
    """Each file of JavaScript, CSS, HTML or JSON in a package is part of it."""
    settings = tomllib.loads((KIT / "pyproject.toml").read_text(encoding="utf-8"))
    folder, patterns = KIT / name, settings["tool"]["setuptools"]["package-data"][name]
    shipped = {path for pattern in patterns for path in folder.glob(pattern)}
    assert {path for kind in ("js", "css", "html", "json") for path in folder.rglob(f"*.{kind}")} <= shipped
