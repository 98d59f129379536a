"""What an execution did, as pandas tables; and how any table looks in a notebook."""

import re
from collections.abc import Iterable
from itertools import cycle
from typing import Any, Final

import pandas as pd

from lottery_lib.definition import Machine
from lottery_lib.harmless import PLAIN, harmless
from lottery_lib.history import Event, Reader
from lottery_lib.translation import heading, language

_EVENT_COLUMNS: Final = ["id", "previous_id", "time", "type", "state", "branch"]
_STATE_COLUMNS: Final = [
    *("state", "branch", "attempt", "status", "started", "duration"),
    *("input", "output", "variables", "error", "cause"),
]
_NUMBERS: Final = {"integer", "floating", "mixed-integer-float", "decimal"}
_CELL: Final = re.compile(r"<t[dh]>")


def event_table(events: Iterable[Event], definition: Machine | None = None) -> pd.DataFrame:
    """One row per event, with the state that it belongs to.

    Args:
        events: What `get_execution_history` returns, all pages, in any order.
        definition: The parsed ASL, to number the branches as in ``Branches`` (see `state_table`).

    Returns:
        ``id``, ``previous_id``, ``time`` (UTC), ``type``, ``state`` and ``branch`` ('' if there is none).
    """
    reader = Reader(events, definition)
    rows = []
    for event in reader.events:
        run = reader.owners[event["id"]]
        state, branch = (run.name, run.branch.label) if run else ("", "")
        previous = event.get("previousEventId", 0)
        rows.append((event["id"], previous, event["timestamp"], event["type"], state, branch))
    table = pd.DataFrame(rows, columns=_EVENT_COLUMNS)
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return table


def state_table(events: Iterable[Event], definition: Machine | str | None = None) -> pd.DataFrame:
    """One row for each attempt of a state, in the order in which the states were entered.

    A state that was entered several times, as in a loop, has rows for each time.

    Args:
        events: What `get_execution_history` returns, all pages, in any order. The execution may still run.
        definition: The ASL, as text or parsed. Events have no branch number. With the definition, a branch
            gets its index in ``Branches``. Without it, the branches are numbered as they began.

    Returns:
        ``state``; ``branch``, such as ``"Both[0] / For Each[3]"``, '' at the top; ``attempt`` from 1;
        ``status``, one of running, waiting (for its token), succeeded, failed, caught (failed, and a Catch
        moved on), aborted; ``started`` (UTC); ``duration`` in seconds, NaN until it ends; ``input`` of the
        state and ``output`` as Python values; ``variables`` that it assigned, by name, None if it assigned
        none; ``error`` and ``cause`` as AWS gives them, with controls as in JSON; '' if there is none.
    """
    reader = Reader(events, definition)
    rows: list[tuple[Any, ...]] = []
    for run in reader.runs:
        for number, attempt in enumerate(run.attempts, start=1):
            what = (run.name, run.branch.label, number, attempt.status, attempt.started, attempt.seconds)
            why = harmless(attempt.error), harmless(attempt.cause)
            rows.append((*what, run.input, attempt.output, attempt.variables, *why))
    # dtype=object first, so that pandas does not convert inputs that are numbers.
    table = pd.DataFrame(rows, columns=_STATE_COLUMNS, dtype=object)
    table["started"] = pd.to_datetime(table["started"], utc=True)
    texts = dict.fromkeys(["state", "branch", "status", "error", "cause"], "str")
    return table.astype({"attempt": "int64", "duration": "float64"} | texts)


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
