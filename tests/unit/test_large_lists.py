"""A list that is too large is refused in one sentence, before room is made for it."""

import io
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from patience import SECONDS
from refusal import refused

from lottery_lib import employees

SMALL = Path(__file__).with_name("rosters") / "cells.xlsx"
SHEET, SHARED = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
HEADER = "".join(
    f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'
    for place, text in {"A1": "id", "B1": "name"}.items()
)
#: Reads a list with 1 GB of memory, and prints the error.
READS = """
import resource, sys
from lottery_lib import employees
from lottery_lib.errors import LotteryError
resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))
try:
    employees.read(sys.argv[1])
except LotteryError as error:
    print(error)
"""


def workbook(cells="", *, sheet=None, shared=None):
    """An .xlsx file whose sheet has a header and these cells; or with this sheet, and these shared texts."""
    sheet = sheet or f"<worksheet><sheetData><row>{HEADER}</row>{cells}</sheetData></worksheet>"
    file = io.BytesIO()
    with zipfile.ZipFile(SMALL) as small, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in small.namelist():
            text = {SHEET: sheet, SHARED: shared}.get(name)
            packed.writestr(name, small.read(name) if text is None else text)
    return file.getvalue()


def understated(data):
    """The same file; its table of contents says that each part has at most 9 bytes."""
    changed, at = bytearray(data), data.find(b"PK\1\2")
    while at >= 0:
        struct.pack_into("<I", changed, at + 24, min(9, struct.unpack_from("<I", data, at + 24)[0]))
        at = data.find(b"PK\1\2", at + 1)
    return bytes(changed)


def cell(place):
    return f'<c r="{place}"><v>1</v></c>'


def shared(texts):
    return f"<sst>{texts}</sst>"


MANY = "id,name\n" + "".join(f"{number},A\n" for number in range(10**6))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("x.xlsx", workbook(cell("XFD1048576")), "it has a cell in row 1048576, column 16384"),
        ("x.xlsx", workbook(cell("A100001")), "it has a cell in row 100001, column 1"),
        ("x.xlsx", workbook(f'<row r="99999999">{cell("A1")}<c><v/></c></row>'), "in row 99999999, column 2"),
        ("x.xlsx", workbook("<row>" + "<c/>" * 100 + "<c><v>1</v></c></row>"), "in row 2, column 101"),
        ("x.xlsx", workbook(" " * (2 * 10**8)), "it unpacks to more than 100 MB"),
        (
            "x.xlsx",
            workbook('<c t="s"><v>0</v></c>' * 1000, shared=shared(f"<si><t>{'x' * 10**6}</t></si>")),
            "its texts are too long",
        ),
        ("x.csv", MANY.encode(), "it has a cell in row 100001, column 2"),
        ("x.csv", b"id,name\n" + b"," * 10**7, "it has a cell in row 2, column 10000001"),
        ("x.csv", b"\n" * (10**7), "it has a cell in row 100001, column 0"),
        ("x.csv", MANY.encode() * 3, "is too large: it has more than 20 MB. Save only ids, names and"),
        (
            "x.json",
            b'{"T": [' + b",".join([b'{"PutRequest": {"Item": {}}}'] * 100_001) + b"]}",
            "it has a cell in row 100001, column 1",
        ),
    ],
    ids=[
        "far cell", "row", "column", "columns without names", "zip bomb", "shared text", "million rows",
        "commas", "lines", "bytes", "json",
    ],
)  # fmt: skip
def test_it_is_refused(tmp_path, name, data, reason):
    """Each is one sentence, and 1 GB of memory is enough for it."""
    (tmp_path / name).write_bytes(data)
    command = [sys.executable, "-c", READS, tmp_path / name]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)
    assert done.stderr == ""
    assert done.stdout.startswith(f"roster {name}: ")
    assert reason in done.stdout


def test_an_upload_is_limited():
    """What a page sends is limited, too, and the sentence says what fits."""
    assert refused(employees.parse, "x.xlsx", b"," * (2 * 10**7 + 1)) == (
        "roster x.xlsx: is too large: it has more than 20 MB. Save only ids, names and departments in a "
        "file of their own, with at most 100,000 rows, 100 columns and 20 MB."
    )


@pytest.mark.parametrize(
    "data",
    [
        understated(workbook(" " * 10**7)),
        workbook(cell("$A$1")),
        workbook('<c r="A1" r="XFD1048576"><v>1</v></c>'),
        workbook('<c t="s"><v>5</v></c>', shared=shared("<si/>")),
        b"PK\3\4",
    ],
    ids=["sizes", "place", "two places", "no text", "cut off"],
)
def test_it_is_broken(data):
    """A workbook that says something else than it has is refused."""
    assert "is a broken .xlsx file, or another kind of file" in refused(employees.parse, "x.xlsx", data)


@pytest.mark.parametrize("more", [0, 1])
def test_texts_may_have_50_million_characters(more):
    """Fifty cells of a million are read, and the list lacks a column. With one letter more, they are not."""
    texts = shared(f"<si><t>{'x' * 10**6}</t></si><si><t>y</t></si>")
    cells = '<c t="s"><v>0</v></c>' * 50 + '<c t="s"><v>1</v></c>' * more
    sheet = f"<worksheet><sheetData><row>{cells}</row></sheetData></worksheet>"
    said = refused(employees.parse, "x.xlsx", workbook(sheet=sheet, shared=texts))
    assert ("its texts are too long" in said) == (more == 1)


def test_a_workbook_means_one_thing():
    """What two programs could read differently is refused: a DOCTYPE, and another encoding than UTF-8."""
    text = f"<worksheet><sheetData><row>{HEADER}</row></sheetData></worksheet>"
    said = '<?xml version="1.0" encoding="utf-16"?>'
    for sheet in (f"<!DOCTYPE a>{text}", *(f"{said}{text}".encode(each) for each in ("utf-16", "utf-16-le"))):
        assert "is a broken .xlsx file" in refused(employees.parse, "x.xlsx", workbook(sheet=sheet))


def test_elements_are_limited(monkeypatch):
    """A workbook may have only so many cells, also without a value."""
    monkeypatch.setattr(employees, "_MOST_ELEMENTS", 1000)
    assert "it has too many cells" in refused(employees.parse, "x.xlsx", workbook("<c/>" * 1000))


def test_formats_far_away_do_not_count():
    """Cells and rows without a value, which spreadsheets keep for their format, are no cells of a list."""
    far = '<row r="1048576" ht="12"><c r="XFD1048576" s="1"/></row>'
    assert employees.parse("x.xlsx", workbook(f'<row r="2">{cell("A2")}{cell("B2")}</row>{far}')).employees


def test_the_largest_list_is_read():
    """The last row and the last column that may have something are read."""
    assert employees.parse("x.xlsx", workbook(cell("A100000") + cell("B100000"))).employees
    assert employees.parse("x.xlsx", workbook(cell("A2") + cell("B2") + cell("CV1"))).employees


def test_pictures_do_not_count():
    """A workbook may have pictures: they are not unpacked."""
    file = io.BytesIO(workbook(cell("A2") + cell("B2")))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/media/image1.png", b"\0" * (employees._MOST_UNPACKED + 1))
    assert employees.parse("x.xlsx", file.getvalue()).employees
