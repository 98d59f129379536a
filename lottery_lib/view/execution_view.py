"""Show an execution as the console does: choose a state in the graph, and read beside it what it did."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ipywidgets as widgets
import pandas as pd

from lottery_lib.definition import Machine, parse
from lottery_lib.history import output
from lottery_lib.history.state_runs import Event, Reader
from lottery_lib.texts import escaped
from lottery_lib.translation import _
from lottery_lib.view.graph import drawing_of
from lottery_lib.view.graph_widget import GraphWidget
from lottery_lib.view.painting import facts_of
from lottery_lib.view.status import badge, marked
from lottery_lib.view.tables import as_html
from lottery_lib.view.timeline import timeline_of
from states_language import all_states

_LATEST: Final = 10  # the most rows that are shown for a state
_LONGEST: Final = 20_000  # characters shown of an input or output; AWS allows 256 KiB


class ExecutionView(widgets.HBox):  # type: ignore[misc]
    """The coloured workflow; beside it what the chosen state or the execution did; below it what ran when.

    Args:
        definition: What the execution ran with, as JSON text or parsed; None for nothing yet.
        events: What `get_execution_history` returns, all pages.

    Attributes:
        graph: The workflow (`GraphWidget`). Its trait ``chosen`` is the name of the chosen state.
        details: The chosen state's times, attempts, input, output, variables and error (a widget).
        side: The box beside the graph.
        timeline: What ran when, once the execution has ended: drawing it takes too long for each moment.
    """

    def __init__(self, definition: Machine | str | None = None, events: Sequence[Event] = ()) -> None:
        self._reader = Reader()
        self._facts = facts_of(self._reader)
        self.graph, self.details = GraphWidget(fill=True), widgets.HTML(_hint())
        self.graph.observe(self._on_chosen, "chosen")
        self.side = widgets.VBox([self.details])
        self.timeline = widgets.HTML()
        super().__init__([self.graph, self.side, self.timeline])
        self.add_class("lottery-execution")
        self.side.add_class("lottery-side")
        self.timeline.add_class("lottery-timeline")
        if definition:
            self.show(Reader(events, parse(definition)))

    def __repr__(self) -> str:
        return f"ExecutionView: {', '.join(self.graph.states)}"

    def _repr_mimebundle_(self, **kwargs: object) -> dict[str, Any]:
        data: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        # Where there is no kernel, the picture stands still.
        if self.graph.still:
            data["text/html"] = self.graph.still.html + self.timeline.value
        return data

    def show(self, reader: Reader) -> None:
        """Show what a reader has read of an execution. It knows the definition, and may read on later."""
        self._reader, self._facts = reader, facts_of(reader)
        self.graph.show(drawing_of(reader.definition, self._facts))
        self.timeline.value = timeline_of(reader).html if reader.end else ""
        self._on_chosen()

    @property
    def statuses(self) -> Mapping[str, str]:
        """The status of each state that was entered, as `history.state_statuses` returns it."""
        return self._facts.statuses

    def choose_failure(self) -> None:
        """Choose the state that failed in the end, if one did."""
        latest = self._facts.latest
        failed = latest[latest["status"].isin(["failed", "caught"]) & (latest["error"] != "")]
        inner = failed[failed["branch"] != ""]  # what fails in a branch fails the Parallel around it
        for name in failed["state"][:1] if inner.empty else inner["state"][-1:]:
            self.graph.chosen = name

    def _on_chosen(self, _change: object = None) -> None:
        name, table, latest = self.graph.chosen, self._facts.table, self._facts.latest
        if name in latest.index:
            rows = table[table["state"] == name]
            kind = dict(all_states(self._reader.definition)).get(name, {}).get("Type", "")
            self.details.value = _state(rows, latest.loc[name], table["started"].min(), kind)
        elif name:
            never = _("The execution has not entered this state.")
            self.details.value = f"{_heading(name, '')}<p>{escaped(never)}</p>"
        elif table.empty:
            self.details.value = _hint()
        else:
            whole = {_("Input"): table["input"].iloc[0], _("Output"): output(self._reader.events)}
            title = _("The whole execution")
            self.details.value = f"<h4>{title}</h4>{_values(whole)}<p>{_hint()}</p>"


def _hint() -> str:
    return _("Choose a state in the graph: click on it, or press Tab and the arrow keys.")


def _state(rows: pd.DataFrame, last: pd.Series, begin: pd.Timestamp, kind: str) -> str:
    """What one state did, as HTML.

    Args:
        rows: The state's rows of `state_table`.
        last: Its row of `latest_rows`.
        begin: When the execution began.
        kind: The state's type.
    """
    times, in_branches = int((rows["attempt"] == 1).sum()), rows["branch"].nunique() > 1
    latest = rows.tail(_LATEST)
    attempts = pd.DataFrame({_("Iteration"): latest["branch"]} if in_branches else {}, index=latest.index)
    if times > 1 and not in_branches:
        attempts[_("Entered")] = (rows["attempt"] == 1).cumsum()
    if times == 1 or rows["attempt"].max() > 1:
        attempts[_("Attempt")] = latest["attempt"]
    attempts[_("At")] = (latest["started"] - begin).dt.total_seconds().map("{:.3f} s".format)
    durations = latest["duration"].map("{:.3f} s".format)
    attempts[_("Took")] = durations.where(latest["duration"].notna(), "")
    attempts[_("Status")] = (latest["status"].map(marked) + " " + latest["error"]).str.strip()
    remarks = [
        kind,
        _("entered {times} times", times=times) if times > 1 else "",
        _("here {branch}", branch=last["branch"]) if in_branches else "",
    ]
    if len(rows) > _LATEST:
        remarks.append(_("the latest {shown} of {count} attempts", shown=_LATEST, count=len(rows)))
    words = escaped(_(", ").join(filter(None, remarks)))
    parts = {
        _("Error"): last["error"],
        _("Cause"): last["cause"],
        _("Input"): last["input"],
        _("Output"): last["output"],
        _("Variables"): last["variables"],
    }
    return _heading(last["state"], last["status"]) + f"<p>{words}</p>" + as_html(attempts) + _values(parts)


def _heading(name: str, status: str) -> str:
    """The line that a screen reader says when another state is chosen."""
    return f'<h4 aria-live="polite">{escaped(name)} {badge(status)}</h4>'


def _values(parts: Mapping[str, object]) -> str:
    """Values under their names; one without a value is left out."""
    return "".join(
        f"<details open><summary>{escaped(key)}</summary>{_value(value)}</details>"
        for key, value in parts.items()
        if value is not None and not (isinstance(value, str) and value == "")
    )


def _value(value: object) -> str:
    """A value as indented JSON. A cause may be JSON, too: Lambda writes its JSON as text."""
    try:
        value = json.loads(value) if isinstance(value, str) else value
        text = json.dumps(value, indent=2, ensure_ascii=False)
    except ValueError:
        text = str(value)
    cut = _(" ... ({count} characters)", count=f"{len(text):,}") if len(text) > _LONGEST else ""
    return f"<pre>{escaped(text[:_LONGEST] + cut)}</pre>"
