"""The rules of a Choice in JSONPath.

See https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
"""

import fnmatch
import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from states_language.failures import runtime
from states_language.fields import View, timestamp
from states_language.jsonpath import PathError
from states_language.values import is_number

Json = Any


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_moment(value: Json) -> bool:
    return timestamp(value) is not None


_TYPES: Final[Mapping[str, Callable[[Json], bool]]] = {
    "IsNull": lambda value: value is None,
    "IsBoolean": lambda value: isinstance(value, bool),
    "IsNumeric": is_number,
    "IsString": _is_text,
    "IsTimestamp": _is_moment,
}
#: Of each kind of comparison: which values it compares, and as what.
_KINDS: Final[Mapping[str, tuple[Callable[[Json], bool], Callable[[Json], Any]]]] = {
    "String": (_is_text, lambda value: value),
    "Numeric": (is_number, lambda value: value),
    "Boolean": (lambda value: isinstance(value, bool), lambda value: value),
    "Timestamp": (_is_moment, timestamp),
}
_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "Equals": eq,
    "GreaterThan": gt,
    "GreaterThanEquals": ge,
    "LessThan": lt,
    "LessThanEquals": le,
}
_COMPARISON: Final = re.compile(r"(String|Numeric|Boolean|Timestamp)(\w+?)(Path)?")


def is_true(rule: Mapping[str, Any], view: View, data: Json) -> bool:
    """Whether a rule, or a part of one, holds.

    Args:
        rule: ``And``, ``Or``, ``Not``, or a ``Variable`` with one comparison.
        view: What the state can read.
        data: Its input after InputPath.

    Raises:
        Failure: States.Runtime: a variable is missing.
    """
    if "And" in rule:
        return all(is_true(each, view, data) for each in rule["And"])
    if "Or" in rule:
        return any(is_true(each, view, data) for each in rule["Or"])
    if "Not" in rule:
        return not is_true(rule["Not"], view, data)
    name, wanted = next((name, value) for name, value in rule.items() if name.startswith(("Is", *_KINDS)))
    path = rule["Variable"]
    try:
        value = view.find(path, data)
    except PathError:
        if name == "IsPresent":
            return wanted is False
        raise _invalid(path) from None
    return wanted is True if name == "IsPresent" else _holds(name, value, wanted, view, data)


def _holds(name: str, value: Json, wanted: Json, view: View, data: Json) -> bool:
    """Whether a comparison holds, such as ``NumericEquals`` or ``IsString``."""
    if name in _TYPES:
        return _TYPES[name](value) is wanted
    if name == "StringMatches":
        return _is_text(value) and matches(value, wanted)
    kind, operator, is_path = _COMPARISON.fullmatch(name).groups()  # type: ignore[union-attr]
    if is_path:
        try:
            wanted = view.find(wanted, data)
        except PathError:
            raise _invalid(wanted) from None
    fits, convert = _KINDS[kind]
    return fits(value) and fits(wanted) and _OPERATORS[operator](convert(value), convert(wanted))


def _invalid(path: str) -> Exception:
    return runtime(f"Invalid path '{path}': The choice state's condition path references an invalid value.")


def matches(text: str, pattern: str) -> bool:
    r"""Whether a text fits a pattern of StringMatches: ``*`` is any text, ``\*`` an asterisk."""
    parts = re.split(r"(\\.|\*)", pattern, flags=re.DOTALL)
    literal = ["*" if part == "*" else fnmatch_escaped(part.removeprefix("\\")) for part in parts]
    return fnmatch.fnmatchcase(text, "".join(literal))


def fnmatch_escaped(text: str) -> str:
    """A text that stands for itself in `fnmatch`."""
    return re.sub(r"([*?[])", r"[\1]", text)
