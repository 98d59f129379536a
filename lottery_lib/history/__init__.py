"""Read what an execution did: events become states, states become tables. Pure; the tables are pandas'."""

from lottery_lib.history.state_runs import Event
from lottery_lib.history.tables import (
    Execution,
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
    "Event",
    "Execution",
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
