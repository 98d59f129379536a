"""A function is deployed alone, so it has copies of what the kit knows, too. Here they are compared.

`test_fairness` and `test_checker` compare the copies of the shuffle with the known orders, and
`test_check_page` the page's copies with the kit's.
"""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from unit.party.fake_dynamodb import FakeDynamoDb, lambdas

from lottery_lib import harmless
from lottery_lib.resources import contents
from lottery_party.receipt_form import FORM

with lambdas(FakeDynamoDb()) as FUNCTIONS:
    COMMIT, READING = FUNCTIONS.commit_draw, FUNCTIONS.reading
ANNOUNCED = FORM["kinds"]["announced"]


@pytest.mark.parametrize(
    ("copy", "original"),
    [
        (READING.CHUNK, contents.CHUNK),
        (COMMIT.FORMAT, FORM["formats"][-1]),
        (["one of", 2, COMMIT.FORMAT], ANNOUNCED["format?"]),
        (["one of", COMMIT.ALGORITHM], ANNOUNCED["algorithm"]),
    ],
)
def test_constants(copy, original):
    """The size of a part of the pool, and the format and the algorithm of receipts."""
    assert copy == original


def test_every_character_is_read_in_the_same_way():
    """The function and the kit read each character of a public value alike, such as the blank of Braille."""
    every = map(chr, range(0x110000))
    known = [f"3{one}A" for one in every if unicodedata.category(one) not in ("Cn", "Co", "Cs")]
    assert [each for each in known if COMMIT.normalised(each) != harmless.normalised(each)] == []


@given(st.text())
@example("3\u28008")
def test_a_public_value_is_read_in_the_same_way(value):
    """So do they with any text."""
    assert COMMIT.normalised(value) == harmless.normalised(value)
