"""Check the form of a JSONPath, and read the call of an intrinsic function.

See https://states-language.net#path and
https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from states_language.values import parsed

# How many arguments each function takes.
_ARGUMENTS: Final = {
    "Array": (0, math.inf),
    "Format": (1, math.inf),
    "MathRandom": (2, 3),
    "UUID": (0, 0),
    **dict.fromkeys(("ArrayLength", "ArrayUnique", "Base64Encode", "Base64Decode"), (1, 1)),
    **dict.fromkeys(("JsonToString", "StringToJson"), (1, 1)),
    **dict.fromkeys(("ArrayContains", "ArrayGetItem", "ArrayPartition"), (2, 2)),
    **dict.fromkeys(("Hash", "MathAdd", "StringSplit"), (2, 2)),
    **dict.fromkeys(("ArrayRange", "JsonMerge"), (3, 3)),
}
_SPACES: Final = re.compile(r"\s*")
_CALL: Final = re.compile(r"States\.(\w+)\(\s*")
# A backslash stands only before the four characters that need one.
_LITERAL: Final = re.compile(
    r"'([^'\\]|\\['{}\\])*'|-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?(?![\w.])|(true|false|null)\b", re.ASCII
)


@dataclass(frozen=True)
class Literal:
    """A string, a number, a truth value or null. The escapes of a string are still in it."""

    value: Any


@dataclass(frozen=True)
class Path:
    """A path to an argument."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call of an intrinsic function.

    Args:
        function: Its name without ``States.``.
        arguments: What it gets.
    """

    function: str
    arguments: "tuple[Call | Literal | Path, ...]"


_CLOSING: Final = {"[": "]", "(": ")"}


def is_path(text: str) -> bool:
    """Whether a text has the form of a JSONPath, such as ``$.a['b'][0]``, ``$$.Task`` or ``$name``."""
    return bool(text) and _path_end(text, 0, ends=" \t\n") == len(text) and not text.endswith(".")


def call(text: str) -> Call | None:
    """Read the call of an intrinsic function; None if it is none, or has a wrong number of arguments."""
    if (found := _call(text, 0)) and found[1] == len(text):
        return found[0]
    return None


def is_path_or_call(text: str) -> bool:
    """Whether a field may read this, if its name ends with ``.$``."""
    return is_path(text) or call(text) is not None


def _path_end(text: str, at: int, *, ends: str) -> int:
    """The index after the path that begins at an index; -1 if there is none.

    Args:
        text: The text.
        at: The index of the first dollar sign.
        ends: The characters that end a path if they are in no brackets.
    """
    open_brackets, quote = "", ""
    if not text.startswith("$", at):
        return -1
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif open_brackets and character in "'\"":
            quote = character
        elif character in _CLOSING:
            open_brackets += _CLOSING[character]
        elif character in "])" and open_brackets:
            if open_brackets[-1] != character:
                return -1
            open_brackets = open_brackets[:-1]
        elif not open_brackets and character in ends:
            break
        at += 1
    return -1 if open_brackets or quote else at


def _call(text: str, at: int) -> tuple[Call, int] | None:
    """The call that begins at an index, and the index after it."""
    if not (match := _CALL.match(text, at)) or match[1] not in _ARGUMENTS:
        return None
    at, arguments = match.end(), list[Call | Literal | Path]()
    while not text.startswith(")", at):
        if arguments:
            if not text.startswith(",", at):
                return None
            at = _SPACES.match(text, at + 1).end()  # type: ignore[union-attr]
        if literal := _LITERAL.match(text, at):
            its_text, at = literal[0], literal.end()
            try:
                arguments.append(Literal(its_text[1:-1] if its_text[0] == "'" else parsed(its_text)))
            except ValueError:  # a number is too large
                return None
        elif inner := _call(text, at):
            arguments.append(inner[0])
            at = inner[1]
        elif (end := _path_end(text, at, ends=" \t\n,)")) > at:
            arguments.append(Path(text[at:end]))
            at = end
        else:
            return None
        at = _SPACES.match(text, at).end()  # type: ignore[union-attr]
    least, most = _ARGUMENTS[match[1]]
    return (Call(match[1], tuple(arguments)), at + 1) if least <= len(arguments) <= most else None
