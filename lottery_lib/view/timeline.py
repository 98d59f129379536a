"""Draw when each state of an execution ran: a bar for each attempt, and one branch below the other."""

import io
import warnings
from collections.abc import Iterable
from typing import Final, NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery_lib.definition import Machine
from lottery_lib.history import state_table
from lottery_lib.history.state_runs import Event
from lottery_lib.view.status import columns, look_of, marked, retried
from lottery_lib.view.svg import Picture

_ROWS: Final = 40  # the most rows of a picture; a large Map has more iterations
_BARS: Final = 50  # the most bars of a row; a long loop has more rounds
_SPAN: Final = 1 / 200  # of the whole width; nobody would see a shorter bar
# Text stays text, so that the browser's own fonts show Chinese. The salt gives equal pictures equal bytes.
_SVG: Final = {"svg.fonttype": "none", "svg.hashsalt": "lottery", "font.size": 9}


class _Row(NamedTuple):
    """A state in its branch: the texts left and right of its bars, and its rows of the `state_table`."""

    label: str
    note: str
    attempts: pd.DataFrame


def timeline_view(
    events: Iterable[Event], definition: Machine | None = None, *, title: str | None = None
) -> Picture:
    """Draw an execution as bars over time, with one row for each state.

    Args:
        events: What `get_execution_history` returns, all pages. The execution may still run.
        definition: The parsed ASL, for the branches' numbers (see `state_table`).
        title: Shown above.

    Returns:
        A picture. It has a row for each state of each branch, in the order in which they were first entered.
        It has a bar for each attempt, with a number if it is a Retry. The bar of a running attempt ends at
        the last event. At most 40 rows, and the latest 50 attempts of each row, are drawn. The picture's
        title says what is left out.
    """
    events = list(events)
    table = state_table(events, definition)
    times = pd.to_datetime([event["timestamp"] for event in events], utc=True)
    whole = (times.max() - times.min()).total_seconds() if events else 0.0
    table["begin"] = (table["started"] - times.min()).dt.total_seconds()
    table["end"] = (table["begin"] + table["duration"]).fillna(whole)
    rows = []
    for (branch, state), attempts in table.groupby(["branch", "state"], sort=False):
        # The label is indented by the depth of the branch, with em spaces: SVG drops ordinary spaces.
        depth = branch.count(" / ") + 1 if branch else 0
        label = "\u2003" * depth + (f"[{branch.rpartition('[')[2]} " if branch else "") + state
        entered, latest = int((attempts["attempt"] == 1).sum()), attempts.iloc[-1]
        ended = f"{marked(latest['status'])} {latest['error']}".strip()
        times = f"entered {entered} times" if entered > 1 else ""
        note = ", ".join(filter(None, [ended, retried(len(attempts) - entered + 1), times]))
        rows.append(_Row(label, note, attempts))
    took = f"{whole:.1f} s" if whole >= 1 else f"{whole * 1000:.0f} ms"
    told = "; ".join(f"{row.label.strip()} {row.note}" for row in rows[:_ROWS]) or "nothing has happened yet"
    return Picture(f"{title or 'Timeline'} of {took}: {told}.", lambda: _draw(rows, whole or 0.001, title))


def _draw(rows: list[_Row], whole: float, title: str | None) -> str:
    """The SVG of a timeline of `whole` seconds."""
    hidden, rows = len(rows) - _ROWS, rows[:_ROWS]
    notes = [title] if title else []
    notes += [f"and {hidden} rows more"] if hidden > 0 else []
    if any(len(row.attempts) > _BARS for row in rows):
        notes.append(f"(the latest {_BARS} attempts of each)")
    left = 0.085 * max([8, *(columns(row.label) for row in rows)])  # inches, as all sizes of a figure
    height = 0.32 * max(len(rows), 1) + 0.75
    scale, unit = (1, "s") if whole >= 1 else (1000, "ms")
    with rc_context(_SVG), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib's font lacks letters that the browser's fonts have
        figure = Figure(figsize=(left + 7.5, height))
        axes = figure.add_axes((left / (left + 7.5), 0.45 / height, 4.4 / (left + 7.5), 1 - 0.75 / height))
        axes.set(xlim=(0, whole * scale * 1.01), ylim=(len(rows) - 0.4, -0.6), xlabel=unit)
        axes.set_yticks([])
        axes.grid(axis="x", color="#dfe3e8")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        for number, row in enumerate(rows):
            _draw_bars(axes, number, row.attempts.tail(_BARS), whole, scale)
            axes.annotate(row.note, (1.02, number), xycoords=("axes fraction", "data"), va="center")
            axes.annotate(row.label, (4, number), xycoords=("figure points", "data"), va="center")
        axes.set_title(" ".join(notes), loc="left", fontsize=10)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _draw_bars(axes: Axes, number: int, attempts: pd.DataFrame, whole: float, scale: int) -> None:
    """Draw a row's attempts, with a dotted line for each wait that a Retry asks for."""
    begin, end = attempts["begin"] * scale, attempts["end"] * scale
    widths = (end - begin).clip(lower=whole * scale * _SPAN)
    looks = [look_of(status) for status in attempts["status"]]
    fills, borders = [look.fill for look in looks], [look.border for look in looks]
    axes.barh([number] * len(attempts), widths, 0.6, begin, color=fills, edgecolor=borders)
    again = attempts["attempt"] > 1
    for x in begin[again & (widths > whole * scale / 30)].index:  # a narrower bar has no room for its number
        axes.annotate(f"↻{attempts['attempt'][x]}", (begin[x], number), va="center", fontsize=7)
    for waited in zip(end.shift()[again], begin[again], strict=True):
        axes.plot(waited, [number, number], ":", color=look_of("failed").border)
