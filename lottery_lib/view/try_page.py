"""The workbench on a page of its own, whose editor stands beside it: Python runs in the browser's worker."""

from pathlib import Path

from lottery_lib import trial
from lottery_lib.translation import _
from lottery_lib.view.workbench import WorkbenchWidget


class TryBench(WorkbenchWidget):
    """A text that somebody edits: its graph, its faults, and a run at each change.

    Args:
        text: The definition.
        answers: What its Tasks answer; see `trial.Answers`.
        data: The input of a run, as JSON.
    """

    def __init__(self, text: str, answers: trial.Answers, data: str) -> None:
        self._file = Path("machine.asl.json")
        self._file.write_text(text, encoding="utf-8")
        super().__init__(self._file, watch=False, apart=trial.Here())
        self.data, self.answers = data, dict(answers)

    def edit(self, text: str) -> None:
        """Take a new text, and run it if it was run before."""
        self._file.write_text(text, encoding="utf-8")
        self._do(self.look)
        self.work()

    def told(self, message: str) -> None:
        """Hear what the page says, and do what it wishes."""
        super().told(message)
        self.work()

    def _steps(self) -> list[str]:
        return [
            _("Change the text, or press a button above it: the graph follows at once."),
            _("Write below what the tasks answer: a result, an error, or that nobody answers."),
            _("Press Run. From then on, each change is run at once, and nobody waits: time is virtual."),
            _("Choose a state to see what it got and gave, and what it does alone."),
        ]
