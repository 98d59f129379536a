"""Lesson 00 opens with a draw: a live one on an emulator, a stored one on AWS."""

import nbformat
from nbformat.v4 import new_code_cell

from lottery_lib import state_statuses
from lottery_lib.course.lessons import stored_draw
from lottery_lib.course.notebooks import NOTEBOOKS_FOLDER, run

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
