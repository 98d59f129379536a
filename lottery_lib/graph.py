"""Draw a workflow as the Step Functions console does, coloured by what an execution did."""

import json
import os
import re
import shutil
import sys
import sysconfig
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import graphviz
from graphviz.backend import dot_command

from lottery_lib.errors import LotteryError
from lottery_lib.looks import columns, look_of, marked, retried
from lottery_lib.picture import Picture

__all__ = ["GraphView", "graph_view"]

Machine = Mapping[str, Any]

# Graphviz knows the widths of its letters, and writes "Helvetica,sans-Serif" into the SVG.
_FONT: Final = "Helvetica"
_FONT_SIZE: Final = 11  # points, of 72 to the inch
_LINE: Final = 26  # columns at which a name wraps; a Chinese character takes two
_OPERATORS: Final = {
    "GreaterThanEquals": ">=",
    "LessThanEquals": "<=",
    "GreaterThan": ">",
    "LessThan": "<",
    "Matches": "matches",
    "Equals": "==",
}
_WIDE: Final = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PIECES: Final = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")  # words with their space; wide letters singly
# No state can have these names: a state's name has 80 characters at most.
_START: Final = "Start" + " " * 80
_END: Final = "End" + " " * 80
_INSTALL: Final = "Run `pip install graphviz-pure`, or set GRAPHVIZ_DOT to the path of a `dot` program"
_DOT_LOCK: Final = threading.Lock()  # the graphviz package keeps the name of its program in a global


class GraphView(Picture):
    """A drawing of a workflow.

    Attributes:
        source: The DOT text; the same for the same arguments.
        states: The names of its states, also of those in a Parallel or Map, in the definition's order.
    """

    def __init__(self, source: str, alt: str, states: Sequence[str] = ()) -> None:
        super().__init__(alt, lambda: _render(source))
        self.source = source
        self.states = states


def graph_view(
    definition: Machine | str,
    statuses: Mapping[str, str] | None = None,
    *,
    attempts: Mapping[str, int] | None = None,
    title: str | None = None,
) -> GraphView:
    """Draw a state machine: Start, End, states, a Parallel or Map as a box, rules and Catches as edges.

    Args:
        definition: ASL, as JSON text or parsed; placeholders may still be in it.
        statuses: Status by state, as from `history.state_statuses`; other states were not entered.
        attempts: Attempts by state, as from `history.state_attempts`; shown from 2.
        title: Shown above the drawing.

    Raises:
        LotteryError: The definition is not JSON, or leads to a state that is not there.
    """
    machine = _parse(definition)
    drawing = _Drawing(statuses or {}, attempts or {}, title)
    drawing.draw(machine)
    alt = _alt(machine, statuses or {}, attempts or {}, title)
    return GraphView(drawing.graph.source, alt, list(_all_names(machine)))


class _Drawing:
    """A graph to which one workflow is added, its inner ones with it.

    An edge to or from a Parallel or Map meets an invisible point inside its box, and is cut at the border.
    """

    def __init__(self, statuses: Mapping[str, str], attempts: Mapping[str, int], title: str | None) -> None:
        self._statuses = statuses
        self._attempts = attempts
        self._heads: dict[str, str] = {}  # where edges to a state arrive
        self._tails: dict[str, str] = {}  # where edges from a state begin
        self._boxes: dict[str, str] = {}
        self.graph = graphviz.Digraph("workflow", graph_attr=_graph_attributes(title))
        self.graph.attr("node", fontname=_FONT, fontsize=str(_FONT_SIZE), shape="box", style="rounded,filled")
        self.graph.attr("edge", fontname=_FONT, fontsize="10", color="#545b64", fontcolor="#414d5c")
        self.graph.attr("edge", arrowsize="0.7", minlen="2")

    def draw(self, machine: Machine) -> None:
        """Add the outermost workflow, between Start and End."""
        self._terminal(_START)
        self._add_states(self.graph, machine)
        self._terminal(_END)
        self._edge(_START, _target(machine, "StartAt", machine["StartAt"]), weight="20")
        self._add_edges(machine)
        for name, state in _states(machine).items():
            if _is_last(state):
                self._edge(name, _END, weight="20" if state.get("End") else "1")

    def _terminal(self, name: str) -> None:
        self.graph.node(
            name.strip(),
            name.strip(),
            shape="ellipse",
            width="0.7",
            height="0.35",
            fillcolor="#eaedf0",
            color="#7d8998",
        )
        self._heads[name] = self._tails[name] = name.strip()

    def _add_states(self, graph: graphviz.Digraph, machine: Machine) -> None:
        for name, state in _states(machine).items():
            inner = _inner(state)
            if inner:
                self._add_box(graph, name, state, inner)
            else:
                self._add_state(graph, name)

    def _marks(self, name: str) -> list[str]:
        parts = [marked(self._statuses.get(name, "")), retried(self._attempts.get(name, 1))]
        return [part for part in parts if part]

    def _colours(self, name: str) -> dict[str, str]:
        look = look_of(self._statuses.get(name, ""))
        return {"fillcolor": look.fill, "color": look.border}

    def _add_state(self, graph: graphviz.Digraph, name: str) -> None:
        node = self._name(name)
        lines = [*_wrap(name), *self._marks(name)]
        graph.node(node, _label(lines), width=_inches(lines), **self._colours(name))
        self._heads[name] = self._tails[name] = node

    def _add_box(self, graph: graphviz.Digraph, name: str, state: Machine, inner: list[Machine]) -> None:
        node = self._name(name)
        each = ["(for each item)"] if state.get("Type") == "Map" else []
        lines = [*_wrap(name, 2 * _LINE), *each, *self._marks(name)]
        self._boxes[name] = f"cluster {node}"
        self._heads[name], self._tails[name] = f"{node} in", f"{node} out"
        point = {"label": "", "style": "invis", "height": "0.01", "margin": "0"}
        with graph.subgraph(name=self._boxes[name]) as box:
            box.attr(label=_label(lines), style="rounded,filled", **self._colours(name))
            # The point is as wide as the name: Graphviz would make the box of a Chinese name too narrow.
            box.node(self._heads[name], width=_inches(lines), **point)
            for branch in inner:
                self._add_states(box, branch)
            box.node(self._tails[name], width="0.01", **point)
            for branch in inner:
                self._hang(box, name, branch)

    def _hang(self, box: graphviz.Digraph, name: str, branch: Machine) -> None:
        """Keep a branch between the points at which the box is entered and left."""
        start = _target(branch, f"StartAt in {name!r}", branch.get("StartAt", ""))
        box.edge(self._heads[name], self._heads[start], style="invis", minlen="1")
        for last, state in _states(branch).items():
            if _is_last(state):
                box.edge(self._tails[last], self._tails[name], style="invis", minlen="1")

    def _add_edges(self, machine: Machine) -> None:
        returns = set(_returns(machine, machine["StartAt"], {}))
        for name, state in _states(machine).items():
            ways = [(target, label, {"weight": "20"}) for target, label in _ways(state)]
            catches = [
                (target, label, {"style": "dashed", "weight": "1"}) for target, label in _catches(state)
            ]
            for target, label, look in ways + catches:
                _target(machine, name, target)
                self._edge(name, target, label=label, back=(name, target) in returns, **look)
            for branch in _inner(state):
                self._add_edges(branch)

    def _edge(self, tail: str, head: str, *, label: str = "", back: bool = False, **look: str) -> None:
        ends = {"ltail": self._boxes.get(tail), "lhead": self._boxes.get(head)}
        nodes = [self._tails[tail], self._heads[head]]
        if back:  # drawn from its upper end, so that the loop does not turn the drawing upside down
            ends = {"ltail": ends["lhead"], "lhead": ends["ltail"], "dir": "back"}
            nodes = [self._heads[head], self._tails[tail]]
            look["weight"] = "0"
        look |= {key: value for key, value in {"label": label, **ends}.items() if value}
        self.graph.edge(*nodes, **look)

    def _name(self, name: str) -> str:
        # The graphviz package takes a colon for a port and a backslash for an escape.
        plain = "".join(letter if letter.isalnum() else " " for letter in name)
        return f"{len(self._heads)} {plain}"


def _graph_attributes(title: str | None) -> dict[str, str]:
    attributes = {"compound": "true", "fontname": _FONT, "fontsize": str(_FONT_SIZE)}
    attributes |= {"nodesep": "0.35", "ranksep": "0.2", "pad": "0.15", "bgcolor": "#ffffff"}
    if title:
        attributes |= {"label": _label(_wrap(title, 2 * _LINE)), "labelloc": "t"}
    return attributes


def _parse(definition: Machine | str) -> Machine:
    try:
        machine = json.loads(definition) if isinstance(definition, str) else definition
    except ValueError as error:
        raise LotteryError(
            "definition", f"is not JSON ({error})", "Correct the JSON at that place"
        ) from error
    if not (isinstance(machine, Mapping) and {"StartAt", "States"} <= set(machine)):
        raise LotteryError("definition", "has no StartAt or no States", "Give the whole state machine")
    return machine


def _target(machine: Machine, where: str, name: str) -> str:
    if name not in _states(machine):
        raise LotteryError(
            f"definition, {where}",
            f"it leads to {name!r}, which is no state of its workflow",
            f"Use one of: {', '.join(_states(machine))}",
        )
    return name


def _states(machine: Machine) -> Mapping[str, Machine]:
    states: Mapping[str, Machine] = machine.get("States", {})
    return states


def _inner(state: Machine) -> list[Machine]:
    """The workflows that a Parallel or Map holds."""
    if state.get("Type") == "Map":
        return [one for one in (state.get("ItemProcessor") or state.get("Iterator"),) if one]
    return list(state.get("Branches", []))


def _returns(machine: Machine, name: str, seen: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """(state, target) of each edge by which a workflow loops; `seen` is true on the way to this state."""
    seen[name] = True
    state = _states(machine).get(name, {})
    for target, _ in [*_ways(state), *_catches(state)]:
        if seen.get(target):
            yield name, target
        elif target not in seen:
            yield from _returns(machine, target, seen)
    seen[name] = False


def _is_last(state: Machine) -> bool:
    return bool(state.get("End")) or state.get("Type") in ("Succeed", "Fail")


def _ways(state: Machine) -> Iterator[tuple[str, str]]:
    """(target, label) of where a state goes; the rules that lead to the same state share an edge."""
    if "Next" in state:
        yield state["Next"], ""
    rules: dict[str, list[str]] = {}
    for choice in state.get("Choices", []):
        rules.setdefault(choice.get("Next", ""), []).append(_rule(choice))
    if "Default" in state:
        rules.setdefault(state["Default"], []).append("Default")
    for target, texts in rules.items():
        yield target, _edge_label([line for text in texts for line in _wrap(text)])


def _catches(state: Machine) -> Iterator[tuple[str, str]]:
    """(target, label) of where errors go; a label only where it is not simply every error."""
    errors: dict[str, list[str]] = {}
    for catcher in state.get("Catch", []):
        errors.setdefault(catcher.get("Next", ""), []).extend(catcher.get("ErrorEquals", []))
    for target, names in errors.items():
        plain = names == ["States.ALL"] and len(errors) == 1
        yield target, "" if plain else _edge_label(["Catch:", *_wrap(", ".join(names))])


def _rule(rule: Machine) -> str:
    """A Choice rule as one would say it, such as ``$.status == 0``."""
    if "Condition" in rule:  # JSONata
        return str(rule["Condition"]).removeprefix("{%").removesuffix("%}").strip()
    for word in ("And", "Or"):
        if word in rule:
            return f" {word.lower()} ".join(_nested(part) for part in rule[word])
    if "Not" in rule:
        return f"not ({_rule(rule['Not'])})"
    for test, value in rule.items():
        if test not in ("Variable", "Next", "Comment", "Assign", "Output"):
            return f"{rule.get('Variable', '')} {_comparison(test, value)}"
    return ""


def _nested(rule: Machine) -> str:
    return f"({_rule(rule)})" if {"And", "Or"} & set(rule) else _rule(rule)


def _comparison(test: str, value: Any) -> str:
    if test.startswith("Is"):
        return f"is {'' if value else 'not '}{test.removeprefix('Is').lower()}"
    right = value if test.endswith("Path") else json.dumps(value, ensure_ascii=False)
    test = test.removesuffix("Path")
    for name, operator in _OPERATORS.items():
        if test.endswith(name):
            return f"{operator} {right}"
    return f"{test} {right}"


def _wrap(text: str, most: int = _LINE) -> list[str]:
    """Lines of about equal length; between words, and between any two wide characters."""
    lines = -(-columns(text) // most)
    goal = -(-columns(text) // max(lines, 1))
    found = [""]
    for piece in _PIECES.findall(text):
        if found[-1] and columns(found[-1]) + columns(piece.rstrip()) / 2 > goal:
            found.append("")
        found[-1] += piece
    return [line.strip() for line in found]


def _inches(lines: list[str]) -> str:
    # Graphviz measures in its own font, without Chinese: a column is rather 0.55 of the font's size.
    return f"{max(map(columns, lines)) * 0.55 * _FONT_SIZE / 72 + 0.3:.2f}"


def _label(lines: list[str]) -> str:
    # `escape` keeps <b> from being read as HTML, and doubles backslashes; a bare & could begin an entity.
    text = r"\n".join(str(graphviz.escape(line.replace("&", "&amp;"))) for line in lines)
    label: str = graphviz.nohtml(text)  # a kind of str, which <...> needs to be text
    return label


def _edge_label(lines: list[str]) -> str:
    # To the left, between spaces: else the letters touch the edge.
    return _label([f"  {line}  " for line in lines]).replace(r"\n", r"\l") + r"\l"


def _alt(
    machine: Machine, statuses: Mapping[str, str], attempts: Mapping[str, int], title: str | None
) -> str:
    names = list(_all_names(machine))
    text = f"{title or 'Workflow'}, from Start to End: {', '.join(_outline(machine))}."
    by_status: dict[str, list[str]] = {}
    for name in names:
        by_status.setdefault(statuses.get(name, "not entered"), []).append(name)
    if statuses:
        text += f" Of {len(names)} states, "
        text += "; ".join(f"{status}: {', '.join(of)}" for status, of in by_status.items()) + "."
    again = [f"{name} {retried(count)[2:]}" for name, count in attempts.items() if count > 1]
    return f"{text} {', '.join(again)}." if again else text


def _all_names(machine: Machine) -> Iterator[str]:
    for name, state in _states(machine).items():
        yield name
        for branch in _inner(state):
            yield from _all_names(branch)


def _outline(machine: Machine) -> Iterator[str]:
    for name, state in _states(machine).items():
        inner = [", ".join(_outline(branch)) for branch in _inner(state)]
        yield f"{name} (which holds {' beside '.join(inner)})" if inner else name


def _render(source: str) -> str:
    with _DOT_LOCK:
        before, dot_command.DOT_BINARY = dot_command.DOT_BINARY, Path(_find_dot())
        try:
            return str(graphviz.pipe_string("dot", "svg", source, encoding="utf-8", quiet=True))
        except (graphviz.ExecutableNotFound, graphviz.CalledProcessError) as error:
            raise LotteryError("Graphviz", f"did not draw ({error})", _INSTALL) from error
        finally:
            dot_command.DOT_BINARY = before


def _find_dot() -> str:
    """The first of GRAPHVIZ_DOT, the system's dot, the one that pip installed beside this Python."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    found = (
        os.environ.get("GRAPHVIZ_DOT")
        or shutil.which("dot")
        or shutil.which("graphviz-pure")
        or shutil.which("graphviz-pure", path=beside)
    )
    if not found:
        raise LotteryError("Graphviz", "there is no program that draws graphs", _INSTALL)
    return found
