"""Decide whether the conditions of a policy's statement hold; pure.

Some operators and some keys are known here. What is not known makes a condition one that cannot be decided,
unless another condition of the statement fails anyway. `iam_policy` then decides against the caller.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

__all__ = ["KEYS", "Context", "glob", "holds", "texts"]

Context = Mapping[str, str]
"""The values of condition keys, by their names in lower case."""

#: The keys whose values the emulator knows; where one of them is not in a context, AWS has no value either.
KEYS: Final = frozenset(
    {
        "aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:requestedregion",
        "aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:username",
        "iam:passedtoservice", "iam:policyarn",
    }
)  # fmt: skip
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_TOKEN: Final = re.compile(r"\$\{(?P<name>[^}]*)\}|(?P<wild>[*?])|(?P<text>[^*?$]+|\$)")


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool | None:
    """Whether all conditions of a statement hold; None when that cannot be decided."""
    answers = {
        _answer(operator, key.lower(), texts(wanted), context)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    }
    if False in answers:
        return False
    return None if None in answers else True


def texts(value: Any) -> list[str]:
    """The texts of an element that may be one or a list."""
    each = value if isinstance(value, list) else [] if value is None else [value]
    return [str(text).lower() if isinstance(text, bool) else str(text) for text in each]


def glob(pattern: str, text: str, context: Context, *, any_case: bool = False) -> bool:
    """Whether a policy's pattern means a text.

    It may have ``*``, ``?`` and variables such as ``${aws:username}``; with one that has no value, it means
    nothing.
    """
    if "${" not in pattern:
        return _compiled(pattern, any_case).fullmatch(text) is not None
    expression = _expression(pattern, context)
    return expression is not None and re.fullmatch(expression, text, _flags(any_case)) is not None


def _answer(operator: str, key: str, wanted: list[str], context: Context) -> bool | None:
    base = operator.removesuffix("IfExists")
    positive = base.replace("Not", "", 1)
    if key not in KEYS or (positive not in _TESTS and base != "Null"):
        return None
    value = context.get(key)
    if base == "Null":
        return ("true" if value is None else "false") in [text.lower() for text in wanted]
    negated = positive != base
    if value is None:
        return negated or base != operator
    if any(_filled(each, context) is None for each in wanted):
        return None
    return any(_TESTS[positive](each, value, context) for each in wanted) != negated


def _equals(wanted: str, value: str, context: Context) -> bool:
    return _filled(wanted, context) == value


def _equals_any_case(wanted: str, value: str, context: Context) -> bool:
    return str(_filled(wanted, context)).lower() == value.lower()


def _arn_like(wanted: str, value: str, context: Context) -> bool:
    if "${" in wanted:  # the colon of a variable parts nothing
        return glob(wanted, value, context)
    patterns, parts = wanted.split(":", 5), value.split(":", 5)
    return len(patterns) == len(parts) == 6 and all(
        glob(pattern, part, context) for pattern, part in zip(patterns, parts, strict=True)
    )


_TESTS: Final[Mapping[str, Callable[[str, str, Context], bool]]] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_any_case,
    "StringLike": glob,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _equals_any_case,
}


def _filled(text: str, context: Context) -> str | None:
    """A text without wildcards, its variables replaced; None where one has no value."""
    if None in (_value(name, context) for name in _VARIABLE.findall(text)):
        return None
    return _VARIABLE.sub(lambda match: str(_value(match[1], context)), text)


def _value(name: str, context: Context) -> str | None:
    return name if name in {"*", "?", "$"} else context.get(name.lower())


def _expression(pattern: str, context: Context) -> str | None:
    parts = []
    for match in _TOKEN.finditer(pattern):
        if match["wild"]:
            parts.append(".*" if match["wild"] == "*" else ".")
            continue
        text = match["text"] if match["name"] is None else _value(match["name"], context)
        if text is None:
            return None
        parts.append(re.escape(text))
    return "".join(parts)


@lru_cache(16384)
def _compiled(pattern: str, any_case: bool) -> re.Pattern[str]:
    return re.compile(_expression(pattern, {}) or "", _flags(any_case))


def _flags(any_case: bool) -> re.RegexFlag:
    return re.DOTALL | (re.IGNORECASE if any_case else re.RegexFlag(0))
