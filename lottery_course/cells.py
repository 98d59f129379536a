"""Read the code cells of a lesson as they are before anybody writes into them."""

import json
import re
from functools import cache
from typing import Final, NamedTuple

from lottery_lib.names import KIT

NOTEBOOKS_FOLDER: Final = KIT / "notebooks"
#: The cell of an exercise begins with this comment, or has it below a magic.
EXERCISE: Final = re.compile(r"^# Exercise (\d+)\b", re.MULTILINE)


class Cell(NamedTuple):
    """A code cell of a lesson. `exercise` is the number of the exercise that begins in it, or 0."""

    source: str
    exercise: int


@cache
def code_cells(lesson: str, language: str = "en") -> list[Cell]:
    """The code cells of a lesson, in their order; none if there is no such lesson in this language.

    Args:
        lesson: Two digits.
        language: Such as ``"zh"``. Comments and texts of the cells are in this language.
    """
    folder = NOTEBOOKS_FOLDER if language == "en" else NOTEBOOKS_FOLDER / language
    cells = []
    for path in folder.glob(f"{lesson}_*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                marked = EXERCISE.search(source)
                cells.append(Cell(source, int(marked[1]) if marked else 0))
    return cells
