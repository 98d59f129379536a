"""Draw when each state of an execution ran: a bar for each attempt, and one branch below the other."""

import io
import re
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import accumulate
from math import nan
from typing import Final, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lottery_lib.definition import Machine
from lottery_lib.history.state_runs import Event, Reader, StateRun
from lottery_lib.texts import harmless, width
from lottery_lib.translation import _
from lottery_lib.view.status import look_of, marked, retried
from lottery_lib.view.svg import Picture

_ROWS: Final = 40  # the most rows of a picture; a large Map has more iterations
_BARS: Final = 50  # the most bars of a row; a long loop has more rounds
_SPAN: Final = 1 / 200  # of the whole width: the shortest bar that people see
_WIDTH: Final = 8.4  # inches, as all sizes of a figure; the width of a notebook in a window of 1280 pixels
_LETTER, _LINE = 0.085, 0.18  # the width of a letter, and the height of a line
_LABEL, _NOTE = 26, 28  # the most columns in a line of the texts left and right of the bars
_SVG: Final = {
    "svg.fonttype": "none",  # text stays text, so that the browser's own fonts show Chinese
    "svg.hashsalt": "lottery",  # equal pictures have equal bytes
    "font.size": 9.2,  # points: 12 pixels
    "figure.facecolor": "white",  # in a dark theme, too: the text of an image cannot follow the theme
}


class _Bar(NamedTuple):
    """An attempt. All times are in seconds since the execution began.

    Attributes:
        number: 1, or more for a Retry.
        retry: From when to when the Retry waited before this attempt.
        wait: From when to when the attempt waited, as a Wait state does, or a task for its token.
    """

    begin: float
    end: float
    status: str
    number: int
    retry: tuple[float, float] | None
    wait: tuple[float, float] | None


class _Row(NamedTuple):
    """A state in its branch: the texts left and right of its bars, and the bars."""

    label: str
    note: str
    bars: list[_Bar]


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
        the last event. A dotted line is a wait: before a Retry, in a Wait state, or for a task's token. At
        most 40 rows, and the latest 50 attempts of each row, are drawn. The picture's title says what is left
        out.
    """
    return timeline_of(Reader(events, definition), title)


def timeline_of(reader: Reader, title: str | None = None) -> Picture:
    """The `timeline_view` of the events that a reader has read so far."""
    times = [event["timestamp"] for event in reader.events] or [datetime.min]
    start, latest = min(times), max(times)

    def seconds(time: datetime | None) -> float:
        return float(((time or latest) - start).total_seconds())

    total = seconds(None)
    grouped: dict[tuple[str, str], list[StateRun]] = {}
    for run in reader.runs:
        grouped.setdefault((run.branch.label, run.name), []).append(run)
    rows = [_row(runs, [bar for run in runs for bar in _bars(run, seconds)]) for runs in grouped.values()]
    time = f"{total:.1f} s" if total >= 1 else f"{total * 1000:.0f} ms"
    states = _("; ").join(f"{row.label.strip()} {row.note}" for row in rows[:_ROWS])
    states = states or _("nothing has happened yet")
    alt = _("{title} of {time}: {states}.", title=title or _("Timeline"), time=time, states=states)
    return Picture(alt, lambda: _draw(rows, total or 0.001, title))


def _bars(run: StateRun, seconds: Callable[[datetime | None], float]) -> Iterator[_Bar]:
    before = 0.0
    for number, attempt in enumerate(run.attempts, start=1):
        begin, end = seconds(attempt.started), seconds(attempt.ended)
        since = attempt.started if run.kind == "Wait" else attempt.waits_since
        wait = (seconds(since), end) if since else None
        yield _Bar(begin, end, attempt.status, number, (before, begin) if number > 1 else None, wait)
        before = end


def _row(runs: list[StateRun], bars: list[_Bar]) -> _Row:
    branch, last = runs[0].branch.label, runs[-1].last
    # The label is indented by the depth of the branch, with em spaces: SVG drops ordinary spaces.
    depth = branch.count(" / ") + 1 if branch else 0
    label = "\u2003" * depth + (f"[{branch.rpartition('[')[2]} " if branch else "") + runs[0].name
    waited = sum(end - begin for bar in bars for begin, end in filter(None, (bar.retry, bar.wait)))
    notes = [
        f"{marked(last.status)} {harmless(last.error)}".strip(),
        retried(len(bars) - len(runs) + 1),
        _("entered {times} times", times=len(runs)) if len(runs) > 1 else "",
        _("waits {time}", time=_time(waited)) if waited >= 0.001 else "",
    ]
    return _Row(label, _(", ").join(filter(None, notes)), bars)


def _time(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds >= 0.95 else f"{seconds * 1000:.0f} ms"


def _lines(text: str, most: int) -> list[str]:
    """Break a text into lines of at most `most` columns, which begin as the text does."""
    indent = "\u2003" * text.count("\u2003")
    letters = most * len(text) // max(1, width(text))  # fewer, if they are wide
    return textwrap.wrap(text, letters, subsequent_indent=indent) or [""]


def _draw(rows: list[_Row], total: float, title: str | None) -> str:
    """The SVG of a timeline of `total` seconds."""
    hidden, rows = len(rows) - _ROWS, rows[:_ROWS]
    heading = [title] if title else []
    heading += [_("and {count} rows more", count=hidden)] if hidden > 0 else []
    if any(len(row.bars) > _BARS for row in rows):
        heading.append(_("(the latest {count} attempts of each)", count=_BARS))
    labels = [_lines(row.label, _LABEL) for row in rows]
    comma = _(", ").strip()
    unbroken = [row.note.replace(" ", "\N{NO-BREAK SPACE}") for row in rows]  # except after its commas
    notes = [_lines(re.sub(f"{comma}\N{NO-BREAK SPACE}?", f"{comma} ", note), _NOTE) for note in unbroken]
    left, right = (
        _LETTER * max([8, *(width(line) for lines in texts for line in lines)]) + 0.15
        for texts in (labels, notes)
    )
    between = _WIDTH - left - right
    heights = [_LINE * max(map(len, texts)) + 0.12 for texts in zip(labels, notes, strict=True)]
    inner = sum(heights) or _LINE
    with rc_context(_SVG), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # matplotlib's font lacks letters that the browser's fonts have
        figure = Figure(figsize=(_WIDTH, height := inner + 0.85))
        axes = figure.add_axes((left / _WIDTH, 0.5 / height, between / _WIDTH, inner / height))
        axes.set(xlim=(0, total * 1.01), ylim=(inner, 0), xlabel="s" if total >= 1 else "ms")
        axes.xaxis.set_major_formatter(lambda x, _position: f"{x if total >= 1 else x * 1000:g}")
        axes.set_yticks([])
        axes.grid(axis="x", color="#dfe3e8")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        letter = _LETTER / between * total * 1.01
        ends = accumulate(heights)
        for row, label, note, end, size in zip(rows, labels, notes, ends, heights, strict=True):
            y = end - size / 2
            _draw_bars(axes, y, row.bars[-_BARS:], letter)
            for lines, x in (label, 0.05), (note, left + between + 0.1):
                axes.annotate("\n".join(lines), (x * 72, y), xycoords=("figure points", "data"), va="center")
        axes.set_title(" ".join(heading), loc="left", fontsize=10)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _draw_bars(axes: Axes, y: float, bars: list[_Bar], letter: float) -> None:
    """Draw a row's attempts and waits at the height `y`. A letter is as wide as `letter` seconds."""
    widths = [max(bar.end - bar.begin, axes.get_xlim()[1] * _SPAN) for bar in bars]
    looks = [look_of(bar.status) for bar in bars]
    fills, borders = [look.fill for look in looks], [look.border for look in looks]
    axes.barh([y] * len(bars), widths, 0.2, [bar.begin for bar in bars], color=fills, edgecolor=borders)
    for bar in bars:
        if bar.number > 1 and not bar.wait and bar.end - bar.begin > 3 * letter:
            axes.annotate(f"↻{bar.number}", (bar.begin, y), va="center")
        for wait, status in (bar.retry, "failed"), (bar.wait, "waiting"):
            if wait:
                _draw_wait(axes, y, wait, look_of(status).border, letter)


def _draw_wait(axes: Axes, y: float, wait: tuple[float, float], color: str, letter: float) -> None:
    """Draw a dotted line. If there is room, its middle says how long it is."""
    begin, end = wait
    middle, text = (begin + end) / 2, _("waits {time}", time=_time(end - begin))
    room = width(text) * letter
    if room > end - begin:
        axes.plot(wait, (y, y), ":", color=color)
        return
    axes.plot((begin, middle - room / 2, nan, middle + room / 2, end), [y] * 5, ":", color=color)
    axes.annotate(text, (middle, y), ha="center", va="center")
