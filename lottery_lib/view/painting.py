"""Paint a drawn workflow with what an execution did: colours, marks, counts, and the edges it took."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypedDict

from lottery_lib.definition import Machine, State, notes, tries
from lottery_lib.history import Reader, StateRun, details_of
from lottery_lib.translation import _, ngettext, punctuated
from lottery_lib.view.theme import BOX, ICONS, SIZE, kind_of, mark_of, marked, retried
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
    """What a picture shows of an execution.

    Attributes:
        statuses: By the state's name, as `attempts`, `seconds` (of the latest attempt) and `items` are.
        items: How many items of each Map are done, in words.
        taken: The edges that the execution took.
    """

    statuses: Mapping[str, str]
    attempts: Mapping[str, int]
    seconds: Mapping[str, float]
    items: Mapping[str, str]
    taken: Collection[Edge]


def facts_of(reader: Reader) -> Facts:
    """Take what is shown from the events that a reader has read so far."""
    latest = reader.latest()
    return Facts(
        {name: run.last.status for name, run in latest.items()},
        {name: len(run.attempts) for name, run in latest.items()},
        {name: run.last.seconds for name, run in latest.items() if run.last.seconds is not None},
        count_done_items(reader),
        frozenset(_taken_edges(reader)),
    )


def count_done_items(reader: Reader) -> dict[str, str]:
    """How many items of each Map are done, such as ``"3 of 5 done"``, by the Map's name.

    An item is done when AWS reports `MapIterationSucceeded` for it. A failed or aborted iteration does not
    count. A Retry begins at 0 again. If a Map is entered several times, the latest time counts. A Distributed
    Map has no number: the history does not say what its children do.
    """
    counts: dict[StateRun | None, tuple[int, int]] = {}
    for event in reader.events:
        run = reader.owners[event["id"]]
        if event["type"] == "MapStateStarted":
            counts[run] = 0, details_of(event).get("length", 0)
        elif event["type"] == "MapRunStarted":
            counts.pop(run, None)  # its items are those of child executions
        elif event["type"] == "MapIterationSucceeded" and run in counts:
            done, length = counts[run]
            counts[run] = done + 1, length
    return {run.name: done_of(*count) for run, count in counts.items() if run}


def done_of(done: int, length: int) -> str:
    """How far a Map is, such as ``"3 of 5 done"``."""
    return _("{done} of {length} done", done=done, length=length)


def _taken_edges(reader: Reader) -> Iterator[Edge]:
    """The edges between states that follow each other in their branch, and those from Start and to End."""
    outermost = None
    for run in reader.runs:
        if run.previous:
            yield run.previous.name, run.name, run.previous.last.status == "caught"
        if not run.branch.label:
            if not run.previous:
                yield START, run.name, False
            outermost = run
    state = dict(all_states(reader.definition)).get(outermost.name, {}) if outermost else {}
    if outermost and is_last(state) and (outermost.last.status == "succeeded" or state["Type"] == "Fail"):
        yield outermost.name, END, False


def captions(state: State, attempts: int = 1, items: str = "") -> list[str]:
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
    by_id = {group.get("id", ""): group for group in root.iter(f"{SVG}g")}
    for name, group in by_id.items():
        kind, _, number = name.partition("-")
        outline = group.find(f"{SVG}path")
        if kind == "state" and outline is not None:
            group.set("class", f"{group.get('class')} state")
            points = [tuple(map(float, pair.split(","))) for pair in _POINTS.findall(outline.get("d", ""))]
            xs, ys = zip(*points, strict=True)
            heading = by_id.get(f"heading-{number}")
            if is_box := heading is not None:  # its text becomes that of the box around it
                for text in heading.findall(f"{SVG}text"):
                    text.set("x", f"{(min(xs) + max(xs)) / 2:.2f}")
                    group.append(text)
                by_id["graph0"].remove(heading)
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
