"""Show the panel big, for the projector at the party, with all winners so far."""

import base64
import html
from typing import Any, Final, Protocol

import ipywidgets as widgets
import pandas as pd

from lottery_lib.errors import LotteryError
from lottery_lib.view.panel import DrawPanel, Lottery

__all__ = ["DrawNight"]

_STYLE: Final = """<style>
.lottery-night { --jp-widgets-font-size: 20px; --jp-widgets-inline-height: 40px; font-size: 20px; }
.lottery-night .widget-button { min-width: 7em; font-weight: bold; }
.lottery-night .widget-html-content { font-size: 20px; line-height: 1.4; }
.lottery-night .lottery-winners li { font-size: 2em; line-height: 1.3; }
.lottery-night .lottery-winners { padding-left: 3em; margin-top: 0; }
.lottery-night textarea { font-size: 20px; line-height: 1.4; }
.lottery-night h3 { font-size: 1.4em; margin: 0.4em 0 0; }
.lottery-night a { text-decoration: underline; }
.lottery-night table { border-collapse: collapse; }
.lottery-night th, .lottery-night td { padding: 0.2em 1em 0.2em 0; text-align: left; }
.lottery-night td { overflow-wrap: anywhere; }
</style>"""


class Night(Lottery, Protocol):
    """A lottery that can also tell who has won so far, and whether it has prizes: `draws.Draws` can."""

    @property
    def takes_prizes(self) -> bool:
        """Whether a draw may be of a list of prizes."""

    def winners(self) -> pd.DataFrame:
        """One row a winner."""


class DrawNight(widgets.VBox):  # type: ignore[misc]
    """The panel, and below it the table of all winners so far, which can be saved as CSV.

    Where the lottery takes prizes, the panel asks for them instead of a number of winners.

    Args:
        lottery: What to draw from.
        pace: Seconds that each moment of a draw is shown at least.

    Attributes:
        panel: The `DrawPanel`.
        board: The table and its link (a widget).
    """

    def __init__(self, lottery: Night, pace: float = 0.6) -> None:
        self._lottery = lottery
        self.panel = DrawPanel(lottery, pace=pace, prizes=lottery.takes_prizes)
        self.board = widgets.HTML()
        self.panel.observe(self._on_result, "result")
        for widget in (self.panel.view.chooser, self.panel.view.details):
            widget.layout.display = "none"  # for whoever looks into a draw later, with ExecutionView
        super().__init__([widgets.HTML(_STYLE), self.panel, self.board])
        self.add_class("lottery-night")
        self.refresh()

    def __repr__(self) -> str:
        return "DrawNight: Winners, Draw, Cancel, all winners so far"

    def _repr_keys(self) -> list[str]:
        return []

    def refresh(self) -> None:
        """Look up who has won so far."""
        try:
            self.board.value = _board(self._lottery.winners())
        except LotteryError as error:
            self.board.value = f"<p>✗ {html.escape(str(error))}</p>"

    def _on_result(self, change: Any) -> None:
        if change["new"] is not None:
            self.refresh()


def _board(winners: pd.DataFrame) -> str:
    table = winners.to_html(index=False, border=0, na_rep="") if len(winners) else "<p>Nobody yet.</p>"
    # With a byte order mark, or a spreadsheet would take Chinese names for something else.
    data = base64.b64encode(winners.to_csv(index=False).encode("utf-8-sig")).decode()
    link = f'<a download="winners.csv" href="data:text/csv;base64,{data}">Save as CSV</a>'
    return f"<h2>All winners so far: {len(winners)}</h2>{link}{table}"
