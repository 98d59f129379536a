"""Match events with patterns as EventBridge does. Nothing here makes a call.

moto's matcher uses a user's wildcard as a regular expression, which may take very long. It also lets a true
match a 1, and accepts most patterns that AWS refuses.

See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

import ipaddress
import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from sfn_emulator.iam.policy import in_order

Leaves = Mapping[str, list[Any]]
"""The values of an event by their paths, such as ``"detail.status"``. Those of an array are together."""

_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
}
_SPECIAL: Final = re.compile(r"\\([*\\])|(\*)")
#: What anything-but may have inside, and what AWS says if that is no text.
_IN_ANYTHING_BUT: Final = {
    **dict.fromkeys(("prefix", "suffix"), "prefix/suffix match pattern must be a string"),
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not "
    "supported.",
    "wildcard": "wildcard match pattern must be a string",
}


class PatternError(Exception):
    """EventBridge refuses a pattern, for this reason."""


def parsed(text: str) -> dict[str, Any]:
    """The pattern of a rule.

    Raises:
        PatternError: In AWS's words.
    """
    try:
        pattern = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PatternError("Filter is not valid JSON") from error
    if not isinstance(pattern, dict):
        raise PatternError("Filter is not an object")
    _check(pattern)
    return pattern


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event matches a pattern that `parsed` accepted."""
    leaves: dict[str, list[Any]] = {}
    for path, value in _leaves(event, ""):
        leaves.setdefault(path, []).append(value)
    return _all_match(pattern, leaves, "")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    else:
        yield path, value


def _all_match(pattern: Mapping[str, Any], leaves: Leaves, path: str) -> bool:
    def fits(name: str, wanted: Any) -> bool:
        if _is_or(name, wanted):
            return any(_all_match(each, leaves, path) for each in wanted)
        where = f"{path}.{name}" if path else name
        if isinstance(wanted, dict):
            return _all_match(wanted, leaves, where)
        return any(_fits(each, leaves.get(where, [])) for each in wanted)

    return all(fits(name, wanted) for name, wanted in pattern.items())


def _is_or(name: str, wanted: Any) -> bool:
    return name == "$or" and isinstance(wanted, list) and all(isinstance(each, dict) for each in wanted)


def _fits(wanted: Any, values: list[Any]) -> bool:
    """Whether a field that has these values, or none, matches one member of a list in a pattern."""
    if not isinstance(wanted, dict):
        return any(_same(wanted, value) for value in values)
    kind, limit = next(iter(wanted.items()))
    if kind == "exists":
        return bool(values) is limit
    return any(_operates(kind, limit, value) for value in values)


def _operates(kind: str, limit: Any, value: Any) -> bool:
    match kind, limit:
        case "anything-but", dict():
            inner, texts = next(iter(limit.items()))
            return not any(_operates(inner, text, value) for text in _listed(texts))
        case "anything-but", _:
            return not any(_same(each, value) for each in _listed(limit))
        case "numeric", _:
            pairs = zip(limit[::2], limit[1::2], strict=True)
            return _is_number(value) and all(_COMPARISONS[sign](value, number) for sign, number in pairs)
    if not isinstance(value, str):
        return False
    if isinstance(limit, dict):  # {"prefix": {"equals-ignore-case": "..."}}
        limit, value = limit["equals-ignore-case"].lower(), value.lower()
    return _TEXTS[kind](limit, value)


def _in_network(network: str, text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _glob(pattern: str, text: str) -> bool:
    """Whether a text has the parts of a pattern between its stars, in this order. Takes linear time."""
    parts, end = [""], 0
    for match in _SPECIAL.finditer(pattern):
        parts[-1] += re.escape(pattern[end : match.start()] + (match[1] or ""))
        end = match.end()
        if match[2]:
            parts.append("")
    parts[-1] += re.escape(pattern[end:])
    return in_order(parts).fullmatch(text) is not None


_TEXTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "prefix": lambda limit, text: text.startswith(limit),
    "suffix": lambda limit, text: text.endswith(limit),
    "equals-ignore-case": lambda limit, text: text.lower() == limit.lower(),
    "wildcard": _glob,
    "cidr": _in_network,
}


def _same(wanted: Any, value: Any) -> bool:
    """JSON's equality: true is not 1, and 1 is 1.0."""
    return isinstance(wanted, bool) is isinstance(value, bool) and wanted == value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check(pattern: Mapping[str, Any]) -> None:
    for name, wanted in pattern.items():
        if _is_or(name, wanted):
            for each in wanted:
                _check(each)
        elif isinstance(wanted, dict):
            _check(wanted)
        elif not isinstance(wanted, list):
            raise PatternError(f'"{name}" must be an object or an array')
        elif not wanted:
            raise PatternError("Empty arrays are not allowed")
        else:
            for each in wanted:
                if isinstance(each, list):
                    raise PatternError("Match value must be String, number, true, false, or null")
                if isinstance(each, dict):
                    _check_operator(each)


def _check_operator(wanted: Mapping[str, Any]) -> None:
    kind, limit = next(iter(wanted.items()), ("", None))
    match kind:
        case "exists":
            if not isinstance(limit, bool):
                raise PatternError("exists match pattern must be either true or false.")
        case "prefix" | "suffix" if isinstance(limit, dict) and "equals-ignore-case" in limit:
            _check_text(kind, limit["equals-ignore-case"], f"{kind} match pattern must be a string")
        case "numeric":
            _check_numeric(limit)
        case "anything-but":
            _check_anything_but(limit)
        case _ if kind in _TEXTS:
            name = "prefix" if kind == "cidr" else kind
            _check_text(kind, limit, f"{name} match pattern must be a string")
        case _:
            raise PatternError(f"Unrecognized match type {kind}")


def _check_anything_but(limit: Any) -> None:
    neither = "Value of anything-but must be an array or single string/number value."
    if not isinstance(limit, dict):
        if limit == [] or not all(isinstance(each, str) or _is_number(each) for each in _listed(limit)):
            is_list = isinstance(limit, list)
            inside = "Inside anything but list, start|null|boolean is not supported."
            raise PatternError(inside if is_list else neither)
        return
    kind, texts = next(iter(limit.items()), ("", None))
    if kind in {"prefix", "suffix", "wildcard"} and isinstance(texts, dict):
        raise PatternError(neither)
    if kind not in _IN_ANYTHING_BUT:
        raise PatternError(f"Unsupported anything-but pattern: {kind}")
    for text in _listed(texts):
        _check_text(kind, text, _IN_ANYTHING_BUT[kind])
        if not text and kind in {"prefix", "suffix"}:
            raise PatternError("Null prefix/suffix not allowed")


def _check_text(kind: str, limit: Any, reason: str) -> None:
    if not isinstance(limit, str):
        raise PatternError(reason)
    if kind == "wildcard":
        stars = [match.start() for match in _SPECIAL.finditer(limit) if match[2]]
        for star, following in pairwise(stars):
            if following == star + 1:
                raise PatternError(f"Consecutive wildcard characters at pos {following}")
    if kind == "cidr":
        address, slash, bits = limit.partition("/")
        if "/" in bits or not (slash or _is_address(limit)):
            raise PatternError("Malformed CIDR, one '/' required")
        if slash and not bits.isdecimal():
            raise PatternError("Malformed CIDR, mask bits must be an integer")
        if not _is_address(address):
            raise PatternError(f"Nonstandard IP address: {address}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _check_numeric(limit: Any) -> None:
    if not isinstance(limit, list):
        raise PatternError("Value of numeric must be an array.")
    numbers = limit[1::2]
    for place, sign in enumerate(limit[::2]):
        # A range has a lower limit and then an upper limit.
        if place > 1 or (place == 1 and not str(limit[0]).startswith(">")):
            raise PatternError("Too many terms in numeric range expression")
        if sign not in ((">", ">=", "<", "<=", "=") if place == 0 else ("<", "<=")):
            known = isinstance(sign, str) and sign in _COMPARISONS
            reason = "Bad numeric range operator" if known else "Unrecognized numeric range operator"
            raise PatternError(f"{reason}: {sign}")
        if place >= len(numbers) or not _is_number(numbers[place]):
            raise PatternError(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    if not limit:
        raise PatternError("Invalid member in numeric match: ]")
