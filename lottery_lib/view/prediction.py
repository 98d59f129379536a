"""Predict what each state of an execution will do, and compare it with what the states did."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import traitlets

from lottery_lib.definition import Machine, parse
from lottery_lib.history.state_runs import Event, Reader
from lottery_lib.translation import _
from lottery_lib.view.execution_view import ExecutionView
from lottery_lib.view.graph import drawing_of
from lottery_lib.view.status import marked

#: What one can predict of a state; the first is what is predicted of a state without an answer.
_OPTIONS: Final = ("not entered", "succeeded", "caught", "failed", "aborted")


class Prediction(ExecutionView):
    """An `ExecutionView` that asks, before the execution, what each state will do.

    Args:
        definition: What the execution ran or will run with, as JSON text or parsed.
        events: What `get_execution_history` returns, all pages. Without events, the view asks.
        execution: What `describe_execution` returns.

    Attributes:
        predicted: The predicted status of each state, by its name (a trait).
    """

    predicted = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        definition: Machine | str,
        events: Iterable[Event] = (),
        execution: Mapping[str, Any] | None = None,
    ) -> None:
        self._is_over = bool(events)
        super().__init__(parse(definition), events, execution)
        self.observe(self._on_predicted, "predicted")
        if not events:
            how = _("Choose a state in the graph, and say what it will do.")
            tab = {"title": _("Prediction"), "kind": "table", "lines": [how], "headings": [], "rows": []}
            self.put_first(tab)

    def __repr__(self) -> str:
        if self._is_over:
            return super().__repr__()
        told = {"count": len(self.predicted), "all": len(self.states)}
        return _("Prediction: {count} of {all} states predicted", **told)

    def compare(self, events: Iterable[Event], execution: Mapping[str, Any] | None = None) -> "Prediction":
        """Colour the workflow as the execution did, and say of each state whether it was predicted.

        Args:
            events: What `get_execution_history` returns, all pages.
            execution: What `describe_execution` returns.

        Returns:
            This view, for a cell to show.
        """
        self._is_over, self.execution, self.chosen = True, dict(execution or {}), ""
        self.show(Reader(events, self._reader.definition))
        rows = [
            [name, marked(guess), marked(status), "✓" if guess == status else "✗"]
            for name, guess, status in self.compared()
        ]
        headings = [_("State"), _("Predicted"), _("It was"), ""]
        right = sum(row[-1] == "✓" for row in rows)
        told = _("{count} of {all} states did what you predicted.", count=right, all=len(rows))
        table = {
            "title": _("Prediction"),
            "kind": "table",
            "lines": [told],
            "headings": headings,
            "rows": rows,
        }
        self.put_first(table, open_it=True)
        return self

    def compared(self) -> list[tuple[str, str, str]]:
        """For each state: its name, its predicted status, and its status."""
        nothing = _OPTIONS[0]
        return [
            (name, self.predicted.get(name, nothing), self.statuses.get(name, nothing))
            for name in self.states
        ]

    def _on_predicted(self, _change: object) -> None:
        if not self._is_over:
            facts = replace(self._facts, statuses=self.predicted)
            self.draw(drawing_of(self._reader.definition, facts))
            self._on_chosen()

    def _of_state(self, name: str, state: Machine) -> dict[str, Any]:
        details = super()._of_state(name, state)
        if not self._is_over:
            options = [[option, marked(option)] for option in _OPTIONS]
            chosen = self.predicted.get(name, _OPTIONS[0])
            text = _("What will this state do?")
            details |= {"word": "", "question": {"text": text, "options": options, "chosen": chosen}}
        return details
