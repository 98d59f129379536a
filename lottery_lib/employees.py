"""Read a list of employees, row by row, from CSV, from Excel's .xlsx, or from DynamoDB's batch-write JSON."""

import codecs
import csv
import datetime
import errno
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from typing import Final, NamedTuple, NotRequired, TypedDict
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, read_limited, reason_of
from lottery_lib.harmless import CONTROLS, INVISIBLE, from_cell, skeleton
from lottery_lib.names import KIT
from lottery_lib.translation import _, in_language, name_in_words, punctuated

DATA_FOLDER: Final = KIT / "data"
#: The ten employees of the tutorial (2.2.4), as DynamoDB's batch-write takes them.
REQUEST_ITEMS: Final = in_language(DATA_FOLDER / "request-items.json")
COLUMNS: Final = ("employee_id", "employee_name", "employee_entry_date", "lottery_serial")
#: What a header may call each attribute of an employee. Capitals, spaces and underscores do not matter.
HEADERS: Final = {
    "employee_id": ("employee_id", "id", "staff id", "工号", "员工号", "员工编号"),
    "employee_name": ("employee_name", "name", "full name", "姓名", "员工姓名", "成员姓名"),
    "department": ("department", "dept", "部门", "所属部门", "所在部门", "部门名称"),
    "employee_entry_date": ("employee_entry_date", "entry date", "start date", "入职日期", "入职时间"),
    "lottery_serial": ("lottery_serial", "lottery number", "抽奖号", "抽奖号码", "抽奖编号", "抽奖序号"),
}
#: What stands for a missing id: the first of these that a list has. WeCom calls an account 账号 or 帐号,
#: DingTalk has the other two, and a sign-in numbers its rows. No phone: an id is published with the receipts.
_INSTEAD_OF_ID: Final = ("账号", "帐号", "员工userid", "userid", "序号")
#: What a list may have. One that has more is refused before room is made for it.
MOST_ROWS: Final = 100_000
_MOST_COLUMNS: Final = 100
MOST_BYTES: Final = 20 * MB
_HEADER_ROWS: Final = 10  # where to look for the header, below a title
_LONGEST_HEADER: Final = 20_000  # characters
_MOST_UNPACKED: Final = 100 * MB
_MOST_ELEMENTS: Final = 10_000_000
_MOST_CHARACTERS: Final = 50_000_000
_ID_BYTES: Final = 2048  # the limit of DynamoDB for a key
_NAME_LENGTH: Final = 200
_SHOWN_ROWS: Final = 20
_PLACE: Final = re.compile("([A-Z]{1,3})([0-9]{1,7})")
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
            pattern = "  {employee_id}: {employee_name}" + " ({department})" * ("department" in employee)
            lines.append(punctuated(pattern, **employee))
        if self.rejected:
            lines.append(_("Rejected rows: {count}", count=len(self.rejected)))
        return "\n".join(lines + self._bad_rows())

    def _bad_rows(self) -> list[str]:
        first, more = self.rejected[:_SHOWN_ROWS], len(self.rejected) - _SHOWN_ROWS
        rows = [_("  row {number}: {reason}", number=bad["row"], reason=bad["reason"]) for bad in first]
        return [*rows, *([_("  and {count} more", count=more)] if more > 0 else [])]


def tutorial_roster() -> Roster:
    """The ten employees of the tutorial."""
    return read(REQUEST_ITEMS)


def read(path: str | Path) -> Roster:
    """Read a roster from a file; see `parse`.

    Raises:
        LotteryError: The file cannot be read, or `parse` refuses it.
    """
    path = Path(path)
    try:
        data = read_limited(path, MOST_BYTES)
    except OSError as error:
        where = _("roster {file}", file=path.name)
        if error.errno == errno.EFBIG:
            raise _too_large(where, reason_of(error)) from error
        what = _("cannot be read ({reason})", reason=reason_of(error))
        raise LotteryError(where, what, _("Give the path of a CSV, .xlsx or JSON file")) from error
    return parse(path.name, data)


def parse(name: str, data: bytes) -> Roster:
    """Read a roster from the content of a file, such as a page gets from an upload button.

    Args:
        name: The file's name. If it ends in ``.json``, the content is in the format of
            `aws dynamodb batch-write-item`.
        data: The content. If it is not JSON, it is the first sheet of an ``.xlsx`` file, or CSV with commas,
            semicolons or tabs, in UTF-8, UTF-16 or GB18030 (which includes GBK). The header is the first of
            the first ten rows that has ``employee_id`` and ``employee_name``, or other words that `HEADERS`
            has for them. An account, or the number of a row, stands for a missing id. A title above it is
            ignored, and so are other columns.

    Returns:
        The employees, and the rejected rows with the reasons. An employee without a serial gets the next free
        number.

    Raises:
        LotteryError: The file has another format, or the header is not clear.
    """
    where = _("roster {file}", file=name)
    check_size(name, len(data))
    if name.lower().endswith(".json"):
        return _checked(_json_items(where, data))
    if data.startswith(_OLE) and "EncryptedPackage".encode("utf-16-le") in data:
        next_step = _("Remove the password in Excel, save the file and load it")
        raise LotteryError(where, _("has a password"), next_step)
    if data.startswith((_OLE, b"%PDF")):
        pdf = data.startswith(b"%PDF")
        raise LotteryError(where, _("is a PDF") if pdf else _("is in Excel's old format (.xls)"), _SAVE)
    read_rows = _xlsx_rows if data.startswith(b"PK") else _csv_rows
    return _checked(*_under_header(where, read_rows(where, data)))


def check_size(name: str, size: int) -> None:
    """Refuse a file of this name that has too many bytes.

    Raises:
        LotteryError: With the largest size.
    """
    if size > MOST_BYTES:
        where = _("roster {file}", file=name)
        raise _too_large(where, _("it has more than {size} MB", size=MOST_BYTES // MB))


def _too_large(where: str, reason: str) -> LotteryError:
    limits = {"rows": f"{MOST_ROWS:,}", "columns": _MOST_COLUMNS, "size": MOST_BYTES // MB}
    next_step = _(
        "Save only ids, names and departments in a file of their own, with at most {rows} rows, {columns} "
        "columns and {size} MB",
        **limits,
    )
    return LotteryError(where, _("is too large: {reason}", reason=reason), next_step)


def _check_place(where: str, row: int, column: int) -> None:
    if row > MOST_ROWS or column > _MOST_COLUMNS:
        raise _too_large(where, _("it has a cell in row {row}, column {column}", row=row, column=column))


def _xlsx_rows(where: str, data: bytes) -> list[list[str]]:
    """The rows of a workbook's first sheet."""
    try:
        sheet = CalamineWorkbook.from_filelike(_counted(where, data)).get_sheet_by_index(0)
        return [list(map(_text, row)) for row in sheet.to_python(skip_empty_area=False)]
    except (CalamineError, *_BROKEN) as error:
        raise LotteryError(where, _("is a broken .xlsx file, or another kind of file"), _SAVE) from error


# What zipfile and expat raise, and `_Cells` for a cell that has no place.
_BROKEN: Final = (
    BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ExpatError,
    ValueError,
    LookupError,
)


def _counted(where: str, data: bytes) -> io.BytesIO:
    """A workbook again, after its XML was unpacked and its cells were counted.

    calamine unpacks everything, whatever an entry says of its size. It makes room for each cell between the
    first and the last one, and a copy of a shared text for each cell that has it.
    """
    counted, left, cells = io.BytesIO(), _MOST_UNPACKED, _Cells(where)
    with ZipFile(io.BytesIO(data)) as packed, ZipFile(counted, "w") as unpacked:
        names = [
            name for name in dict.fromkeys(packed.namelist()) if name.lower().endswith((".xml", ".rels"))
        ]
        for name in sorted(names, key=lambda name: "sharedstrings" not in name.lower()):
            if packed.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise NotImplementedError  # no spreadsheet uses another, and only these unpack bit by bit
            with packed.open(name) as stream:
                part = stream.read(left + 1)
            left -= len(part)
            if left < 0:
                raise _too_large(where, _("it unpacks to more than {size} MB", size=_MOST_UNPACKED // MB))
            cells.count(part)
            unpacked.writestr(name, part)
    counted.seek(0)
    return counted


class _Cells:
    """Count the cells of a workbook, and the characters in them, without making room for them.

    Count its shared texts before its sheets.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._row = self._elements = self._characters = 0
        self._at = (0, 0)  # row and column of the cell
        self._is_shared = False  # whether its value is the number of a shared text
        self._words: list[str] = []
        self._texts: list[int] = []  # the lengths of the shared texts

    def count(self, part: bytes) -> None:
        """Count what is in a part, which is XML.

        Raises:
            LotteryError: There is too much.
            ExpatError, ValueError, LookupError: It is broken.
        """
        if b"\0" in part:
            raise ValueError  # expat would read it as UTF-16, and calamine as UTF-8
        self._row = 0
        parser = ParserCreate("UTF-8")  # whatever it says: calamine reads it so
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._words.append
        parser.Parse(part, True)

    def _refuse(self, *_doctype: object) -> None:
        raise ValueError  # no workbook has one

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise _too_large(self._where, _("it has too many cells"))
        match name.rpartition(":")[2]:
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._at = (self._row, 0)
            case "c":
                self._at = _place(attributes["r"]) if "r" in attributes else (self._row, self._at[1] + 1)
                self._is_shared = attributes.get("t") == "s"
            case "v" | "is":  # a cell without any has only a format
                _check_place(self._where, *self._at)
                self._words.clear()
            case "si":
                self._words.clear()

    def _end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "si":
                self._texts.append(sum(map(len, self._words)))
            case "v" if self._is_shared:
                self._characters += self._texts[int("".join(self._words))]
                if self._characters > _MOST_CHARACTERS:
                    raise _too_large(self._where, _("its texts are too long"))


def _place(name: str) -> tuple[int, int]:
    """The row and the column of a cell such as ``B7``."""
    match = _PLACE.fullmatch(name)
    if not match:
        raise ValueError(name)
    column = 0
    for letter in match[1]:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(match[2]), column


def _text(cell: object) -> str:
    """The text of a cell of Excel, for which each number is a float."""
    if isinstance(cell, datetime.date):  # a datetime is a date, too
        return f"{cell:%Y%m%d}"
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


_Rows = Iterable[tuple[int, Mapping[str, object]]]


def _csv_rows(where: str, data: bytes) -> list[list[str]]:
    """The rows of a CSV. Its separator is the one that makes a header, or that the first row has most."""
    text = _decoded(where, data)
    lines = [line[:_LONGEST_HEADER] for line in islice(io.StringIO(text, newline=""), _HEADER_ROWS)]
    first = next(filter(str.strip, io.StringIO(text, newline="")), "")
    rows: list[list[str]] = []
    try:
        separators = [
            each for line in lines for each in ",;\t" if _is_header(next(csv.reader([line], delimiter=each)))
        ]
        separator = separators[0] if separators else max(",;\t", key=first.count)
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append(list(map(from_cell, row)))
            _check_place(where, len(rows), len(row))
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


def _under_header(where: str, rows: Iterable[Sequence[str]]) -> tuple[_Rows, dict[str, str]]:
    """The rows below the header, and what it calls each attribute.

    A row is its number in Excel and its cells by attribute.
    """
    filled = [(number, cells) for number, cells in enumerate(rows, start=1) if any(map(str.strip, cells))]
    if not filled:
        next_step = _("Give a file with a header and one row for each employee")
        raise LotteryError(where, _("is empty"), next_step)
    tops = [each for each in filled if each[0] <= _HEADER_ROWS] or filled[:1]
    closest = max(tops, key=lambda each: len({*_columns(each[1])} - {""}))  # the error is about this one
    top, header = next((each for each in tops if _is_header(each[1])), closest)
    columns = _columns(header)
    for attribute in HEADERS:
        same = [cell.strip() for cell, column in zip(header, columns, strict=True) if column == attribute]
        if len(same) > 1:
            columns_of = {"attribute": name_in_words(attribute), "columns": _(" and ").join(same)}
            what = _("the header has two columns for {attribute}: {columns}", **columns_of)
            raise LotteryError(where, what, _("Delete or rename one of them"))
        if not same and attribute in COLUMNS[:2]:
            what = _(
                "the header (row {number}) lacks {attribute}", number=top, attribute=name_in_words(attribute)
            )
            next_step = _("Begin with a row such as employee_id,employee_name,department or 工号,姓名,部门")
            raise LotteryError(where, what, next_step)
    called = {attribute: cell.strip() for attribute, cell in zip(columns, header, strict=True)}
    below = (
        (number, dict(zip(columns, cells, strict=False)) | {"": any(map(str.strip, cells[len(header) :]))})
        for number, cells in filled
        if number > top
    )
    return below, called


def _columns(header: Sequence[str]) -> list[str]:
    """The attribute of each column; empty for a column that is ignored."""
    plain = [*map(_plain, header)]
    columns = [_ATTRIBUTES.get(each, "") for each in plain]
    if "employee_id" not in columns and (words := [each for each in _INSTEAD_OF_ID if each in plain]):
        columns[plain.index(words[0])] = "employee_id"
    return columns


def _is_header(cells: Sequence[str]) -> bool:
    return {*COLUMNS[:2]} <= {*_columns(cells)}


def _plain(header: str) -> str:
    return re.sub(r"[\s_]", "", header).casefold()


_ATTRIBUTES: Final = {_plain(word): attribute for attribute, words in HEADERS.items() for word in words}


def _json_items(where: str, data: bytes) -> _Rows:
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
    _check_place(where, len(rows), 1)
    return enumerate(rows, start=1)


class _Before(NamedTuple):
    """What the rows before have. By its skeleton: the row in which a text was first, and the text there."""

    ids: dict[str, tuple[int, str]]
    names: dict[str, tuple[int, str]]
    serials: set[int]


def _checked(rows: _Rows, called: Mapping[str, str] | None = None) -> Roster:
    """Turn each row into an employee, or reject it with the first reason that applies.

    Args:
        rows: The rows, each with its number and its cells by attribute.
        called: What the file calls an attribute, if not by its name.
    """
    columns = {each: each for each in HEADERS} | dict(called or {})
    roster, before = Roster(), _Before({}, {}, set())
    for number, row in rows:
        texts = {
            each: str(row[each]).strip() if isinstance(row.get(each), str | int) else "" for each in HEADERS
        }
        if date := _YEAR_FIRST.fullmatch(texts["employee_entry_date"]):  # Excel writes 2020/1/31 into CSV
            texts["employee_entry_date"] = date[1] + date[2].zfill(2) + date[3].zfill(2)
        is_serial = re.fullmatch(r"[1-9]\d{0,15}", texts["lottery_serial"])
        serial = int(texts["lottery_serial"]) if is_serial else 0
        if row.get(""):  # no attribute of an item has this name
            reason = _("it has more cells than the header. A text with a comma needs quotation marks.")
        else:
            reason = next(_wrong(texts, serial, columns, before), "")
        if reason:
            roster.rejected.append({"row": number, "reason": reason})
            continue
        identity, name, department, entry, _serial = texts.values()
        before.ids[skeleton(identity)] = number, identity
        before.names.setdefault(skeleton(name), (number, name))
        if serial:
            before.serials.add(serial)
        employee = Employee(
            employee_id=identity, employee_name=name, employee_entry_date=entry, lottery_serial=serial
        )
        if department:
            employee["department"] = department
        roster.employees.append(employee)
    free = count(max(before.serials, default=0) + 1)
    for employee in roster.employees:
        employee["lottery_serial"] = employee["lottery_serial"] or next(free)
    return roster


def _wrong(
    texts: Mapping[str, str], serial: int, columns: Mapping[str, str], before: _Before
) -> Iterator[str]:
    """What is wrong with a row's texts, beside those of the rows before."""
    identity, name, department, entry, serial_text = texts.values()
    id_column, name_column, department_column, entry_column, serial_column = map(columns.get, HEADERS)
    row, other = before.ids.get(skeleton(identity), (0, ""))
    if not skeleton(identity):
        yield _("{column} is empty.", column=id_column)
    if len(identity.encode(errors="replace")) > _ID_BYTES:
        yield _("{column} has more than {most} bytes.", column=id_column, most=_ID_BYTES)
    if row:
        about = {"column": id_column, "value": identity, "row": row}
        yield (
            _("{column} {value} is there already, in row {row}.", **about)
            if identity == other
            else _("{column} {value!r} looks like {other!r} in row {row}.", other=other, **about)
        )
    if CONTROLS.search(identity) or INVISIBLE.search(identity):
        yield _("{column} {value!r} has a character that cannot be shown.", column=id_column, value=identity)
    if not skeleton(name):
        yield _("{column} of {id} is empty.", column=name_column, id=identity)
    if max(len(name), len(department)) > _NAME_LENGTH:
        yield _(
            "a name or department of {id} has more than {most} characters.", id=identity, most=_NAME_LENGTH
        )
    for column, value in ((name_column, name), (department_column, department)):
        if CONTROLS.search(value):
            yield _("{column} {value!r} has a character that cannot be shown.", column=column, value=value)
    row, other = before.names.get(skeleton(name), (0, name))
    if name != other:
        about = {"column": name_column, "value": name, "other": other, "row": row}
        yield _("{column} {value!r} looks like {other!r} in row {row}. Write both in one way.", **about)
    if entry and not re.fullmatch(r"\d{8}", entry):
        about = {"column": entry_column, "id": identity, "text": entry}
        yield _("{column} of {id} must look like 20200131, not {text!r}.", **about)
    if serial_text and not serial:
        about = {"column": serial_column, "id": identity, "text": serial_text}
        yield _("{column} of {id} must be a whole number of at least 1, not {text!r}.", **about)
    if serial in before.serials:
        about = {"column": serial_column, "id": identity, "number": serial}
        yield _("{column} {number} of {id} is taken already.", **about)
