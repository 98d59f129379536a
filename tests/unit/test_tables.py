"""Tables for people: what changes is only what is shown."""

import re

import pandas as pd
import pytest

from lottery_lib.employees import COLUMNS
from lottery_lib.tables import as_html, event_table, state_table
from lottery_lib.translation import _known, heading

TABLE = pd.DataFrame(
    {"employee_id": ["001", "<b>"], "attempt": pd.Series([1, 2], dtype=object), "cost, $": [0.1, None]}
)


def cells(html):
    return re.findall(r"<t[hd] style=\"text-align: (\w+)\">(.*?)</t[hd]>", html)


def test_text_is_left_and_numbers_are_right():
    """Text is aligned to the left, numbers to the right, also those in a column of objects."""
    assert cells(as_html(TABLE))[:6] == [
        ("left", "Employee ID"), ("right", "Attempt"), ("right", "cost, $"),
        ("left", "001"), ("right", "1"), ("right", "0.1"),
    ]  # fmt: skip


def test_missing_values_are_empty_and_text_is_escaped():
    """A missing value is an empty cell, and a text of somebody else is no HTML."""
    assert cells(as_html(TABLE))[6:] == [("left", "&lt;b&gt;"), ("right", "2"), ("right", "")]


def test_a_named_index_is_a_column():
    """An index that means something is shown like a column; one that only counts is not shown."""
    assert cells(as_html(TABLE.set_index("attempt")))[0] == ("right", "Attempt")
    assert cells(as_html(pd.concat({"a": TABLE})))[5] == ("left", "a")
    assert len(cells(as_html(pd.DataFrame({"x": [1]}, index=["y"])))) == 4


def test_headings():
    """Names of Python become words; names that are for people already stay."""
    assert heading("execution_arn") == "Execution ARN"
    assert heading("next state") == "Next state"
    assert heading("$ a million") == "$ a million"
    assert heading(3) == "3"


def test_headings_in_another_language(catalogue, monkeypatch):
    """The kit's columns have words there, and a narrow column does not break them."""
    monkeypatch.setenv("LOTTERY_LANG", "zh")
    catalogue({"Employee ID": "员工编号"})
    assert '<th style="text-align: left; word-break: keep-all">员工编号</th>' in as_html(TABLE)


@pytest.mark.parametrize("table", [event_table([]), state_table([]), pd.DataFrame(columns=COLUMNS)])
def test_every_column_of_the_kit_has_words(table):
    """Else its heading would stay English."""
    assert {heading(name) for name in table} <= set(_known().values())
