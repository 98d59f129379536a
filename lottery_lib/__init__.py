"""Learn AWS Step Functions with a company lottery, from notebooks, on your own machine.

A core and four wings. No module imports from a line above its own (CONTRIBUTING.md has the whole map)::

    __main__                 the command line
    party/  course/  view/   the real party; the course; pictures and widgets
    stack  draws             deploy, show and remove the lottery; run a draw
    state_tests              test one state alone
    plan  mails              the lottery as data; the mails that it sent
    resources/  execution    one class per kind of AWS resource; one run of the state machine
    target  aws_errors       which AWS is meant; its errors as sentences
    history/                 events become states, states become tables
    definition  employees    the state machine's text; the people
    names  waiting  errors   what everything above uses
    translation              each sentence in the attendee's language
    language                 what the Amazon States Language allows; the emulator uses it, too

    emulator/                AWS on this machine: a separate program, started by target

A definition becomes resources. The resources run executions. Their events become tables and pictures.
"""

from importlib import import_module
from typing import Any, Final

# The module of each public name. A module is imported when somebody asks for the name, because pandas, boto3
# and ipywidgets take a while to import, and not every command needs them.
_ROOMS: Final = {
    "Draws": "draws",
    "DrawPanel": "view.panel",
    "ExecutionView": "view.execution_view",
    "LotteryError": "errors",
    "Names": "names",
    "Stack": "stack",
    "calls": "course.calls",
    "check": "course.checks",
    "connect": "target",
    "draw": "draws",
    "event_table": "history",
    "executions": "draws",
    "graph_view": "view.graph",
    "inbox": "mails",
    "inject": "course.faults",
    "load_employees": "resources.contents",
    "remaining": "draws",
    "restore": "course.lessons",
    "resume": "hardened",
    "state_attempts": "history",
    "state_statuses": "history",
    "state_table": "history",
    "test_state": "state_tests",
    "timeline_view": "view.timeline",
    "verify": "course.lessons",
    "winners": "hardened",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "connect":
        import_module(f"{__name__}.course.calls")  # it records the calls of the target's clients
    value = getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_ROOMS])
