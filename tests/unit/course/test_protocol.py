"""What an attendee can send, and nothing else."""

import json

import pytest
from class_room import report
from hypothesis import given
from hypothesis import strategies as st

from lottery_course.lessons import LESSONS
from lottery_course.notebooks import lessons
from lottery_course.progress import COUNTED_MISSIONS
from lottery_course.protocol import ALPHABET, MOST_BYTES, SCHEMA, checked, clean_code, clean_nickname
from lottery_lib.errors import LotteryError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "values",
    [
        {"code": "print(1)"},  # a field too many
        {"check": "exercise 1 = 42"},
        {"check": "exercise 100"},
        {"check": "mission 0"},
        {"check": "the answer is 7"},
        {"check": "exercise 1\n"},
        {"lesson": "05; drop"},
        {"lesson": "٠٥"},
        {"lesson": 5},
        {"attendee": "A" * 32},
        {"done": 1},
        {"done": "secret"},
        {"tries": -1},
        {"tries": 10**30},
        {"tries": True},
        {"tries": 1.5},
        {"time": "yesterday"},
        {"help": None},
        {"nickname": "x" * 41},
        {"nickname": "x" * 10_000},
        {"nickname": "\u202eAnn"},
        {"nickname": "A\u200bnn"},
        {"nickname": "Ann\n"},
        {"nickname": "\u3164"},
        {"nickname": "\ufdfa" * 40},  # grows when it is brought into its usual form
    ],
    ids=str,
)
def test_what_is_no_report(values):
    """A field too many, a wrong type, a text where none may be, an invisible or long nickname: refused."""
    with pytest.raises(ValueError, match=r"^no report$"):
        checked(report(1, **values))


@pytest.mark.parametrize("name", SCHEMA["properties"])
def test_each_field_is_needed(name):
    """A report without one of its fields is none."""
    whole = report(1)
    del whole[name]
    with pytest.raises(ValueError, match="no report"):
        checked(whole)


@given(JSON)
def test_no_other_json_is_a_report(document):
    """Whatever JSON comes, it is refused with a ValueError, and with no other error."""
    with pytest.raises(ValueError, match="no report"):
        checked(document)


@given(st.sampled_from(sorted(SCHEMA["properties"])), JSON)
def test_a_field_holds_no_foreign_text(name, value):
    """Whatever a program puts into a field but the nickname: only words of the kit get through."""
    try:
        got = checked(report(1, **{name: value}))
    except ValueError:
        return
    if name in ("lesson", "check"):
        assert got[name] in ["", *LESSONS, "joined", "left", "help", "start", "verify"] or got[name].isascii()
        assert len(got[name]) <= 11
    assert len(json.dumps(got)) < MOST_BYTES


@given(st.text(max_size=80))
def test_a_nickname_can_be_shown(text):
    """A nickname is refused, or it is short, in its usual form, and has no character that nobody sees."""
    try:
        name = clean_nickname(text)
    except LotteryError as error:
        assert error.next_step.startswith("Use ")
        return
    assert len(name) <= 40
    assert name == clean_nickname(name)
    assert "\n" not in name


def test_a_longest_report_is_small():
    """The longest report has less bytes than the board takes."""
    longest = report(1, nickname="王" * 40, lesson="99", check="exercise 99", tries=9999, done=False)
    assert len(json.dumps(checked(longest))) < MOST_BYTES / 2


def test_a_code_is_easy_to_type():
    """No two letters of a code look alike, and how somebody types it does not matter."""
    assert not set(ALPHABET) & set("0O1IL2Z5S8B")
    assert clean_code(" k7m-４qp ") == "K7M4QP"


def test_the_columns_come_from_the_kit():
    """The board's lessons are the kit's, and their checks those of the notebooks."""
    found = lessons()
    assert list(found) == list(LESSONS)
    assert found["05"].checks == ["exercise 1", "exercise 2", "exercise 3", "verify"]
    assert found["07"].checks == ["exercise 1", "exercise 2", "exercise 3"]
    assert found["20"].checks == [*(f"mission {number}" for number in COUNTED_MISSIONS), "verify"]
    assert found["05"].title.startswith("05 The state machine")
    for lesson, (_title, checks) in found.items():
        for check in checks:
            checked(report(1, lesson=lesson, check=check))
