"""Draw when each state of an execution ran: a bar for each attempt, and one branch below the other."""

import re
import textwrap
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import accumulate
from math import floor, log10
from typing import Final, NamedTuple

from lottery_lib.harmless import escaped, harmless, width
from lottery_lib.history import Reader, StateRun
from lottery_lib.translation import _, ngettext, punctuated
from lottery_lib.view.svg import Picture, picture
from lottery_lib.view.theme import marked, retried

_ROWS: Final = 40  # the most rows of a picture; a large Map has more iterations
_BARS: Final = 50  # the most bars of a row; a long loop has more rounds
_SPAN: Final = 3.0  # the shortest bar that people see; this and all other sizes are in pixels
_WIDTH: Final = 840.0  # the width of a notebook in a window of 1280 pixels
_LETTER, _LINE, _PADDING = (
    7.2,
    17.0,
    10.0,
)  # a letter's width, a line's height, the space around a row's lines
_LABEL, _NOTE = 26, 28  # the most columns in a line of the texts left and right of the bars
_TOP, _BOTTOM = 26.0, 30.0  # room for the heading, and for the seconds


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


def timeline_of(reader: Reader) -> Picture:
    """Draw an execution as bars over time, with one row for each state.

    Args:
        reader: Its events. The execution may still run.

    Returns:
        A picture. It has a row for each state of each branch, in the order in which they were first entered.
        It has a bar for each attempt, with a number if it is a Retry. The bar of a running attempt ends at
        the last event. A dotted line is a wait: before a Retry, in a Wait state, or for a task's token. At
        most 40 rows, and the latest 50 attempts of each row, are drawn. The picture's title says what is left
        out.
    """
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
    states = punctuated("; ").join(f"{row.label.strip()} {row.note}" for row in rows[:_ROWS])
    states = states or _("nothing has happened yet")
    alt = _("{title} of {time}: {states}.", title=_("Timeline"), time=time, states=states)
    return Picture(alt, lambda: _draw(rows, total or 0.001))


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
        _("waited {time} in all", time=_time(waited)) if waited >= 0.001 else "",
    ]
    return _Row(label, punctuated(", ").join(filter(None, notes)), bars)


def _time(seconds: float) -> str:
    return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds >= 0.95 else f"{seconds * 1000:.0f} ms"


def _lines(text: str, most: int) -> list[str]:
    """Break a text into lines of at most `most` columns, which begin as the text does."""
    indent = "\u2003" * text.count("\u2003")
    letters = most * len(text) // max(1, width(text))  # fewer, if they are wide
    return textwrap.wrap(text, letters, subsequent_indent=indent) or [""]


class _Scale(NamedTuple):
    """Where a time is between the texts on the left and those on the right."""

    left: float
    right: float
    total: float

    def x(self, seconds: float) -> float:
        return self.left + (self.right - self.left) * seconds / self.total

    def ticks(self) -> Iterator[float]:
        """About six round times: 1, 2 or 5, and zeros."""
        rough = self.total / 6
        power = 10.0 ** floor(log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        return (step * number for number in range(int(self.total / step * 1.0001) + 1))


def _draw(rows: list[_Row], total: float) -> str:
    """The SVG of a timeline of `total` seconds."""
    hidden, rows = len(rows) - _ROWS, rows[:_ROWS]
    more = [ngettext("and 1 row more", "and {count} rows more", hidden, count=hidden)]
    heading = more if hidden > 0 else []
    if any(len(row.bars) > _BARS for row in rows):
        heading.append(_("(the latest {count} attempts of each)", count=_BARS))
    labels = [_lines(row.label, _LABEL) for row in rows]
    comma = punctuated(", ").strip()
    unbroken = [row.note.replace(" ", "\N{NO-BREAK SPACE}") for row in rows]  # except after its commas
    notes = [_lines(re.sub(f"{comma}\N{NO-BREAK SPACE}?", f"{comma} ", note), _NOTE) for note in unbroken]
    left, right = (
        _LETTER * max([8, *(width(line) for lines in texts for line in lines)]) + 16
        for texts in (labels, notes)
    )
    scale = _Scale(left, _WIDTH - right, total)
    heights = [_LINE * max(map(len, texts)) + _PADDING for texts in zip(labels, notes, strict=True)]
    top, foot = (_TOP if heading else 6), sum(heights) or _LINE
    drawn = [_text(6, 17, " ".join(heading), bold=True)] if heading else []
    drawn += _axis(scale, top, top + foot)
    for row, label, note, end, height in zip(rows, labels, notes, accumulate(heights), heights, strict=True):
        y = top + end - height / 2
        drawn += _bars_drawn(scale, y, row.bars[-_BARS:])
        for lines, x in (label, 6.0), (note, scale.right + 12):
            first = y - _LINE * (len(lines) - 1) / 2 + 4
            drawn += [_text(x, first + _LINE * number, line) for number, line in enumerate(lines)]
    return picture("".join(drawn), _WIDTH, top + foot + _BOTTOM)


def _axis(scale: _Scale, top: float, foot: float) -> Iterator[str]:
    """The vertical lines, and the times below them."""
    unit, factor = ("s", 1) if scale.total >= 1 else ("ms", 1000)
    for time in scale.ticks():
        x = scale.x(time)
        yield f'<path class="rule" d="M{x:.1f} {top:.1f}V{foot:.1f}"/>'
        yield _text(x, foot + 17, f"{time * factor:g}", "middle", kind="quiet")
    yield _text(scale.right + 12, foot + 17, unit, kind="quiet")


def _bars_drawn(scale: _Scale, y: float, bars: list[_Bar]) -> Iterator[str]:
    """A row's attempts and waits at the height `y`."""
    for bar in bars:
        length = scale.x(bar.end) - scale.x(bar.begin)
        x = min(scale.x(bar.begin), scale.right - _SPAN)
        size = f'width="{max(length, _SPAN):.1f}" height="16" rx="3"'
        yield f'<rect class="bar" data-status="{bar.status}" x="{x:.1f}" y="{y - 8:.1f}" {size}/>'
        if bar.number > 1 and not bar.wait and length > 3.5 * _LETTER:
            yield _text(x + 4, y + 4, f"↻{bar.number}")
        for wait, status in (bar.retry, "failed"), (bar.wait, "waiting"):
            if wait:
                yield from _wait_drawn(scale, y, wait, status)


def _wait_drawn(scale: _Scale, y: float, wait: tuple[float, float], status: str) -> Iterator[str]:
    """A dotted line. If there is room, its middle says how long it is."""
    begin, end = map(scale.x, wait)
    text, middle = _("waits {time}", time=_time(wait[1] - wait[0])), (begin + end) / 2
    room = (width(text) + 2) * _LETTER
    if room > end - begin:
        path = f"M{begin:.1f} {y:.1f}H{end:.1f}"
    else:
        path = f"M{begin:.1f} {y:.1f}H{middle - room / 2:.1f}M{middle + room / 2:.1f} {y:.1f}H{end:.1f}"
        yield _text(middle, y + 4, text, "middle", kind="over")
    yield f'<path class="wait" data-status="{status}" d="{path}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start", *, bold: bool = False, kind: str = "") -> str:
    more = (' font-weight="600"' if bold else "") + (f' class="{kind}"' if kind else "")
    more += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{escaped(text)}</text>'
