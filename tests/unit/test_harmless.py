"""A text that somebody else wrote does no harm where it is shown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.harmless import escaped, from_cell, harmless, in_a_row, skeleton, to_cell, width

BELL, CLEAR, TITLE, BACKWARDS = "\a", "\x1b[2J", "\x9d0;mine\x9c", "\u202egnp.exe"


@pytest.mark.parametrize("text", [BELL, CLEAR, TITLE, BACKWARDS, "\r", "\x7f", "\u2028", "\udc9b"])
def test_controls_are_written_out(text):
    """What moves a cursor, changes a terminal or turns a text around is shown as its number."""
    shown = harmless(text)
    assert shown.isprintable()
    assert shown.startswith(f"\\u{ord(text[0]):04x}")


@pytest.mark.parametrize(
    "text", ["a\tb\nc", "欧阳\u3000娜娜", "José", "क्\u200dष", "👩\u200d🚀", "O'Neil", "\u200fعلي"]
)
def test_names_of_the_world_stay(text):
    """Letters of any script, joiners, marks and wide spaces are left as they are; so are lines and tabs."""
    assert harmless(text) == text


@given(st.text())
def test_json_stays_json(text):
    """A JSON document made harmless says the same."""
    assert json.loads(harmless(json.dumps(text, ensure_ascii=False))) == text


def test_html():
    """On a page, markup is shown as it is written, and a control as its number."""
    assert escaped("<b>\x1b") == "&lt;b&gt;\\u001b"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", " =", "'=", "\ufeff=", "\u200b ="])
def test_formulas_are_texts(start):
    """A cell that a spreadsheet would run begins with an apostrophe."""
    assert to_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["Ann", "'tis", "a=b", "王芳", "Ann-Katrin", ""])
def test_other_cells_stay(text):
    """A name that does not begin so is left as it is."""
    assert to_cell(text) == text


@given(st.text("'=+-@＝\t\r\u200b\ufeff a王", max_size=6))
def test_cells_are_read_back(text):
    """Whatever the text, its cell gives it back, and does not run."""
    assert from_cell(to_cell(text)) == text
    assert not to_cell(text).lstrip("\u200b\ufeff\t\r ").startswith(tuple("=+-@＝"))


@given(st.text("aé王", max_size=20))
def test_wide_letters_take_two_columns(text):
    """A Chinese character is as wide as two Latin letters."""
    assert width(text) == len(text) + text.count("王")


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("１００７", "1007"),
        ("1007\u200b", "1007"),
        ("10\u206007", "1007"),
        ("\ufeff10 07", "1007"),
        ("LI WEI", "Li\u3000Wei"),
        ("Straße", "STRASSE"),
        ("Jose\u0301", "José"),
        ("e\u200d\u0301", "é"),
        ("王\ufe00芳", "王芳"),
        ("\u3164", "\u2800"),
        ("\U000e0041", ""),
    ],
    ids=ascii,
)
def test_look_alikes(text, like):
    """Texts that look alike have the same skeleton."""
    assert skeleton(text) == skeleton(like)


def test_others_look_different():
    """Letters, marks and digits that people tell apart stay."""
    names = ["王芳", "王方", "Jose", "José", "1007", "1001", "O'Neil", "ONeil", "क्ष", "कष"]
    assert len({skeleton(name) for name in names}) == len(names)


@given(st.text())
def test_a_skeleton_is_its_own(text):
    """The skeleton of a skeleton is the same."""
    assert skeleton(skeleton(text)) == skeleton(text)


def test_sentences_in_a_row():
    """Between two English sentences is a space; a Chinese mark has its own room. Empty ones are left out."""
    assert in_a_row(["One.", "", "Two."]) == "One. Two."
    assert in_a_row(["第一句。", "第二句！", "AWS said no.", "完。"]) == "第一句。第二句！AWS said no. 完。"
