"""Show a table to people: text on the left, numbers on the right, words for column names."""

import re
from itertools import cycle
from typing import Final

import pandas as pd

from lottery_lib.texts import PLAIN
from lottery_lib.translation import language
from lottery_lib.words import heading

_NUMBERS: Final = {"integer", "floating", "mixed-integer-float", "decimal"}
_CELL: Final = re.compile(r"<t[dh]>")


def as_html(table: pd.DataFrame) -> str:
    """A table as HTML.

    An index that only numbers the rows is left out. The heading of the column ``employee_id`` is
    ``Employee ID``; in Python, the column keeps its name. Each cell has its own style, because JupyterLab
    aligns every table to the right, and removes style sheets from an untrusted notebook.
    """
    only_numbered = table.index.name is None and pd.api.types.is_integer_dtype(table.index.dtype)
    if not only_numbered:
        table = table.reset_index(names=[name or "" for name in table.index.names], allow_duplicates=True)
    kinds = [pd.api.types.infer_dtype(column, skipna=True) for _, column in table.items()]
    sides = cycle("right" if kind in _NUMBERS else "left" for kind in kinds)
    html = table.rename(columns=heading).to_html(index=False, border=0, na_rep="", max_rows=20, classes=PLAIN)
    html = html.replace('<tr style="text-align: right;">', "<tr>")
    # A line of Chinese may break at any letter: a narrow column would have a heading of one letter a line.
    unbroken = {"<th>": "; word-break: keep-all"} if language() != "en" else {}
    return _CELL.sub(
        lambda cell: f'{cell[0][:-1]} style="text-align: {next(sides)}{unbroken.get(cell[0], "")}">', html
    )
