"""Read what an execution did: events become states, states become pandas tables. Nothing here calls AWS."""

from lottery_lib.history.state_runs import Event
from lottery_lib.history.tables import (
    DrawResult,
    ExecutionRecord,
    Winner,
    event_table,
    failure,
    latest_rows,
    moments,
    output,
    published,
    state_attempts,
    state_statuses,
    state_table,
    transitions,
)

__all__ = [
    "DrawResult",
    "Event",
    "ExecutionRecord",
    "Winner",
    "event_table",
    "failure",
    "latest_rows",
    "moments",
    "output",
    "published",
    "state_attempts",
    "state_statuses",
    "state_table",
    "transitions",
]
