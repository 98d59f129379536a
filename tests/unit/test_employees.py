"""A roster is read row by row; a bad row costs only itself."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib import employees as roster
from lottery_lib.draws import as_csv
from lottery_lib.errors import LotteryError
from lottery_lib.texts import CONTROLS

HEADER = "employee_id,employee_name,employee_entry_date,lottery_serial\n"


def read(tmp_path, text, name="staff.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return roster.read(path)


def test_tutorial_roster():
    """The tutorial's file has the ten employees 001 to 010 with serials 1 to 10."""
    employees = roster.tutorial_roster().employees
    assert [each["employee_id"] for each in employees] == [f"{number:03d}" for number in range(1, 11)]
    assert [each["lottery_serial"] for each in employees] == list(range(1, 11))
    assert all(len(each["employee_entry_date"]) == 8 for each in employees)


def test_csv(tmp_path):
    """A CSV row becomes an employee; names may be Chinese."""
    assert read(tmp_path, HEADER + "7,王芳,20200131,3\n").employees == [
        {
            "employee_id": "7",
            "employee_name": "王芳",
            "employee_entry_date": "20200131",
            "lottery_serial": 3,
        }
    ]


def test_serials_are_made_up(tmp_path):
    """A row without a serial gets the next free one."""
    found = read(tmp_path, HEADER + "a,A,,\nb,B,,7\nc,C,,\n")
    assert [each["lottery_serial"] for each in found.employees] == [8, 7, 9]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A,,", "employee_id is empty"),
        ("b,,,", "employee_name of b is empty"),
        ("a,B,,", "employee_id a is there already"),
        ("b,B,2020-01-31,", "must look like 20200131"),
        ("b,B,,0", "whole number of at least 1"),
        ("b,B,,1.5", "whole number of at least 1"),
        ("b,B,,1", "lottery_serial 1 of b is taken"),
        ("b,B\x1b[2J,,", r"employee_name 'B\x1b[2J' has a character that cannot be shown"),
        ("b,\u202eB,,", r"employee_name '\u202eB' has a character that cannot be shown"),
        ('b,"B\nC",,', r"employee_name 'B\nC' has a character that cannot be shown"),
        ("b\x9bm,B,,", r"employee_id 'b\x9bm' has a character that cannot be shown"),
    ],
)
def test_rejected(tmp_path, row, reason):
    """A row that cannot be an employee is rejected with its number in a spreadsheet and the reason."""
    found = read(tmp_path, f"{HEADER}a,A,,1\n{row}\n")
    assert len(found.employees) == 1
    assert [each["row"] for each in found.rejected] == [3]
    assert reason in found.rejected[0]["reason"]


def test_header(tmp_path):
    """A CSV without the header is refused with the line to start it with."""
    with pytest.raises(LotteryError, match="Start the file with the line: employee_id,employee_name"):
        read(tmp_path, "1,Ann\n")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"T": [1]}', '{"T": [{"PutRequest": {"Item": {"a": {}}}}]}']
)
def test_bad_json(tmp_path, text):
    """A JSON file of another shape is refused with the shape it must have."""
    with pytest.raises(LotteryError, match="It must look like"):
        read(tmp_path, text, "staff.json")


def test_no_file(tmp_path):
    """A file that is not there is one sentence."""
    with pytest.raises(LotteryError, match="cannot be read"):
        roster.read(tmp_path / "nobody.csv")


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "employee_id": st.text(max_size=3),
                "employee_name": st.text(max_size=3),
                "lottery_serial": st.sampled_from(["", "1", "2", "x", "-1"]),
            }
        ),
        max_size=8,
    )
)
def test_every_row_counts_once(rows):
    """Whatever the rows, each is loaded or rejected, and ids and serials are unique."""
    puts = [{"PutRequest": {"Item": {key: {"S": value} for key, value in row.items()}}} for row in rows]
    found = roster.parse_json(json.dumps({"T": puts}))
    assert len(found.employees) + len(found.rejected) == len(rows)
    for key in ("employee_id", "lottery_serial"):
        values = [each[key] for each in found.employees]
        assert len(values) == len(set(values))


def test_byte_order_mark(tmp_path):
    """A file as Excel saves it, with a byte order mark, is read like any other."""
    path = tmp_path / "staff.csv"
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + "a,A,,\n").encode())
    assert [each["employee_id"] for each in roster.read(path).employees] == ["a"]


def test_upper_case_suffix(tmp_path):
    """`STAFF.JSON` is JSON."""
    assert read(tmp_path, '{"T": []}', "STAFF.JSON").employees == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "No columns to parse"),
        (HEADER + "a,A,,1,more\n", "Expected 4 fields in line 2, saw 5"),
        (HEADER + "a,A,,1\nb,B,,2,more\n", "Expected 4 fields in line 3, saw 5"),
        (HEADER + 'a,"A,,1\n', "EOF inside string"),
    ],
    ids=["empty", "too long first row", "too long row", "open quote"],
)
def test_bad_csv(tmp_path, text, reason):
    """A file that is not CSV, or has a row with too many fields, is refused with the line."""
    with pytest.raises(LotteryError, match=f"cannot be read .*{reason}.* save it again as CSV"):
        read(tmp_path, text)


def test_short_row(tmp_path):
    """Fields that are missing at the end of a row are empty."""
    (employee,) = read(tmp_path, HEADER + "a,A\n").employees
    assert (employee["employee_entry_date"], employee["lottery_serial"]) == ("", 1)


def test_text_stays_as_it_is(tmp_path):
    """An id keeps its zeros, and NA is a name like any other."""
    (employee,) = read(tmp_path, HEADER + "007,NA,,\n").employees
    assert (employee["employee_id"], employee["employee_name"]) == ("007", "NA")


@given(
    st.lists(st.text("'=+-@\t\r\n ,;\"a王", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=4)
)
def test_an_export_is_read_back(names):
    """The names of winners, saved as CSV and loaded again, are the same."""
    names = [name for name in names if not CONTROLS.search(name)]
    saved = pd.DataFrame({"employee_id": [f"-{n}" for n in range(len(names))], "employee_name": names})
    found = roster.parse_csv(as_csv(saved).decode("utf-8-sig"))
    assert [each["employee_name"] for each in found.employees] == names
    assert [each["employee_id"] for each in found.employees] == list(saved["employee_id"])
