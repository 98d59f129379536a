"""Read the items of a Distributed Map from a text, and group them into batches.

See https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
and https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from states_language.values import LARGEST, compact, parsed

#: The values of CSVDelimiter.
DELIMITERS: Final = {"COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "SPACE": " ", "TAB": "\t"}
_NOWHERE: Final = (
    "The provided ReaderConfig.ItemsPointer does not match any valid path in the JSON structure."
)
_TABLE: Final = 16  # Java's HashMap begins with so many places


class Pair(dict[str, Any]):
    """An item of a Map over an object: its ``Key`` and its ``Value``."""


class ItemsError(Exception):
    """A text has no items, or they cannot be read. The error has the cause."""


def read_items(text: str, config: Mapping[str, Any], most: int | None = None) -> list[Any]:
    """Read items.

    Args:
        text: The content of a file.
        config: A ReaderConfig. Its ``InputType`` is CSV, JSON or JSONL.
        most: Read so many items; None for all of them.

    Raises:
        ItemsError: There are no items.
    """
    readers: dict[str, Callable[[str, Mapping[str, Any]], Iterable[Any]]] = {
        "CSV": _read_csv,
        "JSON": _read_json,
        "JSONL": lambda text, _: map(_parsed, filter(str.strip, text.split("\n"))),
    }
    return list(islice(readers[config["InputType"]](text, config), most))


def _read_csv(text: str, config: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    delimiter = DELIMITERS[config.get("CSVDelimiter", "COMMA")]
    # It holds for the whole process, so nothing here makes it smaller.
    csv.field_size_limit(max(LARGEST, csv.field_size_limit()))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        given = config.get("CSVHeaders", [])
        headers = given if config.get("CSVHeaderLocation") == "GIVEN" else next(rows, [])
        if len({*headers}) < len(headers):
            raise ItemsError("CSV headers cannot contain duplicates.")
        order = _as_in_java(headers)
        for row in rows:
            fields = dict(zip(headers, [*row, *[""] * len(headers)], strict=False))
            yield {name: fields[name] for name in order}
    except csv.Error as error:
        raise ItemsError("The items are not valid CSV.") from error


def _as_in_java(names: Sequence[str]) -> list[str]:
    """The order in which AWS writes the columns of a row: that of Java's HashMap."""
    size = _TABLE
    while len(names) > size * 3 // 4:
        size *= 2

    def place(name: str) -> int:
        number = 0
        for unit in memoryview(name.encode("utf-16-le", "surrogatepass")).cast("H"):
            number = (number * 31 + unit) & 0xFFFF_FFFF
        return (number ^ number >> 16) % size

    return sorted(names, key=place)


def _read_json(text: str, config: Mapping[str, Any]) -> list[Any]:
    value = _parsed(text)
    for part in str(config.get("ItemsPointer", "")).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (KeyError, IndexError, TypeError, ValueError):
            raise ItemsError(_NOWHERE) from None
    if isinstance(value, dict):
        return [Pair(Key=key, Value=each) for key, each in value.items()]
    if not isinstance(value, list):
        raise ItemsError("Attempting to map over non-iterable node.")
    return value


def _parsed(text: str) -> Any:
    try:
        return parsed(text)
    except (ValueError, RecursionError) as error:
        raise ItemsError("The items are not valid JSON.") from error


def batches(
    items: Iterable[Any], most_items: int = 0, most_bytes: int = 0, *, common: object = None
) -> Iterator[dict[str, Any]]:
    """Group items into the inputs of executions, as ItemBatcher does. Each one has at least one item.

    Args:
        items: The items, in order.
        most_items: How many items an input has at most; 0 for no limit.
        most_bytes: How many bytes an input has at most, as JSON; 0 for no other limit than 256 KiB.
        common: The BatchInput, which is in each input; None if there is none.
    """
    whole: dict[str, Any] = {} if common is None else {"BatchInput": common}
    empty, limit = _size(whole | {"Items": []}), min(most_bytes or LARGEST, LARGEST)
    batch, size = list[Any](), empty
    for item in items:
        added = _size(item) + 1  # with a comma
        if batch and (len(batch) == most_items or size + added - 1 > limit):
            yield whole | {"Items": batch}
            batch, size = [], empty
        batch.append(item)
        size += added
    if batch:
        yield whole | {"Items": batch}


def _size(value: object) -> int:
    return len(compact(value).encode())
