"""Learn AWS Step Functions with a company lottery, from notebooks, on your own machine.

Five wings, and imports go down only::

    __main__    the command line
    party/      the hardened edition's own: pool, fairness, prizes, draw night
    course/     lessons, calls, notebooks, doctor, faults, the attendee's policy
    view/       pictures and widgets; knows no AWS
    stack, draws, mails / resources/, execution / target / history/ / definition, employees / names, errors
    emulator/   a program of its own

A definition becomes resources, these run executions, whose events become tables and pictures.
"""

from importlib import import_module
from typing import Any, Final

# Where each public name lives. They are imported when first asked for, because pandas, boto3 and
# ipywidgets each take a part of a second that a command that needs none of them should not cost.
_ROOMS: Final = {
    "Draws": "draws",
    "DrawNight": "party.draw_night",
    "DrawPanel": "view.panel",
    "ExecutionView": "view.execution_view",
    "LotteryError": "errors",
    "Names": "names",
    "Stack": "stack",
    "calls": "course.calls",
    "connect": "target",
    "draw": "draws",
    "event_table": "history",
    "executions": "draws",
    "graph_view": "view.graph",
    "inbox": "mails",
    "inject": "course.faults",
    "load_employees": "resources.contents",
    "receipts": "party.receipts",
    "remaining": "draws",
    "restore": "course.lessons",
    "resume": "party.receipts",
    "state_attempts": "history",
    "state_statuses": "history",
    "state_table": "history",
    "timeline_view": "view.timeline",
    "verify": "course.lessons",
    "verify_draw": "party.fairness",
    "winners": "draws",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "connect":
        import_module(f"{__name__}.course.calls")  # it records what the new target's clients ask
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
