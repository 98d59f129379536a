"""Draw a workflow as the Step Functions console does. The colours show what an execution did.

A definition becomes a `Drawing`, in DOT. Graphviz lays it out once, as an SVG. What a `Reader` has read
becomes `Facts`, these become a `Paint` for each state, and the paints colour the SVG: that is a `GraphView`.
"""

import json
import re
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

import graphviz

from lottery_lib.definition import (
    Machine,
    State,
    assigned,
    catches,
    known_state,
    outline,
    parse,
    returns,
    tries,
    waits,
    ways,
)
from lottery_lib.harmless import in_a_row, width
from lottery_lib.history import Event, Reader
from lottery_lib.translation import _, language, listed, punctuated
from lottery_lib.view.painting import (
    END,
    START,
    Edge,
    Facts,
    Paint,
    captions,
    done_of,
    facts_of,
    paint,
    paints_of,
    with_icons,
)
from lottery_lib.view.svg import Picture, render
from lottery_lib.view.theme import COLOURS, icons_of, retried, word_of
from states_language import all_states, branches, is_last, states

if TYPE_CHECKING:
    from lottery_lib.view.graph_widget import GraphWidget

#: The words of the interactive view (graph.js).
WORDS: Final = {
    "language": language(),
    "fit": _("Fit"),
    "zoomOut": _("Zoom out"),
    "zoomIn": _("Zoom in"),
    "zoomToFit": _("Zoom to fit"),
    "zoomTo100": _("Zoom to 100 %"),
}
# Graphviz knows the widths of its letters, and writes "Helvetica,sans-Serif" into the SVG.
_FONT: Final = "Helvetica"
_FONT_SIZE: Final = 11  # points, of 72 to the inch
_LINE: Final = 26  # columns at which a name wraps; a Chinese character takes two
_WIDE: Final = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_PIECES: Final = re.compile(rf"[{_WIDE}]|[^\s{_WIDE}]+\s*|\s+")  # words with their space; single wide letters
_TERMINAL: Final = {
    **{"shape": "ellipse", "width": "0.7", "height": "0.35"},
    **{"fillcolor": COLOURS["soft"].light, "color": COLOURS["idle-border"].light},
}
_POINT: Final = {"label": "", "style": "invis", "height": "0.01", "margin": "0"}


# The drawing is white, and so is the text beside it. In a dark theme they need a margin.
_CARD: Final = "background: #ffffff; border: 1px solid #c1c7ce; border-radius: 8px; padding: 6px"
_TOP: Final = "text-align: left; vertical-align: top"
_FIXED: Final = "table-layout: fixed"  # else a long line of the text would leave no room for the graph
_SCROLLS: Final = (
    f"{_CARD}; color: #16191f; max-height: 560px; overflow: auto; white-space: pre-wrap; font-size: 11px; "
    "word-break: normal"  # JupyterLab breaks words
)


class GraphView(Picture):
    """A drawing of a workflow. In a notebook with a kernel one can choose a state in it and zoom.

    Attributes:
        source: The DOT text. It depends on the definition and the title, and not on what an execution did.
        layout: The SVG of the workflow before it is painted.
        paints: How each state is painted, in the order of the drawing.
        taken: The numbers of the edges that the execution took.
        states: The names of its states, also of those in a Parallel or Map, in the definition's order.
        text: The definition, to be shown in colours beside the drawing; empty for the drawing alone.
        definitions: What else the SVG defines, such as gradients.
    """

    def __init__(self, drawing: "Drawing", alt: str, paints: Sequence[Paint], taken: Sequence[int]) -> None:
        super().__init__(alt, lambda: paint(self.layout, paints, taken))
        self._drawing = drawing
        self.source, self.states, self.icons = drawing.graph.source, list(drawing.name_lines), drawing.icons
        self.paints, self.taken = paints, taken
        self.text = self.definitions = ""

    @property
    def layout(self) -> str:  # noqa: D102 - an attribute
        return self._drawing.layout.replace("</svg>", f"{self.definitions}</svg>")

    @cached_property
    def widget(self) -> "GraphWidget":
        """The interactive view. It is made when a kernel first shows the drawing."""
        from lottery_lib.view import graph_widget  # noqa: PLC0415 - only a notebook needs it

        return graph_widget.TextWidget(self) if self.text else graph_widget.GraphWidget(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from IPython.core.getipython import get_ipython  # noqa: PLC0415 - only a notebook has it

        still = super()._repr_mimebundle_()
        if self.text:
            still = {"text/html": self._beside_its_text(), "text/plain": self.alt}
        if getattr(get_ipython(), "kernel", None):
            return self.widget.bundle() | still
        return still

    def _beside_its_text(self) -> str:
        from pygments import highlight  # noqa: PLC0415 - a browser has no such notebook
        from pygments.formatters import HtmlFormatter  # noqa: PLC0415
        from pygments.lexers import JsonLexer  # noqa: PLC0415

        # Each style stands at its word, because an untrusted notebook has no style sheets.
        formatter = HtmlFormatter(noclasses=True, nowrap=True, style="default")
        text = highlight(self.text, JsonLexer(), formatter)
        # The widths are attributes, because GitHub and an untrusted notebook remove most styles.
        left = f'<td width="58%" style="{_TOP}"><pre style="{_SCROLLS}">{text}</pre></td>'
        right = f'<td width="42%" style="{_TOP}"><div style="{_CARD}">{self.html}</div></td>'
        return f'<table width="100%" style="{_FIXED}"><tr style="background: none">{left}{right}</tr></table>'


def graph_view(
    definition: Machine | str,
    *,
    events: Sequence[Event] | None = None,
    title: str | None = None,
    with_text: bool = False,
) -> GraphView:
    """Draw a state machine: Start, End, states, a Parallel or Map as a box, rules and Catches as edges.

    Args:
        definition: ASL, as JSON text or parsed; placeholders may still be in it.
        events: What `get_execution_history` returns, all pages. They give statuses, attempts, times, the
            items of a Map, and the edges that were taken. A state that they do not name was not entered.
        title: Shown above the drawing.
        with_text: Whether to show the coloured text of the definition beside the drawing.

    Raises:
        LotteryError: The definition is not JSON, or leads to a state that is not there.
    """
    machine = parse(definition)
    view = view_of(machine, facts_of(Reader(events or (), machine)), title)
    if with_text:
        view.text = definition if isinstance(definition, str) else json.dumps(definition, indent=2)
    return view


def view_of(machine: Machine, facts: Facts, title: str | None = None) -> GraphView:
    """Draw a state machine, and what an execution of it did; see `graph_view`. It is laid out once."""
    drawing = _drawing_of(json.dumps(machine), title, language())
    names = list(drawing.name_lines)
    inside = listed(outline(machine))
    sentences = [_("{title}, from Start to End: {states}.", title=title or _("Workflow"), states=inside)]
    if facts.statuses:
        by_status: dict[str, list[str]] = {}
        for name in names:
            by_status.setdefault(facts.statuses.get(name, "not entered"), []).append(name)
        parts = [
            punctuated("{key}: {value}", key=word_of(status), value=listed(in_status))
            for status, in_status in by_status.items()
        ]
        sentences.append(
            _("Of {count} states, {parts}.", count=len(names), parts=punctuated("; ").join(parts))
        )
    for name, state in all_states(machine):
        if waits(state):
            sentences.append(_("{name} waits for a token.", name=name))
        if variables := assigned(state):
            sentences.append(_("{name} assigns {names}.", name=name, names=variables))
        if tries(state):
            sentences.append(_("{name} has a Retry.", name=name))
    if retries := [f"{name} {retried(count)[2:]}" for name, count in facts.attempts.items() if count > 1]:
        sentences.append(punctuated("{facts}.", facts=punctuated(", ").join(retries)))
    taken = [number for number, edge in enumerate(drawing.edges) if edge in facts.taken]
    paints = paints_of(machine, facts, drawing.name_lines)
    return GraphView(drawing, in_a_row(sentences), paints, taken)


@lru_cache(maxsize=16)
def _drawing_of(definition: str, title: str | None, _language: str) -> "Drawing":
    drawing = Drawing(title)
    drawing.draw(json.loads(definition))
    return drawing


class Drawing:
    """A graph of one workflow and its inner workflows.

    An edge to or from a Parallel or Map leads to an invisible point inside its box. It is cut at the border.

    Attributes:
        graph: The graph as DOT.
        name_lines: The lines of each state's name, by the name.
        icons: The signs of each state, in the same order.
        edges: The edges, in the order of their ids.
    """

    def __init__(self, title: str | None) -> None:
        self.name_lines: dict[str, list[str]] = {}
        self.icons: list[list[str]] = []
        self.edges: list[Edge] = []
        self._heads: dict[str, str] = {}  # where edges to a state arrive
        self._tails: dict[str, str] = {}  # where edges from a state begin
        self._boxes: dict[str, str] = {}
        attributes = {"compound": "true", "newrank": "true", "fontname": _FONT, "fontsize": str(_FONT_SIZE)}
        attributes |= {
            "nodesep": "0.15",
            "ranksep": "0.17",
            "pad": "0.06",
            "bgcolor": COLOURS["ground"].light,
        }
        if title:
            lines = [f"{_room(line)}{line}{_room(line)}" for line in _wrap(title, 2 * _LINE)]
            attributes |= {"label": _label(lines), "labelloc": "t"}
        self.graph = graphviz.Digraph("workflow", graph_attr=attributes)
        self.graph.attr("node", fontname=_FONT, fontsize=str(_FONT_SIZE), shape="box", style="rounded,filled")
        self.graph.attr("node", height="0.34", margin="0.27,0.03")
        self.graph.attr("edge", fontname=_FONT, fontsize=str(_FONT_SIZE), arrowsize="0.7")

    def draw(self, machine: Machine) -> None:
        """Add the outermost workflow, between Start and End."""
        self.icons = [list(icons_of(state)) for _, state in all_states(machine)]
        self._add_terminal(START, _("Start"))
        self._add_states(self.graph, machine)
        self._add_terminal(END, _("End"))
        self._add_edge(START, known_state(machine, "StartAt", machine["StartAt"]), weight="20")
        self._add_edges(machine)
        for name, state in states(machine).items():
            if is_last(state):
                self._add_edge(name, END, weight="20" if state.get("End") else "0")

    @cached_property
    def layout(self) -> str:
        """The SVG as Graphviz draws it, with the signs of the states.

        Raises:
            LotteryError: The program that draws is not there, or failed.
        """
        return with_icons(render(self.graph.source), self.icons)

    def _add_terminal(self, name: str, shown: str) -> None:
        node = self._heads[name] = self._tails[name] = name.strip()
        self.graph.node(node, f"{_room(shown)}{shown}{_room(shown)}", **_TERMINAL)

    def _add_states(self, graph: graphviz.Digraph, machine: Machine) -> None:
        for name, state in states(machine).items():
            # The graphviz package takes a colon for a port and a backslash for an escape.
            plain = "".join(letter if letter.isalnum() else " " for letter in name)
            node, inner = f"{len(self._heads)} {plain}", branches(state)
            attributes = {
                "id": f"state-{len(self.name_lines)}",
                "fillcolor": COLOURS["idle-fill"].light,
                "color": COLOURS["idle-border"].light,
            }
            self.name_lines[name] = _wrap(name, 2 * _LINE if inner else _LINE)
            lines = [*self.name_lines[name], *captions(state)]
            inches = _inches(lines, state)
            if not inner:
                self._heads[name] = self._tails[name] = node
                graph.node(node, _label(lines), width=inches, **attributes)
                continue
            self._boxes[name] = f"cluster {node}"
            self._heads[name], self._tails[name] = f"{node} in", f"{node} out"
            with graph.subgraph(name=self._boxes[name]) as box:
                box.attr(label="", style="rounded,filled", **attributes)
                # A heading that is a node leaves no empty rank below it, as the label of a box would.
                head = {"id": f"heading-{attributes['id'].partition('-')[2]}", "shape": "plaintext"}
                box.node(self._heads[name], _label(lines), width=inches, height="0.1", margin="0", **head)
                for branch in inner:
                    self._add_states(box, branch)
                box.node(self._tails[name], width="0.01", **_POINT)
                for branch in inner:
                    self._keep_inside(box, name, branch)

    def _keep_inside(self, box: graphviz.Digraph, name: str, branch: Machine) -> None:
        """Keep a branch between the points at which the box is entered and left."""
        start = known_state(branch, _("StartAt in {name!r}", name=name), branch.get("StartAt", ""))
        box.edge(self._heads[name], self._heads[start], style="invis", weight="8")
        for last, state in states(branch).items():
            if is_last(state):
                box.edge(self._tails[last], self._tails[name], style="invis", weight="8")

    def _add_edges(self, machine: Machine) -> None:
        """Add the edges of a workflow."""
        back = returns(machine)
        for name, state in states(machine).items():
            edges = [(to, words, {"weight": "20"}) for to, words in ways(state)]
            edges += [(to, words, {"style": "dashed", "weight": "1"}) for to, words in catches(state)]
            for to, words, attributes in edges:
                known_state(machine, name, to)
                # The spaces keep the letters from touching the edge. The text is aligned to the left.
                lines = [f"  {line} {2 * _room(line)}" for text in words for line in _wrap(text)]
                label = _label(lines).replace(r"\n", r"\l") + r"\l" if lines else ""
                self._add_edge(name, to, label=label, back=(name, to) in back, **attributes)
            for branch in branches(state):
                self._add_edges(branch)

    def _add_edge(
        self, tail: str, head: str, *, label: str = "", back: bool = False, **attributes: str
    ) -> None:
        ends = {"ltail": self._boxes.get(tail), "lhead": self._boxes.get(head)}
        nodes = [self._tails[tail], self._heads[head]]
        if back:  # drawn from its upper end, so that the loop does not reorder the drawing
            ends = {"ltail": ends["lhead"], "lhead": ends["ltail"], "dir": "back"}
            nodes = [self._heads[head], self._tails[tail]]
            attributes["weight"] = "0"
        attributes = {key: value for key, value in {"label": label, **ends, **attributes}.items() if value}
        attributes["id"] = f"edge-{len(self.edges)}"
        self.edges.append((tail, head, attributes.get("style") == "dashed"))
        self.graph.edge(*nodes, **attributes)


def _wrap(text: str, most: int = _LINE) -> list[str]:
    """Break a name into lines of about equal length, between words or between two wide characters."""
    count = -(-width(text) // most)
    goal = -(-width(text) // max(count, 1))
    lines = [""]
    for piece in _PIECES.findall(text):
        if lines[-1] and width(lines[-1]) + width(piece.rstrip()) / 2 > goal:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def _inches(lines: Sequence[str], state: State) -> str:
    """How wide a box is. There is room for what an execution writes there; a mark comes before the name."""
    written = captions(state, attempts=100, items=done_of(100, 100))
    widest = max(map(width, [f"✓ {lines[0]}", *lines, *written]))
    # Graphviz measures in its own font, which has no Chinese. A column is about half of the size.
    return f"{widest * 0.5 * _FONT_SIZE / 72 + 0.74:.2f}"


def _room(line: str) -> str:
    """Spaces that Graphviz must have on each side of a text to make it as wide as its Chinese letters are."""
    wide = width(line) - len(line)
    return " " * -(-wide // 3)


def _label(lines: list[str]) -> str:
    # `escape` shows <b> as it is written, and doubles backslashes; a bare & could begin an entity.
    text = r"\n".join(str(graphviz.escape(line.replace("&", "&amp;"))) for line in lines)
    label: str = graphviz.nohtml(text)  # a kind of str: graphviz then takes <...> as text
    return label
