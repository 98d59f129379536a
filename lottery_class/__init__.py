"""Show the instructor how far a class is: `lottery class` opens a board, `lottery join` joins it.

What happens in a lesson goes one way. A check of `lottery_lib.course` asks whether this attendee has joined::

    attendee       join, leave, and a thread that sends the newest state of each check
    protocol       what is sent, and nothing else: one schema, which both sides check
    server page    takes what is sent; the instructor's page, and its words
    board limits   who comes first, and why; who asks too often
    commands       the commands; `lottery` finds them
"""

from typing import Any

__all__ = ["join", "leave"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lottery_class import attendee  # noqa: PLC0415 - the board does not need it

    return getattr(attendee, name)
