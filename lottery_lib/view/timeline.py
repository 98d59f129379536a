"""Draw when each state of an execution ran: a bar an attempt, and branches below each other."""

import io
import itertools
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery_lib.history import Event, state_table
from lottery_lib.view.status import columns, look_of, marked, retried
from lottery_lib.view.svg import Picture

__all__ = ["timeline_view"]

_ROWS: Final = 40  # more (the iterations of a large Map) are counted, not drawn
_SPAN: Final = 1 / 200  # of the whole width: what is shorter would not be seen; what lies closer is joined
_BARS: Final = 2000  # of all rows: more rows have wider ones, so that a picture stays small
_MANY: Final = 200  # attempts: of more it is said that some have a bar together
_WORSE: Final = ("succeeded", "running", "aborted", "caught", "failed")
# Text stays text, so that the browser's own fonts show Chinese; the same picture has the same bytes.
_SVG: Final = {"svg.fonttype": "none", "svg.hashsalt": "lottery", "font.size": 9}


@dataclass
class _Bar:
    """One attempt, in seconds since the start; or several that lie too close to be told apart."""

    begin: float
    end: float
    status: str
    attempt: int


@dataclass
class _Row:
    """A state in its branch, with every time that it ran."""

    label: str
    bars: list[_Bar] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """What stands behind the last bar: how it ended, why, and how often it ran."""
        entered = sum(bar.attempt == 1 for bar in self.bars)
        again = retried(len(self.bars) - entered + 1)
        times = f"entered {entered} times" if entered > 1 else ""
        ended = f"{marked(self.bars[-1].status)} {self.errors[-1]}".strip()
        return ", ".join(part for part in (ended, again, times) if part)


def timeline_view(
    events: Iterable[Event], definition: dict[str, Any] | None = None, *, title: str | None = None
) -> Picture:
    """Draw an execution as bars over time, like the console's table of states turned on its side.

    Args:
        events: What `get_execution_history` returns, all pages, of an execution that has ended or runs.
        definition: The parsed ASL, for the branches' numbers (see `state_table`).
        title: Shown above.

    Returns:
        A picture: a row for each state of each branch, in order of first entering; a bar for each attempt,
        with its number where there was a Retry; what still runs ends where the history does. Attempts too
        close to be told apart have a bar together, the worst of them; its title says so where they are many.
    """
    events = list(events)
    begin, end = _limits(events)
    rows = list(_rows(state_table(events, definition), begin, end))
    return Picture(_alt(rows, end, title), lambda: _draw(rows, end, title))


def _limits(events: list[Event]) -> tuple[datetime | None, float]:
    times = [event["timestamp"] for event in events]
    return (min(times), (max(times) - min(times)).total_seconds()) if times else (None, 0.0)


def _rows(table: pd.DataFrame, begin: datetime | None, end: float) -> Iterator[_Row]:
    for (branch, state), part in table.groupby(["branch", "state"], sort=False):
        row = _Row(f"{_indented(branch)}{state}")
        for one in part.itertuples():
            started = (one.started - begin).total_seconds()
            ended = end if pd.isna(one.duration) else started + one.duration
            row.bars.append(_Bar(started, ended, one.status, one.attempt))
            row.errors.append(one.error)
        yield row


def _indented(branch: str) -> str:
    """The innermost branch's number, such as ``"[0] "``, set in as deep as it lies."""
    depth = branch.count(" / ") + 1 if branch else 0
    # An em space, because SVG swallows plain ones.
    return "\u2003" * depth + (f"[{branch.rpartition('[')[2]} " if branch else "")


def _alt(rows: list[_Row], end: float, title: str | None) -> str:
    told = [f"{row.label.strip()} {row.note}" for row in rows[:_ROWS]]
    return f"{title or 'Timeline'} of {_time(end)}: {'; '.join(told) or 'nothing has happened yet'}."


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def _draw(rows: list[_Row], end: float, title: str | None) -> str:
    hidden, rows = len(rows) - _ROWS, rows[:_ROWS]
    bars = [_joined(row.bars, end * max(_SPAN, len(rows) / _BARS)) for row in rows]
    left = 0.085 * max([8, *(columns(row.label) for row in rows)])
    height = 0.32 * max(len(rows), 1) + 0.75
    with rc_context(_SVG), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib misses the glyphs that the browser will have
        figure = Figure(figsize=(left + 7.5, height))
        axes = figure.add_axes((left / (left + 7.5), 0.45 / height, 4.4 / (left + 7.5), 1 - 0.75 / height))
        _draw_rows(axes, rows, bars, end or 0.001)
        more = f"and {hidden} rows more" if hidden > 0 else ""
        told = (title, more, _joined_note(sum(len(row.bars) for row in rows), sum(map(len, bars))))
        axes.set_title(" ".join(filter(None, told)), loc="left", fontsize=10)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()


def _joined_note(attempts: int, bars: int) -> str:
    if attempts <= max(bars, _MANY):
        return ""
    return f"({attempts:,} attempts in {bars} bar{'s' if bars > 1 else ''})"


def _draw_rows(axes: Axes, rows: list[_Row], joined: list[list[_Bar]], end: float) -> None:
    scale, unit = (1, "s") if end >= 1 else (1000, "ms")
    axes.set(xlim=(0, end * scale * 1.01), ylim=(len(rows) - 0.4, -0.6), xlabel=unit)
    axes.set_yticks([])
    axes.grid(axis="x", color="#dfe3e8")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    for number, (row, bars) in enumerate(zip(rows, joined, strict=True)):
        for bar in bars:
            _draw_bar(axes, number, bar, scale, end)
        _draw_waits(axes, number, bars, scale)
        axes.annotate(row.note, (1.02, number), xycoords=("axes fraction", "data"), va="center")
        axes.annotate(row.label, (4, number), xycoords=("figure points", "data"), va="center")


def _draw_bar(axes: Axes, number: int, bar: _Bar, scale: float, end: float) -> None:
    look, width = look_of(bar.status), max(bar.end - bar.begin, end * _SPAN)
    axes.barh(number, width * scale, 0.6, bar.begin * scale, color=look.fill, edgecolor=look.border)
    if bar.attempt > 1 and width > end / 30:  # else it would run into what stands behind
        axes.annotate(f"↻{bar.attempt}", (bar.begin * scale, number), va="center", fontsize=7)


def _draw_waits(axes: Axes, number: int, bars: list[_Bar], scale: float) -> None:
    """A dotted line from an attempt to the next: the wait that the Retry asks for."""
    for before, bar in itertools.pairwise(bars):
        if bar.attempt > 1:
            waited = [before.end * scale, bar.begin * scale]
            axes.plot(waited, [number, number], ":", color=look_of("failed").border)


def _joined(bars: list[_Bar], gap: float) -> list[_Bar]:
    """Fewer bars that look the same: those of a loop of thousands of rounds lie on top of each other.

    Of different ones that together are shorter than the gap, the worst is seen.
    """
    found: list[_Bar] = []
    for bar in bars:
        last = found[-1] if found else None
        if last and bar.begin - last.end < gap and _can_join(last, bar, gap):
            last.end = max(last.end, bar.end)
            last.status = max(last.status, bar.status, key=_WORSE.index)
            last.attempt = bar.attempt if bar.attempt == last.attempt else 1
        else:
            found.append(_Bar(bar.begin, bar.end, bar.status, bar.attempt))
    return found


def _can_join(last: _Bar, bar: _Bar, gap: float) -> bool:
    if last.status == bar.status and (last.attempt == bar.attempt or bar.end - bar.begin < gap):
        return True
    return bar.end - last.begin < gap
