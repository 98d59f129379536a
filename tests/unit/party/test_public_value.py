"""The room's numbers have one form, whatever people write."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.party.fake_dynamodb import FakeDynamoDb, lambdas

from lottery_lib.errors import LotteryError
from lottery_party.checker import is_answer
from lottery_party.public_value import FEW, Numbers, canonical, why_amber
from lottery_party.receipt_form import is_numbers

THREE = Numbers(3)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
with lambdas(FakeDynamoDb()) as FUNCTIONS:
    COMMIT = FUNCTIONS.commit_draw


@st.composite
def called(draw):
    """Numbers that a room can be asked for, and numbers that it calls."""
    least = draw(st.integers(0, 999_999))
    numbers = Numbers(draw(st.integers(1, 20)), least, draw(st.integers(least + 1, 1_000_000)))
    each = st.integers(least, numbers.most)
    return numbers, draw(st.lists(each, min_size=numbers.count, max_size=numbers.count))


@pytest.mark.parametrize(
    "text", ["08，21，33", "33、8 ; 21", "３３；０８，２１", " 21,33\n8 ", "8\u200b 21 33", "21,,33,008"]
)
def test_the_same_numbers_have_one_form(text):
    """Full-width digits, Chinese commas, zeros in front and another order make no difference."""
    assert canonical(text, THREE) == "8 21 33"


@pytest.mark.parametrize(
    ("text", "what", "next_step"),
    [
        ("8 21 б", "б is not a number", "Use only digits, spaces and commas"),
        ("8 21 -3", "-3 is not a number", "Use only digits, spaces and commas"),
        ("8 21 100", "100 is not from 1 to 99", "Correct it, or ask the room again for it"),
        ("8 21 " + "9" * 5000, "is not from 1 to 99", "Correct it, or ask the room again for it"),
        ("8 21", "it has 2 numbers instead of 3", "Type each number once for each time it was called"),
        ("", "it has 0 numbers instead of 3", "Type each number once for each time it was called"),
    ],
)
def test_other_answers_are_refused(text, what, next_step):
    """The sentence says what is wrong, and what to do. A letter that looks like a digit is none."""
    with pytest.raises(LotteryError) as error:
        canonical(text, THREE)
    assert what in str(error.value)
    assert next_step in str(error.value)


@given(called(), st.randoms(use_true_random=False))
def test_any_order_and_any_sign(found, chance):
    """Whatever people write between and around the digits, the form is the same, and all places accept it."""
    numbers, values = found
    right = canonical(" ".join(map(str, values)), numbers)
    chance.shuffle(values)
    parts = [str(each).rjust(chance.randrange(9), "0") for each in values]
    written = "".join(
        (part.translate(WIDE) if chance.randrange(2) else part)
        + chance.choice([",", "，", "、 ", ";", "；", "\t"])
        for part in parts
    )
    assert canonical(written, numbers) == right == canonical(right, numbers)
    assert COMMIT.in_form(right, vars(numbers)) == right
    assert is_answer(right, vars(numbers))


@given(st.text("0123 89", max_size=9))
def test_the_function_and_the_check_know_one_form(text):
    """The kit, the function and the check accept a text exactly if `canonical` does not change it."""
    numbers = Numbers(2, 0, 30)

    def unchanged(form):
        try:
            return form() == text
        except (LotteryError, COMMIT.InvalidInput):
            return False

    right = unchanged(lambda: canonical(text, numbers))
    assert unchanged(lambda: COMMIT.in_form(text, vars(numbers))) == right
    assert is_answer(text, vars(numbers)) == right


def test_any_text_is_written_as_everybody_reads_it():
    """Without numbers, the answer is a text."""
    assert canonical(" Happy  NEW, year!", None) == "happy new year"
    with pytest.raises(LotteryError, match="it is empty"):
        canonical(" !", None)


def test_how_many_answers():
    """An answer is a set in which a number may be twice."""
    least, most = 1, 4
    answers = {tuple(sorted(each)) for each in itertools.product(range(least, most + 1), repeat=3)}
    assert Numbers(3, least, most).values == len(answers)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [(None, "A text can be guessed"), (Numbers(1), "There are only 99 different answers"), (Numbers(5), "")],
)
def test_a_question_that_is_amber(numbers, sentence):
    """Before the announcement, the kit says that a text can be guessed, and that few numbers are few."""
    assert why_amber(numbers).startswith(sentence)
    assert bool(why_amber(numbers)) == bool(sentence)
    assert Numbers(5).values > FEW


@pytest.mark.parametrize("limits", [(0, 1, 9), (21, 1, 9), (1, -1, 9), (1, 9, 9), (1, 0, 1_000_001)])
def test_limits(limits):
    """The kit, the function and the form of receipts have the same limits."""
    with pytest.raises(LotteryError):
        Numbers(*limits)
    about = dict(zip(("count", "least", "most"), limits, strict=True))
    with pytest.raises(COMMIT.InvalidInput):
        COMMIT.check_numbers(about)
    assert not is_numbers(about)
    assert is_numbers(json.loads('{"count": 20, "least": 0, "most": 1000000}'))
