"""Show a workflow in a notebook: people choose a state, and zoom. The JavaScript is in graph.js."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import traitlets

from lottery_lib.definition import lines_of_states
from lottery_lib.view.graph import WORDS
from lottery_lib.view.theme import DARK, picture_css

try:
    from anywidget import AnyWidget
except ModuleNotFoundError:  # in a browser, there is no Jupyter
    from lottery_lib.view.page import PageWidget as AnyWidget  # type: ignore[assignment]

if TYPE_CHECKING:
    from lottery_lib.view.graph import GraphView

_HERE: Final = Path(__file__).parent
#: The JavaScript of a workflow: its function `graph` fills an element.
GRAPH: Final = (_HERE / "graph.js").read_text(encoding="utf-8")
#: The rules for everything in it.
CSS: Final = picture_css(DARK) + (_HERE / "graph.css").read_text(encoding="utf-8")


class GraphWidget(AnyWidget):
    """A drawing that is laid out once and painted again in place.

    Args:
        view: What to show first; nothing if it is None.
        fill: Whether it fills the box around it, instead of being as high as the drawing.

    Attributes:
        chosen: The name of the chosen state; '' if none is chosen.
    """

    _esm = GRAPH + "\nexport default { render: graph };"
    _css = CSS
    layout_svg = traitlets.Unicode().tag(sync=True)
    states = traitlets.List().tag(sync=True)
    paints = traitlets.List().tag(sync=True)
    taken = traitlets.List().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    chosen = traitlets.Unicode().tag(sync=True)
    fill = traitlets.Bool().tag(sync=True)
    words = traitlets.Dict().tag(sync=True)

    def __init__(self, view: "GraphView | None" = None, *, fill: bool = False) -> None:
        super().__init__(fill=fill, words=WORDS)
        self.still: GraphView | None = None  # what a place without a kernel shows
        if view:
            self.draw(view)

    def __repr__(self) -> str:
        return str(self.alt)

    def draw(self, view: "GraphView") -> None:
        """Show another drawing, or the same one painted differently: then it is not laid out again."""
        self.still = view
        with self.hold_sync():
            self.layout_svg, self.states, self.alt = view.layout, list(view.states), view.alt
            self.taken, self.paints = list(view.taken), list(view.paints)
            if self.chosen not in view.states:
                self.chosen = ""

    def scroll_into_view(self) -> None:
        """Move the page until the drawing is seen, and with it the panel that it is in."""
        self.send({"do": "scroll"})

    def bundle(self) -> dict[str, Any]:
        """Only what shows the live view; `GraphView` adds what a place without a kernel shows."""
        data, *_ = self._repr_mimebundle_() or ({},)
        return {kind: value for kind, value in data.items() if kind.startswith("application/")}


class TextWidget(GraphWidget):
    """The same beside the text of its definition: a chosen state shows its lines, a line chooses its state.

    Args:
        view: What to show, with its text.
    """

    _esm = GRAPH + (_HERE / "text.js").read_text(encoding="utf-8") + "\nexport default { render: withText };"
    _css = CSS + (_HERE / "text.css").read_text(encoding="utf-8")
    text = traitlets.Unicode().tag(sync=True)
    parts = traitlets.Dict().tag(sync=True)

    def __init__(self, view: "GraphView") -> None:
        super().__init__(view, fill=True)
        self.text, self.parts = view.text, lines_of_states(view.text, view.states)
