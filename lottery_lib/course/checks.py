"""Say in one line whether something is done, and what to do if it is not."""

import re
import reprlib
import unicodedata
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any, Final

from IPython.core.getipython import get_ipython

from lottery_lib.course.classroom import tell_board
from lottery_lib.resources import in_words
from lottery_lib.texts import PLAIN, escaped
from lottery_lib.translation import _, punctuated

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 70
_LONGEST: Final = 200  # a whole state machine would hide the hint after it
# A badge has its own background, so that it can be read in JupyterLab's dark theme, too.
_BADGE: Final = '<span style="background: {}; color: {}; padding: 1px 6px; border-radius: 8px">{}</span>'
_DONE: Final = _BADGE.format("#d4f0d9", "#0b5a00", _("✓ done"))
_NOT_YET: Final = _BADGE.format("#ffe3c2", "#7a3e00", _("○ not yet"))


@dataclass(frozen=True, repr=False)
class Check:
    """One thing to do: whether it is done, and the next step if it is not."""

    what: str
    done: bool
    next_step: str

    def __repr__(self) -> str:
        mark = _("✓ done") if self.done else _("○ not yet")
        return punctuated("{key}: {value}", key=mark, value=self._rest)

    @property
    def _rest(self) -> str:
        if self.done:
            return self.what
        if not self.next_step:
            return punctuated("{facts}.", facts=self.what)
        return punctuated("{what}. {next_step}.", what=self.what, next_step=self.next_step)

    def _repr_html_(self) -> str:
        told = re.sub("`(.+?)`", r"<code>\1</code>", escaped(self._rest))
        return f'<div class="{PLAIN}">{_DONE if self.done else _NOT_YET} {told}</div>'


class Checks(list[Check]):
    """The checks of a lesson, one line each."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or _("Nothing to build in this lesson.")

    def _repr_html_(self) -> str:
        return "".join(check._repr_html_() for check in self) or repr(self)


class Ready(str):
    """A sentence that a notebook shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class _Run:
    """How the cell of an exercise ended when it ran last: its error, and what each name stood for then."""

    error: str
    names: dict[str, Any]


#: The cell of an exercise begins with this comment, or has it below a magic.
EXERCISE: Final = re.compile(r"^# Exercise (\d+)\b", re.MULTILINE)
_RUNS: Final[dict[int, _Run]] = {}
#: The exercise of each cell, by the cell's id: a solution that is put over all of it may lack the comment.
_CELLS: Final[dict[str, int]] = {}


def watch_exercises() -> None:
    """From now on, remember how the cells of exercises end. What was before is forgotten."""
    _RUNS.clear()
    if shell := get_ipython():
        shell.events.register("post_run_cell", _remember)  # once, if it is registered already


def _remember(ended: Any) -> None:
    if not ended.info:
        return
    cell, marked = ended.info.cell_id, EXERCISE.search(ended.info.raw_cell or "")
    exercise = int(marked[1]) if marked else _CELLS.get(cell)
    if exercise is None:
        return
    if cell:
        _CELLS[cell] = exercise
    error = ended.error_before_exec or ended.error_in_exec
    _RUNS[exercise] = _Run(_error_text(error) if error else "", dict(get_ipython().user_ns))


def check(
    exercise: int,
    answer: str | Callable[[], object],
    right: Callable[[Any], object],
    *,
    done: str,
    hint: str | Callable[[Any], str],
    start: object = None,
) -> Check:
    """Check the answer to an exercise. Never raises.

    It looks at the last run of the cell that begins with the comment ``# Exercise 1``, whatever other cells
    did since. If that run ended with an error, no value counts: it may be an old one.

    Args:
        exercise: Its number.
        answer: The name that the cell assigns, such as ``"entered"``; or what asks AWS.
        right: Takes the value, and returns whether it is right.
        done: Why a right answer is right, in a few words.
        hint: What to do next, in a sentence without its full stop; or a function that makes it of the value.
        start: The value that the cell has before anybody answers, if it is not empty.

    Returns:
        One line for the cell to show, such as ``○ not yet: Count the mails. Your answer is 3.``
    """
    found = _checked(exercise, answer, right, done=done, hint=hint, start=start)
    tell_board(f"exercise {exercise}", found.done)
    return found


def _checked(
    exercise: int,
    answer: str | Callable[[], object],
    right: Callable[[Any], object],
    *,
    done: str,
    hint: str | Callable[[Any], str],
    start: object,
) -> Check:
    """The line of `check`."""
    run = _RUNS.get(exercise)
    if run is None:
        what = _("You have not run the cell with the comment # Exercise {number}", number=exercise)
        return Check(
            what, False, _("Write your answer below that comment and run the cell, then run this check")
        )
    if run.error:
        what = _("Your cell ended with {error}", error=run.error)
        return Check(what, False, _("Change it and run it, then run this check"))
    value, problem = None, ""
    try:
        if isinstance(answer, str) and answer not in run.names:
            what = _("There is no answer yet: {name} has no value", name=answer)
            return Check(
                what, False, _("Assign it in the cell of the exercise and run it, then run this check")
            )
        value = _as_data(run.names[answer]) if isinstance(answer, str) else answer()
    except Exception as error:
        problem = _("Your answer cannot be read: {error}", error=_error_text(error))
    else:
        given = ""
        if isinstance(answer, str) and not _is_unanswered(value, start):
            given = _short(run.names[answer])
        try:
            if right(value):
                return Check(done, True, "")
            is_whole = given and "..." not in given  # a part of an answer helps nobody
            problem = _("Your answer is {answer}", answer=given) if is_whole else ""
        except Exception as error:
            texts = {"answer": given, "error": _error_text(error)}
            problem = _("Your answer is {answer}, and the check of it gave {error}", **texts) if given else ""
    try:
        next_step = hint if isinstance(hint, str) else hint(value)
    except Exception:
        next_step = _("Read the exercise again")
    return Check(next_step.rstrip(".。"), False, problem)  # the hint first: an answer may be long


#: The kinds of resource that lesson 99 asks for.
_KINDS: Final = ("role", "log group", "function", "topic", "table", "state machine", "subscription")


def _as_data(value: object) -> object:
    """An answer in the words of the data: 角色 is role, and full-width letters, digits and signs are narrow.

    Only texts of words change. A text that AWS or Python would read stays as it is.
    """
    if isinstance(value, str):
        narrow = unicodedata.normalize("NFKC", value)
        kinds = {in_words(kind): kind for kind in _KINDS}
        return kinds.get(narrow, narrow) if re.fullmatch(r"[\w ,:、-]+", narrow) else value
    match value:
        case list():
            return [_as_data(each) for each in value]
        case tuple():
            return tuple(map(_as_data, value))
        case set():
            return set(map(_as_data, value))
    return value


def _is_unanswered(value: object, start: object) -> bool:
    """Whether a value is the one that the exercise begins with."""
    try:
        return value is None or bool(value == start) or (isinstance(value, Sized) and len(value) == 0)
    except Exception:  # such as a table, which does not say whether it equals something
        return False


def _error_text(error: BaseException) -> str:
    """An error's name and its first line. If that line ends with a colon, the second line, too."""
    lines = str(error).strip().splitlines() or [""]
    message = " ".join(lines[: 1 + lines[0].endswith(":")]).rstrip(".。")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _short(value: object) -> str:
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
