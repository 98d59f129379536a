"""Show what somebody predicted of an execution beside what it did."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from lottery_lib.history import ExecutionRecord
from lottery_lib.history.state_runs import Reader
from lottery_lib.translation import _
from lottery_lib.view.graph import drawing_of
from lottery_lib.view.painting import facts_of
from lottery_lib.view.status import marked, retried, word_of
from lottery_lib.view.tables import as_html

_OPEN: Final = "?"
_NOT_ENTERED: Final = "not entered"
# The drawing is white. In a dark theme it needs a margin.
_CARD: Final = "background: #ffffff; border: 1px solid #c1c7ce; border-radius: 8px; padding: 6px"
_STATUSES: Final = ("succeeded", "caught", "failed", _NOT_ENTERED)


class Comparison:
    """The graph of an execution, and beside it a table of what was predicted and what happened.

    Until every state has a prediction, a notebook hides both, so that people do not see the answer too early.

    Args:
        predicted: The status of some states by name: ``succeeded``, ``caught``, ``failed`` or
            ``not entered``; ``?`` as long as there is no prediction.
        execution: What happened, as `Draws.execution` returns it.
    """

    def __init__(self, predicted: Mapping[str, str], execution: ExecutionRecord) -> None:
        facts = facts_of(Reader(execution.events, execution.definition))
        self._graph = drawing_of(execution.definition, facts)
        self._complete = _OPEN not in predicted.values()
        rows = []
        for name, guess in predicted.items():
            status = facts.statuses.get(name, _NOT_ENTERED)
            happened = f"{marked(status)} {retried(facts.attempts.get(name, 1))}".strip()
            rows.append((name, guess, happened, _verdict(guess, status)))
        columns = [_("State"), _("Your prediction"), _("What happened"), _("Right?")]
        self._table = pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        guesses = "; ".join(f"{row[0]}: {row[1]}" for row in self._table.itertuples(index=False))
        predicted = _("Predicted: {guesses}.", guesses=guesses)
        return f"{self._graph.alt} {predicted}"

    def _repr_html_(self) -> str:
        unfolded, line = (
            (" open", _("Your prediction and what happened"))
            if self._complete
            else ("", _("Replace each ? and run the cell again, or open this line to see what happened"))
        )
        # The widths are attributes, because GitHub and an untrusted notebook remove most styles. The style
        # keeps JupyterLab from colouring the row below the pointer.
        graph = f'<div style="{_CARD}">{self._graph.html}</div>'
        cells = f'<td width="57%">{graph}</td><td style="word-break: keep-all">{as_html(self._table)}</td>'
        table = f'<table width="100%"><tr style="background: none">{cells}</tr></table>'
        return f"<details{unfolded}><summary>{line}</summary>{table}</details>"


def _verdict(guess: str, status: str) -> str:
    """Say whether a prediction was right; empty if there is none."""
    word = str(guess).strip().lower()
    if word == _OPEN:
        return ""
    # A translated notebook may have either word.
    statuses = {text: name for name in _STATUSES for text in (name, word_of(name).lower())}
    if word not in statuses:
        return _("? write succeeded, caught, failed or not entered")
    # A line must not break at these spaces. No status has the second mark.
    return _("✓\u00a0right") if statuses[word] == status else _("≠\u00a0different")
