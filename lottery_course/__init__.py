"""What leads a learner through the course, and shows an instructor how far a class is.

The lessons use `lottery_lib`, the small helper library, and this package. No module imports from a line
above its own::

    commands               the commands of the course; ``lottery`` finds them
    doctor notebooks copies  check this machine; run all lessons; a learner's own copies
    missions               break something that nobody knows, and check by running that it works again
    lessons                prepare the account for a lesson (restore), say what is done in it (verify)
    attendee_policy        what an administrator gives an attendee
    faults call_log        break a function; the AWS calls of each cell
    server page board limits  the instructor's board of a class; who comes first, and who asks too often
    attendee               join a class, and leave it; a thread that sends the newest state of each check
    protocol               what is sent, and nothing else: one schema, which both sides check
    missing_names          what a kernel says of a name without a value (the kernels' settings load it)
    checks                 whether an exercise is solved, in one line
    cells progress         the code cells of a lesson; what has begun, and who hears what is done
    sharing                say that another notebook or terminal has reset the lottery
    proxy                  pass pages on where a browser sees only Jupyter
"""

from importlib import import_module
from typing import Any, Final

# The module of each public name. It is imported when somebody asks for the name, as in `lottery_lib`.
_MODULES: Final = {
    "calls": "call_log",
    "check": "checks",
    "inject": "faults",
    "join": "attendee",
    "leave": "attendee",
    "restore": "lessons",
    "verify": "lessons",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_module(f"{__name__}.call_log")  # from now on, it records the calls of each connection
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
