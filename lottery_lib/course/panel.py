"""The panel of the lessons: it draws from the lottery that is deployed on a target."""

from lottery_lib.draws import Draws
from lottery_lib.target import Target
from lottery_lib.view import panel


class DrawPanel(panel.DrawPanel):
    """Draw with a button; see `view.panel.DrawPanel`.

    Args:
        target: Where the lottery is deployed.
        pause: Seconds between two readings of a running draw.
        pace: The fewest seconds to show each moment of a draw.
    """

    def __init__(self, target: Target, pause: float = 0.2, pace: float = 0.3) -> None:
        super().__init__(Draws(target), pause, pace)
