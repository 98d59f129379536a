"""Read a list of employees, row by row, from CSV, from Excel's .xlsx, or from DynamoDB's batch-write JSON."""

import codecs
import csv
import datetime
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, NotRequired, TypedDict

from python_calamine import CalamineError, CalamineWorkbook

from lottery_lib.errors import LotteryError
from lottery_lib.names import KIT
from lottery_lib.texts import CONTROLS, from_cell
from lottery_lib.translation import _, in_language

DATA_FOLDER: Final = KIT / "data"
#: The ten employees of the tutorial (2.2.4), as DynamoDB's batch-write takes them.
REQUEST_ITEMS: Final = in_language(DATA_FOLDER / "request-items.json")
COLUMNS: Final = ("employee_id", "employee_name", "employee_entry_date", "lottery_serial")
#: What a header may call each attribute of an employee. Capitals, spaces and underscores do not matter.
HEADERS: Final = {
    "employee_id": ("employee_id", "id", "staff id", "工号", "员工号", "员工编号"),
    "employee_name": ("employee_name", "name", "full name", "姓名", "员工姓名"),
    "department": ("department", "dept", "部门", "所属部门"),
    "employee_entry_date": ("employee_entry_date", "entry date", "start date", "入职日期", "入职时间"),
    "lottery_serial": ("lottery_serial", "lottery number", "抽奖号", "抽奖号码", "抽奖编号"),
}
_SAVE: Final = _("Save the list in Excel as .xlsx or as CSV UTF-8, and load that file")
# Excel's old format. Excel packs an .xlsx with a password into it, too.
_OLE: Final = b"\xd0\xcf\x11\xe0"
# Bytes that show that a list is not in GBK: Chinese words in UTF-8, such as 王芳, and Western words in the
# encoding of Windows, such as Müller.
_NOT_GBK: Final = re.compile(
    rb"(?<![\x80-\xff])(?:[\xe3-\xe9][\x80-\xbf]{2}){2,}(?![\x80-\xff])|[A-Za-z][\xc0-\xff][a-z]"
)
_YEAR_FIRST: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class Employee(TypedDict):
    """An item of the table of employees. The entry date is ``YYYYMMDD`` or empty."""

    employee_id: str
    employee_name: str
    employee_entry_date: str
    lottery_serial: int
    department: NotRequired[str]


class Rejection(TypedDict):
    """A row that is not an employee: its number, and the reason in one sentence.

    It is the number that Excel shows: the header is row 1. In JSON, it counts the items from 1.
    """

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
            LotteryError: Rows were rejected, and `skip_bad_rows` is False; or there is no employee.
        """
        if self.rejected and not skip_bad_rows:
            rows = "".join(f"\n{line}" for line in self._bad_rows())
            raise LotteryError(
                _("roster"),
                _("nothing was changed, because these rows are bad:{rows}", rows=rows.rstrip(".。")),
                _(
                    "Correct them, or load the other rows with --skip-bad-rows (in Python: "
                    "skip_bad_rows=True)"
                ),
            )
        if not self.employees:
            next_step = _("Correct the rows that were rejected")
            raise LotteryError(_("roster"), _("has no valid employee"), next_step)

    def preview(self) -> str:
        """What a person checks before the roster is loaded: the first three employees, and the bad rows."""
        lines = [_("Employees: {count}. The first ones, as they were read:", count=len(self.employees))]
        for employee in self.employees[:3]:
            department = f" ({employee['department']})" if "department" in employee else ""
            lines.append(f"  {employee['employee_id']}: {employee['employee_name']}{department}")
        if self.rejected:
            lines.append(_("Rejected rows: {count}", count=len(self.rejected)))
        return "\n".join(lines + self._bad_rows())

    def _bad_rows(self) -> list[str]:
        return [
            _("  row {number}: {reason}", number=bad["row"], reason=bad["reason"]) for bad in self.rejected
        ]


def tutorial_roster() -> Roster:
    """The ten employees of the tutorial."""
    return read(REQUEST_ITEMS)


def digest(ids: Sequence[str]) -> str:
    """The digest of a pool: SHA-256 of its employees' ids, in order, as compact JSON in ASCII."""
    return hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()


def read(path: str | Path) -> Roster:
    """Read a roster from a file; see `parse`.

    Raises:
        LotteryError: The file cannot be read, or `parse` refuses it.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        where = _("roster {file}", file=path.name)
        what = _("cannot be read ({reason})", reason=error.strerror)
        raise LotteryError(where, what, _("Give the path of a CSV, .xlsx or JSON file")) from error
    return parse(path.name, data)


def parse(name: str, data: bytes) -> Roster:
    """Read a roster from the content of a file, such as a page gets from an upload button.

    Args:
        name: The file's name. If it ends in ``.json``, the content is in the format of
            `aws dynamodb batch-write-item`.
        data: The content. If it is not JSON, it is the first sheet of an ``.xlsx`` file, or CSV with commas,
            semicolons or tabs, in UTF-8, UTF-16 or GB18030 (which includes GBK). The first row that is not
            empty is the header. It needs ``employee_id`` and ``employee_name``, or other words that `HEADERS`
            has for them. Columns that are not in `HEADERS` are ignored.

    Returns:
        The employees, and the rejected rows with the reasons. An employee without a serial gets the next free
        number.

    Raises:
        LotteryError: The file has another format, or the header is not clear.
    """
    where = _("roster {file}", file=name)
    if name.lower().endswith(".json"):
        return _checked(_json_items(where, data))
    if data.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in data:
        next_step = _("Remove the password in Excel, save the file and load it")
        raise LotteryError(where, _("has a password"), next_step)
    if data.startswith((_OLE, b"%PDF")):
        pdf = data.startswith(b"%PDF")
        raise LotteryError(where, _("is a PDF") if pdf else _("is in Excel's old format (.xls)"), _SAVE)
    read_rows = _xlsx_rows if data.startswith(b"PK") else _csv_rows
    return _checked(_under_header(where, read_rows(where, data)))


def _xlsx_rows(where: str, data: bytes) -> list[list[str]]:
    """The rows of a workbook's first sheet."""
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        return [list(map(_text, row)) for row in sheet.to_python(skip_empty_area=False)]
    except CalamineError as error:
        raise LotteryError(where, _("is a broken .xlsx file, or another kind of file"), _SAVE) from error


def _text(cell: object) -> str:
    """The text of a cell of Excel, for which each number is a float."""
    if isinstance(cell, datetime.date):  # a datetime is a date, too
        return f"{cell:%Y%m%d}"
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


def _csv_rows(where: str, data: bytes) -> list[list[str]]:
    """The rows of a CSV. Its separator is the one that the header has most."""
    text = _decoded(where, data)
    header = next(filter(str.strip, text.splitlines()), "")
    rows: list[list[str]] = []
    try:
        separator = max(",;\t", key=header.count)
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append(list(map(from_cell, row)))
    except csv.Error as error:
        what = _("cannot be read as CSV (row {number}: {error})", number=len(rows) + 1, error=error)
        next_step = _(
            "Look at the quotation marks there. Save the list in Excel as .xlsx or as CSV UTF-8, and load "
            "that file"
        )
        raise LotteryError(where, what, next_step) from error
    return rows


def _decoded(where: str, data: bytes) -> str:
    """The text of a CSV, whatever its encoding."""
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # Excel's "Unicode Text"
    with suppress(UnicodeDecodeError):
        return data.decode("utf-16" if marked else "utf-8-sig")
    with suppress(UnicodeDecodeError):
        if not _NOT_GBK.search(data):
            return data.decode("gb18030")
    raise LotteryError(where, _("is not in UTF-8 or GBK, or mixes both"), _SAVE)


def _under_header(where: str, rows: Iterable[Sequence[str]]) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The rows below the header, each with its number in Excel and its cells by attribute."""
    filled = ((number, cells) for number, cells in enumerate(rows, start=1) if any(map(str.strip, cells)))
    top, header = next(filled, (0, ()))
    if not top:
        next_step = _("Give a file with a header and one row for each employee")
        raise LotteryError(where, _("is empty"), next_step)
    columns = [_ATTRIBUTES.get(_plain(cell), "") for cell in header]
    for attribute in HEADERS:
        same = [cell.strip() for cell, column in zip(header, columns, strict=True) if column == attribute]
        if len(same) > 1:
            columns_of = {"attribute": attribute, "columns": _(" and ").join(same)}
            what = _("the header has two columns for {attribute}: {columns}", **columns_of)
            raise LotteryError(where, what, _("Delete or rename one of them"))
        if not same and attribute in COLUMNS[:2]:
            what = _("the header (row {number}) lacks {attribute}", number=top, attribute=attribute)
            next_step = _("Begin with a row such as employee_id,employee_name,department or 工号,姓名,部门")
            raise LotteryError(where, what, next_step)
    for number, cells in filled:
        surplus = any(map(str.strip, cells[len(header) :]))
        yield number, dict(zip(columns, cells, strict=False)) | {"": surplus}


def _plain(header: str) -> str:
    return re.sub(r"[\s_]", "", header).casefold()


_ATTRIBUTES: Final = {_plain(word): attribute for attribute, words in HEADERS.items() for word in words}


def _json_items(where: str, data: bytes) -> Iterable[tuple[int, Mapping[str, object]]]:
    """The items of DynamoDB's batch-write JSON, numbered."""
    try:
        tables = json.loads(data.decode("utf-8-sig"))
        puts = [request["PutRequest"]["Item"] for requests in tables.values() for request in requests]
        rows = [{key: next(iter(value.values())) for key, value in put.items()} for put in puts]
    except (ValueError, AttributeError, KeyError, TypeError, StopIteration, RecursionError) as error:
        raise LotteryError(
            where,
            _("the text is not in the format of `aws dynamodb batch-write-item`"),
            _('It must look like {"Lottery-Employee": [{"PutRequest": {"Item": {...}}}, ...]}'),
        ) from error
    return enumerate(rows, start=1)


def _checked(rows: Iterable[tuple[int, Mapping[str, object]]]) -> Roster:
    """Turn each row into an employee, or reject it with the first reason that applies."""
    roster, ids, serials = Roster(), set[str](), set[int]()
    for number, row in rows:
        values = [row.get(column) for column in HEADERS]
        identity, name, department, entry, serial_text = [
            str(value).strip() if isinstance(value, str | int) else "" for value in values
        ]
        if date := _YEAR_FIRST.fullmatch(entry):  # Excel writes a date into CSV as 2020/1/31
            entry = date[1] + date[2].zfill(2) + date[3].zfill(2)
        serial = int(serial_text) if re.fullmatch(r"[1-9]\d{0,15}", serial_text) else 0
        reasons = {
            _("it has more cells than the header. A text with a comma needs quotation marks."): (
                row.get("")  # no attribute of an item has this name
            ),
            _("employee_id is empty."): not identity,
            _("employee_id {id!r} has a character that cannot be shown.", id=identity): (
                CONTROLS.search(identity)
            ),
            _("employee_id {id} is there already.", id=identity): identity in ids,
            _("employee_name of {id} is empty.", id=identity): not name,
            _("employee_name {name!r} has a character that cannot be shown.", name=name): (
                CONTROLS.search(name)
            ),
            _("department {name!r} has a character that cannot be shown.", name=department): (
                CONTROLS.search(department)
            ),
            _(
                "employee_entry_date of {id} must look like 20200131, not {text!r}.", id=identity, text=entry
            ): (entry and not re.fullmatch(r"\d{8}", entry)),
            _(
                "lottery_serial of {id} must be a whole number of at least 1, not {text!r}.",
                id=identity,
                text=serial_text,
            ): serial_text and not serial,
            _("lottery_serial {number} of {id} is taken already.", number=serial, id=identity): (
                serial in serials
            ),
        }
        if reason := next((text for text, applies in reasons.items() if applies), None):
            roster.rejected.append({"row": number, "reason": reason})
            continue
        ids.add(identity)
        if serial:
            serials.add(serial)
        employee = Employee(
            employee_id=identity, employee_name=name, employee_entry_date=entry, lottery_serial=serial
        )
        if department:
            employee["department"] = department
        roster.employees.append(employee)
    free = count(max(serials, default=0) + 1)
    for employee in roster.employees:
        employee["lottery_serial"] = employee["lottery_serial"] or next(free)
    return roster
