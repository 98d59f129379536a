"""Say in one line whether something is done, and what to do if it is not."""

import ast
import contextlib
import json
import re
import reprlib
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from IPython.core.getipython import get_ipython
from IPython.core.inputtransformer2 import TransformerManager

from lottery_course.cells import EXERCISE, code_cells
from lottery_course.progress import lesson_begun, tell
from lottery_lib.harmless import PLAIN, escaped
from lottery_lib.resources.base import in_words
from lottery_lib.translation import _, languages, punctuated

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 70
_LONGEST: Final = 200  # a whole state machine would hide the hint after it
# An untrusted notebook removes styles, but not those at the word. The class is for JupyterLab's dark theme.
_BADGE: Final = (
    '<span class="lottery-{}" style="background: {}; color: {}; padding: 1px 6px; border-radius: 8px">'
    "{}</span>"
)
_DONE = ("done", "#d4f0d9", "#0b5a00")
_NOT_YET, _LEFT_OUT = ("not-yet", "#ffe3c2", "#7a3e00"), ("left-out", "#e6e6e6", "#333333")


@dataclass(frozen=True, repr=False)
class Check:
    """One thing to do: whether it is done, and the next step if it is not.

    What the learner leaves out (`left_out`) counts as done, and says so.
    """

    what: str
    done: bool
    next_step: str
    left_out: bool = False

    @property
    def mark(self) -> str:
        """The word in front of the line, with its sign."""
        if self.left_out:
            return _("– left out")
        return _("✓ done") if self.done else _("○ not yet")

    def __repr__(self) -> str:
        return punctuated("{key}: {value}", key=self.mark, value=self._rest)

    @property
    def _rest(self) -> str:
        if self.done:
            return self.what
        if not self.next_step:
            return punctuated("{facts}.", facts=self.what)
        return punctuated("{what}. {next_step}.", what=self.what, next_step=self.next_step)

    def _repr_html_(self) -> str:
        colors = _LEFT_OUT if self.left_out else _DONE if self.done else _NOT_YET
        badge = _BADGE.format(*colors, self.mark)
        return _line(f"{badge} {_with_code(self._rest)}")


class Checks(list[Check]):
    """The checks of a lesson, one line each; below them, perhaps a sentence about all of them."""

    note = ""

    def __repr__(self) -> str:
        lines = [*map(str, self), *filter(None, [self.note])]
        return "\n".join(lines) or _("Nothing to build in this lesson.")

    def _repr_html_(self) -> str:
        note = _line(_with_code(self.note)) if self.note else ""
        return "".join(check._repr_html_() for check in self) + note or repr(self)


def _line(html: str) -> str:
    return f'<div class="{PLAIN}">{html}</div>'


def _with_code(text: str) -> str:
    return re.sub("`(.+?)`", r"<code>\1</code>", escaped(text))


class Ready(str):
    """A sentence that a notebook shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class _Run:
    """The cell of an exercise when it ran last: its code, its error, and what each name stood for then."""

    source: str
    error: str
    names: dict[str, Any]


_RUNS: Final[dict[int, _Run]] = {}
#: The exercises that a check has found right since the lesson began.
_SOLVED: Final[set[int]] = set()
#: The exercises whose file somebody has changed.
_EDITED: Final[set[int]] = set()
#: The exercise of each cell, by the cell's id: a solution that is put over all of it may lack the comment.
_CELLS: Final[dict[str, int]] = {}


def watch_exercises() -> None:
    """From now on, remember how the cells of exercises end. What was before is forgotten."""
    _RUNS.clear()
    _SOLVED.clear()
    _EDITED.clear()
    if shell := get_ipython():
        shell.events.register("post_run_cell", _remember)  # once, if it is registered already


def _remember(ended: Any) -> None:
    if not ended.info:
        return
    cell, source = ended.info.cell_id, ended.info.raw_cell or ""
    marked = EXERCISE.search(source)
    exercise = int(marked[1]) if marked else _CELLS.get(cell)
    if exercise is None:
        return
    if cell:
        _CELLS[cell] = exercise
    error = ended.error_before_exec or ended.error_in_exec
    _RUNS[exercise] = _Run(source, _error_text(error) if error else "", dict(get_ipython().user_ns))


@cache
def _exercises(lesson: str) -> Mapping[int, Container[str]]:
    """The exercises of a lesson: the code of each one's cell before anybody answers, in all languages."""
    codes = defaultdict(set)
    for language in ("en", *languages()):
        for cell in code_cells(lesson, language):
            if cell.exercise:
                codes[cell.exercise].add(_code(cell.source))
    return codes


def _code(source: str) -> str:
    """What a cell does, whatever its comments and blank lines."""
    try:
        return ast.dump(ast.parse(TransformerManager().transform_cell(source)))
    except (SyntaxError, ValueError):
        return source


def _is_tried(exercise: int) -> bool:
    """Whether somebody has written into the cell of an exercise, and run it; or has changed its file."""
    run = _RUNS.get(exercise)
    if run is None or exercise in _EDITED:
        return exercise in _EDITED
    with contextlib.suppress(OSError, ValueError, KeyError):  # nobody can read the lesson: then give the hint
        return _code(run.source) not in _exercises(lesson_begun()).get(exercise, ())
    return True


def exercises(lesson: str, without: Container[int]) -> dict[int, Check]:
    """The exercises of a lesson, by their numbers, as `verify` lists them. Only solved ones are done.

    Args:
        lesson: Its two digits.
        without: The numbers of those that the learner leaves out.
    """
    is_here, checks = lesson == lesson_begun(), {}
    for number in sorted(_exercises(lesson)):
        what = _("exercise {number}", number=number)
        if is_here and number in _SOLVED:
            checks[number] = Check(what, True, "")
        elif number in without:
            checks[number] = Check(what, True, "", left_out=True)
        elif is_here and _is_tried(number):
            what = _("exercise {number} is not solved", number=number)
            checks[number] = Check(what, False, _("Run its check: it says what to do"))
        else:
            what = _(
                "you have not tried exercise {number} since the first cell of this lesson ran", number=number
            )
            step = _("Answer it in its cell, then run its check")
            checks[number] = Check(what, False, step)
    return checks


def check(
    exercise: int,
    answer: str | Path | Callable[[], object],
    right: Callable[[Any], object],
    *,
    done: str,
    hint: str | Callable[[Any], str],
    begun: str | Mapping[str, object] = "",
) -> Check:
    """Check the answer to an exercise. Never raises.

    It looks at the last run of the cell that begins with the comment ``# Exercise 1``, whatever other cells
    did since. If that run ended with an error, no value counts: it may be an old one. There is no hint until
    somebody has written into the cell.

    Args:
        exercise: Its number.
        answer: The name that the cell assigns, such as ``"entered"``; or what asks AWS; or the path of a file
            that somebody edits: its value is its text, or what its JSON holds.
        right: Takes the value, and returns whether it is right.
        done: Why a right answer is right, in a few words.
        hint: What to do next, in a sentence without its full stop, or a question; or a function that makes it
            of the value.
        begun: What the file holds before anybody has changed it; or the states that this exercise changes, if
            others change other states.

    Returns:
        One line for the cell to show, such as ``○ not yet: Count the mails. Your answer is 3.``
    """
    untried = _("Write your answer into its cell and run it, then run this check")
    if isinstance(answer, Path):
        untried = _("Change the file and save it, then run this check")
        answer = _file(exercise, answer, begun)
    result = _checked(exercise, answer, right, done=done, hint=hint, untried=untried)
    if result.done:
        _SOLVED.add(exercise)
    if result.done or _is_tried(exercise):
        tell(f"exercise {exercise}", result.done)
    return result


def _file(exercise: int, path: Path, begun: str | Mapping[str, object]) -> Callable[[], object]:
    """What reads the file of an exercise, and notices whether somebody has changed it."""

    def read() -> object:
        text = path.read_text(encoding="utf-8")
        _EDITED.add(exercise)
        if isinstance(begun, str) and text.strip() == begun.strip():
            _EDITED.discard(exercise)
        value: Any = json.loads(text) if path.suffix == ".json" else text
        with contextlib.suppress(TypeError, KeyError):  # then it is no state machine any more
            if isinstance(begun, Mapping) and all(value["States"][name] == begun[name] for name in begun):
                _EDITED.discard(exercise)
        return value

    return read


def _checked(
    exercise: int,
    answer: str | Callable[[], object],
    right: Callable[[Any], object],
    *,
    done: str,
    hint: str | Callable[[Any], str],
    untried: str,
) -> Check:
    """The line of `check`."""
    run = _RUNS.get(exercise)
    if run is None:
        what = _("You have not run the cell with the comment # Exercise {number}", number=exercise)
        return Check(
            what, False, _("Write that line, and your answer below it; run the cell, then run this check")
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
        shown = _short(run.names[answer]) if isinstance(answer, str) and not callable(value) else ""
        try:
            if right(value):
                return Check(done, True, "")
            is_whole = shown and "..." not in shown  # a part of an answer helps nobody
            problem = _("Your answer is {answer}", answer=shown) if is_whole else ""
        except Exception as error:
            texts = {"answer": shown, "error": _error_text(error)}
            problem = _("Your answer is {answer}, and the check of it gave {error}", **texts) if shown else ""
    if not _is_tried(exercise):
        what = _("You have not tried this exercise")
        return Check(what, False, untried)
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


def _error_text(error: BaseException) -> str:
    """An error's name, its first line, and what was added to it; a second line after a line with a colon."""
    if isinstance(error, SyntaxError) and error.lineno:  # its text names a file that nobody knows
        sentence = _("{message}, in line {line}", message=error.msg, line=error.lineno)
        return f"{type(error).__name__}: {sentence}"
    lines = str(error).strip().splitlines() or [""]
    message = " ".join(lines[: 1 + lines[0].endswith(":")]).rstrip(".。")
    for note in getattr(error, "__notes__", ()):
        message = punctuated("{message}. {note}", message=message, note=note.rstrip(".。"))
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _short(value: object) -> str:
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
