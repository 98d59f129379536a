"""Show an execution as the console does: choose a state, and see its input, output and attempts."""

import json
from typing import Final

import ipywidgets as widgets
import pandas as pd

from lottery_lib.history import ExecutionRecord, latest_rows, state_table
from lottery_lib.texts import escaped
from lottery_lib.view.graph import graph_view
from lottery_lib.view.status import WRAPPED, marked

_LATEST: Final = 10  # the most rows that are shown for a state
_LONGEST: Final = 20_000  # characters shown of an input or output; AWS allows 256 KiB
_HINT: Final = "Choose a state to see its input, output and attempts."
# As wide as the box around it. Without this, a wide table would stretch the box and cut off the texts below.
_SCROLLED: Final = "overflow-x: auto; width: 0; min-width: 100%"
# JupyterLab would break the lines of a <pre> inside words.
_TEXT: Final = f"white-space: pre-wrap; word-break: normal; {WRAPPED}; margin: 0"


class ExecutionView(widgets.VBox):  # type: ignore[misc]
    """The coloured workflow, a list of its states, and what the chosen one did.

    Args:
        execution: What to show, as `Draws.execution` returns it; None for nothing yet.
        picture_only: Leave out the list and the details.

    Attributes:
        picture: The workflow (a widget).
        state: The list; its ``value`` is the name of the chosen state.
        chooser: The list, and two buttons that step through it.
        details: The chosen state's input, output, error, attempts and durations.
    """

    def __init__(self, execution: ExecutionRecord | None = None, *, picture_only: bool = False) -> None:
        self._table = self._latest = state_table([])
        self.picture, self.details = widgets.HTML(), widgets.HTML()
        self.state = widgets.Select(
            description="State",
            layout={"width": "24em", "height": "12.5em"},
            style={"description_width": "initial"},
        )
        self.state.observe(self._on_state, "value")
        # For the keyboard: JupyterLab takes the arrow keys of a list for itself.
        before = widgets.Button(description="Previous state")
        after = widgets.Button(description="Next state")
        before.on_click(lambda _button: self._step(-1))
        after.on_click(lambda _button: self._step(1))
        self.chooser = widgets.VBox([self.state, widgets.HBox([before, after])])
        super().__init__([self.picture] if picture_only else [self.picture, self.chooser, self.details])
        if execution:
            self.show(execution)

    def __repr__(self) -> str:
        return f"ExecutionView: {', '.join(self.state.options)}"

    def show(self, execution: ExecutionRecord) -> None:
        """Show another execution, or newer events of the same one."""
        self._table = state_table(execution.events, execution.definition)
        self._latest = latest_rows(self._table)
        view = graph_view(execution.definition, self.statuses, attempts=self._latest["attempt"].to_dict())
        self.picture.value = view.html
        self.state.options = view.states  # the same states again change nothing: the choice stays
        self._on_state()

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each state that was entered, as `history.state_statuses` returns it."""
        statuses: dict[str, str] = self._latest["status"].to_dict()
        return statuses

    def choose_failure(self) -> None:
        """Choose the state that failed in the end, if one did."""
        last = self._latest
        failed = last[last["status"].isin(["failed", "caught"]) & (last["error"] != "")]
        inner = failed[failed["branch"] != ""]  # what fails in a branch fails the Parallel around it
        for name in failed["state"][:1] if inner.empty else inner["state"][-1:]:
            self.state.value = name

    def _step(self, step: int) -> None:
        wanted = 0 if self.state.index is None else self.state.index + step
        if 0 <= wanted < len(self.state.options):
            self.state.index = wanted

    def _on_state(self, _change: object = None) -> None:
        name = self.state.value
        if name in self._latest.index:
            rows = self._table[self._table["state"] == name]
            self.details.value = _details(rows, self._latest.loc[name], self._table["started"].min())
        else:
            self.details.value = _spoken(f"{name} was not entered.") if name else _HINT


def _details(rows: pd.DataFrame, last: pd.Series, begin: pd.Timestamp) -> str:
    """What one state did, as HTML.

    Args:
        rows: The state's rows of `state_table`.
        last: Its row of `latest_rows`.
        begin: When the execution began.
    """
    times, in_branches = int((rows["attempt"] == 1).sum()), rows["branch"].nunique() > 1
    entered = f", entered {times} times" if times > 1 else ""
    where = f", here in {last['branch']}" if in_branches else ""
    latest = rows.tail(_LATEST)
    attempts = pd.DataFrame({"iteration": latest["branch"]} if in_branches else {})
    attempts["attempt"] = latest["attempt"]
    attempts["status"] = latest["status"].map(marked)
    attempts["started after"] = (latest["started"] - begin).dt.total_seconds().map("{:.3f} s".format)
    took = latest["duration"].map("{:.3f} s".format)
    attempts["duration"] = took.where(latest["duration"].notna(), latest["status"])
    attempts["error"] = latest["error"]
    more = f"<p>The latest {_LATEST} of {len(rows)}:</p>" if len(rows) > _LATEST else ""
    table = f'{more}<div style="{_SCROLLED}">{attempts.to_html(index=False, border=0)}</div>'
    parts = {key: last[key.lower()] for key in ("Input", "Output", "Variables", "Error", "Cause")}
    values = [f"<b>{key}</b>{_value(value)}" for key, value in parts.items() if value not in (None, "")]
    headline = f"{last['state']}: {marked(last['status'])}{entered}{where}"
    return _spoken(headline) + table + "".join(values)


def _spoken(text: str) -> str:
    """A line that a screen reader says when it changes."""
    return f'<p aria-live="polite" style="{_TEXT}">{escaped(text)}</p>'


def _value(value: object) -> str:
    """A value as indented JSON. A cause may be JSON, too: Lambda writes its JSON as text."""
    try:
        value = json.loads(value) if isinstance(value, str) else value
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except ValueError:
        text = str(value)
    cut = f" ... ({len(text):,} characters)" if len(text) > _LONGEST else ""
    return f'<pre style="{_TEXT}">{escaped(text[:_LONGEST] + cut)}</pre>'
