"""Lesson 00 opens with a draw, and says which lessons there are and how long they take."""

import re
from functools import cache

import nbformat
from nbformat.v4 import new_code_cell

from lottery_lib import state_statuses
from lottery_lib.course.lessons import stored_draw
from notebooks.minutes import measured_minutes

from lottery_lib.course.notebooks import NOTEBOOKS_FOLDER, notebooks, run

FIRST = NOTEBOOKS_FOLDER / "00_overview.ipynb"
#: Makes the lesson believe that its emulator is AWS.
ON_AWS = """
import lottery_lib
emulator = lottery_lib.connect()
emulator.kind = "aws"
lottery_lib.connect = lambda: emulator
"""
ONLY_LOOKED = """
from lottery_lib.course.calls import log_of
from lottery_lib.target import READS
made = [call.model.name for call in log_of(target).calls()]
assert made and all(name.startswith(READS) for name in made), made
assert type(panel).__name__ == "ExecutionView"
"""


def test_on_aws_the_first_lesson_only_looks():
    """On AWS the lesson shows the stored draw. It runs to its end and creates nothing."""
    notebook = nbformat.read(FIRST, as_version=4)
    notebook.cells = [new_code_cell(ON_AWS), *notebook.cells, new_code_cell(ONLY_LOOKED)]
    assert run(notebook, FIRST.parent) is None


def test_the_stored_draw_is_one_of_this_workflow(target):
    """Every state of the stored draw succeeded, except `Failed`, which it did not enter."""
    record = stored_draw(target)
    statuses = state_statuses(record.events)
    assert set(statuses.values()) == {"succeeded"}
    assert record.definition["States"].keys() - statuses.keys() == {"Failed"}


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
    """A path through the course states the sum of its lessons' minutes."""
    text = nbformat.read(FIRST, as_version=4).cells[-1].source
    stated = dict(re.findall(r"^\| (90 minutes|a day) \|.*\| (\d+) \|$", text, re.MULTILINE))
    taken = {name[:2]: each for name, each in minutes().items()}
    short = sum(taken[lesson] for lesson in ("00", "05", "06"))
    day = sum(each for lesson, each in taken.items() if lesson < "15" or lesson == "99")
    assert stated == {"90 minutes": str(short), "a day": str(day)}
