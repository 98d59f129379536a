"""Show a table to people: text on the left, numbers on the right, words for column names."""

import re
from itertools import cycle
from typing import Final

import pandas as pd

from lottery_lib.texts import PLAIN
from lottery_lib.translation import _, language

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


def heading(name: object) -> str:
    """A column's name for people, such as ``Employee ID`` for ``employee_id``; other names stay."""
    text = str(name)
    if known := _known().get(text):
        return known
    if not re.fullmatch(r"[a-z0-9_ ]+", text):
        return text
    words = re.sub(r"\b(id|arn)\b", lambda word: word[0].upper(), text.replace("_", " "))
    return words[:1].upper() + words[1:]


def _known() -> dict[str, str]:
    """The words for the names of the kit's own columns, and of those in the notebooks."""
    return {
        "employee_id": _("Employee ID"),
        "employee_name": _("Employee name"),
        "employee_entry_date": _("Employee entry date"),
        "lottery_serial": _("Lottery serial"),
        "prize": _("Prize"),
        "name": _("Name"),
        "status": _("Status"),
        "winners": _("Winners"),
        "started": _("Started"),
        "duration": _("Duration"),
        "transitions": _("Transitions"),
        "cost": _("Cost"),
        "execution_arn": _("Execution ARN"),
        "id": _("ID"),
        "previous_id": _("Previous ID"),
        "time": _("Time"),
        "type": _("Type"),
        "state": _("State"),
        "branch": _("Branch"),
        "attempt": _("Attempt"),
        "input": _("Input"),
        "output": _("Output"),
        "variables": _("Variables"),
        "error": _("Error"),
        "cause": _("Cause"),
        "service": _("Service"),
        "operation": _("Operation"),
        "parameters": _("Parameters"),
        "result": _("Result"),
        "kind": _("Kind"),
        "field": _("Field"),
        "before": _("Before"),
        "after": _("After"),
        "next": _("Next"),
        "next state": _("Next state"),
        "how many": _("How many"),
        "definition": _("Definition"),
        "data": _("Data"),
        "retries": _("Retries"),
        "seconds": _("Seconds"),
        "tested": _("Tested"),
        "count": _("Count"),
        "in a draw": _("In a draw"),
        "draws a second": _("Draws a second"),
        "edition": _("Edition"),
    }
