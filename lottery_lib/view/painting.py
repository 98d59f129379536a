"""Paint a drawn workflow with what an execution did: colours, marks, counts, and the edges it took."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypedDict

import pandas as pd

from lottery_lib.definition import Machine
from lottery_lib.history import latest_rows, table_of
from lottery_lib.history.state_runs import Reader, StateRun, details_of
from lottery_lib.translation import _, ngettext, punctuated
from lottery_lib.view.asl import notes, tries
from lottery_lib.view.icons import BOX, ICONS, SIZE, kind_of
from lottery_lib.view.status import mark_of, marked, retried
from states_language import all_states, is_last

_POINTS: Final = re.compile(r"-?[\d.]+,-?[\d.]+")
#: The namespace of SVG.
SVG: Final = "{http://www.w3.org/2000/svg}"
ET.register_namespace("", SVG[1:-1])
#: The names of the two ends in an edge, where a state has its name.
START: Final = "Start" + " " * 80  # no state can have this name: it has 80 characters at most
END: Final = "End" + " " * 80
#: An edge: where it begins, where it ends, and whether it is a Catch.
Edge = tuple[str, str, bool]


class Paint(TypedDict):
    """How one state is painted: its status, the lines of its text, and its tooltip."""

    status: str
    lines: list[str]
    tip: str


@dataclass(frozen=True)
class Facts:
    """What an execution did so far. A picture and a panel take everything that they show from here.

    Attributes:
        table: A row for each attempt, as `history.state_table` returns it.
        latest: A row for each state, as `history.latest_rows` returns it.
        statuses: By the state's name, as `attempts`, `seconds` (of the latest attempt) and `items` are.
        items: How many items of each Map are done, in words.
        taken: The edges that the execution took.
    """

    table: pd.DataFrame
    latest: pd.DataFrame
    statuses: Mapping[str, str]
    attempts: Mapping[str, int]
    seconds: Mapping[str, float]
    items: Mapping[str, str]
    taken: Collection[Edge]


def facts_of(reader: Reader) -> Facts:
    """Take what is shown from the events that a reader has read so far."""
    table = table_of(reader)
    latest = latest_rows(table)
    rows = table[["branch", "state", "attempt", "status"]].itertuples(index=False)
    return Facts(
        table,
        latest,
        latest["status"].to_dict(),
        latest["attempt"].to_dict(),
        latest["duration"].dropna().to_dict(),
        count_done_items(reader),
        frozenset(_taken_edges(rows, reader.definition)),
    )


def count_done_items(reader: Reader) -> dict[str, str]:
    """How many items of each Map are done, such as ``"3 of 5 done"``, by the Map's name.

    An item is done when AWS reports `MapIterationSucceeded` for it. A failed or aborted iteration does not
    count. A Retry begins at 0 again. If a Map is entered several times, the latest time counts.
    """
    counts: dict[StateRun | None, tuple[int, int]] = {}
    for event in reader.events:
        run = reader.owners[event["id"]]
        if event["type"] == "MapStateStarted":
            counts[run] = 0, details_of(event).get("length", 0)
        elif event["type"] == "MapIterationSucceeded" and run in counts:
            done, length = counts[run]
            counts[run] = done + 1, length
    return {run.name: done_of(*count) for run, count in counts.items() if run}


def done_of(done: int, length: int) -> str:
    """How far a Map is, such as ``"3 of 5 done"``."""
    return _("{done} of {length} done", done=done, length=length)


def _taken_edges(rows: Iterable[tuple[str, str, int, str]], machine: Machine) -> Iterator[Edge]:
    """The edges between states that follow each other in their branch, and those from Start and to End."""
    states = dict(all_states(machine))
    latest: dict[str, tuple[str, str]] = {}  # by branch: its latest state, and the status of that state
    for branch, state, attempt, status in rows:
        if attempt == 1 and branch in latest:
            previous, previous_status = latest[branch]
            yield previous, state, previous_status == "caught"
        elif attempt == 1 and not branch:
            yield START, state, False
        latest[branch] = state, status
    name, status = latest.get("", ("", ""))
    last = states.get(name, {})
    if is_last(last) and (status == "succeeded" or last["Type"] == "Fail"):
        yield name, END, False


def captions(state: Machine, attempts: int = 1, items: str = "") -> list[str]:
    """The lines below a state's name. An execution changes their words, and never how many there are."""
    lines = list(notes(state))
    if items and state.get("Type") == "Map":
        lines[0] = items
    if count := tries(state):
        most = ngettext("Retry: up to 1 time", "Retry: up to {count} times", count, count=count)
        lines.append(retried(attempts) or most)
    return lines


def paints_of(machine: Machine, facts: Facts, name_lines: Mapping[str, Sequence[str]]) -> list[Paint]:
    """How to paint each state.

    Args:
        machine: The definition.
        facts: What the execution did.
        name_lines: The lines of each state's name.
    """
    paints: list[Paint] = []
    for name, state in all_states(machine):
        status, attempts = facts.statuses.get(name, ""), facts.attempts.get(name, 1)
        items, (first, *rest) = facts.items.get(name, ""), name_lines[name]
        words = [kind_of(state), marked(status or "not entered"), retried(attempts), items]
        words += [f"{facts.seconds[name]:.3f} s"] if name in facts.seconds else []
        paints.append(
            {
                "status": status,
                "lines": [f"{mark_of(status)} {first}".strip(), *rest, *captions(state, attempts, items)],
                "tip": punctuated(
                    "{key}: {value}", key=name, value=punctuated(", ").join(filter(None, words))
                ),
            }
        )
    return paints


def with_icons(drawn: str, icons: Sequence[Sequence[str]]) -> str:
    """Put the signs of each state into the SVG that Graphviz has drawn: its type left, its service right."""
    root = ET.fromstring(drawn)
    root.set("class", "lottery-picture")
    for group in root.iter(f"{SVG}g"):
        kind, _, number = group.get("id", "").partition("-")
        outline = group.find(f"{SVG}path")
        if kind == "state" and outline is not None:
            group.set("class", f"{group.get('class')} state")
            points = [tuple(map(float, pair.split(","))) for pair in _POINTS.findall(outline.get("d", ""))]
            xs, ys = zip(*points, strict=True)
            is_box = group.get("class", "").startswith("cluster")
            y = min(ys) + 7 if is_box else (min(ys) + max(ys) - SIZE) / 2
            for icon, x in zip(icons[int(number)], (min(xs) + 6, max(xs) - 6 - SIZE), strict=False):
                place = {
                    "class": "icon",
                    "transform": f"translate({x:.1f} {y:.1f}) scale({SIZE / BOX:.3f})",
                    "d": ICONS[icon],
                }
                ET.SubElement(group, f"{SVG}path", place)
    return ET.tostring(root, encoding="unicode")


def paint(layout: str, paints: Sequence[Paint], taken: Collection[int]) -> str:
    """The SVG of a drawing with its states painted and its taken edges stronger.

    Args:
        layout: The SVG as Graphviz draws it, with groups of the ids ``state-N`` and ``edge-N``.
        paints: How to paint each state, by its number.
        taken: The numbers of the edges that were taken.
    """
    root = ET.fromstring(layout)
    for group in root.iter(f"{SVG}g"):
        kind, _, number = group.get("id", "").partition("-")
        if kind == "state":
            state = paints[int(number)]
            group.set("data-status", state["status"])
            for title in group.iterfind(f"{SVG}title"):
                title.text = state["tip"]
            for text, line in zip(group.iter(f"{SVG}text"), state["lines"], strict=False):
                text.text = line
        elif kind == "edge" and int(number) in taken:
            group.set("class", "edge taken")
    return ET.tostring(root, encoding="unicode")
