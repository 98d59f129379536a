"""Find values in JSON by a path, as Step Functions does.

A path that can lead to one value only, such as ``$.a[0]``, is definite: it gives this value, and fails if
there is none. Any other path, such as ``$.a[*].b``, gives a list, which may be empty.

See https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
"""

import re
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from states_language.values import compact, is_number, parsed, same

Json = Any
Selector = Callable[[Json], Iterator[Json]]

_NAME: Final = re.compile(r"[^.\[\]\s()?*,'\"]+")
_INDEX: Final = re.compile(r"\s*(-?\d+)\s*")
_SLICE: Final = re.compile(r"\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(-?\d*)\s*)?")
_OPERATOR: Final = re.compile(r"\s*(==|!=|<=|>=|<|>|in\b|nin\b)\s*")
_LITERAL: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?|true\b|false\b|null\b")
_FUNCTION: Final = re.compile(r"\.(length|min|max|avg|sum|stddev|keys)\(\)$")
_FUNCTIONS: Final[dict[str, Callable[[Any], Json]]] = {
    "length": len,
    "min": min,
    "max": max,
    "avg": statistics.fmean,
    "sum": sum,
    "stddev": statistics.pstdev,
    "keys": lambda value: list(value.keys()),
}


class PathError(LookupError):
    """A path leads to nothing. The text is the end of AWS's sentence about it."""


class NoArrayError(PathError):
    """An index leads into a value that is no array."""


class BeyondError(PathError):
    """An index leads beyond the end of an array. In templates it gives null, as measured on AWS in 2026."""


class PathSyntaxError(Exception):
    """A text is no path, or a path that Step Functions does not follow."""


@dataclass(frozen=True)
class Step:
    """One step of a path.

    Args:
        keys: The names or the indexes that it selects, if it names them.
        select: The values that it selects, in order.
    """

    keys: tuple[str | int, ...]
    select: Selector
    is_definite: bool


@dataclass(frozen=True)
class Path:
    """A path: its steps, and the function at its end.

    Args:
        text: As it is written.
        steps: From the root down.
        function: Such as ``"length"``; None if there is none.
    """

    text: str
    steps: tuple[Step, ...]
    function: str | None

    @property
    def is_definite(self) -> bool:
        """Whether it leads to one value at most."""
        return all(step.is_definite for step in self.steps)

    def find(self, value: Json) -> Json:
        """What the path leads to.

        Raises:
            PathError: Nothing, and the path is definite.
        """
        found = self._one(value) if self.is_definite else self._all(value)
        if self.function is None:
            return found
        try:
            return _FUNCTIONS[self.function](found)
        except (AttributeError, TypeError, ValueError, ArithmeticError) as error:
            raise PathError(f"Function {self.function} does not fit the value") from error

    def _one(self, value: Json) -> Json:
        walked = "$"
        for number, step in enumerate(self.steps):
            (key,) = step.keys
            walked += f"['{key}']" if isinstance(key, str) else f"[{key}]"
            if isinstance(key, int) and isinstance(value, list):
                is_there = _is_index(value, key)
                if not is_there and number == len(self.steps) - 1 and self.function is None:
                    raise BeyondError(walked)
                value = value[key] if is_there else None
            elif isinstance(key, str) and isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(key, int):
                told = f"Filter: [{key}] can only be applied to arrays. Current context is: {compact(value)}"
                raise NoArrayError(told)
            elif number == len(self.steps) - 1 and isinstance(value, dict):
                raise PathError(f"No results for path: {_dotless(self.steps)}")
            else:
                raise PathError(f"Missing property in path {walked}")
        return value

    def _all(self, value: Json) -> list[Json]:
        found = [value]
        for step in self.steps:
            found = [each for one in found for each in step.select(one)]
        return found


def _dotless(steps: tuple[Step, ...]) -> str:
    keys = (key for step in steps for key in step.keys)
    return "$" + "".join(f"['{key}']" if isinstance(key, str) else f"[{key}]" for key in keys)


@lru_cache(4096)
def parse(text: str) -> Path:
    """Read a path that begins with one dollar sign.

    Raises:
        PathSyntaxError: It is none.
    """
    function = _FUNCTION.search(text)
    steps, at = [], 1
    end = function.start() if function else len(text)
    if not text.startswith("$"):
        raise PathSyntaxError(text)
    try:
        while at < end:
            step, at = _step(text, at)
            steps.append(step)
    except (ValueError, RecursionError) as error:  # a number is none, or has too many digits
        raise PathSyntaxError(text) from error
    return Path(text, tuple(steps), function[1] if function else None)


def _step(text: str, at: int) -> tuple[Step, int]:
    if text.startswith("..", at):
        at += 2
        if text.startswith("[", at):
            inner, at = _brackets(text, at)
        else:
            inner, at = _named(text, at)
        select = inner.select
        return Step((), lambda value: (it for each in _descendants(value) for it in select(each)), False), at
    if text.startswith(".", at):
        at += 1
        return _brackets(text, at) if text.startswith("[", at) else _named(text, at)
    if text.startswith("[", at):
        return _brackets(text, at)
    raise PathSyntaxError(text)


def _named(text: str, at: int) -> tuple[Step, int]:
    if text.startswith("*", at):
        return Step((), _children, False), at + 1
    if not (match := _NAME.match(text, at)):
        raise PathSyntaxError(text)
    return _of_keys((match[0],)), match.end()


def _brackets(text: str, at: int) -> tuple[Step, int]:
    """The step between an opening bracket and its closing one."""
    at += 1
    if text.startswith("*]", at):
        return Step((), _children, False), at + 2
    if text.startswith("?(", at):
        test, at = _either(text, at + 2)
        if not text.startswith(")]", at):
            raise PathSyntaxError(text)
        return Step((), lambda value: (it for it in _children(value) if test(it)), False), at + 2
    if (match := _SLICE.match(text, at)) and text.startswith("]", match.end()):
        start, stop, stride = (int(part) if part else None for part in match.groups())
        if stride == 0:
            raise PathSyntaxError(text)
        cut = slice(start, stop, stride)
        return Step(
            (), lambda value: iter(value[cut] if isinstance(value, list) else ()), False
        ), match.end() + 1
    keys: list[str | int] = []
    while True:
        at += len(text[at:]) - len(text[at:].lstrip())
        if text[at : at + 1] in ("'", '"'):
            key, at = _quoted(text, at)
            keys.append(key)
        elif match := _INDEX.match(text, at):
            keys.append(int(match[1]))
            at = match.end()
        else:
            raise PathSyntaxError(text)
        at += len(text[at:]) - len(text[at:].lstrip())
        if text.startswith("]", at):
            return _of_keys(tuple(keys)), at + 1
        if not text.startswith(",", at):
            raise PathSyntaxError(text)
        at += 1


def _quoted(text: str, at: int) -> tuple[str, int]:
    """A text between quotes, and the index after it. A backslash stands for itself but before a quote."""
    quote, value, at = text[at], "", at + 1
    while at < len(text):
        if text.startswith(f"\\{quote}", at):
            value += quote
            at += 2
        elif text[at] == quote:
            return value, at + 1
        else:
            value += text[at]
            at += 1
    raise PathSyntaxError(text)


def _of_keys(keys: tuple[str | int, ...]) -> Step:
    def select(value: Json) -> Iterator[Json]:
        for key in keys:
            is_name = isinstance(value, dict) and isinstance(key, str) and key in value
            if is_name or _is_index(value, key):
                yield value[key]

    return Step(keys, select, len(keys) == 1)


def _is_index(value: Json, key: str | int) -> bool:
    return isinstance(value, list) and isinstance(key, int) and -len(value) <= key < len(value)


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _descendants(value: Json) -> Iterator[Json]:
    yield value
    for child in _children(value):
        yield from _descendants(child)


# The tests in filters.

Test = Callable[[Json], bool]
Operand = Callable[[Json], tuple[bool, Json]]


def _either(text: str, at: int) -> tuple[Test, int]:
    tests = []
    while True:
        test, at = _both(text, at)
        tests.append(test)
        at = _blank(text, at)
        if not text.startswith("||", at):
            return (lambda value: any(each(value) for each in tests)), at
        at += 2


def _both(text: str, at: int) -> tuple[Test, int]:
    tests = []
    while True:
        test, at = _single(text, at)
        tests.append(test)
        at = _blank(text, at)
        if not text.startswith("&&", at):
            return (lambda value: all(each(value) for each in tests)), at
        at += 2


def _single(text: str, at: int) -> tuple[Test, int]:
    at = _blank(text, at)
    if text.startswith("!", at):
        test, at = _single(text, at + 1)
        return (lambda value: not test(value)), at
    if text.startswith("(", at):
        test, at = _either(text, at + 1)
        if not text.startswith(")", at := _blank(text, at)):
            raise PathSyntaxError(text)
        return test, at + 1
    left, at = _operand(text, at)
    if not (match := _OPERATOR.match(text, at)):
        return (lambda value: left(value)[0]), at
    right, at = _operand(text, match.end())
    return (lambda value, operator=match[1]: _compare(operator, left(value), right(value))), at


def _operand(text: str, at: int) -> tuple[Operand, int]:
    at = _blank(text, at)
    if text[at : at + 1] in ("'", '"'):
        constant, at = _quoted(text, at)
        return (lambda _: (True, constant)), at
    if text.startswith("[", at):
        end = text.find("]", at) + 1
        listed = parsed(text[at:end].replace("'", '"'))
        return (lambda _: (True, listed)), end
    if literal := _LITERAL.match(text, at):
        number = parsed(literal[0])
        return (lambda _: (True, number)), literal.end()
    if not text.startswith("@", at):
        raise PathSyntaxError(text)
    steps, at = [], at + 1
    while at < len(text) and text[at] in ".[":
        step, at = _step(text, at)
        steps.append(step)
    path = Path("", tuple(steps), None)

    def value_at(value: Json) -> tuple[bool, Json]:
        found = path._all(value)
        return (bool(found), found[0] if found and path.is_definite else found)

    return value_at, at


def _blank(text: str, at: int) -> int:
    while text[at : at + 1] == " ":
        at += 1
    return at


def _compare(operator: str, left: tuple[bool, Json], right: tuple[bool, Json]) -> bool:
    if operator in {"in", "nin"}:
        contains = isinstance(right[1], list) and any(same(left[1], each) for each in right[1])
        return left[0] and contains == (operator == "in")
    equal = left[0] == right[0] and same(left[1], right[1])
    if operator in {"==", "!="}:
        return equal == (operator == "==")
    one, two = left[1], right[1]
    numbers = is_number(one) and is_number(two)
    if not (left[0] and right[0] and (numbers or (isinstance(one, str) and isinstance(two, str)))):
        return False
    return bool({"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[operator])


class PlaceError(ValueError):
    """A result has no place in a value."""


def placed(value: Json, path: str, result: Json) -> Json:
    """A value with a result at the place of a reference path. The value itself does not change.

    Raises:
        PlaceError: The path leads through a value that cannot hold it.
    """
    steps = parse(path).steps
    if not steps:
        return result
    keys = [step.keys[0] for step in steps]
    root: dict[str, Json] = {"": value}
    holder: Json = root
    key: str | int = ""
    for following in keys:
        child = holder[key]
        if isinstance(following, int):
            if not (isinstance(child, list) and 0 <= following < len(child)):
                raise PlaceError
            child = list(child)
        else:
            if child is None:
                child = {}
            if not isinstance(child, dict):
                raise PlaceError
            child = {**child}
            child.setdefault(following, None)
        holder[key] = child
        holder, key = child, following
    holder[key] = result
    return root[""]
