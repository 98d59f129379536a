"""Prizes are read as a host writes them. If a line is not a prize, a sentence says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.errors import LotteryError
from lottery_party.prizes import read_prizes


def test_one_a_line_in_order():
    """Each line is a prize, in the order of the lines; empty lines do not count."""
    assert read_prizes("10 Voucher\n\n  3  Bicycle for two \n1 自行车\n") == [
        {"name": "Voucher", "count": 10},
        {"name": "Bicycle for two", "count": 3},
        {"name": "自行车", "count": 1},
    ]


@pytest.mark.parametrize("line", ["3 Bicycle", "3x Bicycle", "3 x Bicycle", "3 × Bicycle", "３\u3000Bicycle"])
def test_how_a_count_may_be_written(line):
    """A count may be followed by an x, and be written in full-width digits, as on a Chinese keyboard."""
    assert read_prizes(line) == [{"name": "Bicycle", "count": 3}]


def test_a_name_may_begin_with_x():
    """An x that begins a name stays in it."""
    assert read_prizes("2 xylophones") == [{"name": "xylophones", "count": 2}]


@pytest.mark.parametrize(
    "line", ["Car", "3", "0 Car", "-1 Car", "2.5 Cars", "3Car", "1" * 5000 + " Car", "x 3"]
)
def test_what_is_not_a_prize(line):
    """The error names the number of a line that is not a prize, and says how to write one."""
    with pytest.raises(LotteryError) as caught:
        read_prizes(f"1 Book\n{line}")
    assert str(caught.value) == (
        f'line 2: "{line}" is not a prize. Write one prize on each line: how many, then the name, '
        'such as "3 Bicycle".'
    )


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_no_prize_at_all(text):
    """An empty list says what to write."""
    with pytest.raises(LotteryError, match=r"prizes: there are none yet. Write one prize on each line"):
        read_prizes(text)


@given(st.text())
def test_any_text(text):
    """Any text is either prizes that the machine can take, or a LotteryError."""
    try:
        found = read_prizes(text)
    except LotteryError:
        return
    assert found
    assert all(prize["count"] >= 1 and prize["name"].strip() for prize in found)


@pytest.mark.parametrize(
    "line", ["3 Mug, 2 Pen", "3 Mug,2 Pen", "3 Mug;2 x Pen", "3 杯子，2 笔", "3 Mug, Pen, 2 Car"]
)
def test_several_prizes_in_one_line(line):
    """A line that may be several prizes is asked about: nobody may want three of the prize "Mug, 2 Pen"."""
    with pytest.raises(LotteryError, match=r"may be several prizes\. Write one prize on each line"):
        read_prizes(f"1 Book\n{line}")


@pytest.mark.parametrize("name", ["Mug, blue", "Voucher of 1,000 yuan", "Set: cup and 2 pens"])
def test_a_comma_in_one_prize(name):
    """A comma alone does not make a second prize."""
    assert read_prizes(f"3 {name}") == [{"name": name, "count": 3}]
