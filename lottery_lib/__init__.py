"""A company lottery on AWS Step Functions: the small helper library. It works without any lesson.

A definition and what it needs become resources. The resources run executions. Their events become tables and
pictures. Who reads this for the first time begins with `plan`, and goes on with `names`, `resources/base`,
`stack`, `execution`, `draws`, `history`, `tables` and `view.graph`. What AWS does, and where the emulator
differs, is in `docs/aws.md`.

The *kit* is the folder that this package is in. Numbers such as 2.2.5 are sections of the tutorial that the
lottery follows. It has three *editions*: ``tutorial``, as printed there; ``jsonata``, the same in JSONata;
and ``hardened``, for real draws, whose *receipts* let everybody check them.

No module imports from a line above its own::

    __main__ command_line  the commands of ``lottery``; what they share
    widgets                the widgets, with the AWS that they look at
    view/                  the workflow graph, the timeline, the panel: pictures and widgets
    hardened stack export  the edition for real draws; deploy, show and remove the lottery; export it
    draws                  run a draw, and read its results
    plan mails             the lottery as data; the mails that it sent
    resources/ execution   one class for each kind of AWS resource; one run of the state machine
    target addresses       which AWS is meant, and its clients; where a browser finds a page
    aws_errors local_emulator  AWS's errors as sentences; start and stop the emulator
    trial                  a run in virtual time, without AWS; one state alone
    tables history         states become tables; events become states
    definition employees   the state machine's text; the people
    files                  read and write the files that people name
    private_jupyter        other users of this machine see nothing of the Jupyter servers
    names waiting harmless  what everything above uses
    merkle                 the pool as a tree of digests
    errors translation     a sentence for each problem; everything in the user's language

Beside it stand two packages that know no lottery: `states_language` checks and runs state machines, and
`sfn_emulator` is AWS on this machine.
"""

from importlib import import_module
from typing import Any, Final

# The module of each public name. A module is imported when somebody asks for the name, because pandas, boto3
# and ipywidgets take a while to import, and not every command needs them.
_MODULES: Final = {
    "Draws": "draws",
    "DrawPanel": "widgets",
    "ExecutionView": "widgets",
    "KIT": "names",
    "LotteryError": "errors",
    "Stack": "stack",
    "Workbench": "widgets",
    "compare": "widgets",
    "connect": "target",
    "draw": "draws",
    "event_table": "tables",
    "executions": "draws",
    "graph_view": "view.graph",
    "inbox": "mails",
    "resume": "hardened",
    "state_table": "tables",
    "winners": "hardened",
}

#: They are in `lottery_course` now. A learner may have an older copy of a lesson.
_OF_THE_COURSE: Final = ("calls", "check", "inject", "restore", "verify")

__all__ = sorted(_MODULES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name in _OF_THE_COURSE:
        from lottery_lib.errors import LotteryError  # noqa: PLC0415 - it is rarely needed
        from lottery_lib.translation import _  # noqa: PLC0415

        what = _("is in lottery_course now, so this copy of the lesson is an older one")
        next_step = _("Type `lottery notebooks --fresh 05`, with this lesson's number: it also keeps yours")
        raise LotteryError(name, what, next_step)
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
