"""How long a class needs for a lesson. Authors write it into the lesson's first cell, and a test compares."""

import math
import re
from typing import Final

import nbformat

from lottery_lib.course.notebooks import Minutes

READ: Final = 150  # words a minute
RUN: Final = 15  # seconds to run a cell and look at its output, or to open a solution
ANSWER: Final = 120  # seconds to think about an exercise and to write its answer


def measured_minutes(notebook: nbformat.NotebookNode) -> Minutes:
    """How long a class needs for a lesson: its words at 150 a minute, 15 s a cell, 2 minutes an exercise.

    Checks and solutions are folded away, so their words do not count. What stands under the heading *Going
    further* is counted apart. Each number is rounded up.
    """
    seconds, part, further = {"teaching": 0.0, "exercises": 0.0, "further": 0.0}, "teaching", False
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            seconds[part] += RUN
            part = "further" if further else "teaching"
            continue
        if cell.cell_type == "code":
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            seconds[part] += RUN if folded else RUN + reading(cell.source)
            continue
        for piece in re.split(r"^(?=#)", cell.source, flags=re.MULTILINE):
            if piece.startswith(("## Going further", "## Key points")):
                further = piece.startswith("## Going")
            if further:
                part = "further"
            elif piece.startswith("#"):
                part = "exercises" if piece.startswith("### Exercise") else "teaching"
            seconds[part] += reading(piece) + ANSWER * piece.startswith("### Exercise")
    return Minutes(**{name: math.ceil(taken / 60) for name, taken in seconds.items()})


def reading(text: str) -> float:
    """The seconds to read a text or some code."""
    return len(re.sub(r"<[^>]*>", "", text).split()) * 60 / READ
