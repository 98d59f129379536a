"""Prizes are read as a host writes them. If a line is not a prize, a sentence says so."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from patience import SECONDS

from lottery_lib.errors import LotteryError
from lottery_party.prizes import read_prizes


def test_one_a_line_in_order():
    """Each line is a prize, in the order of the lines; empty lines do not count."""
    assert read_prizes("10 Voucher\n\n  3  Bicycle for two \n1 自行车\n") == [
        {"name": "Voucher", "count": 10},
        {"name": "Bicycle for two", "count": 3},
        {"name": "自行车", "count": 1},
    ]


#: How people write how many. `{name}` is the name, `{n}` the number.
FORMS = [
    *("{n} {name}", "{n} x {name}", "{n}x {name}", "{n}× {name}", "{n}×{name}", "{n} * {name}"),
    *("{name} {n}", "{name} x {n}", "{name} x{n}", "{name}×{n}", "{name} *{n}", "{name} X {n} 份"),
    *("{n}名 {name}", "{n} 台 {name}", "{n} pcs {name}", "{n} winners: {name}", "{n}张 {name}"),
    *("{name} {n}名", "{name} {n} 台", "{name}：{n}个", "{name}（{n}名）", "{name} ({n})", "{name}【{n}台】"),
    *("{name} {n} pcs", "{name} {n}pcs", "{name} {n} winners", "{name} 共{n}人", "{name},{n}", "{name}\t{n}"),
]
BULLETS = ["", "- ", "• ", "* ", "1. ", "3) ", "12、", "(4) ", "（5）", "① "]
# The names of the test begin and end with letters that begin no unit, such as "cm", and no other word.
LETTERS = "aeouAEOU汽车自行购物卡旅游"
NAMES = st.from_regex(rf"[{LETTERS}]([{LETTERS}x&' ]*[{LETTERS}])?", fullmatch=True).map(
    lambda name: " ".join(name.split())
)


@given(NAMES, st.integers(1, 999_999), st.sampled_from(FORMS), st.sampled_from(BULLETS), st.booleans())
def test_each_form_comes_back(name, count, form, bullet, wide):
    """A name and a number in any form, with any bullet, is this name and this number."""
    number = str(count)
    if wide:
        number = number.translate({0x30 + each: 0xFF10 + each for each in range(10)})
    line = bullet + form.format(name=name, n=number)
    assert read_prizes(line) == [{"name": name, "count": count}]


@given(NAMES, st.sampled_from(BULLETS))
def test_a_name_alone_is_one_prize(name, bullet):
    """A line without a number is one prize."""
    assert read_prizes(bullet + name) == [{"name": name, "count": 1}]


@pytest.mark.parametrize(
    ("line", "count", "name"),
    [
        ("一等奖 三亚双人游 1名", 1, "一等奖 三亚双人游"),
        ("二等奖：手机（3名）", 3, "二等奖：手机"),
        ("一等奖（3名）：手机", 3, "一等奖：手机"),
        ("特等奖 iPhone 16 Pro 1 台", 1, "特等奖 iPhone 16 Pro"),
        ("1 iPhone 16", 1, "iPhone 16"),
        ("16 Pro", 1, "16 Pro"),
        ("红包 200元 x 20", 20, "红包 200元"),
        ("100 元红包 20名", 20, "100 元红包"),
        ("200元红包", 1, "200元红包"),
        ("65寸电视", 1, "65寸电视"),
        ("电视 65寸", 1, "电视 65寸"),
        ("3D printer", 1, "3D printer"),
        ("10张购物券", 10, "购物券"),
        ("手机3台", 3, "手机"),
        ("第3名 手机", 1, "第3名 手机"),
        ("4人自助餐 2份", 2, "4人自助餐"),
        ("12个月会员", 1, "12个月会员"),
        ("3 年货礼盒", 3, "年货礼盒"),
        ("3 台湾游", 3, "台湾游"),
        ("毛毯 50 x 60 cm", 1, "毛毯 50 x 60 cm"),
        ("10 Voucher x 20", 20, "10 Voucher"),
        ("-手机 3名", 3, "手机"),
        ("1.手机 3名", 3, "手机"),
        ("3 🚗", 3, "🚗"),
    ],
)
def test_which_number_counts(line, count, name):
    """A sign wins over a word such as 名, and a word over a number alone. A sum or a size stays."""
    assert read_prizes(line) == [{"name": name, "count": count}]


@pytest.mark.parametrize(
    ("line", "one", "other"),
    [
        ("10 Voucher 20", "10 x Voucher 20", "20 x 10 Voucher"),
        ("1台手机 2个", "1 x 手机 2个", "2 x 1台手机"),
        ("iPhone 16", "1 x iPhone 16", "16 x iPhone"),
        ("红包 200x20", "1 x 红包 200x20", "20 x 红包 200"),
    ],
)
def test_two_numbers(line, one, other):
    """If two numbers can be how many, the error shows how to write either, and each can be read."""
    with pytest.raises(LotteryError) as caught:
        read_prizes(f"1 Book\n{line}")
    assert str(caught.value) == f'line 2: "{line}" can mean two numbers. Write "{one}" or "{other}".'
    for way in (one, other):
        count, name = way.split(" x ", 1)
        assert read_prizes(way) == [{"name": name, "count": int(count)}]


def test_a_long_line_ends_soon():
    """A line that somebody pasted by mistake does not stop the page."""
    started = time.monotonic()
    with pytest.raises(LotteryError):
        read_prizes("1名" * 300_000)
    assert time.monotonic() - started < SECONDS


def test_a_name_may_begin_with_x():
    """An x that begins a name stays in it."""
    assert read_prizes("2 xylophones") == [{"name": "xylophones", "count": 2}]


@pytest.mark.parametrize(
    "line",
    [
        *(
            "3",
            "1. 3",
            "0 Car",
            "Car 0",
            "Car x0",
            "-1 Car",
            "Car -1",
            "2.5 Cars",
            "Car 2.5",
            "3Car",
            "3, Car",
        ),
        *(
            "1" * 5000 + " Car",
            "Car 1,000",
            "Car 1234567",
            "x 3",
            "3 x Mug x 2",
            "1,Car,3",
            "一等奖：",
            "----",
        ),
    ],
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
    "line",
    [
        *("3 Mug, 2 Pen", "3 Mug,2 Pen", "3 Mug;2 x Pen", "3 杯子，2 笔", "3 Mug, Pen, 2 Car"),
        *("Mug x3, Pen x2", "Mug 3, Pen 2", "手机3台，平板2台", "杯子、笔 各3个"),
    ],
)
def test_several_prizes_in_one_line(line):
    """A line that may be several prizes is asked about: nobody may want three of the prize "Mug, 2 Pen"."""
    with pytest.raises(LotteryError, match=r"may be several prizes\. Write one prize on each line"):
        read_prizes(f"1 Book\n{line}")


@pytest.mark.parametrize("name", ["Mug, blue", "Voucher of 1,000 yuan", "Set: cup and 2 pens"])
def test_a_comma_in_one_prize(name):
    """A comma alone does not make a second prize."""
    assert read_prizes(f"3 {name}") == [{"name": name, "count": 3}]
