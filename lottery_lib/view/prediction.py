"""Predict what each state of an execution will do, and compare it with what the states did.

Only what was predicted and locked before the run counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import traitlets

from lottery_lib.definition import Machine, State, parse
from lottery_lib.history import Event, Reader
from lottery_lib.translation import _
from lottery_lib.view.execution_view import ExecutionWidget
from lottery_lib.view.graph import view_of
from lottery_lib.view.theme import marked

#: What one can predict of a state; the first is also what a state did that was not entered.
_OPTIONS: Final = ("not entered", "succeeded", "caught", "failed", "aborted")


class Prediction(ExecutionWidget):
    """An `ExecutionWidget` that asks, before the execution, what each state will do.

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
        self._locked: dict[str, str] | None = None
        self._is_over = bool(events)
        super().__init__(parse(definition), events, execution)
        self.observe(self._on_predicted, "predicted")
        if not events:
            self._show_prediction()

    def __repr__(self) -> str:
        if self._is_over:
            return super().__repr__()
        counts = {"count": len(self.predicted), "all": len(self.states)}
        return _("Prediction: {count} of {all} states predicted", **counts)

    def lock(self) -> None:
        """Let the prediction count as it is now. Call it before the run; a second call changes nothing."""
        if self._locked is None and not self._is_over:
            self._locked = dict(self.predicted)
            self._show_prediction()

    def compare(self, events: Iterable[Event], execution: Mapping[str, Any] | None = None) -> "Prediction":
        """Colour the workflow as the execution did, and say of each predicted state whether it did so.

        A prediction counts as it was when it was locked (`lock`).

        Args:
            events: What `get_execution_history` returns, all pages.
            execution: What `describe_execution` returns.

        Returns:
            This view, for a cell to show.
        """
        self._is_over, self.execution, self.chosen = True, dict(execution or {}), ""
        self.show(Reader(events, self._reader.definition))
        self._show_prediction()
        return self

    def _show_prediction(self) -> None:
        """Show in the first tab what to do, that it is locked, or what came of it."""
        locked, lines, rows, right = self._locked or {}, list[str](), list[list[str]](), 0
        for name in self.states if self._is_over else ():
            guess, status = locked.get(name, ""), self.statuses.get(name, _OPTIONS[0])
            right += guess == status
            mark = ("✓" if guess == status else "✗") if guess else ""
            rows.append([name, marked(guess) if guess else "", marked(status), mark])
        counts = {"count": len(locked), "all": len(self.states), "right": right}
        if self._locked is None and not self._is_over:
            lines = [_("Choose a state in the graph, and say what it will do.")]
        elif self._locked is None and self.predicted:
            lines = [_("The prediction was not locked before the run, so it does not count.")]
        elif not locked:
            lines = [_("You predicted nothing before the run, so there is nothing to compare.")]
        elif self._is_over:
            lines = [_("States that you predicted: {count} of {all}. Right: {right}.", **counts)]
        else:
            lines = [_("The prediction is locked: {count} of {all} states.", **counts)]
        if self._locked is not None and self.predicted != locked:
            lines.append(_("What was changed after that does not count."))
        headings = [_("State"), _("Predicted"), _("It was"), ""] if rows else []
        tab = {"title": _("Prediction"), "kind": "table", "lines": lines, "headings": headings, "rows": rows}
        self.put_first(tab, open_it=self._is_over)

    def _on_predicted(self, _change: object) -> None:
        if self._locked is None and not self._is_over:
            facts = replace(self._facts, statuses=self.predicted)
            self.draw(view_of(self._reader.definition, facts))
            self._on_chosen()
        elif self._first:
            self._show_prediction()

    def _of_state(self, name: str, state: State) -> dict[str, Any]:
        details = super()._of_state(name, state)
        if self._locked is None and not self._is_over:
            options = [[option, marked(option)] for option in _OPTIONS]
            chosen = self.predicted.get(name, "")
            text = _("What will this state do?")
            details |= {"word": "", "question": {"text": text, "options": options, "chosen": chosen}}
        return details
