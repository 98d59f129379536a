"""Tell the board of a class what is done, if this attendee has joined one (`lottery join`).

For everybody else nothing is loaded, and nothing is sent.
"""

import contextlib
from importlib import import_module
from pathlib import Path
from typing import Final

from lottery_lib.files import state_folder

#: The lesson that this process has begun last.
_BEGUN: Final[list[str]] = []


def joined_file() -> Path:
    """The file that only an attendee who has joined has, in the user's state folder."""
    return state_folder("lottery-class") / "joined.json"


def begin(lesson: str) -> None:
    """A lesson begins; the board may know it."""
    _BEGUN[:] = [lesson]
    tell_board("start", True)


def lesson_begun() -> str:
    """The lesson that this process has begun last; empty before the first."""
    return next(iter(_BEGUN), "")


def tell_board(check: str, done: bool, lesson: str = "") -> None:
    """Tell the board, from another thread. Never raises.

    Args:
        check: ``"start"``, ``"verify"``, or an exercise such as ``"exercise 2"``.
        done: Whether it is done.
        lesson: Its lesson; by default the one that has begun last.
    """
    with contextlib.suppress(Exception):  # no fault of the board may stop a cell
        if joined_file().exists():
            attendee = import_module("lottery_class.attendee")  # nobody else loads it
            attendee.SENDER.note(lesson or lesson_begun(), check, done)
