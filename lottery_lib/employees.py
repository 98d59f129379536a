"""Read a list of employees, row by row, from CSV or from DynamoDB's batch-write JSON."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lottery_lib.errors import LotteryError
from lottery_lib.names import CHECKOUT

__all__ = ["DATA_FOLDER", "Roster", "digest", "parse_csv", "parse_json", "read", "tutorial_roster"]

DATA_FOLDER: Final = CHECKOUT / "data"
Employee = dict[str, Any]
_ENTRY_DATE: Final = re.compile(r"\d{8}")


@dataclass
class Roster:
    """Employees, and the rows that could not become one.

    Attributes:
        employees: Items with ``employee_id``, ``employee_name``, ``employee_entry_date`` ("YYYYMMDD" or
            empty) and ``lottery_serial`` (int).
        rejected: ``{"row": number of the row from 1, "reason": one sentence}``.
    """

    employees: list[Employee] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)


def tutorial_roster() -> Roster:
    """The ten employees of the tutorial's `request-items.json` (2.2.4)."""
    return read(DATA_FOLDER / "request-items.json")


def digest(ids: Sequence[str]) -> str:
    """The digest of a pool: SHA-256 of its employees' ids, in order, as compact JSON in ASCII."""
    return hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()


def read(path: str | Path) -> Roster:
    """Read a roster from a file.

    Args:
        path: A ``.csv`` with a header that has at least ``employee_id`` and ``employee_name``, or a
            ``.json`` in the format of `aws dynamodb batch-write-item`. UTF-8, with or without a byte
            order mark.

    Returns:
        Who could be read, and who not and why. A missing serial gets the next free number.

    Raises:
        LotteryError: The file is not there, or is neither.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LotteryError(
            f"roster {path.name}", f"cannot be read ({error})", "Give the path of a UTF-8 file"
        ) from error
    return parse_json(text) if path.suffix.lower() == ".json" else parse_csv(text)


def parse_csv(text: str) -> Roster:
    """Read a roster from CSV with a header; see `read`."""
    try:
        reader = csv.DictReader(io.StringIO(text))
        _check_header(reader.fieldnames or [])
        return _checked(reader)  # row by row: a list of all rows would need as much memory as the roster
    except csv.Error as error:
        raise LotteryError("CSV roster", f"cannot be read ({error})", "Save it anew as CSV") from error


def _check_header(names: Iterable[str]) -> None:
    missing = {"employee_id", "employee_name"} - set(names)
    if missing:
        raise LotteryError(
            "CSV roster",
            f"the header lacks {', '.join(sorted(missing))}",
            "Start the file with the line: "
            "employee_id,employee_name,employee_entry_date,lottery_serial (the last two are optional)",
        )


def parse_json(text: str) -> Roster:
    """Read a roster from DynamoDB's batch-write JSON; see `read`."""
    try:
        tables = json.loads(text)
        puts = [request["PutRequest"]["Item"] for requests in tables.values() for request in requests]
        rows = [{key: next(iter(value.values())) for key, value in put.items()} for put in puts]
    except (ValueError, AttributeError, KeyError, TypeError, StopIteration) as error:
        raise LotteryError(
            "JSON roster",
            "the text is not in the format of `aws dynamodb batch-write-item`",
            'It must look like {"Lottery-Employee": [{"PutRequest": {"Item": {...}}}, ...]}',
        ) from error
    return _checked(rows)


def _checked(rows: Iterable[Employee]) -> Roster:
    roster, ids, serials = Roster(), set[str](), set[int]()
    unnumbered: list[Employee] = []
    for number, row in enumerate(rows, start=1):
        try:
            employee = _employee(row, ids, serials)
        except ValueError as reason:
            roster.rejected.append({"row": number, "reason": str(reason)})
            continue
        roster.employees.append(employee)
        if employee["lottery_serial"] is None:
            unnumbered.append(employee)
    _number(unnumbered, serials)
    return roster


def _employee(row: Employee, ids: set[str], serials: set[int]) -> Employee:
    """Turn one row into an employee, or raise ValueError with the reason why not."""
    identity, name = _text(row, "employee_id"), _text(row, "employee_name")
    entry, serial = _text(row, "employee_entry_date"), _text(row, "lottery_serial")
    if not identity:
        raise ValueError("employee_id is empty.")
    if identity in ids:
        raise ValueError(f"employee_id {identity} is there already.")
    if not name:
        raise ValueError(f"employee_name of {identity} is empty.")
    if entry and not _ENTRY_DATE.fullmatch(entry):
        raise ValueError(f"employee_entry_date of {identity} must look like 20200131, not {entry!r}.")
    if serial and not re.fullmatch(r"[1-9]\d{0,15}", serial):
        raise ValueError(
            f"lottery_serial of {identity} must be a whole number of at least 1, not {serial!r}."
        )
    number = int(serial) if serial else None
    if number in serials:
        raise ValueError(f"lottery_serial {number} of {identity} is taken already.")
    ids.add(identity)
    if number is not None:
        serials.add(number)
    return {
        "employee_id": identity,
        "employee_name": name,
        "employee_entry_date": entry,
        "lottery_serial": number,
    }


def _text(row: Employee, key: str) -> str:
    value = row.get(key)
    return str(value).strip() if isinstance(value, str | int) else ""


def _number(employees: list[Employee], taken: set[int]) -> None:
    """Give those without a serial the next free ones."""
    following = max(taken, default=0)
    for employee in employees:
        following += 1
        employee["lottery_serial"] = following
