"""Say in one line whether something is done, and what to do if it is not."""

import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from IPython.core.getipython import get_ipython

from lottery_lib.texts import PLAIN, escaped
from lottery_lib.translation import _

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 70
_LONGEST: Final = 200  # a whole state machine would hide the hint after it
# A badge has its own background, so that it can be read in JupyterLab's dark theme, too.
_BADGE: Final = '<span style="background: {}; color: {}; padding: 1px 6px; border-radius: 8px">{}</span>'
_DONE: Final = _BADGE.format("#d4f0d9", "#0b5a00", _("✓ done"))
_NOT_YET: Final = _BADGE.format("#ffe3c2", "#7a3e00", _("○ not yet"))


@dataclass(frozen=True, repr=False)
class Check:
    """One thing to do: whether it is done, and the next step if it is not.

    Attributes:
        cell_error: The error with which the attendee's own cell ended, if this is the check of an exercise.
    """

    what: str
    done: bool
    next_step: str
    cell_error: str = ""

    def __repr__(self) -> str:
        mark = _("✓ done") if self.done else _("○ not yet")
        return _("{key}: {value}", key=mark, value=self._rest)

    @property
    def _rest(self) -> str:
        if self.done:
            return self.what
        return _("{what}. {next_step}.", what=self.what, next_step=self.next_step)

    def _repr_html_(self) -> str:
        return f'<div class="{PLAIN}">{_DONE if self.done else _NOT_YET} {escaped(self._rest)}</div>'


class Checks(list[Check]):
    """The checks of a lesson, one line each."""

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or _("Nothing to build in this lesson.")

    def _repr_html_(self) -> str:
        return "".join(check._repr_html_() for check in self) or repr(self)


def check(
    answer: Callable[[], object],
    right: Callable[[Any], object],
    *,
    done: str,
    hint: str | Callable[[Any], str],
) -> Check:
    """Check the answer to an exercise. Never raises.

    If the attendee's own cell ended with an error, no value counts: it may be an old one.

    Args:
        answer: Reads the attendee's value, such as ``lambda: entered``, or asks AWS for it.
        right: Takes the value, and returns whether it is right.
        done: Why a right answer is right, in a few words.
        hint: What to do next, in a sentence without its full stop; or a function that makes it of the value.

    Returns:
        One line for the cell to show, such as ``○ not yet: Count the mails. Your answer is 3.``
    """
    if cell_error := _error_of_cell():
        what = _("Your cell ended with {error}", error=cell_error)
        return Check(what, False, _("Change it and run it, then run this check"), cell_error)
    value: Any = None
    try:
        value = answer()
    except NameError as error:
        what = _("There is no answer yet: {error}", error=error)
        return Check(what, False, _("Run the cell of the exercise, then run this check"))
    except Exception as error:
        problem = _("Your answer cannot be read: {error}", error=_error_text(error))
    else:
        try:
            if right(value):
                return Check(done, True, "")
            problem = _("Your answer is {answer}", answer=_short(value))
        except Exception as error:
            texts = {"answer": _short(value), "error": _error_text(error)}
            problem = _("Your answer is {answer}, and the check of it gave {error}", **texts)
    try:
        next_step = hint if isinstance(hint, str) else hint(value)
    except Exception:
        next_step = _("Read the exercise again")
    return Check(next_step.rstrip(".。"), False, problem)  # the hint first: an answer may be long


def _error_of_cell() -> str:
    """The error with which the attendee's cell ended; empty if it ran, or outside IPython."""
    last = getattr(get_ipython(), "last_execution_result", None)  # of the cell before the one that runs
    if last is None:
        return ""
    if isinstance(last.result, Check):  # the check ran twice, and the attendee's cell did not run between
        return last.result.cell_error
    error = last.error_before_exec or last.error_in_exec
    return _error_text(error) if error else ""


def _error_text(error: BaseException) -> str:
    """An error's name and its first line. If that line ends with a colon, the second line, too."""
    lines = str(error).strip().splitlines() or [""]
    message = " ".join(lines[: 1 + lines[0].endswith(":")]).rstrip(".。")
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _short(value: object) -> str:
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
