"""Which lesson has begun in this process, what is solved so far, and who wants to know."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from lottery_lib.files import state_folder

#: The missions of the last lesson. Mission 0 is its practice, and counts nowhere.
COUNTED_MISSIONS: Final = range(1, 7)
#: Each gets a lesson, such as ``"05"``; a check: ``"start"``, ``"verify"``, or such as ``"exercise 2"``;
#: and whether it is done.
ON_CHECK: Final[list[Callable[[str, str, bool], None]]] = []
#: The lesson that this process has begun last.
_BEGUN: Final[list[str]] = []


def joined_file() -> Path:
    """The file that only an attendee who has joined a class has, in the user's state folder."""
    return state_folder("lottery-class") / "joined.json"


def solved_file(lesson: str, check: str) -> Path:
    """The empty file that stands for something solved. So several notebooks can write at the same time."""
    return state_folder("lottery-course") / f"{lesson} {check}"


def solved() -> dict[str, list[str]]:
    """What this user has solved in any notebook: checks such as ``"exercise 2"``, by the lesson."""
    by_lesson: dict[str, list[str]] = {}
    for path in sorted(state_folder("lottery-course").glob("[0-9][0-9] *")):
        by_lesson.setdefault(path.name[:2], []).append(path.name[3:])
    return by_lesson


def _keep(lesson: str, check: str, done: bool) -> None:
    """Remember what is solved. It stays solved when the lesson begins again."""
    if done and check.startswith(("exercise ", "mission ")):
        path = solved_file(lesson, check)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


ON_CHECK.append(_keep)


def missions_file(attendee: str) -> Path:
    """The file of an attendee's missions, in the user's state folder."""
    return state_folder("lottery-missions") / f"missions{attendee and '-'}{attendee}.json"


def kept_missions(attendee: str) -> dict[str, dict[str, Any]]:
    """What the file keeps of each mission that has begun; ``solved`` is true if it ever was."""
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(missions_file(attendee).read_text(encoding="utf-8")))
    return {}


def begin(lesson: str) -> None:
    """A lesson begins."""
    _BEGUN[:] = [lesson]
    tell("start", True)


def lesson_begun() -> str:
    """The lesson that this process has begun last; empty before the first."""
    return next(iter(_BEGUN), "")


def tell(check: str, done: bool, lesson: str = "") -> None:
    """Tell what a check found, by default of the lesson that has begun last. Never raises."""
    for listen in ON_CHECK:
        with contextlib.suppress(Exception):  # no fault of the board may stop a cell
            listen(lesson or lesson_begun(), check, done)
