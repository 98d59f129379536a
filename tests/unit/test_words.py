"""People read words for the names that code and JSON have."""

import pandas as pd
import pytest

from lottery_lib import command_line
from lottery_lib.draws import as_csv, as_xlsx, winners_in_words
from lottery_lib.employees import HEADERS, parse

WINNERS = pd.DataFrame(
    [["001", "王芳", "研发部", "absent", "absent", "no receipt"], ["002", "Ann", "out", "a car", None, None]],
    columns=["employee_id", "employee_name", "department", "prize", "status", "receipt"],
    dtype=object,
)
CHINESE = {
    "Employee ID": "工号", "Employee name": "姓名", "Department": "部门", "Prize": "奖品",
    "Roll call": "点名", "Receipt": "存证", "absent": "缺席", "no receipt": "无存证",
    "out": "出局", "yes": "是", "no": "否",
    "Running": "正在运行", "Status": "运行状态", "none": "无",
}  # fmt: skip


@pytest.fixture
def chinese(catalogue, monkeypatch):
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue(CHINESE)


def test_english_has_the_names():
    """A file and a terminal have the names of JSON."""
    pd.testing.assert_frame_equal(winners_in_words(WINNERS), WINNERS)


def test_a_file_of_winners(chinese):
    """Its heads and the kit's words are translated. What somebody has typed stays."""
    assert as_csv(WINNERS).decode("utf-8-sig").splitlines() == [
        "工号,姓名,部门,奖品,点名,存证",
        "001,王芳,研发部,absent,缺席,无存证",
        "002,Ann,out,a car,,",
    ]


@pytest.mark.parametrize(("name", "save"), [("winners.csv", as_csv), ("winners.xlsx", as_xlsx)])
def test_a_file_of_winners_is_a_roster(chinese, name, save):
    """Who was saved can be loaded again."""
    found = parse(name, save(WINNERS)).employees
    assert [(each["employee_id"], each["employee_name"], each.get("department")) for each in found] == [
        ("001", "王芳", "研发部"),
        ("002", "Ann", "out"),
    ]


def test_each_head_of_a_roster_can_be_read():
    """The words for the columns are words that a header may have, in every language that the kit has."""
    from lottery_lib.translation import heading, languages, translated

    for language in languages():
        for attribute, words in HEADERS.items():
            assert translated(language, heading(attribute)) in words


def test_a_terminal(chinese, capsys):
    """Keys, heads and truths are Chinese; AWS's words stay."""
    rows = [{"employee_id": "001", "prize": "out"}]
    command_line.show({"status": "SUCCEEDED", "running": True, "winners": rows, "left": []})
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert shown == [
        ["运行状态：SUCCEEDED"],
        ["正在运行：是"],
        ["工号", "奖品"],
        ["001", "out"],
        ["Left：无"],
    ]


def test_json_is_the_same_in_each_language(chinese, capsys):
    """Programs read it."""
    command_line.show({"status": "absent", "running": True}, as_json=True)
    assert capsys.readouterr().out == '{"status": "absent", "running": true}\n'


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y\n", True), ("Yes\n", True), ("是\n", True), ("否", False)]
)
def test_yes_in_both_languages(chinese, answer, agreed):
    """A question is answered in English or in Chinese."""
    assert command_line.is_yes(answer) == agreed
