"""Read a list of employees, row by row, from CSV or from DynamoDB's batch-write JSON."""

import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, TypedDict

from lottery_lib.errors import LotteryError
from lottery_lib.names import CHECKOUT
from lottery_lib.texts import CONTROLS, from_cell

DATA_FOLDER: Final = CHECKOUT / "data"
COLUMNS: Final = ("employee_id", "employee_name", "employee_entry_date", "lottery_serial")


class Employee(TypedDict):
    """An item of the table of employees. The entry date is ``YYYYMMDD`` or empty."""

    employee_id: str
    employee_name: str
    employee_entry_date: str
    lottery_serial: int


class Rejection(TypedDict):
    """A row that is not an employee: its number as a spreadsheet shows it, and the reason in one sentence."""

    row: int
    reason: str


@dataclass
class Roster:
    """The employees of a file, and its rows that were rejected."""

    employees: list[Employee] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)

    def check(self, *, skip_bad_rows: bool) -> None:
        """Refuse a roster that cannot be loaded.

        Raises:
            LotteryError: Rows were rejected, and `skip_bad_rows` is False; or nobody is left, so that there
                would be nobody to draw from.
        """
        if self.rejected and not skip_bad_rows:
            rows = "".join(f"\n  row {each['row']}: {each['reason']}" for each in self.rejected)
            raise LotteryError(
                "roster",
                f"nothing was changed, because these rows are bad:{rows.removesuffix('.')}",
                "Correct them, or load the other rows with --skip-bad-rows (in Python: skip_bad_rows=True)",
            )
        if not self.employees:
            raise LotteryError("roster", "has no valid employee", "Correct the rows that were rejected")


def tutorial_roster() -> Roster:
    """The ten employees of the tutorial's `request-items.json` (2.2.4)."""
    return read(DATA_FOLDER / "request-items.json")


def digest(ids: Sequence[str]) -> str:
    """The digest of a pool: SHA-256 of its employees' ids, in order, as compact JSON in ASCII."""
    return hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()


def read(path: str | Path) -> Roster:
    """Read a roster from a file in UTF-8, with or without a byte order mark.

    Args:
        path: A ``.json`` file in the format of `aws dynamodb batch-write-item`. Any other file is read as
            CSV with a header that has at least ``employee_id`` and ``employee_name``.

    Returns:
        The employees, and the rejected rows with the reasons. An employee without a serial gets the next free
        number.

    Raises:
        LotteryError: The file does not exist, or has another format.
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
    import pandas as pd  # noqa: PLC0415 - it takes a while, and the tutorial's roster is JSON

    try:
        # Without `header=None` pandas would drop surplus values of the first row without an error.
        frame = pd.read_csv(io.StringIO(text), header=None, dtype=str, keep_default_na=False)
    except ValueError as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise LotteryError(
            "CSV roster", f"cannot be read ({reason})", "Correct the file or save it again as CSV"
        ) from error
    rows = frame.fillna("").itertuples(index=False, name=None)
    header = next(rows)
    missing = sorted({"employee_id", "employee_name"} - set(header))
    if missing:
        raise LotteryError(
            "CSV roster",
            f"the header lacks {', '.join(missing)}",
            f"Start the file with the line: {','.join(COLUMNS)} (the last two are optional)",
        )
    people = (dict(zip(header, map(from_cell, row), strict=True)) for row in rows)
    return _checked(people, first=2)  # the header is row 1


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
    return _checked(rows, first=1)


def _checked(rows: Iterable[Mapping[str, object]], *, first: int) -> Roster:
    """Turn rows, counted from `first`, into employees, or reject a row with the first reason that applies."""
    roster, ids, serials = Roster(), set[str](), set[int]()
    for number, row in enumerate(rows, start=first):
        values = [row.get(column) for column in COLUMNS]
        identity, name, entry, given = [
            str(value).strip() if isinstance(value, str | int) else "" for value in values
        ]
        serial = int(given) if re.fullmatch(r"[1-9]\d{0,15}", given) else 0
        reasons = {
            "employee_id is empty.": not identity,
            f"employee_id {identity!r} has a character that cannot be shown.": CONTROLS.search(identity),
            f"employee_id {identity} is there already.": identity in ids,
            f"employee_name of {identity} is empty.": not name,
            f"employee_name {name!r} has a character that cannot be shown.": CONTROLS.search(name),
            f"employee_entry_date of {identity} must look like 20200131, not {entry!r}.": (
                entry and not re.fullmatch(r"\d{8}", entry)
            ),
            f"lottery_serial of {identity} must be a whole number of at least 1, not {given!r}.": (
                given and not serial
            ),
            f"lottery_serial {serial} of {identity} is taken already.": serial in serials,
        }
        if reason := next((text for text, applies in reasons.items() if applies), None):
            roster.rejected.append({"row": number, "reason": reason})
            continue
        ids.add(identity)
        if serial:
            serials.add(serial)
        roster.employees.append(
            Employee(
                employee_id=identity, employee_name=name, employee_entry_date=entry, lottery_serial=serial
            )
        )
    free = count(max(serials, default=0) + 1)
    for employee in roster.employees:
        employee["lottery_serial"] = employee["lottery_serial"] or next(free)
    return roster
