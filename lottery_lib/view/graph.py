"""Draw a workflow as the Step Functions console does, coloured by what an execution did."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import graphviz

from lottery_lib.definition import Machine, all_states, branches, parse, states
from lottery_lib.view.asl import catches, is_last, known_state, outline, returns, ways
from lottery_lib.view.dot import render
from lottery_lib.view.status import columns, look_of, marked, retried
from lottery_lib.view.svg import Picture

__all__ = ["GraphView", "graph_view"]

# Graphviz knows the widths of its letters, and writes "Helvetica,sans-Serif" into the SVG.
_FONT: Final = "Helvetica"
_FONT_SIZE: Final = 11  # points, of 72 to the inch
_LINE: Final = 26  # columns at which a name wraps; a Chinese character takes two
_WIDE: Final = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PIECES: Final = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")  # words with their space; wide letters singly
# No state can have these names: a state's name has 80 characters at most.
_START: Final = "Start" + " " * 80
_END: Final = "End" + " " * 80


class GraphView(Picture):
    """A drawing of a workflow.

    Attributes:
        source: The DOT text; the same for the same arguments.
        states: The names of its states, also of those in a Parallel or Map, in the definition's order.
    """

    def __init__(self, source: str, alt: str, states: Sequence[str] = ()) -> None:
        super().__init__(alt, lambda: render(source))
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
    machine = parse(definition)
    drawing = _Drawing(statuses or {}, attempts or {}, title)
    drawing.draw(machine)
    alt = _alt(machine, statuses or {}, attempts or {}, title)
    return GraphView(drawing.graph.source, alt, [name for name, _ in all_states(machine)])


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
        self._edge(_START, known_state(machine, "StartAt", machine["StartAt"]), weight="20")
        self._add_edges(machine)
        for name, state in states(machine).items():
            if is_last(state):
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
        for name, state in states(machine).items():
            inner = branches(state)
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
        start = known_state(branch, f"StartAt in {name!r}", branch.get("StartAt", ""))
        box.edge(self._heads[name], self._heads[start], style="invis", minlen="1")
        for last, state in states(branch).items():
            if is_last(state):
                box.edge(self._tails[last], self._tails[name], style="invis", minlen="1")

    def _add_edges(self, machine: Machine) -> None:
        back = returns(machine)
        for name, state in states(machine).items():
            edges = [(to, words, {"weight": "20"}) for to, words in ways(state)]
            edges += [(to, words, {"style": "dashed", "weight": "1"}) for to, words in catches(state)]
            for to, words, look in edges:
                known_state(machine, name, to)
                self._edge(name, to, label=_edge_label(words), back=(name, to) in back, **look)
            for branch in branches(state):
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


def _edge_label(texts: list[str]) -> str:
    # To the left, between spaces: else the letters touch the edge.
    lines = [f"  {line}  " for text in texts for line in _wrap(text)]
    return _label(lines).replace(r"\n", r"\l") + r"\l" if lines else ""


def _alt(
    machine: Machine, statuses: Mapping[str, str], attempts: Mapping[str, int], title: str | None
) -> str:
    names = [name for name, _ in all_states(machine)]
    text = f"{title or 'Workflow'}, from Start to End: {', '.join(outline(machine))}."
    by_status: dict[str, list[str]] = {}
    for name in names:
        by_status.setdefault(statuses.get(name, "not entered"), []).append(name)
    if statuses:
        text += f" Of {len(names)} states, "
        text += "; ".join(f"{status}: {', '.join(of)}" for status, of in by_status.items()) + "."
    again = [f"{name} {retried(count)[2:]}" for name, count in attempts.items() if count > 1]
    return f"{text} {', '.join(again)}." if again else text
