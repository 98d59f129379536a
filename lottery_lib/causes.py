"""Say in the attendee's language why a draw failed.

The functions run on AWS, which knows no attendee's language, so their errors are English. An execution's
history, `--json` and a DataFrame keep them. Only what a person reads is translated.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from lottery_lib.translation import N_, TRANSLATIONS, language, translated

_FUNCTIONS: Final = TRANSLATIONS.parent / "lambdas"
#: The causes that the kit itself gives to AWS.
CANCELLED: Final = N_("The draw was cancelled by hand")
STOPPED: Final = N_("Stopped by hand")
TORN_DOWN: Final = N_("Stopped by the teardown of the lottery")

#: A part that a message of the functions may have.
_RECORDED: Final = N_(", {0} of whom this draw has recorded")


def messages() -> Iterator[tuple[str, Path]]:
    """The messages of the functions' errors, such as ``"There is no prize {0}."``, with their modules."""
    for path in sorted(_FUNCTIONS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=error), args=[message]) if error[0].isupper():
                    texts = [message.body, message.orelse] if isinstance(message, ast.IfExp) else [message]
                    yield from ((text, path) for text in map(_template, texts) if " " in text)


def _template(message: ast.expr) -> str:
    """A string of a program, with a number in braces for each of its expressions; empty for other code."""
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    text, count = "", 0
    for part in parts:
        if isinstance(part, ast.FormattedValue):
            text, count = f"{text}{{{count}}}", count + 1
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            text += part.value.replace("{", "{{").replace("}", "}}")
    return text if re.search("[a-z]", text) else ""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """By its message: what a cause looks like, perhaps with the kit's advice after it."""
    found = {}
    for text in (CANCELLED, STOPPED, TORN_DOWN, _RECORDED, *dict(messages())):
        words = [re.escape(part.format()) for part in re.split(r"\{\d+\}", text.rstrip("."))]
        found[text] = re.compile("(.*?)".join(words) + "(?:[.。] ?([\u4e00-\u9fff].*)?)?", re.DOTALL)
    return found


def cause_in_words(cause: str) -> str:
    """A cause as people read it. One that is neither a function's nor the kit's stays as it is."""
    if language() == "en":
        return cause
    for text, pattern in _patterns().items():
        if found := pattern.fullmatch(cause):
            *values, advice = found.groups("")
            return translated(language(), text).format(*map(cause_in_words, values)) + advice
    return cause
