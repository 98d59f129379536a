"""The widgets of the lessons: they look at the AWS of a target."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lottery_lib import execution
from lottery_lib.definition import Machine, in_partition
from lottery_lib.draws import Draws
from lottery_lib.history import Event
from lottery_lib.target import Target
from lottery_lib.view import comparison, execution_view, panel, prediction, workbench


class DrawPanel(panel.LotteryPanel):
    """Draw with a button; see `view.panel.LotteryPanel`.

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


def compare(one: ExecutionView, other: ExecutionView) -> comparison.Comparison:
    """Show in one graph what was different in two executions: path, inputs and outputs, attempts, durations.

    Args:
        one: A view of an execution, such as one that failed.
        other: A view of another one, such as after a repair; or of the same one after a redrive. Its
            definition is drawn.
    """
    return comparison.Comparison(one.reader, other.reader)


class Workbench(workbench.WorkbenchWidget):
    """Change a definition in its file, and see at each save what it does; see `view.workbench`.

    Nothing is called: a run takes what the Tasks answer from a table, and nobody waits.

    Args:
        file: The path of the file, such as ``"work/lottery.asl.json"``.
        target: Where the lottery is deployed. With it, a button takes the answers of its latest draw.
        begin: What the file holds at first, if there is none yet: a text, or the path of a file to copy. With
            a target in China, its integrations are those of China.
    """

    def __init__(
        self, file: str | os.PathLike[str], target: Target | None = None, *, begin: str | Path = ""
    ) -> None:
        if begin and not Path(file).exists():
            text = begin.read_text(encoding="utf-8") if isinstance(begin, Path) else begin
            text = in_partition(text, target.partition) if target else text
            Path(file).write_text(text, encoding="utf-8")
        super().__init__(file, (lambda: Draws(target).execution().events) if target else None)


def _look_at(view: execution_view.ExecutionWidget, target: Target) -> None:
    view.log_of = partial(execution.function_log, target)
    view.page_of = partial(execution.console_page, target)
    view.refresh()
