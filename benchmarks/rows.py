"""Tell what was measured: as a table, as JSON, and in the README's sentences; pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Row", "page", "readme", "results", "sentences", "shown", "table"]

_MARKED = re.compile(r"(<!-- benchmarks -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        what: What was measured; no two rows have the same.
        value: The median (or what ``what`` says), in ``unit``; None where it could not be measured.
        unit: Such as ``ms``.
        beside: What it is compared with, if with anything.
        other: That one's value; None where it could not be measured.
        most: The promise: the largest ratio, or the largest value of a row that is not compared.
        note: Anything else.
    """

    what: str
    value: float | None
    unit: str = ""
    beside: str = ""
    other: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value divided by the other one."""
        return self.value / self.other if self.value is not None and self.other else None

    @property
    def met(self) -> bool | None:
        """Whether the promise is kept; None without a promise or a measurement."""
        judged = self.ratio if self.beside else self.value
        return None if self.most is None or judged is None else judged <= self.most

    @property
    def aim(self) -> str:
        """The promise in words."""
        if not self.most:
            return "" if self.most is None else "none"
        return f"at most {self.most:.2g} times" if self.beside else f"within {self.most:g} {self.unit}"


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| what | measured | beside | | ratio | aim | |", "|---|---:|---|---:|---:|---|---|"]
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
    """Three digits, and all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def page(rows: Sequence[Row], about: Mapping[str, Any]) -> str:
    """The file ``results.md``."""
    return (
        "# What `make bench` measured\n\n"
        "Medians, where nothing else is said, of one run (but for `make test`). What is compared was "
        "measured in turns, warm draws each after the same pause; of a pool, the hardened draws came first, "
        "and of 100,000 the tutorial's machine drew once. A ratio is the first value divided by the one "
        "beside it.\n\n"
        f"{table(rows)}\n"
        f"{about['system']}, {about['cores']} cores, Python {about['python']}, moto {about['moto']}, "
        f"boto3 {about['boto3']}; load {about['load_before']:.1f} before, {about['load_after']:.1f} after, "
        f"{about['minutes']} minutes.\n\n"
        "What is missed: a warm draw spends two thirds of its time in the functions and their requests, as "
        "the bare calls do, and one third in the engine that evaluates the states. To come to 1.5 times, the "
        "engine would have to call functions without boto3, and the server to answer without Flask.\n"
    )


def results(rows: Sequence[Row], about: Mapping[str, Any]) -> dict[str, Any]:
    """The content of ``results.json``."""
    return {"conditions": dict(about), "rows": [_as_json(row) for row in rows]}


def _as_json(row: Row) -> dict[str, Any]:
    return asdict(row) | {"ratio": row.ratio, "met": row.met}


def readme(text: str, told: Mapping[str, Any]) -> str:
    """The README with the sentences of these results between its marks."""
    return _MARKED.sub(lambda match: f"{match[1]}{sentences(told)}{match[2]}", text)


def sentences(told: Mapping[str, Any]) -> str:
    """What the README says of ``results.json``."""
    rows = {row["what"]: row for row in told["rows"]}

    def of(what: str, key: str = "value") -> str:
        value, unit = rows[what][key], rows[what]["unit"]
        return (
            "(not measured)" if value is None else f"{shown(value)} {unit if key != 'ratio' else ''}".strip()
        )

    floor, rival = "Warm draw of one winner", "Warm draw of one winner, and a rival"
    rounds, size = "8 of 10 drawn, drawing 2 (mean): rounds", "Pool of 100,000: a hardened draw"
    return (
        f"A warm draw takes {of(floor)}: {of(floor, 'ratio')} times the same AWS calls without a workflow "
        f"({'met' if rows[floor]['met'] else 'more than was aimed at'}), "
        f"and {of(rival, 'ratio')} of what MiniStack takes.\n"
        f"With 8 of 10 drawn, drawing 2 takes the tutorial's machine {of(rounds, 'other')} rounds on "
        f"average, and the hardened one {of(rounds)}.\n"
        f"From a pool of 100,000 a hardened draw takes {of(size)} and "
        f"{of('Pool of 100,000: requests of a draw')} requests; from 10, "
        f"{of('Pool of 10: a hardened draw')} and {of('Pool of 10: requests of a draw')}.\n"
        f"A history of 25,000 events is read in {of('History of 25,000 events: all pages')}.\n"
        f"Measured in one run on {told['conditions']['cores']} cores.\n"
    )
