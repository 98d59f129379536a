"""Learn AWS Step Functions with a company lottery, from notebooks, on your own machine.

The rooms and their floors, imports going down only::

    8  notebooks/   __main__ (command line)
    7  draw_night
    6  panel   checkpoint   laboratory   doctor   rehearsal
    5  execution_view
    4  stack   draws   mailbox   pool
    3  resources/   execution
    2  target   wire   call_log   refusals
    1  definition   history   graph   timeline   roster   prizes   deployer   fairness   emulator/ (a process)
    0  attribution   workflow   dot   naming   waiting   looks   picture   errors

A definition becomes resources, these run executions, whose events become tables and pictures.
"""

from importlib import import_module
from typing import Any, Final

# Where each public name lives. They are imported when first asked for, because pandas, boto3 and
# ipywidgets each take a part of a second that a command that needs none of them should not cost.
_ROOMS: Final = {
    "Draws": "draws",
    "DrawNight": "draw_night",
    "DrawPanel": "panel",
    "ExecutionView": "execution_view",
    "LotteryError": "errors",
    "Names": "naming",
    "Stack": "stack",
    "calls": "call_log",
    "connect": "target",
    "draw": "draws",
    "event_table": "history",
    "executions": "draws",
    "graph_view": "graph",
    "inbox": "mailbox",
    "inject": "laboratory",
    "load_employees": "pool",
    "receipts": "draws",
    "remaining": "draws",
    "restore": "checkpoint",
    "resume": "draws",
    "state_attempts": "history",
    "state_statuses": "history",
    "state_table": "history",
    "timeline_view": "timeline",
    "verify": "checkpoint",
    "verify_draw": "fairness",
    "winners": "draws",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
