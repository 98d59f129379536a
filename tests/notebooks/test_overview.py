"""Lesson 00 opens with a draw, and says which lessons there are and how long they take."""

import re
from dataclasses import replace
from functools import cache

import nbformat
import pytest

from lottery_course import restore
from lottery_lib.errors import LotteryError
from notebooks.minutes import measured_minutes

from lottery_course.notebooks import NOTEBOOKS_FOLDER, notebooks

FIRST = NOTEBOOKS_FOLDER / "00_overview.ipynb"


def test_on_aws_the_first_lesson_is_refused(target):
    """Lesson 00 starts with a whole lottery. On AWS nobody has built it yet, so `restore` says where to begin."""
    with pytest.raises(LotteryError, match="begin on AWS with lesson 01"):
        restore(replace(target, kind="aws"), "00")


@cache
def minutes():
    """What each lesson takes without the part that goes further, by its file's name."""
    measured = {path.name: measured_minutes(nbformat.read(path, as_version=4)) for path in notebooks()}
    return {name: taken.teaching + taken.exercises for name, taken in measured.items()}


def test_each_lesson_is_listed_with_its_minutes():
    """The table of lessons has them all, in their order, with a link and the minutes that they take."""
    text = nbformat.read(FIRST, as_version=4).cells[-1].source
    listed = re.findall(r"^\| \[[^|]*\]\((\d\d_\w+\.ipynb)\) \|[^|]*\| (\d+) \|", text, re.MULTILINE)
    expected = [(name, str(taken)) for name, taken in minutes().items() if name != FIRST.name]
    assert listed == expected


def test_paths_state_their_sums():
    """The lesson begins with the paths through the course. Each states the sum of its lessons' minutes."""
    text = nbformat.read(FIRST, as_version=4).cells[0].source
    stated = dict(re.findall(r"^\| (90 minutes|a day|a second day) \|.*\| (\d+) \|$", text, re.MULTILINE))
    taken = {name[:2]: each for name, each in minutes().items()}
    short, second = ("00", "05", "06"), ("09", "11", "14", "15", "16", "17", "18", "19", "20")
    day = [lesson for lesson in taken if lesson not in (*second, "90")]
    paths = {"90 minutes": short, "a day": day, "a second day": second}
    assert stated == {path: str(sum(taken[lesson] for lesson in lessons)) for path, lessons in paths.items()}
