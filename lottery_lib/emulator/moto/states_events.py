"""Read what moto's engine has noted of an execution, as it is at this moment.

It is read where the engine keeps it, not by moto's wire: that copies and serialises all events for each page
of them, and takes a second for a thousand.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["Event", "noted", "time_of", "told"]

Event = dict[str, Any]
_PLAIN: Final = ("id", "previousEventId", "type")


def noted(execution_arn: str) -> Sequence[Event]:
    """The events so far, in the engine's form, of which nothing may be changed; none before it has begun.

    Args:
        execution_arn: Of an execution that there is, or was a moment ago.
    """
    # The engine takes a while to load; who has an execution has it.
    from moto.core.exceptions import JsonRESTError  # noqa: PLC0415
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends  # noqa: PLC0415

    region, account = execution_arn.split(":")[3:5]
    try:
        execution = stepfunctions_parser_backends[account][region].describe_execution(execution_arn)
    except JsonRESTError:  # its machine was deleted
        return []
    environment = execution.exec_worker and execution.exec_worker.env
    return environment.event_manager._history_event_list if environment else []


def told(event: Event) -> Event:
    """An event as GetExecutionHistory tells it."""
    plain = {name: event[name] for name in _PLAIN}
    details = {name: _given(value) for name, value in event.items() if name.endswith("EventDetails")}
    return plain | {"timestamp": datetime.fromisoformat(event["timestamp"]).timestamp()} | details


def time_of(seconds: float) -> str:
    """A time, in seconds since 1970, as the engine notes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _given(details: Event) -> Event:
    return {name: value for name, value in details.items() if value is not None}
