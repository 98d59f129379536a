"""The intrinsic functions of JSONPath states, such as ``States.Format``.

See https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html
"""

import base64
import hashlib
import json
import math
import random
import re
from collections.abc import Callable
from typing import Any, Final

from states_language.paths import Call, Literal, Path
from states_language.values import compact, is_number, parsed, same

Json = Any
_LONGEST: Final = 10_000  # characters that Base64 and Hash take
_MOST_ITEMS: Final = 1_000  # that ArrayRange makes
_HASHES: Final = ("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512")


class IntrinsicError(Exception):
    """A function cannot do its work. The text is the end of AWS's sentence about it."""


def evaluate(
    call: Call, read: Callable[[str], Json], random_source: random.Random, new_id: Callable[[], str]
) -> Json:
    """The value of a call.

    Args:
        call: As `paths.call` reads it.
        read: Gives the value at a path, which begins with a dollar sign.
        random_source: For ``States.MathRandom``.
        new_id: For ``States.UUID``.

    Raises:
        IntrinsicError: A function refuses its arguments.
    """
    if call.function == "UUID":
        return new_id()
    values = []
    for argument in call.arguments:
        if isinstance(argument, Call):
            values.append(evaluate(argument, read, random_source, new_id))
        elif isinstance(argument, Path):
            values.append(read(argument.text))
        else:
            values.append(argument.value)
    if call.function == "MathRandom":
        return _applied(_math_random, random_source, *values)
    texts = [
        _unescaped(value) if isinstance(argument, Literal) and isinstance(value, str) else value
        for argument, value in zip(call.arguments, values, strict=True)
    ]
    if call.function == "Format":  # it reads the escapes itself
        texts[0] = values[0]
    return _applied(_FUNCTIONS[call.function], *texts)


def _applied(function: Callable[..., Json], *arguments: Any) -> Json:
    try:
        return function(*arguments)
    except (TypeError, ValueError, ArithmeticError, MemoryError, RecursionError) as error:
        raise IntrinsicError("it does not take these arguments") from error


def _unescaped(text: str) -> str:
    return re.sub(r"\\(['{}\\])", r"\1", text)


def _need(fits: bool, text: str) -> None:
    if not fits:
        raise IntrinsicError(text)


def _integer(value: Json) -> int:
    _need(is_number(value) and math.isfinite(value), f"Expected an integer but was: {text_of(value)}")
    return math.floor(value + 0.5) if isinstance(value, float) else int(value)


def text_of(value: Json) -> str:
    """A value as ``States.Format`` writes it: an object is ``{a=1, b=[]}``, as in Java."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={text_of(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _format(template: Json, *values: Json) -> str:
    _need(isinstance(template, str), f"Expected a string but was: {text_of(template)}")
    parts = re.split(r"((?:\\.)|\{\})", template)
    places = sum(part == "{}" for part in parts)
    _need(places == len(values), "the number of arguments do not match the occurrences of {}")
    following = iter(values)
    return "".join(text_of(next(following)) if part == "{}" else _unescaped(part) for part in parts)


def _list(value: Json) -> list[Json]:
    _need(isinstance(value, list), f"Expected an array but was: {text_of(value)}")
    return list(value)


def _partition(items: Json, size: Json) -> Json:
    items, size = _list(items), _integer(size)
    _need(size > 0, "The chunk size must be a positive integer")
    return [items[at : at + size] for at in range(0, len(items), size)]


def _range(first: Json, last: Json, step: Json) -> Json:
    first, last, step = _integer(first), _integer(last), _integer(step)
    _need(step != 0, "The step size cannot be zero")
    made = range(first, last + (1 if step > 0 else -1), step)
    _need(len(made) <= _MOST_ITEMS, f"An array cannot contain more than {_MOST_ITEMS} items")
    return list(made)


def _get_item(items: Json, index: Json) -> Json:
    items, index = _list(items), _integer(index)
    _need(0 <= index < len(items), f"Index {index} is out of bounds")
    return items[index]


def _unique(items: Json) -> Json:
    found: list[Json] = []
    for item in _list(items):
        if not any(same(item, other) for other in found):
            found.append(item)
    return found


def _short(text: Json) -> bytes:
    _need(
        isinstance(text, str) and len(text) <= _LONGEST, f"Expected a string of at most {_LONGEST} characters"
    )
    return str(text).encode()


def _decode(text: Json) -> str:
    try:
        return base64.b64decode(_short(text), validate=True).decode()
    except ValueError as error:
        raise IntrinsicError("Invalid Base64") from error


def _hash(value: Json, algorithm: Json) -> str:
    _need(algorithm in _HASHES, f"Unknown algorithm: {text_of(algorithm)}")
    name = algorithm.lower().replace("sha-", "sha")
    return hashlib.new(name, _short(text_of(value)), usedforsecurity=False).hexdigest()


def _merge(one: Json, two: Json, deep: Json) -> Json:
    _need(deep is False, "Deep merging of JSON objects is not supported")
    _need(isinstance(one, dict) and isinstance(two, dict), "Expected two JSON objects")
    return {**one, **two}


def _parse(text: Json) -> Json:
    if isinstance(text, str) and not text.strip():
        return None
    try:
        return parsed(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise IntrinsicError("Invalid JSON") from error


def _math_random(source: random.Random, first: Json, last: Json, seed: Json = None) -> int:
    first, last = _integer(first), _integer(last)
    _need(first < last, "The start must be less than the end")
    return (source if seed is None else random.Random(_integer(seed))).randrange(first, last)


def _split(text: Json, separators: Json) -> list[str]:
    _need(isinstance(text, str) and isinstance(separators, str), "Expected two strings")
    parts = re.split(f"[{re.escape(separators)}]", text) if separators else [text]
    return [part for part in parts if part]


_FUNCTIONS: Final[dict[str, Callable[..., Json]]] = {
    "Array": lambda *values: list(values),
    "ArrayContains": lambda items, value: any(same(item, value) for item in _list(items)),
    "ArrayGetItem": _get_item,
    "ArrayLength": lambda items: len(_list(items)),
    "ArrayPartition": _partition,
    "ArrayRange": _range,
    "ArrayUnique": _unique,
    "Base64Decode": _decode,
    "Base64Encode": lambda text: base64.b64encode(_short(text)).decode(),
    "Format": _format,
    "Hash": _hash,
    "JsonMerge": _merge,
    "JsonToString": compact,
    "MathAdd": lambda one, two: _integer(one) + _integer(two),
    "StringSplit": _split,
    "StringToJson": _parse,
}
