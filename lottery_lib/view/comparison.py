"""Show two executions in one graph: what was different, state by state."""

import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from lottery_lib.harmless import escaped, harmless
from lottery_lib.history import Reader, StateRun
from lottery_lib.translation import _, punctuated
from lottery_lib.view.execution_view import ExecutionWidget, Tab
from lottery_lib.view.graph import GraphView
from lottery_lib.view.theme import mark_of, marked, word_of
from lottery_lib.view.timeline import timeline_of
from states_language import all_states

_MOST: Final = 50  # differences of one input or output
_LONGEST: Final = 200  # letters of a value
_NONE: Final = "–"
_ABSENT: Final = "absent"
_MISSING: Final = object()
#: Half of a box has the colour of the first execution, the other half that of the second.
_HALVES: Final = (
    '<linearGradient id="{0}-{1}">'
    '<stop offset=".5" style="stop-color:var(--lottery-{0}-fill,var(--lottery-ground))"/>'
    '<stop offset=".5" style="stop-color:var(--lottery-{1}-fill,var(--lottery-ground))"/></linearGradient>'
    '<style>.lottery-picture [data-status="{0}-{1}"]>path:first-of-type{{fill:url(#{0}-{1});'
    "stroke:var(--lottery-text)}}</style>"
)


class Comparison(ExecutionWidget):
    """Two executions of a state machine, or of its old and its new definition, in one graph.

    A state that was different has both marks and both colours, those of the first execution on the left.
    Every other state has none. The thick edges are the path of the second execution.

    Args:
        first: What was read of one execution, such as one that failed.
        second: The same of another one, such as after a repair, or of the same one after a redrive. The graph
            shows the definition of this one.
    """

    def __init__(self, first: Reader, second: Reader) -> None:
        self._both = first, second
        super().__init__()
        self.show(second)

    def __repr__(self) -> str:
        differences = [punctuated("{key}: {value}", key=row[0], value=row[3]) for row in self._rows()]
        return "\n".join(differences) or _("Nothing was different")

    def _drawing(self) -> GraphView:
        view, (before, after), halves = super()._drawing(), self._runs(), set[str]()
        for name, paint in zip(view.states, view.paints, strict=True):
            plain = paint["lines"][0].removeprefix(f"{mark_of(paint['status'])} ")
            paint["lines"][0], paint["status"] = plain, ""
            if list(_differs(before.get(name), after.get(name))):
                statuses = [runs[name].last.status if name in runs else _ABSENT for runs in (before, after)]
                marks = "".join(mark_of(status) or _NONE for status in statuses)
                paint["lines"][0], paint["status"] = f"{marks} {plain}", "-".join(statuses)
                paint["tip"] = punctuated("{key}: {value}", key=name, value=" → ".join(map(_word, statuses)))
                halves.add(_HALVES.format(*statuses))
        view.definitions = "".join(sorted(halves))
        return view

    @property
    def still_html(self) -> str:
        """What stands there without a kernel: the header, the graph, and what was different in each state."""
        rows = "".join(
            "<tr>" + "".join(f"<td style='text-align: left'>{escaped(cell)}</td>" for cell in row) + "</tr>"
            for row in self._rows()
        )
        headings = "".join(f"<th style='text-align: left'>{escaped(each)}</th>" for each in self._headings())
        both = self.header["facts"]
        facts = " · ".join(punctuated("{key}: {value}", key=title, value=fact) for title, fact in both)
        picture = self.still.html if self.still else ""
        return f"<p>{escaped(facts)}</p>{picture}<table><tr>{headings}</tr>{rows}</table>"

    def _runs(self) -> tuple[dict[str, StateRun], dict[str, StateRun]]:
        first, second = self._both
        return dict(first.latest()), dict(second.latest())

    def _headings(self) -> list[str]:
        return [_("State"), _("First"), _("Second"), _("Different")]

    def _rows(self) -> list[list[str]]:
        """A row for each state that was different: its name, both ends, and what differs."""
        before, after = self._runs()
        rows = []
        for name in dict.fromkeys([*after, *before]):
            if words := list(_differs(before.get(name), after.get(name))):
                ends = [_end(runs.get(name)) for runs in (before, after)]
                rows.append([name, *ends, punctuated(", ").join(words)])
        return rows

    def _header(self) -> dict[str, Any]:
        facts = []
        for title, reader in zip((_("First"), _("Second")), self._both, strict=True):
            if events := reader.events:
                took = ((reader.end or events[-1])["timestamp"] - events[0]["timestamp"]).total_seconds()
                type_ = reader.end["type"].removeprefix("Execution") if reader.end else "Running"
                end = word_of(re.sub("(?!^)([A-Z])", r" \1", type_).lower()).capitalize()
                transitions = punctuated(
                    "{key}: {value}", key=_("Transitions"), value=f"{reader.transitions():,}"
                )
                facts.append([title, punctuated(", ").join([end, f"{took:.3f} s", transitions])])
        return {"status": "", "word": _("Two executions"), "name": "", "facts": facts}

    def _details(self) -> dict[str, Any]:
        machine = dict(all_states(self._reader.definition)) if self._reader.definition else {}
        if self.chosen in machine:
            details = super()._of_state(self.chosen, machine[self.chosen])
            compared = _compared(*(runs.get(self.chosen) for runs in self._runs()))
            return details | {"word": "", "status": "", "tabs": [compared, *details["tabs"]]}
        lines = [
            _("A coloured state was different: left as in the first execution, right as in the second."),
            _("Thick lines: the way of the second."),
        ]
        if not (rows := self._rows()):
            lines = [punctuated("{facts}.", facts=_("Nothing was different"))]
        tab = {"title": _("Different"), "kind": "table", "chooses": True, "rows": rows}
        return {"title": "", "tabs": [tab | {"lines": lines, "headings": self._headings()}]}

    def _below(self) -> dict[str, Any]:
        tabs = []
        for title, reader in zip((_("First"), _("Second")), self._both, strict=True):
            if reader.end:
                picture = timeline_of(reader)
                tabs.append({"title": title, "kind": "picture", "value": picture.bare, "alt": picture.alt})
        return {"events": len(self._reader.events), "tabs": tabs}


def _word(status: str) -> str:
    return word_of("not entered") if status == _ABSENT else marked(status)


def _end(run: StateRun | None) -> str:
    """How a state ended, and how long its latest attempt took."""
    if run is None:
        return _word(_ABSENT)
    ends = [harmless(f"{marked(run.last.status)} {run.last.error}".strip())]
    ends += [] if run.last.seconds is None else [f"{run.last.seconds:.3f} s"]
    return punctuated(", ").join(ends)


def _differs(before: StateRun | None, after: StateRun | None) -> Iterator[str]:
    """What was different in a state, in words. Durations always differ a little, so they do not count."""
    if before is None or after is None:
        if before or after:
            yield _("only the first entered it") if before else _("only the second entered it")
        return
    pairs = [
        (_("status"), before.last.status, after.last.status),
        (_("attempts"), len(before.attempts), len(after.attempts)),
        (_("error"), before.last.error, after.last.error),
        (_("input"), before.input, after.input),
        (_("output"), before.last.output, after.last.output),
    ]
    yield from (word for word, old, new in pairs if old != new)


def _compared(before: StateRun | None, after: StateRun | None) -> Tab:
    """A table of what was different in a state: how it went, then each part of its input and output."""
    rows = [[_("Status"), _end(before), _end(after)]]
    if before and after:
        rows.append([_("Attempts"), str(len(before.attempts)), str(len(after.attempts))])
        values = (
            (_("Input"), before.input, after.input),
            (_("Output"), before.last.output, after.last.output),
        )
        for title, old, new in values:
            parts = list(_parts(old, new))
            rows += [[f"{title} {place}".strip(), was, now] for place, was, now in parts[:_MOST]]
            if len(parts) > _MOST:
                rows.append([title, _("and {count} more", count=len(parts) - _MOST), ""])
    return {
        "title": _("Different"),
        "kind": "table",
        "headings": ["", _("First"), _("Second")],
        "rows": [[harmless(cell) for cell in row] for row in rows],
    }


def _parts(old: Any, new: Any, place: str = "") -> Iterator[list[str]]:
    """The smallest parts of two values that differ: where, what it was, what it is."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _parts(old.get(key, _MISSING), new.get(key, _MISSING), f"{place}.{key}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list):
        for number, pair in enumerate(zip_longest(old, new, fillvalue=_MISSING)):
            yield from _parts(*pair, f"{place}[{number}]")
    else:
        shown = [_NONE if each is _MISSING else json.dumps(each, ensure_ascii=False) for each in (old, new)]
        yield [place, *(text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..." for text in shown)]
