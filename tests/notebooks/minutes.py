"""How long a class needs for a lesson. Authors write it into the lesson's first cell, and a test compares."""

import math
import re
from typing import Final

import nbformat

from lottery_course.notebooks import Minutes

READ: Final = 180  # words a minute, for people who read a foreign language
LINES: Final = 10  # lines of code a minute, read and run
#: Minutes to think about an exercise and to write its answer, by what it asks for in its heading; else 4.
#: A mission has to be found first.
ANSWER: Final = {"predict": 2, "write": 8, "Mission": 5}


def measured_minutes(notebook: nbformat.NotebookNode) -> Minutes:
    """How long a slow reader needs for a lesson: its words, its lines of code, and its exercises.

    Checks and solutions are folded away, so they do not count. What stands under the heading *Going further*
    is counted apart. Each number is rounded up.
    """
    minutes, part, further = {"teaching": 0.0, "exercises": 0.0, "further": 0.0}, "teaching", False
    for cell in notebook.cells:
        if "solution" in cell.metadata.get("tags", []):
            part = "further" if further else "teaching"
        elif cell.cell_type == "code":
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            minutes[part] += 0 if folded else len(cell.source.splitlines()) / LINES
        else:
            for piece in re.split(r"^(?=#)", cell.source, flags=re.MULTILINE):
                if piece.startswith(("## Going further", "## Is the lesson done?", "## Key points")):
                    further = piece.startswith("## Going")
                exercise = re.match(r"### (?:Exercise \d: (?=\w)|(?=Mission \d))(\w+)", piece)
                if further:
                    part = "further"
                elif piece.startswith("#"):
                    part = "exercises" if exercise else "teaching"
                minutes[part] += words(piece) / READ + (ANSWER.get(exercise[1], 4) if exercise else 0)
    return Minutes(**{name: math.ceil(taken) for name, taken in minutes.items()})


def words(text: str) -> int:
    """How many words there are to read."""
    return len(re.sub(r"<[^>]*>", "", text).split())
