"""Draw a workflow as the Step Functions console does. The colours show what an execution did."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import graphviz

from lottery_lib.definition import Machine, parse
from lottery_lib.language import all_states, branches, is_last, states
from lottery_lib.view.asl import catches, known_state, notes, outline, returns, ways
from lottery_lib.view.status import columns, look_of, marked, retried
from lottery_lib.view.svg import Picture, render

# Graphviz knows the widths of its letters, and writes "Helvetica,sans-Serif" into the SVG.
_FONT: Final = "Helvetica"
_FONT_SIZE: Final = 11  # points, of 72 to the inch
_LINE: Final = 26  # columns at which a name wraps; a Chinese character takes two
_WIDE: Final = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PIECES: Final = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")  # words with their space; single wide letters
# No state can have these names: a state's name has 80 characters at most.
_START: Final = "Start" + " " * 80
_END: Final = "End" + " " * 80
_TERMINAL: Final = {"shape": "ellipse", "width": "0.7", "height": "0.35"}
_POINT: Final = {"label": "", "style": "invis", "height": "0.01", "margin": "0"}


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
    machine, statuses, attempts = parse(definition), statuses or {}, attempts or {}
    drawing = _Drawing(statuses, attempts, title)
    drawing.draw(machine)
    names = [name for name, _ in all_states(machine)]
    alt = f"{title or 'Workflow'}, from Start to End: {', '.join(outline(machine))}."
    if statuses:
        by_status: dict[str, list[str]] = {}
        for name in names:
            by_status.setdefault(statuses.get(name, "not entered"), []).append(name)
        told = "; ".join(f"{status}: {', '.join(those)}" for status, those in by_status.items())
        alt += f" Of {len(names)} states, {told}."
    for name, state in all_states(machine):
        alt += "".join(f" {name} {note.strip('()')}." for note in notes(state) if "item" not in note)
    if again := [f"{name} {retried(count)[2:]}" for name, count in attempts.items() if count > 1]:
        alt += f" {', '.join(again)}."
    return GraphView(drawing.graph.source, alt, names)


class _Drawing:
    """A graph of one workflow and its inner workflows.

    An edge to or from a Parallel or Map leads to an invisible point inside its box. It is cut at the border.
    """

    def __init__(self, statuses: Mapping[str, str], attempts: Mapping[str, int], title: str | None) -> None:
        self._statuses = statuses
        self._attempts = attempts
        self._heads: dict[str, str] = {}  # where edges to a state arrive
        self._tails: dict[str, str] = {}  # where edges from a state begin
        self._boxes: dict[str, str] = {}
        look = {"compound": "true", "fontname": _FONT, "fontsize": str(_FONT_SIZE)}
        look |= {"nodesep": "0.35", "ranksep": "0.2", "pad": "0.15", "bgcolor": "#ffffff"}
        if title:
            look |= {"label": _label(_wrap(title, 2 * _LINE)), "labelloc": "t"}
        self.graph = graphviz.Digraph("workflow", graph_attr=look)
        self.graph.attr("node", fontname=_FONT, fontsize=str(_FONT_SIZE), shape="box", style="rounded,filled")
        self.graph.attr("edge", fontname=_FONT, fontsize="10", color="#545b64", fontcolor="#414d5c")
        self.graph.attr("edge", arrowsize="0.7", minlen="2")

    def draw(self, machine: Machine) -> None:
        """Add the outermost workflow, between Start and End."""
        self._add_terminal(_START)
        self._add_states(self.graph, machine)
        self._add_terminal(_END)
        self._add_edge(_START, known_state(machine, "StartAt", machine["StartAt"]), weight="20")
        self._add_edges(machine)
        for name, state in states(machine).items():
            if is_last(state):
                self._add_edge(name, _END, weight="20" if state.get("End") else "1")

    def _add_terminal(self, name: str) -> None:
        node = self._heads[name] = self._tails[name] = name.strip()
        self.graph.node(node, node, **_TERMINAL, fillcolor="#eaedf0", color="#7d8998")

    def _add_states(self, graph: graphviz.Digraph, machine: Machine) -> None:
        for name, state in states(machine).items():
            # The graphviz package takes a colon for a port and a backslash for an escape.
            plain = "".join(letter if letter.isalnum() else " " for letter in name)
            node, inner = f"{len(self._heads)} {plain}", branches(state)
            status = self._statuses.get(name, "")
            look = {"fillcolor": look_of(status).fill, "color": look_of(status).border}
            marks = filter(None, [*notes(state), marked(status), retried(self._attempts.get(name, 1))])
            most = 2 * _LINE if inner else _LINE
            lines = [line for text in (name, *marks) for line in _wrap(text, most)]
            if not inner:
                self._heads[name] = self._tails[name] = node
                graph.node(node, _label(lines), width=_inches(lines), **look)
                continue
            self._boxes[name] = f"cluster {node}"
            self._heads[name], self._tails[name] = f"{node} in", f"{node} out"
            with graph.subgraph(name=self._boxes[name]) as box:
                box.attr(label=_label(lines), style="rounded,filled", **look)
                # The point is as wide as the name: Graphviz would make the box of a Chinese name too narrow.
                box.node(self._heads[name], width=_inches(lines), **_POINT)
                for branch in inner:
                    self._add_states(box, branch)
                box.node(self._tails[name], width="0.01", **_POINT)
                for branch in inner:
                    self._keep_inside(box, name, branch)

    def _keep_inside(self, box: graphviz.Digraph, name: str, branch: Machine) -> None:
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
                # The spaces keep the letters from touching the edge. The text is aligned to the left.
                lines = [f"  {line}  " for text in words for line in _wrap(text)]
                label = _label(lines).replace(r"\n", r"\l") + r"\l" if lines else ""
                self._add_edge(name, to, label=label, back=(name, to) in back, **look)
            for branch in branches(state):
                self._add_edges(branch)

    def _add_edge(self, tail: str, head: str, *, label: str = "", back: bool = False, **look: str) -> None:
        ends = {"ltail": self._boxes.get(tail), "lhead": self._boxes.get(head)}
        nodes = [self._tails[tail], self._heads[head]]
        if back:  # drawn from its upper end, so that the loop does not reorder the drawing
            ends = {"ltail": ends["lhead"], "lhead": ends["ltail"], "dir": "back"}
            nodes = [self._heads[head], self._tails[tail]]
            look["weight"] = "0"
        look |= {key: value for key, value in {"label": label, **ends}.items() if value}
        self.graph.edge(*nodes, **look)


def _wrap(text: str, most: int = _LINE) -> list[str]:
    """Break a name into lines of about equal length, between words or between two wide characters."""
    lines = -(-columns(text) // most)
    goal = -(-columns(text) // max(lines, 1))
    found = [""]
    for piece in _PIECES.findall(text):
        if found[-1] and columns(found[-1]) + columns(piece.rstrip()) / 2 > goal:
            found.append("")
        found[-1] += piece
    return [line.strip() for line in found]


def _inches(lines: list[str]) -> str:
    # Graphviz measures in its own font, which has no Chinese. A column is about 0.55 of the font's size.
    return f"{max(map(columns, lines)) * 0.55 * _FONT_SIZE / 72 + 0.3:.2f}"


def _label(lines: list[str]) -> str:
    # `escape` shows <b> as it is written, and doubles backslashes; a bare & could begin an entity.
    text = r"\n".join(str(graphviz.escape(line.replace("&", "&amp;"))) for line in lines)
    label: str = graphviz.nohtml(text)  # a kind of str: graphviz then takes <...> as text
    return label
