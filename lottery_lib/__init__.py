"""Learn AWS Step Functions with a company lottery, from notebooks: the small helper library.

A definition becomes resources. The resources run executions. Their events become tables and pictures. No
module imports from a line above its own::

    __main__ command_line  the commands of ``lottery``; what they share
    course/                lessons (restore, verify), checks, recorded calls, doctor, the attendee's policy
    view/                  the workflow graph, the timeline, the panel: pictures and widgets
    hardened stack export  the edition for real draws; deploy, show and remove the lottery; export it
    draws                  run a draw, and read its results
    plan mails             the lottery as data; the mails that it sent
    resources/ execution   one class for each kind of AWS resource; one run of the state machine
    target addresses       which AWS is meant, and its clients; where a browser finds a page
    aws_errors embedded    AWS's errors as sentences; start and stop the emulator
    history/               events become states, states become tables
    definition employees   the state machine's text; the people
    files                  read and write the files that people name
    words causes           what people read for a name of the data, and for the reason of a failure
    neighbours             other users of this machine see nothing of the Jupyter servers
    names waiting texts    what everything above uses
    merkle                 the pool as a tree of digests
    errors translation     a sentence for each problem, in the user's language
"""

from importlib import import_module
from typing import Any, Final

# The module of each public name. A module is imported when somebody asks for the name, because pandas, boto3
# and ipywidgets take a while to import, and not every command needs them.
_MODULES: Final = {
    "Draws": "draws",
    "DrawPanel": "course.panel",
    "ExecutionView": "course.panel",
    "KIT": "names",
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
    "timeline_view": "view.timeline",
    "verify": "course.lessons",
    "winners": "hardened",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "connect":
        import_module(f"{__name__}.course.calls")  # it records the calls of the target's clients
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
