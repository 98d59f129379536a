"""A roster is read row by row; a bad row costs only itself."""

import csv
import datetime
import io
import json
import random
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from refusal import refused

from lottery_lib import employees as roster
from lottery_lib.draws import as_csv, as_xlsx
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import CONTROLS, skeleton, to_cell
from lottery_lib.resources.contents import CHUNK

HEADER = "employee_id,employee_name,employee_entry_date,lottery_serial\n"
#: What LibreOffice saved; `make.sh` there says how.
MADE = Path(__file__).with_name("rosters")


def read(text, name="staff.csv", encoding="utf-8"):
    return roster.parse(name, text.encode(encoding))


def workbook(*rows):
    """An .xlsx file with these cells."""
    file = io.BytesIO()
    pd.DataFrame(rows, dtype=object).to_excel(file, engine="xlsxwriter", index=False, header=False)
    return file.getvalue()


def test_tutorial_roster():
    """The tutorial's file has the ten employees 001 to 010 with serials 1 to 10."""
    employees = roster.tutorial_roster().employees
    assert [each["employee_id"] for each in employees] == [f"{number:03d}" for number in range(1, 11)]
    assert [each["lottery_serial"] for each in employees] == list(range(1, 11))
    assert all(len(each["employee_entry_date"]) == 8 for each in employees)


def test_csv():
    """A CSV row becomes an employee; names may be Chinese."""
    assert read(HEADER + "7,王芳,20200131,3\n").employees == [
        {
            "employee_id": "7",
            "employee_name": "王芳",
            "employee_entry_date": "20200131",
            "lottery_serial": 3,
        }
    ]


def test_serials_are_made_up():
    """A row without a serial gets the next free one."""
    found = read(HEADER + "a,A,,\nb,B,,7\nc,C,,\n")
    assert [each["lottery_serial"] for each in found.employees] == [8, 7, 9]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A,,", "employee_id is empty"),
        ("b,,,", "employee_name of b is empty"),
        ("a,B,,", "employee_id a is there already, in row 2."),
        ("b,B,31/1/2020,", "must look like 20200131"),
        ("b,B,,0", "whole number of at least 1"),
        ("b,B,,1.5", "whole number of at least 1"),
        ("b,B,,1", "lottery_serial 1 of b is taken"),
        ("b,B\x1b[2J,,", r"employee_name 'B\x1b[2J' has a character that cannot be shown"),
        ("b,\u202eB,,", r"employee_name '\u202eB' has a character that cannot be shown"),
        ('b,"B\nC",,', r"employee_name 'B\nC' has a character that cannot be shown"),
        ("b\x9bm,B,,", r"employee_id 'b\x9bm' has a character that cannot be shown"),
        ("b,B,,2,more", "more cells than the header"),
        (f"{'b' * 2049},B,,", "employee_id has more than 2048 bytes."),
        (f"{'王' * 683},B,,", "employee_id has more than 2048 bytes."),
        (f"b,{'B' * 201},,", "a name or department of b has more than 200 characters."),
        ("Ａ,B,,", "employee_id 'Ａ' looks like 'a' in row 2."),
        ("a\u200b,B,,", r"employee_id 'a\u200b' looks like 'a' in row 2."),
        ("b\u200b,B,,", r"employee_id 'b\u200b' has a character that cannot be shown."),
        ("\u200b,B,,", "employee_id is empty."),
        ("b,\u3164,,", "employee_name of b is empty."),
        ("b,Ａ,,", "employee_name 'Ａ' looks like 'A' in row 2. Write both in one way."),
        ("b,A\u200d,,", r"employee_name 'A\u200d' looks like 'A' in row 2."),
    ],
)
def test_rejected(row, reason):
    """A row that cannot be an employee is rejected with its number and the reason."""
    found = read(f"{HEADER}a,A,,1\n{row}\n")
    assert len(found.employees) == 1
    assert [each["row"] for each in found.rejected] == [3]
    assert reason in found.rejected[0]["reason"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",A,,", "工号 is empty."),
        ("b,,,", "姓名 of b is empty."),
        ("b,A,D\x1b,", r"部门 'D\x1b' has a character that cannot be shown."),
        ("b,A,,x", "抽奖号 of b must be a whole number of at least 1, not 'x'."),
    ],
)
def test_a_column_has_the_name_of_its_header(row, reason):
    """Who reads the reason finds the column."""
    assert read(f"工号,姓名,部门,抽奖号\n{row}\n").rejected == [{"row": 2, "reason": reason}]


@pytest.mark.parametrize(
    ("header", "row", "found"),
    [
        ("姓名,帐号,别名,职务,部门,性别,手机,企业邮箱", "李娜,lina,,经理,云桥/市场部,女,1,a@b.cn", "lina"),
        ("姓名,账号,工号,部门", "李娜,lina,A7,云桥/市场部", "A7"),
        ("员工UserID,姓名,手机号,部门,职位,工号", "0042,李娜,1,云桥/市场部,经理,A7", "A7"),
        ("员工UserID,姓名,手机号,部门,职位", "0042,李娜,1,云桥/市场部,经理", "0042"),
        ("姓名,考勤组,部门,职位,UserId", "李娜,甲,云桥/市场部,经理,0042", "0042"),
        ("序号,姓名,手机号,部门,签到时间", "3,李娜,1,云桥/市场部,2026-12-03 18:05:00", "3"),
        ("序号,姓名,工号,所在部门,签到状态", "3,李娜,A7,云桥/市场部,已签到", "A7"),
    ],
)
def test_lists_of_chinese_programs(header, row, found):
    """WeCom, DingTalk and a sign-in: a staff id is the id, or else an account, or else the row's number."""
    assert read(f"\ufeff年会名单,,\n{header}\n{row}\n").employees == [
        {
            **{"employee_id": found, "employee_name": "李娜", "department": "云桥/市场部"},
            **{"employee_entry_date": "", "lottery_serial": 1},
        }
    ]


def test_two_people_have_one_name():
    """Equal names are two people. Names with joiners and marks stay as they are."""
    names = ["王伟", "王伟", "क्\u200dष", "José", "Jose"]
    found = read(HEADER + "".join(f"{number},{name},,\n" for number, name in enumerate(names)))
    assert [each["employee_name"] for each in found.employees] == names


def test_a_long_department():
    """A department may have 200 characters."""
    found = read(f"id,name,部门\n1,A,{'部' * 200}\n2,B,{'部' * 201}\n")
    assert [each["employee_id"] for each in found.employees] == ["1"]
    assert found.rejected[0]["reason"].startswith("a name or department of 2 has more than 200")


def test_the_longest_people_fit():
    """A hundred people with the longest texts fit into an item of DynamoDB, which takes 400 KB."""
    longest = {"ids": ["i" * roster._ID_BYTES] * CHUNK} | {
        kind: ["𠮷" * roster._NAME_LENGTH] * CHUNK for kind in ("names", "departments")
    }
    assert len(json.dumps(longest, ensure_ascii=False).encode()) < 400 * 1024


def test_header():
    """A CSV without the header is refused with the line to start it with."""
    with pytest.raises(
        LotteryError, match=r"\(row 1\) lacks employee_id. Begin with a row such as employee_id,employee_name"
    ):
        read("1,Ann\n")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"T": [1]}', '{"T": [{"PutRequest": {"Item": {"a": {}}}}]}']
)
def test_bad_json(text):
    """A JSON file of another shape is refused with the shape it must have."""
    with pytest.raises(LotteryError, match="It must look like"):
        read(text, "staff.json")


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
    found = read(json.dumps({"T": puts}), "staff.json")
    assert len(found.employees) + len(found.rejected) == len(rows)
    for key in ("employee_id", "lottery_serial"):
        values = [each[key] for each in found.employees]
        assert len(values) == len(set(values))


def test_upper_case_suffix():
    """`STAFF.JSON` is JSON."""
    assert read('{"T": []}', "STAFF.JSON").employees == []


def test_short_row():
    """Fields that are missing at the end of a row are empty."""
    (employee,) = read(HEADER + "a,A\n").employees
    assert (employee["employee_entry_date"], employee["lottery_serial"]) == ("", 1)


def test_text_stays_as_it_is():
    """An id keeps its zeros, and NA is a name like any other."""
    (employee,) = read(HEADER + "007,NA,,\n").employees
    assert (employee["employee_id"], employee["employee_name"]) == ("007", "NA")


@given(
    st.lists(st.text("'=+-@\t\r\n ,;\"a王", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=4)
)
def test_an_export_is_read_back(names):
    """The names of winners, saved as CSV and loaded again, are the same."""
    names = [*{skeleton(name): name for name in names if not CONTROLS.search(name)}.values()]
    saved = pd.DataFrame({"employee_id": [f"-{n}" for n in range(len(names))], "employee_name": names})
    found = roster.parse("staff.csv", as_csv(saved))
    assert [each["employee_name"] for each in found.employees] == names
    assert [each["employee_id"] for each in found.employees] == list(saved["employee_id"])


PEOPLE = [("1001", "王芳", "研发部", "20200131", 3), ("007", "Lee, Ann", "市场部", "", 4)]


def people(found):
    """The employees as tuples: id, name, department, entry date, serial."""
    return [tuple(each.get(column, "") for column in roster.HEADERS) for each in found.employees]


@pytest.mark.parametrize(
    ("file", "third"),
    [
        ("gbk.csv", "欧阳娜娜"),
        ("gb18030.csv", "𠮷田㼆"),
        ("semicolon.csv", "欧阳娜娜"),
        ("tab.txt", "欧阳娜娜"),
        ("bom.csv", "欧阳娜娜"),
    ],
)
def test_csv_of_libreoffice(file, third):
    """The same list in each encoding, with each separator, is the same people; a date is 2020-01-31 there."""
    found = roster.read(MADE / file)
    assert (people(found), found.rejected) == ([*PEOPLE, ("A-3", third, "", "20190701", 1)], [])


def test_workbook_of_libreoffice():
    """Cells with numbers and dates are read as a person sees them, and rows have Excel's numbers."""
    found = roster.read(MADE / "cells.xlsx")
    assert people(found) == [
        ("1001", "王芳", "研发部", "20200131", 3),
        ("007", "Müller, Ann", "市场部", "20190701", 4),
        ("20200131", "欧阳娜娜", "", "20180201", 1),
    ]
    assert found.rejected == [{"row": 5, "reason": "Employee Name of 1002 is empty."}]


def test_no_department():
    """An employee without a department has no such attribute in the table."""
    found = read("ID,Name,Department\na,A,\nb,B,HR\n")
    assert ["department" in each for each in found.employees] == [False, True]


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (7, "7"),
        (1e15, "1000000000000000"),
        (0.5, "0.5"),
        ("007", "007"),
        (datetime.date(2020, 1, 31), "20200131"),
        (datetime.datetime(2020, 1, 31, 9, 30), "20200131"),
    ],
)
def test_ids_in_a_workbook(cell, read):
    """An id is the text that a person means, whatever Excel makes of it."""
    (employee,) = roster.parse("staff.xlsx", workbook(["ID", "Name"], [cell, "A"])).employees
    assert employee["employee_id"] == read


@pytest.mark.parametrize("date", ["2020-01-31", "2020/1/31", "2020.01.31", "2020年1月31日"])
def test_dates_as_excel_writes_them_into_csv(date):
    """A date whose year comes first is understood."""
    (employee,) = read(f"{HEADER}a,A,{date},\n").employees
    assert employee["employee_entry_date"] == "20200131"


@pytest.mark.parametrize(
    "header", ["工号,姓名", "员工编号,姓名", " ID , Name ", "Employee ID,EMPLOYEE NAME", "\n\nid,name"]
)
def test_words_of_a_header(header):
    """Headers are English or Chinese; capitals, spaces and empty rows around them do not matter."""
    assert people(read(f"{header}\na,A\n")) == [("a", "A", "", "", 1)]


TITLES = [
    ["2026 年会签到名单"],
    ["2026 年会签到名单", "", "", ""],
    ["Guests, 2026; all of them"],
    ["姓名"],
    ["2026 年会签到名单\n（行政部）", "", ""],
]


@pytest.mark.parametrize("header", [["工号", "姓名", "部门"], ["Employee ID", "Name", "Department"]])
@pytest.mark.parametrize(
    "above", [[title, []] for title in TITLES] + [[TITLES[0], ["行政部", "", "第 2 版"], []]]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", None])
def test_titles_above_the_header(header, above, separator):
    """A list may have a title above its header, whatever the separator, and rows keep their numbers."""
    rows = [*above, header, ["007", "王芳", "研发部"], ["", "李娜", ""]]
    if separator:
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=separator).writerows(rows)
        found = roster.parse("staff.csv", file.getvalue().encode())
    else:
        found = roster.parse("staff.xlsx", workbook(*(row + [""] * (4 - len(row)) for row in rows)))
    assert people(found) == [("007", "王芳", "研发部", "", 1)]
    assert found.rejected == [{"row": len(rows), "reason": f"{header[0]} is empty."}]


def test_merged_cells_above_the_header():
    """The cells of a title that are merged are one cell with a text, and others without."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:C2", "2026 年会签到名单")
        for number, row in enumerate((["工号", "姓名", "部门"], ["007", "王芳", ""], ["", "李娜", ""]), 3):
            sheet.write_row(number, 0, row)
    found = roster.parse("staff.xlsx", file.getvalue())
    assert (people(found), [each["row"] for each in found.rejected]) == ([("007", "王芳", "", "", 1)], [6])


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("2026 年会签到名单\n\n桌号,姓名,部门\n1,王芳,研发部\n", 3),
        ("2026 年会签到名单\n\n桌号,部门\n1,研发部\n", 3),
        ("2026 年会签到名单\n\n姓名\n王芳\n", 3),
        ("Guests\n" + "x\n" * 9 + "id,name\n1,A\n", 1),
    ],
)
def test_no_header_below_a_title(text, row):
    """The error names the row that is most like a header. After ten rows, nobody looks for one."""
    assert f"the header (row {row}) lacks employee_id." in refused(roster.parse, "staff.csv", text.encode())


def test_a_row_like_a_header_stays_a_row():
    """What follows the header is never taken for another one."""
    found = read("id,name\n1,A\n工号,姓名\n")
    assert [each["employee_id"] for each in found.employees] == ["1", "工号"]


def test_other_columns():
    """Columns with other names, or with none, are ignored."""
    assert people(read("序号,,工号,姓名,备注,\n1,x,a,A,y,z\n")) == [("a", "A", "", "", 1)]


def test_rows_have_the_numbers_of_excel():
    """Empty rows count, and a cell with two lines is in one row."""
    found = read('\nid,name\n\n,A\n"b\nb",B\n ,\n,C\n')
    assert [each["row"] for each in found.rejected] == [4, 5, 7]


def test_a_table_in_the_middle_of_a_sheet():
    """Empty rows and columns around the table of a workbook change no number."""
    cells = ([None] * 3, [None, "ID", "Name"], [None, "a", "A"], [None, "", "B"])
    found = roster.parse("staff.xlsx", workbook(*cells))
    assert (people(found), [each["row"] for each in found.rejected]) == ([("a", "A", "", "", 1)], [4])


def test_unicode_text():
    """What Excel saves as Unicode text is read, too: UTF-16 with tabs."""
    assert people(read("工号\t姓名\r\na\t王\r\n", "staff.txt", "utf-16")) == [("a", "王", "", "", 1)]


SAVE = "Save the list in Excel as .xlsx or as CSV UTF-8, and load that file."
CHINESE, GBK = "工号,姓名\n1,王芳\n".encode(), "2,李娜\n".encode("gbk")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty. Give a file with a header and one row for each employee."),
        (b"\xef\xbb\xbf\r\n,,\r\n", "is empty. Give a file with a header"),
        (workbook(), "is empty. Give a file with a header"),
        (b"id,department\n1,HR\n", "the header (row 1) lacks employee_name. Begin with a row such as"),
        (b"\nname\nA\n", "the header (row 2) lacks employee_id. Begin with a row such as"),
        (
            "id,name,工号\n1,A,2\n".encode(),
            "two columns for employee_id: id and 工号. Delete or rename one of them.",
        ),
        (CHINESE + GBK, f"is not in UTF-8 or GBK, or mixes both. {SAVE}"),
        ("id,name\n1,Müller\n".encode("cp1252"), f"is not in UTF-8 or GBK, or mixes both. {SAVE}"),
        (b"\xff\xfei", f"is not in UTF-8 or GBK, or mixes both. {SAVE}"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\xff\xff", f"is not in UTF-8 or GBK, or mixes both. {SAVE}"),
        (b'id,name\n1,"A\n2,B\n', "cannot be read as CSV (row 2: unexpected end of data). Look at the quo"),
        (b'id,name\n1,A\n2,"B" C\n', "cannot be read as CSV (row 3: ',' expected after '\"')"),
        (b"%PDF-1.7\n", f"is a PDF. {SAVE}"),
        (b"PK\3\4 and no more", f"is a broken .xlsx file, or another kind of file. {SAVE}"),
        ((MADE / "old.xls").read_bytes(), f"is in Excel's old format (.xls). {SAVE}"),
        ((MADE / "password.xlsx").read_bytes(), "has a password. Remove the password in Excel, save the"),
    ],
)
def test_no_roster(data, sentence):
    """A file that cannot be read is one sentence, whatever its name says: where, what, and what to do."""
    for name in ("staff.csv", "staff.xlsx"):
        assert refused(roster.parse, name, data).startswith(f"roster {name}: ")
        assert sentence in refused(roster.parse, name, data)


def test_damaged_workbooks():
    """However an .xlsx is damaged, it is read or refused in one sentence."""
    whole, chance = (MADE / "cells.xlsx").read_bytes(), random.Random(1)
    with zipfile.ZipFile(io.BytesIO(whole)) as parts:
        sheet = {name: parts.read(name) for name in parts.namelist()}

    def damaged(text):
        at = chance.randrange(len(text))
        return text[:at] + chance.choice([b"<", b">", b'"', b"9", b"\xff", b""]) + text[at + 1 :]

    for number in range(200):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as parts:
            for name, text in sheet.items():
                parts.writestr(name, damaged(text))
        for data in (file.getvalue(), whole[: len(whole) * number // 200 + 4]):
            try:
                roster.parse("staff.xlsx", data)
            except LotteryError as error:
                assert str(error).startswith("roster staff.xlsx: ")


def test_preview():
    """A person sees how many there are, the first three, and the rows that are left out."""
    found = read("id,name,部门\n1,A,HR\n2,B,\n,x,\n3,C,HR\n4,D,\n")
    assert found.preview().splitlines() == [
        "Employees: 4. The first ones, as they were read:",
        "  1: A (HR)",
        "  2: B",
        "  3: C (HR)",
        "Rejected rows: 1",
        "  row 4: id is empty.",
    ]


def test_a_preview_is_short():
    """Of many bad rows, a person sees the first ones and how many there are; so does the error."""
    found = read("id,name\n" + ",A\n" * 25)
    assert found.preview().splitlines()[-2:] == ["  row 21: id is empty.", "  and 5 more"]
    with pytest.raises(LotteryError, match=r"row 21: id is empty.\n  and 5 more.\nCorrect them"):
        found.check(skip_bad_rows=False)


def texts(letters):
    return st.text(letters, min_size=1, max_size=6).map(str.strip).filter(skeleton)


def staff(letters):
    """Lists of employees, each a tuple like those of `people`; no names or ids look alike."""
    return st.lists(
        st.tuples(
            texts(letters),
            texts(letters),
            texts(letters) | st.just(""),
            st.sampled_from(["", "20200131"]),
            st.integers(1, 10**6),
        ),
        min_size=1,
        max_size=5,
        unique_by=(lambda each: skeleton(each[0]), lambda each: skeleton(each[1]), lambda each: each[4]),
    )


LETTERS = "王芳娜é aZ07=+-@'\",;_x"


def as_text(rows, encoding, separator):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator)
    writer.writerow(["工号", "姓名", "部门", "入职日期", "抽奖号"])
    writer.writerows([to_cell(str(cell)) for cell in row] for row in rows)
    return file.getvalue().encode(encoding)


@given(
    st.data(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gbk", "gb18030"]), st.sampled_from(",;\t")
)
def test_a_csv_comes_back(data, encoding, separator):
    """Whatever the people, encoding and separator: the list that was written is read."""
    rows = data.draw(staff(LETTERS if encoding == "gbk" else LETTERS + "𠮷㼆"))
    assert people(roster.parse("staff.csv", as_text(rows, encoding, separator))) == rows


@settings(max_examples=30)
@given(staff(LETTERS + "𠮷㼆"))
def test_a_workbook_comes_back(rows):
    """What `as_xlsx` writes is read again, and each text is the same text."""
    table = pd.DataFrame(rows, columns=["工号", "姓名", "部门", "入职日期", "抽奖号"], dtype=object)
    assert people(roster.parse("staff.xlsx", as_xlsx(table))) == rows


def test_a_workbook_is_readable():
    """The header is bold, and a column is as wide as its longest text; a Chinese character counts twice."""
    table = pd.DataFrame({"id": ["007"], "employee_name": ["欧阳娜娜欧阳娜娜"], "note": ["x" * 500]})
    with zipfile.ZipFile(io.BytesIO(as_xlsx(table))) as parts:
        sheet, styles = (parts.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "styles"))
    assert re.findall(r'<col [^>]* width="(\d+)', sheet) == ["5", "18", "60"]
    (style,) = set(re.findall(r'<c r="[A-C]1" s="(\d+)"', sheet))
    formats = re.findall(r'<xf [^>]*fontId="(\d+)"', styles.partition("<cellXfs")[2])
    fonts = re.findall(r"<font>.*?</font>", styles)
    assert ["<b/>" in fonts[int(each)] for each in (formats[int(style)], formats[0])] == [True, False]


@pytest.mark.parametrize("text", ["_x0041_", "https://example.com", "{=1+1}", "=1+1", "#N/A", "1e5"])
def test_a_text_of_a_workbook_stays_text(text):
    """Texts that mean something to Excel are texts."""
    table = pd.DataFrame({"id": [text], "name": [text]})
    assert people(roster.parse("staff.xlsx", as_xlsx(table))) == [(text, text, "", "", 1)]
