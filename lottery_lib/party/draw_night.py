"""Show the panel big, for the projector at the party, with all winners so far."""

import base64
from collections.abc import Mapping
from typing import Final, Protocol

import ipywidgets as widgets
import pandas as pd

from lottery_lib.draws import as_csv
from lottery_lib.errors import LotteryError
from lottery_lib.party.prizes import read_prizes
from lottery_lib.texts import escaped
from lottery_lib.view.panel import DrawPanel, Lottery

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
    """A lottery that also knows all winners so far, and whether it has prizes, such as `draws.Draws`."""

    @property
    def takes_prizes(self) -> bool:
        """Whether it draws lists of prizes."""

    def winners(self) -> pd.DataFrame:
        """One row for each winner."""


class DrawNight(widgets.VBox):  # type: ignore[misc]
    """The panel, and below it the table of all winners so far, which can be saved as CSV.

    If the lottery takes prizes, the panel asks for them instead of a number of winners. To look into a draw
    later, use `ExecutionView`.

    Args:
        lottery: What to draw from.
        pace: Seconds that each moment of a draw is shown at least.

    Attributes:
        panel: The `DrawPanel`.
        board: The table and its link (a widget).
    """

    def __init__(self, lottery: Night, pace: float = 0.6) -> None:
        self._lottery = lottery
        reader = read_prizes if lottery.takes_prizes else None
        self.panel = DrawPanel(lottery, pace=pace, read_prizes=reader, picture_only=True)
        self.board = widgets.HTML()
        self.panel.observe(self._on_result, "result")
        super().__init__([widgets.HTML(_STYLE), self.panel, self.board])
        self.add_class("lottery-night")
        self.refresh()

    def __repr__(self) -> str:
        return "DrawNight: Winners, Draw, Cancel, all winners so far"

    def refresh(self) -> None:
        """Look up all winners so far."""
        try:
            self.board.value = _board(self._lottery.winners())
        except LotteryError as error:
            self.board.value = f"<p>✗ {escaped(str(error))}</p>"

    def _on_result(self, change: Mapping[str, object]) -> None:
        if change["new"] is not None:
            self.refresh()


def _board(winners: pd.DataFrame) -> str:
    """The table of winners with a link to save it, as HTML."""
    table = winners.to_html(index=False, border=0, na_rep="") if len(winners) else "<p>Nobody yet.</p>"
    data = base64.b64encode(as_csv(winners)).decode()
    link = f'<a download="winners.csv" href="data:text/csv;base64,{data}">Save as CSV</a>'
    return f"<h2>All winners so far: {len(winners)}</h2>{link}{table}"
