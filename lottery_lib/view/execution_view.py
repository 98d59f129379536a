"""Look into an execution as the console lets one: choose a state, see what it got, gave and went through."""

import html
import json
from typing import Any, Final

import ipywidgets as widgets
import pandas as pd

from lottery_lib.history import ExecutionRecord, latest_rows, state_table
from lottery_lib.view.graph import graph_view
from lottery_lib.view.status import WRAPPED, marked

__all__ = ["ExecutionView"]

_LATEST: Final = 10  # rows of a state that was entered more often
_LONGEST: Final = 20_000  # characters of an input or output; AWS allows 256 KiB
_HINT: Final = "Choose a state to see its input, output and attempts."
# As wide as what is around it, which a wide table would else stretch: the texts below would be cut off.
_SCROLLED: Final = "overflow-x: auto; width: 0; min-width: 100%"
_TEXT: Final = f"white-space: pre-wrap; {WRAPPED}; margin: 0"


class ExecutionView(widgets.VBox):  # type: ignore[misc]
    """The coloured workflow, a list of its states, and what the chosen one did.

    Args:
        execution: What to show, as `Draws.execution` gives it; nothing yet without it.

    Attributes:
        picture: The workflow (a widget).
        state: The list; its ``value`` is the name of the chosen state.
        chooser: The list, and two buttons that step through it.
        details: The chosen state's input, output, error, attempts and durations.
    """

    def __init__(self, execution: ExecutionRecord | None = None) -> None:
        self._table = state_table([])
        self._latest = latest_rows(self._table)
        self._begin: Any = None
        self.picture = widgets.HTML()
        self.state = widgets.Select(
            description="State",
            layout=widgets.Layout(width="24em", height="11em"),
            style={"description_width": "initial"},
        )
        self.details = widgets.HTML()
        self.state.observe(self._on_state, "value")
        # For the keyboard: JupyterLab takes the arrow keys of a list for itself.
        steps = [self._stepper("Previous state", -1), self._stepper("Next state", 1)]
        self.chooser = widgets.VBox([self.state, widgets.HBox(steps)])
        super().__init__([self.picture, self.chooser, self.details])
        if execution:
            self.show(execution)

    def __repr__(self) -> str:
        return f"ExecutionView: {', '.join(self.state.options)}"

    def _repr_keys(self) -> list[str]:
        return []

    def show(self, execution: ExecutionRecord) -> None:
        """Show another execution, or the same one as it has become."""
        self._table = state_table(execution.events, dict(execution.definition))
        self._latest = latest_rows(self._table)
        view = graph_view(execution.definition, self.statuses, attempts=self._latest["attempt"].to_dict())
        self.picture.value = view.html
        self._begin = self._table["started"].min()
        names = list(view.states)
        if names != list(self.state.options):
            self.state.options = names
        self._on_state()

    @property
    def statuses(self) -> dict[str, str]:
        """What became of each state that was entered, as `history.state_statuses` says."""
        statuses: dict[str, str] = self._latest["status"].to_dict()
        return statuses

    def choose_failure(self) -> None:
        """Choose the state that failed in the end, if one did: it is what one wants to look into."""
        last = self._latest
        failed = last[last["status"].isin(["failed", "caught"]) & (last["error"] != "")]
        inner = failed[failed["branch"] != ""]  # what fails in a branch fails the Parallel around it
        for name in failed["state"][:1] if inner.empty else inner["state"][-1:]:
            self.state.value = name

    def _stepper(self, name: str, step: int) -> widgets.Button:
        button = widgets.Button(description=name)
        button.on_click(lambda _button: self._step(step))
        return button

    def _step(self, step: int) -> None:
        before = self.state.index
        wanted = 0 if before is None else before + step
        if 0 <= wanted < len(self.state.options):
            self.state.index = wanted

    def _on_state(self, _change: Any = None) -> None:
        name = self.state.value
        if name in self._latest.index:
            rows = self._table[self._table["state"] == name]
            self.details.value = _details(rows, self._latest.loc[name], self._begin)
        else:
            self.details.value = _live(f"{name} was not entered.") if name else _HINT


def _details(rows: pd.DataFrame, last: Any, begin: Any) -> str:
    parts = {"Input": last["input"], "Output": last["output"], "Error": last["error"], "Cause": last["cause"]}
    shown = [f"<b>{key}</b>{_value(value)}" for key, value in parts.items() if value not in (None, "")]
    return f"{_live(_headline(rows, last))}{_attempts(rows, begin)}{''.join(shown)}"


def _live(text: str) -> str:
    """A line that a screen reader says when it changes."""
    return f'<p aria-live="polite" style="{_TEXT}">{html.escape(text)}</p>'


def _headline(rows: pd.DataFrame, last: Any) -> str:
    times = int((rows["attempt"] == 1).sum())
    entered = f", entered {times} times" if times > 1 else ""
    where = f", here in {last['branch']}" if rows["branch"].nunique() > 1 else ""
    return f"{last['state']}: {marked(last['status'])}{entered}{where}"


def _attempts(rows: pd.DataFrame, begin: Any) -> str:
    latest = rows.tail(_LATEST)
    where = {"iteration": latest["branch"]} if rows["branch"].nunique() > 1 else {}
    table = pd.DataFrame(
        {
            **where,
            "attempt": latest["attempt"],
            "status": latest["status"].map(marked),
            "started after": ((latest["started"] - begin).dt.total_seconds()).map("{:.3f} s".format),
            "duration": latest["duration"].map(lambda took: "running" if pd.isna(took) else f"{took:.3f} s"),
            "error": latest["error"],
        }
    )
    more = f"<p>The latest {_LATEST} of {len(rows)}:</p>" if len(rows) > _LATEST else ""
    return f'{more}<div style="{_SCROLLED}">{table.to_html(index=False, border=0)}</div>'


def _value(value: Any) -> str:
    text = _json(value)
    cut = f" ... ({len(text):,} characters)" if len(text) > _LONGEST else ""
    return f'<pre style="{_TEXT}">{html.escape(text[:_LONGEST] + cut)}</pre>'


def _json(value: Any) -> str:
    """Indented JSON; also of a cause, which Lambda gives as JSON in a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, indent=2, ensure_ascii=False)
