"""The widgets of the lessons: they look at the AWS of a target."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from lottery_lib import execution
from lottery_lib.definition import Machine
from lottery_lib.draws import Draws
from lottery_lib.history.state_runs import Event
from lottery_lib.target import Target
from lottery_lib.view import execution_view, panel, prediction


class DrawPanel(panel.DrawPanel):
    """Draw with a button; see `view.panel.DrawPanel`.

    Args:
        target: Where the lottery is deployed.
        pause: Seconds between two readings of a running draw.
        pace: The fewest seconds to show each moment of a draw.
        winners: How many winners the field has at first.
    """

    def __init__(self, target: Target, pause: float = 0.2, pace: float = 0.3, winners: int = 1) -> None:
        super().__init__(Draws(target), pause, pace, winners)
        _look_at(self.view, target)


class ExecutionView(prediction.Prediction):
    """Look at one execution, or predict it; see `view.execution_view` and `view.prediction`.

    Args:
        definition: What the execution ran with, as JSON text or parsed.
        events: What `get_execution_history` returns, all pages, as a list or an iterator. Without events, it
            asks what will happen.
        execution: What `describe_execution` returns; it gives the name and the ARN.
        target: Where it ran. With it, one can read the logs of functions.
    """

    def __init__(
        self,
        definition: Machine | str,
        events: Iterable[Event] = (),
        execution: Mapping[str, Any] | None = None,
        target: Target | None = None,
    ) -> None:
        super().__init__(definition, events, execution)
        if target:
            _look_at(self, target)


def _look_at(view: execution_view.ExecutionView, target: Target) -> None:
    view.log_of = partial(execution.function_log, target)
    view.page_of = partial(execution.console_page, target)
    view.refresh()
