"""JSON values: as text in AWS's form, equal or not, and too large or not."""

import json
import math
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

Json = Any

#: The largest input or output, in bytes of its JSON.
LARGEST: Final = 262_144


def compact(value: Json) -> str:
    """A value as JSON in AWS's form: without spaces, and letters of all languages as they are."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text if text.isascii() else text.encode(errors="replace").decode()


def shown(value: Json) -> str:
    """A value in a sentence: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else compact(value)


def parsed(text: str, **hooks: Any) -> Json:
    """The value of a JSON text. Python's own reader also takes NaN, Infinity, and numbers that become it.

    Args:
        text: The text.
        **hooks: Those of `json.loads`.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, **{"parse_float": finite, "parse_constant": _constant, **hooks})


def finite(text: str) -> float:
    """A number with a fraction or an exponent.

    Raises:
        ValueError: It is too large.
    """
    if math.isinf(value := float(text)):
        raise ValueError(f"The number {text} is too large")
    return value


def _constant(token: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{token}'")


def is_number(value: Json) -> bool:
    """Whether a value is a number. In Python, true is one, too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_too_large(text: str) -> bool:
    """Whether a text has more than 256 KiB. A letter has four bytes at most."""
    return len(text) > LARGEST // 4 and len(text.encode()) > LARGEST


def moment(seconds: float) -> str:
    """A time, in seconds since 1970, as the context object has it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def same(left: Json, right: Json) -> bool:
    """Whether two values are equal as JSON: true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right) and not (isinstance(left, float) and math.isnan(left))
