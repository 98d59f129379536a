"""Evaluate a JSONata expression as Step Functions does.

`jsonata-python` is the engine. This module adds AWS's functions, limits and error texts, and corrects what
the engine does differently from JSONata 2.0.6. Values enter as bindings, so they never become a part of the
expression's text. An expression can use only JSON values and functions of JSONata.

AWS's limits for the depth and the values of an evaluation are checked at each step. A guard from outside
limits its time (`outside`), also that of a regular expression that may take long.

See https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html and https://docs.jsonata.org
"""

import copy
import datetime
import functools
import hashlib
import itertools
import json
import math
import re
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, Final, NoReturn, Self

from states_language.expressions import jsonata_parser, syntax_error, template
from states_language.outside import Guard, Outside, Spans
from states_language.values import finite, parsed

jsonata_parser()  # first, because it keeps the engine from changing the recursion limit
from jsonata import datetimeutils  # noqa: E402
from jsonata.functions import Functions  # noqa: E402
from jsonata.jexception import JException  # noqa: E402
from jsonata.jsonata import Jsonata  # noqa: E402
from jsonata.regex_engine import RegexFlags, default_regex_engine  # noqa: E402
from jsonata.signature import Signature  # noqa: E402
from jsonata.utils import Utils  # noqa: E402

Json = Any
_LEVELS: Final = 100
#: The largest value. An element of an array counts eight bytes, a character one.
_BYTES: Final = 6_990_256
_ALL_BYTES: Final = 64 * _BYTES
_LONGEST_RANGE: Final = 360_145
_LONG: Final = 2**63
_DEPTH: Final = (
    "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
)
_TIME: Final = "Expression evaluation timeout: Check for infinite loop"
_MEMORY: Final = "Expression evaluation memory limit exceeded: Check for excessive memory usage"
_NOT_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_ISO_8601: Final = re.compile(
    r"\d{4}(-[01]\d)*(-[0-3]\d)*(T[0-2]\d:[0-5]\d:[0-5]\d)*(\.\d+)?([+-][0-2]\d:?[0-5]\d|Z)?", re.ASCII
)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?|0x[0-9a-f]+|0b[01]+|0o[0-7]+", re.IGNORECASE)
_TYPES: Final = {it[0]: it for it in ("arrays", "booleans", "functions", "numbers", "objects", "strings")}
#: The codes of errors that the engine raises with a text only, by the beginning of the text.
_UNCODED: Final = {
    "Second argument of replace": "D3010",
    "Fourth argument of replace": "D3011",
    "both integer and fractional parts": "D3085",
    "invalid grouping in picture": "D3086",
    "Formatting or parsing an integer as a sequence": "D3130",
    "In a decimal digit pattern": "D3131",
    "Unknown component specifier": "D3132",
    "The 'name' modifier": "D3133",
    "The timezone integer format": "D3134",
    "No matching closing bracket": "D3135",
    "The date/time picture string is missing": "D3136",
}


class EvaluationError(Exception):
    """An expression gave no value. The text is the end of AWS's sentence about the expression.

    It follows ``The JSONata expression '...' specified for the field '...' ``.
    """


class _LimitError(Exception):
    """An evaluation reached one of its limits."""


def evaluate(
    expression: str, bindings: Mapping[str, Json], *, document: Json = None, outside: Outside | None = None
) -> Json:
    """Evaluate an expression.

    Args:
        expression: The text between the delimiters ``{%`` and ``%}``.
        bindings: The values of the names that begin with a dollar sign, by name without this sign. They are
            not changed.
        document: The input document, which no expression of a state machine has. JSONata's suite needs it.
        outside: The time, randomness, ids, and a guard; by default, nothing of this machine.

    Returns:
        The value. It shares no part with the bindings.

    Raises:
        EvaluationError: There is no value, or none that is JSON.
    """
    threw = "threw an error during evaluation"
    outside = outside or Outside()
    around = _around.set((outside, outside.guard()))
    try:
        try:
            evaluation = _Evaluation(expression)
        except Exception as error:
            if fault := syntax_error(error):
                raise JException(fault[0], -1, fault[1], getattr(error, "expected", None)) from error
            raise
        values = {name: Utils.NULL_VALUE if value is None else value for name, value in bindings.items()}
        result = evaluation.evaluate(document, values)
        if result is None:
            raise EvaluationError("returned nothing (undefined).")
        return _Copy().of(result)
    except EvaluationError:
        raise
    except (_LimitError, RecursionError) as error:
        raise EvaluationError(f"{threw}: {error if isinstance(error, _LimitError) else _DEPTH}") from error
    except JException as error:
        code, message = _coded(error)
        raise EvaluationError(f"{threw}. {code}: {message}") from error
    except Exception as error:
        raise EvaluationError(f"threw an internal error during evaluation. {outside.new_id()}") from error
    finally:
        _around.reset(around)


#: What the evaluation of this thread takes from outside, and its guard. All share the engine's functions.
_around: ContextVar[tuple[Outside, Guard]] = ContextVar("around")


class _Evaluation(Jsonata):  # type: ignore[misc]
    """The engine, with AWS's limits, for one evaluation.

    The engine can keep limits, too, but an expression can switch them off.
    """

    def __init__(self, expression: str) -> None:
        self._steps = self._level = self._made = 0
        jsonata_parser()  # the engine takes the same one
        super().__init__(f"{expression}\n", _Pattern)
        self.environment = self.create_frame(_functions())
        self.set_output_convert_nulls(False)

    def _eval(self, expr: Any, input: Any, environment: Any) -> Any:
        self._step()
        self._level += 1
        if self._level > _LEVELS:
            raise _LimitError(_DEPTH)
        result = super()._eval(expr, input, environment)
        self._level -= 1
        if isinstance(result, str | list):
            size = len(result) * (1 if isinstance(result, str) else 8)
            self._made += 0 if expr.type in {"variable", "path"} else size  # these make nothing new
            _check_size(size if self._made < _ALL_BYTES else self._made)
        return result

    def _step(self) -> None:
        self._steps += 1
        if self._steps % 64 == 0:
            try:
                _around.get()[1].check()
            except TimeoutError as error:
                raise _LimitError(_TIME) from error

    @property
    def timestamp(self) -> int:
        """What ``$now()`` and ``$millis()`` read, in milliseconds since 1970."""
        return int(_around.get()[0].now * 1000)

    @timestamp.setter
    def timestamp(self, _: int) -> None:
        """The engine sets it to the machine's time."""

    def _equal(self, left: Any, right: Any) -> bool:
        self._step()
        left, right = (None if side is Utils.NULL_VALUE else side for side in (left, right))
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(self._equal, left, right))
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(self._equal(left[key], right[key]) for key in left)
        return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)

    def evaluate_equality_expression(self, lhs: Any, rhs: Any, op: str | None) -> bool:
        """Compare step by step, so that the time limit holds."""
        return lhs is not None and rhs is not None and self._equal(lhs, rhs) == (op == "=")

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> bool:
        """As for `evaluate_equality_expression`."""
        items = rhs if isinstance(rhs, list) else [rhs]
        return lhs is not None and rhs is not None and any(self._equal(item, lhs) for item in items)

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: str | None) -> Any:
        """Divide by zero, and keep the fraction of a remainder, as JavaScript does."""
        if not (_is_number(lhs) and _is_number(rhs)):
            return super().evaluate_numeric_expression(lhs, rhs, op)
        left, right = float(lhs), float(rhs)
        if op == "/" and right == 0:
            return math.nan if left == 0 else math.copysign(math.inf, left)
        if op == "%":
            return Utils.convert_number(math.fmod(left, right)) if right else math.nan
        result = {"+": left + right, "-": left - right, "*": left * right}.get(str(op))
        result = left / right if result is None else result
        return Utils.convert_number(result) if math.isfinite(result) else result

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        """Refuse a range that is too long before it is made."""
        lhs, rhs = (int(end) if isinstance(end, float) and end.is_integer() else end for end in (lhs, rhs))
        if isinstance(lhs, int) and isinstance(rhs, int):
            _check_size((rhs - lhs + 1) * 8)
        result = super().evaluate_range_expression(lhs, rhs)
        return result if result is None else Utils.create_sequence_from_iter(range(lhs, rhs + 1))

    def evaluate_literal(self, expr: Any) -> Any:
        """Two escaped surrogates are one character."""
        value = super().evaluate_literal(expr)
        return _joined(value) if isinstance(value, str) else value

    def evaluate_partial_application(self, expr: Any, input: Any, environment: Any) -> Any:
        """Name the function of which the dollar sign is missing."""
        try:
            return super().evaluate_partial_application(expr, input, environment)
        except JException as error:
            if error.error == "T1008" and expr.procedure.type == "path":
                name = str(expr.procedure.steps[0].value)
                if environment.lookup(name) is not None:
                    raise JException("T1007", expr.position, name) from error
            raise

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        """Write numbers and other values as JavaScript does."""
        return "".join(_Ours.string(side) or "" for side in (lhs, rhs))

    def evaluate_sort_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        """Name two values in their order. Python's sort compares the later one with the earlier one."""
        try:
            return super().evaluate_sort_expression(expr, input, environment)
        except JException as error:
            if error.error == "T2007":
                error.current, error.expected = error.expected, error.current
            raise

    def evaluate_function(self, expr: Any, input: Any, environment: Any, applyto_context: Any) -> Any:
        """An error names the function as the expression does, not as the engine does."""
        try:
            return super().evaluate_function(expr, input, environment, applyto_context)
        except JException as error:
            if error.error in {"T0410", "T0411", "T0412"}:
                called = expr.procedure.value if expr.procedure.type == "variable" else None
                own = getattr(environment.lookup(called), "function_name", None) if called else None
                error.expected = called if error.expected in {None, own} else error.expected
            raise

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        """Turn Python's errors in functions into JSONata's errors."""
        name = getattr(proc, "function_name", None)
        try:
            return super().apply_inner(proc, args, input, environment)
        except JException as error:
            if error.error == "T0410" and name and error.current is None:  # the function checks it itself
                error.current, error.expected = 1, name
            if error.error in {"T0410", "T0411", "T0412"} and str(error.expected).startswith(_NO_NAMES):
                error.expected = None
            raise
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            if isinstance(error, RecursionError):
                raise
            if name == "parseInteger" and not isinstance(error, RuntimeError):
                return math.nan
            unknown = isinstance(error, KeyError) and name in {"toMillis", "fromMillis", "now"}
            picture = str(next(iter(args[name != "now" :]), ""))
            if code := "D3132" if unknown else _UNCODED.get(_beginning(str(error))):
                raise JException(code, -1, _in_picture(code, picture)) from error
            if isinstance(error, UnicodeError):
                raise JException("D3140", -1, name, args[0]) from error
            if name in _CODES:
                raise JException(_CODES[name], -1, *args[:2]) from error
            raise


_NO_NAMES: Final = ("lambda", "<class")  # what the engine calls a function without a name
_CODES: Final = {"toMillis": "D3110", "power": "D3061"}


def _beginning(text: str) -> str:
    return next((beginning for beginning in _UNCODED if text.startswith(beginning)), "")


def _in_picture(code: str, picture: str) -> str:
    """The part of a picture string that an error names."""
    pattern = {"D3132": r"\[\s*([^YMDdFWwXxHhmsfPZzCE\s])", "D3133": r"\[\s*([^MxFP\s])\s*[nN]"}.get(code)
    return match[1] if pattern and (match := re.search(pattern, picture)) else picture


def _coded(error: JException) -> tuple[str, str]:
    """The code of an error and AWS's message."""
    code = _UNCODED.get(_beginning(error.error), error.error)
    usual = [error.current, error.expected, _TYPES.get(str(error.extra)) if code == "T0412" else error.extra]
    unusual = {"D1001": [math.inf], "D1002": [error.expected], "D3100": [error.location]}
    following: Iterator[Any] = iter(unusual.get(code, usual))

    def filled(place: re.Match[str]) -> str:
        value = next(following, None)
        return str(value) if place[0].startswith("{{{") else "undefined" if value is None else _json(value)

    return code, re.sub(r"\{\{\{?\w+\}?\}\}", filled, template(code))


class _Signature(Signature):  # type: ignore[misc]
    """The types of a function's arguments, in which null is no missing value.

    The engine's own functions have one object each for the whole process. There, `$f := $sum` renames `$sum`
    in all later errors. See emulator/docs/upstream.md.
    """

    def set_function_name(self, _: str) -> None:
        """A function keeps its name, whatever variable it is assigned to."""

    def get_symbol(self, value: Any) -> str:
        """The letter of a value's type."""
        return "l" if value is Utils.NULL_VALUE else str(super().get_symbol(value))

    def validate(self, args: Any, context: Any) -> Any:
        """Check the arguments, and fill in the context."""
        try:
            return super().validate(args, context)
        except JException as error:
            if error.error == "T0411":
                error.current, error.expected = error.expected, self.function_name
            raise

    def throw_validation_error(self, bad_args: Any, bad_sig: Any, function_name: Any) -> NoReturn:
        """Name the first argument that does not fit. The engine always names the first one."""
        pattern, fits = "", 0
        for parameter in self._params:
            pattern += parameter.regex
            if (match := re.match(pattern, bad_sig)) is None:
                break
            fits = match.end()
        raise JException("T0410", -1, fits + 1, function_name)


def _joined(text: str, lone: str = "surrogatepass") -> str:
    """Make one character of two surrogates. A lone one stays, or is replaced."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", lone)


def _check_size(size: int) -> None:
    if size > _BYTES:
        raise _LimitError(_MEMORY)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_function(value: Any) -> bool:
    is_known = isinstance(value, Jsonata.JLambda | _Pattern)
    return is_known or Utils.is_function(value) or Functions.is_lambda(value)


class _Copy:
    """Copies a value of the engine as JSON. A part that is used twice counts twice for the size."""

    def __init__(self) -> None:
        self._size = 0

    def of(self, value: Any) -> Json:
        self._size += len(value) if isinstance(value, str) else 8
        _check_size(self._size)
        if value is Utils.NULL_VALUE or value is None or isinstance(value, bool):
            return None if value is Utils.NULL_VALUE else value
        if isinstance(value, str):
            return _joined(value, "replace")
        if isinstance(value, int):  # one that is too large for Java's long becomes a double
            return value if -_LONG <= value < _LONG else float(value)
        if isinstance(value, float):
            is_whole = value.is_integer() and -_LONG <= value < _LONG
            return int(value) if is_whole else value if math.isfinite(value) else _NOT_FINITE[str(value)]
        if isinstance(value, dict):
            return {key: self.of(part) for key, part in value.items()}
        if isinstance(value, list):
            return [self.of(part) for part in value]
        raise EvaluationError("returned an unsupported result type.")


def _json(value: Any, *, indent: int = 0, level: int = 0, exact: bool = True) -> str:
    """Write a value as JavaScript's `JSON.stringify` does, and functions as empty texts.

    Args:
        value: A value of the engine.
        indent: The spaces of each level; 0 for one line.
        level: How deep the value is.
        exact: Whether numbers keep all digits. Else they have 15, and have to be finite.

    Raises:
        JException: A number is not finite.
    """
    if isinstance(value, bool) or value is None or value is Utils.NULL_VALUE:
        return "true" if value is True else "false" if value is False else "null"
    if isinstance(value, int | float):
        if not math.isfinite(value) and not exact:
            raise JException("D1001", -1, value)
        return _number_text(float(value) if exact else float(f"{float(value):.15g}"))
    if _is_function(value):
        return '""'
    if not isinstance(value, list | dict):
        text = json.dumps(value, ensure_ascii=False)
        return re.sub("[\ud800-\udfff]", lambda lone: f"\\u{ord(lone[0]):x}", text)
    below: dict[str, Any] = {"indent": indent, "level": level + 1, "exact": exact}
    if isinstance(value, dict):
        colon, brackets = ": " if indent else ":", "{}"
        parts = [f"{_json(str(key))}{colon}{_json(part, **below)}" for key, part in value.items()]
    else:
        parts, brackets = [_json(part, **below) for part in value], "[]"
    _check_size(sum(map(len, parts)))
    start, end = (f"\n{' ' * indent * deep}" if indent and parts else "" for deep in (level + 1, level))
    return f"{brackets[0]}{start}{f',{start}'.join(parts)}{end}{brackets[1]}"


def _number_text(value: float) -> str:
    """A number as JavaScript writes it."""
    if not math.isfinite(value):
        return "null"
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    digits, _, exponent = repr(value).partition("e")
    if not exponent:
        return digits
    if -7 < (power := int(exponent)) < 0:
        return f"{value:.{sum(map(str.isdigit, digits)) - 1 - power}f}"
    return f"{digits}e{power:+d}"


class _Ours:
    """The functions that Step Functions adds to JSONata, and those that the engine does differently."""

    @staticmethod
    def partition(items: Any, size: float | None) -> Any:
        if items is None:
            return None
        if not isinstance(items, list):
            raise JException("T0412", -1, 1, "partition", "any")
        if (step := len(items) if size is None else int(size)) < 0:
            raise JException("D3137", -1, "Second argument must be zero or greater")
        return [items[at : at + step] for at in range(0, len(items), step or 1)] if items and step else None

    @staticmethod
    def range(first: float | None, last: float | None, step: float | None) -> Any:
        if first is None or last is None or step is None or not int(step):
            return None
        begin, end, by = int(first), int(last), int(step)
        numbers = range(begin, end + (1 if by > 0 else -1), by)
        if len(numbers) > _LONGEST_RANGE:
            raise _LimitError(_MEMORY)
        return Utils.create_sequence_from_iter(numbers)

    @staticmethod
    def hash(text: str | None, algorithm: str | None) -> str | None:
        if text is None or algorithm is None:
            return None
        if algorithm not in (known := ("SHA-1", "SHA-384", "SHA-256", "SHA-512", "MD5")):
            raise JException("D3137", -1, f"Hash algorithm '{algorithm}' must be one of {', '.join(known)}")
        name = algorithm.replace("-", "").lower()
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    @staticmethod
    def random(seed: float | None) -> float:
        if seed is None:
            return _around.get()[0].random.random()
        # java.util.Random(seed).nextDouble()
        mask, state = (1 << 48) - 1, (int(seed) ^ 0x5DEECE66D) & ((1 << 48) - 1)
        high = state = (state * 0x5DEECE66D + 11) & mask
        low = (state * 0x5DEECE66D + 11) & mask
        return float(((high >> 22) << 27) + (low >> 21)) / float(1 << 53)

    @staticmethod
    def shuffle(items: list[Any] | None) -> list[Any] | None:
        if items is None:
            return None
        shuffled = [*items]
        _around.get()[0].random.shuffle(shuffled)
        return shuffled

    @staticmethod
    def uuid() -> str:
        return _around.get()[0].new_id()

    @staticmethod
    def parse(text: str | None) -> Any:
        if text is None:
            return None
        try:
            value = parsed(text, parse_int=_long, object_pairs_hook=_unique)
        except ValueError as error:
            raise JException("D3137", -1, "Invalid JSON") from error
        return Utils.NULL_VALUE if value is None else value

    @staticmethod
    def string(value: Any, prettify: bool | None = None) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, float) and not math.isfinite(value):
            raise JException("D3001", -1)
        return "" if _is_function(value) else _json(value, indent=2 if prettify else 0, exact=False)

    @staticmethod
    def sort(items: Sequence[Any] | None, comparator: Any) -> Any:
        alike = Utils.is_array_of_strings(items) or Utils.is_array_of_numbers(items)
        if items is not None and comparator is None and len(items) > 1 and not alike:
            raise JException("D3070", -1)
        if items is None or comparator is None:
            return Functions.sort(items, comparator)
        # Of two equal items, the first one stays first.
        later = functools.partial(Functions.func_apply, comparator)
        return sorted(items, key=functools.cmp_to_key(lambda left, right: -1 if later([right, left]) else 0))

    @staticmethod
    def number(value: Any) -> Any:
        if not isinstance(value, str):
            return Functions.number(value)
        number = math.inf
        if _NUMBER.fullmatch(value):
            number = int(value, 0) if value[1:2].isalpha() and value[0] == "0" else float(value)
        if math.isinf(number):
            raise JException("D3030", -1, value)
        return Utils.convert_number(number)

    @staticmethod
    def type(value: Any) -> Any:
        return "function" if _is_function(value) else Functions.type(value)

    @staticmethod
    def decodeUrlComponent(text: str | None) -> Any:
        return _decoded("decodeUrlComponent", text, text)

    @staticmethod
    def decodeUrl(text: str | None) -> Any:
        # What separates the parts of an address stays encoded.
        kept = text and re.sub("%(?=2[346bcf]|3[abdf]|40)", "%25", text, flags=re.IGNORECASE)
        return _decoded("decodeUrl", text, kept)

    @staticmethod
    def distinct(items: Any) -> Any:
        if not isinstance(items, list):
            return items
        by_text: dict[str, Any] = {}
        for item in items:
            by_text.setdefault(_json(item), item)
        kept = [*by_text.values()]
        return Utils.create_sequence_from_iter(kept) if Utils.is_sequence(items) else kept

    @staticmethod
    def toMillis(text: str | None, picture: str | None) -> Any:
        if text is not None and picture is None and not _ISO_8601.fullmatch(text):
            raise JException("D3110", -1, text)
        return Functions.datetime_to_millis(text, picture)

    # A text that would be too long is refused before it is made.

    @staticmethod
    def pad(text: str | None, width: float | None, char: str | None) -> Any:
        _check_size(int(abs(width or 0)))
        return Functions.pad(text, width, char)

    @staticmethod
    def join(texts: Sequence[str] | None, separator: str | None) -> Any:
        _check_size(sum(map(len, texts or ())) + len(texts or ()) * len(separator or ""))
        return Functions.join(texts, separator)

    @staticmethod
    def replace(text: str | None, pattern: Any, replacement: Any, limit: float | None) -> Any:
        if isinstance(text, str) and isinstance(pattern, _Pattern):
            if limit is not None and limit < 0:
                raise JException("D3011", -1)
            return pattern.replace(text, replacement, limit)
        if isinstance(text, str) and isinstance(pattern, str) and pattern and isinstance(replacement, str):
            _check_size(text.count(pattern) * len(replacement))
        return Functions.replace(text, pattern, replacement, limit)


def _decoded(name: str, given: str | None, text: str | None) -> str | None:
    if text is None:
        return None
    try:
        if re.search("%(?![0-9a-f]{2})", text, re.IGNORECASE):
            raise ValueError
        return urllib.parse.unquote(text, errors="strict")
    except ValueError as error:
        raise JException("D3140", -1, name, given) from error


def _long(text: str) -> int | float:
    """An integer as Java reads it: one that is too large for its long becomes a double."""
    return int(text) if -_LONG <= int(text) < _LONG else finite(text)


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    if len(read := dict(pairs)) < len(pairs):
        raise ValueError("an object has a key twice")
    return read


# The signatures of these functions in the engine's form.
_SIGNATURES: Final = {
    "partition": "<xn?:a>",
    "range": "<nnn?:a>",
    "hash": "<ss?:s>",
    "random": "<n?:n>",
    "shuffle": "<a:a>",
    "uuid": "<:s>",
    "parse": "<s?:x>",
    "string": "<x-b?:s>",
    "sort": "<af?:a>",
    "number": "<(nsb)-:n>",
    "distinct": "<x:x>",
    "toMillis": "<s-s?:n>",
    "type": "<x:s>",
    "decodeUrl": "<s-:s>",
    "decodeUrlComponent": "<s-:s>",
    "pad": "<s-ns?:s>",
    "join": "<a<s>s?:s>",
    "replace": "<s-(sf)(sf)n?:s>",
}


class _Function(Jsonata.JNativeFunction):  # type: ignore[misc]
    """A function of the engine that checks its arguments, also if `$map` or another function calls it."""

    def validate(self, args: Any, context: Any) -> Any:
        """Leave this to the call."""
        return args

    def call(self, input: Any, args: Any) -> Any:
        """Check the arguments, and call the function."""
        return super().call(input, self.signature.validate(args, input))


class _Moment(datetime.datetime):
    """A date and time. `$toMillis` takes from it what a text leaves out, such as the year."""

    @classmethod
    def utcnow(cls) -> Self:
        return cls.fromtimestamp(_around.get()[0].now, datetime.UTC)


datetimeutils.datetime = SimpleNamespace(**vars(datetime) | {"datetime": _Moment})


@functools.cache
def _functions() -> Any:
    """The frame around every evaluation: copies of the engine's functions, and our own."""
    frame = Jsonata.Frame(None)
    own = {name: Jsonata.function(name, its, _Ours, name) for name, its in _SIGNATURES.items()}
    for name, function in (Jsonata.static_frame.bindings | own).items():
        frame.bind(name, copied := copy.copy(function))
        copied.__class__, copied.signature = _Function, copy.copy(function.signature)
        copied.signature.__class__ = _Signature
    frame.bind("eval", None)
    return frame


class _Match:
    """A match of a regular expression: the places of the match and of its groups."""

    def __init__(self, text: str, spans: Sequence[Sequence[int]]) -> None:
        self._text, self._spans, self.span = text, spans, spans[0]

    def group(self, number: int = 0) -> str:
        start, end = self._spans[number]
        return self._text[start:end] if start >= 0 else ""

    def groups(self) -> list[str]:
        return [self.group(number) for number in range(1, len(self._spans))]

    def filled(self, replacement: str) -> str:
        """A replacement with its groups. `$$` is a dollar sign, and a group that does not exist is empty."""
        groups = len(self.groups())

        def filled(place: re.Match[str]) -> str:
            digits, following = place[1], ""
            if digits == "$":
                return "$"
            if len(digits) > 1 and int(digits) > groups:
                digits, following = digits[:-1], digits[-1]
            return (self.group(int(digits)) if int(digits) <= groups else "") + following

        return re.sub(rf"\$(\$|[0-9]{{1,{len(str(groups))}}})", filled, replacement)

    def start(self) -> int:
        return self.span[0]

    def end(self) -> int:
        return self.span[1]


class _Pattern:
    """A regular expression of JavaScript. The engine calls these four methods.

    The guard makes a match that may take long.
    """

    def __init__(self, pattern: str, flags: RegexFlags) -> None:
        named = re.sub(r"\(\?<(?![=!])", "(?P<", pattern)
        self._pattern, self._flags = named, default_regex_engine(named, flags).flags & ~re.UNICODE | re.ASCII
        self._compiled = re.compile(named, self._flags)

    def finditer(self, text: str) -> Iterator[_Match]:
        """All matches.

        Raises:
            JException: One of them is empty.
            _LimitError: They take too long.
        """
        for spans in self._spans(text):
            if spans[0][0] == spans[0][1]:
                raise JException("D1004", -1)
            yield _Match(text, spans)

    def search(self, text: str) -> _Match | None:
        """The first match."""
        return next(self.finditer(text), None)

    def split(self, text: str) -> list[str]:
        """The texts between the matches."""
        edges = [0, *(edge for match in self.finditer(text) for edge in match.span), len(text)]
        return [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]

    def replace(self, text: str, replacement: Any, limit: float | None) -> str:
        """The text with its matches replaced, by a text with groups such as `$1` or by a function."""
        parts, done, size = [], 0, len(text)
        for match in itertools.islice(self.finditer(text), None if limit is None else int(limit)):
            if isinstance(replacement, str):
                new = match.filled(replacement)
            else:
                fields = {"match": match.group(), "start": match.start(), "end": match.end()}
                new = Functions.func_apply(replacement, [fields | {"groups": match.groups()}])
                if not isinstance(new, str):
                    raise JException("D3012", -1)
            size += len(new)
            _check_size(size)
            parts += [text[done : match.start()], new]
            done = match.end()
        return "".join([*parts, text[done:]])

    sub = replace  # the engine expects a method with this name

    def _spans(self, text: str) -> Spans:
        repeats = len(re.findall(r"[*+?{]", self._pattern))
        nested = re.search(r"\)[*+{]", self._pattern)
        if len(text) <= _SHORT or (not nested and (len(text) + 1) ** (repeats + 1) <= _FEW_STEPS):
            return [match.regs for match in self._compiled.finditer(text)]
        try:
            return _around.get()[1].matches(self._pattern, int(self._flags), text)
        except TimeoutError as error:
            raise _LimitError(_TIME) from error


_SHORT: Final = 20
_FEW_STEPS: Final = 1_000_000
