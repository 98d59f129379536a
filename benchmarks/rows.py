"""Turn the figures into a page, into JSON, and into the README's sentence; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

__all__ = ["MAKE_TEST", "Row", "page", "readme", "results", "sentence", "shown", "table"]

#: What is measured by `make bench-tests`, and kept until it measures it again.
MAKE_TEST: Final = "`make test`, with a browser"
_MARKED = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
_MINUTES = re.compile(r"(?<=`make test` takes )\d+ minutes on \d+ cores")


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: What was measured; no two rows have the same.
        value: The median (or what ``what`` says), in ``unit``; None if it could not be measured.
        unit: Such as ``ms``.
        beside: What it is compared with; empty if with nothing.
        other: The value of that; None if it could not be measured.
        most: The goal: the largest ratio, or the largest value if the row compares nothing.
        least: The goal if more is better: the smallest value.
        note: Anything else that a reader needs.
    """

    what: str
    value: float | None
    unit: str = ""
    beside: str = ""
    other: float | None = None
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value divided by the other one."""
        return self.value / self.other if self.value is not None and self.other else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal or a measurement."""
        judged = self.ratio if self.beside else self.value
        if judged is None or (self.most is None and self.least is None):
            return None
        return judged <= self.most if self.most is not None else judged >= (self.least or 0)

    @property
    def aim(self) -> str:
        """The goal in words."""
        if self.least is not None:
            return f"at least {self.least:g}"
        if not self.most:
            return "" if self.most is None else "none"
        return f"at most {self.most:.2g} times" if self.beside else f"within {self.most:g} {self.unit}"


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | measured | compared with | | ratio | goal | |", "|---|---:|---|---:|---:|---|---|"]
    for row in rows:
        word = {True: "met", False: "**missed**", None: ""}[row.met]
        note = "; ".join(filter(None, (word, row.note)))
        other = _told(row.other, row.unit) if row.beside else ""
        ratio = "" if row.ratio is None else shown(row.ratio)
        told = _told(row.value, row.unit)
        lines.append(f"| {row.what} | {told} | {row.beside} | {other} | {ratio} | {row.aim} | {note} |")
    return "\n".join(lines) + "\n"


def _told(value: float | None, unit: str) -> str:
    return "not measured" if value is None else f"{shown(value)} {unit}".strip()


def shown(value: float) -> str:
    """A number with three digits, or with all digits before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def page(rows: Sequence[Row], about: Mapping[str, Any]) -> str:
    """The file ``results.md``."""
    return (
        f"# What `make bench` measured\n\n{_summary(results(rows, about))}\n"
        "All figures come from one run, except the time of `make test`. Each figure is a median, unless its "
        "line says something else.\n\n"
        "- Two things that are compared are measured in turns: first one, then the other, and so on.\n"
        "- There is the same pause before each warm draw.\n"
        "- For each size of pool, all hardened draws come before those of the tutorial's state machine. From "
        "the pool of 100,000 the tutorial's state machine draws only once.\n"
        "- The ratio is the measured value divided by the value that it is compared with.\n\n"
        f"{table(rows)}\n"
        f"{about['system']}, {about['cores']} cores, Python {about['python']}, moto {about['moto']}, "
        f"boto3 {about['boto3']}; system load {about['load_before']:.1f} before the run and "
        f"{about['load_after']:.1f} after; it took {about['minutes']} minutes. "
        "The goals are from a machine on which the same calls, without a workflow, took 10.4 ms.\n\n"
        f"{_missed(rows)}"
    )


#: What a missed goal would need, by the row's first words.
_WHY: Final = {
    "Warm draw of one winner": """
        This was measured with moto's engine, which took a third of it. Most of the rest is the work of the
        four functions, which make the same requests. The way to the workers and back takes a twelfth.""",
    "First draw after a deploy": """
        Three of its four functions make a boto3 resource and their first request, which takes 10 ms each.
        Less would need functions that do without boto3's resources.""",
    "30 attendees": """
        Nearly every call is a function's first call in its worker, because 120 functions share 16 workers. It
        takes 25 ms of a core: half of it goes to copies of memory pages, which a forked process makes when it
        first changes them. A worker that stays needs 13 MB of its own, so more would need more cores, or 1.5
        GB for 120 workers.""",
    "`deploy` from nothing": """
        It makes 53 calls, and eight clients for a new attendee. The clients take a quarter of the time. The
        rest is boto3 and moto, in equal parts. Less would need fewer looks at what AWS has, or two calls at
        the same time.""",
    "Emulator ready": "It is the start of Python and the imports, without moto, which loads after that.",
    "`make test`": """
        Most of it is 3,800 tests of the emulator and the kit, which make real requests and run real
        functions.""",
    "History of 25,000 events: graph": "On the machine of the goals, it took 541 ms.",
    "Memory of the emulator": "It is measured after the history of 25,000 events, which stays in memory.",
}


def _missed(rows: Sequence[Row]) -> str:
    missed = [row.what for row in rows if row.met is False]
    lines = [
        f"- {start}: {' '.join(why.split())}"
        for start, why in _WHY.items()
        if any(what.startswith(start) for what in missed)
    ]
    return "\n".join(["**Missed goals.**\n", *lines, ""]) if lines else ""


def results(rows: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``results.json``."""
    return {"conditions": dict(about), "rows": [_as_json(row) for row in rows]}


def _as_json(row: Row) -> dict[str, Any]:
    return asdict(row) | {"ratio": row.ratio, "met": row.met}


def readme(text: str, told: Mapping[str, Any]) -> str:
    """Put the sentence of these results between the README's marks, and say how long `make test` takes."""
    (seconds,) = (row["value"] for row in told["rows"] if row["what"] == MAKE_TEST)
    minutes = f"{seconds / 60:.0f} minutes on {told['conditions']['cores']} cores"
    text = _MINUTES.sub(minutes, text)
    return _MARKED.sub(lambda match: f"{match[1]}{sentence(told)}{match[2]}", text)


def sentence(told: Mapping[str, Any]) -> str:
    """What the README says about ``results.json``: how long a person waits."""
    alone, room = (
        f"{row['value'] / 1000:.2g} seconds"
        for what in ("Warm draw of one winner", "30 attendees at the same time, 3 draws each: draw")
        for row in told["rows"]
        if row["what"] == what
    )
    return (
        f"On a machine with {told['conditions']['cores']} cores, a draw takes {alone}. "
        f"If 30 attendees draw at the same time on one emulator, each draw takes {room}.\n"
    )


def _summary(told: Mapping[str, Any]) -> str:
    """The figures that most readers look for, in sentences."""
    rows = {row["what"]: row for row in told["rows"]}

    def of(what: str, key: str = "value") -> str:
        return _told(rows[what][key], rows[what]["unit"])

    floor, rival = "Warm draw of one winner", "Warm draw of one winner, on two emulators"
    rounds, size = "8 of 10 drawn, drawing 2 (mean): rounds", "Pool of 100,000: a hardened draw"
    return (
        f"After the first few draws, a draw takes {of(floor)}. We call this a warm draw.\n"
        f"The same AWS calls without a workflow take {of(floor, 'other')}.\n"
        f"On MiniStack, another emulator, a warm draw takes {of(rival, 'other')}.\n"
        f"When 8 of 10 people have already won, the tutorial's state machine needs "
        f"{of(rounds, 'other')} rounds on average to draw the other 2. The hardened one needs {of(rounds)}.\n"
        f"From a pool of 100,000 people, a hardened draw takes {of(size)} and "
        f"{of('Pool of 100,000: requests of a draw')} requests. From 10 people, it takes "
        f"{of('Pool of 10: a hardened draw')} and {of('Pool of 10: requests of a draw')} requests.\n"
        f"Reading a history of 25,000 events takes {of('History of 25,000 events: all pages')}.\n"
    )
