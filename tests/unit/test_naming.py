"""Names are a function of the attendee alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.errors import LotteryError
from lottery_lib.naming import Names, owned

TUTORIAL = [
    "Lottery",
    "Lottery-Employee",
    "Lottery-InputWinners",
    "Lottery-Notification",
    "Lottery-RandomSelectWinners",
    "Lottery-RecordWinners",
    "Lottery-ValidateWinners",
    "Lottery-Winners",
    "LotteryLambdaRole",
    "MyStepFunctionsExecutionRole",
]


def everything(names: Names) -> list[str]:
    single = [names.machine, names.employee_table, names.topic, names.winners_table]
    return sorted([*single, names.lambda_role, names.machine_role, *names.functions.values()])


def test_tutorial_names():
    """Without an attendee the names are the tutorial's own."""
    assert everything(Names()) == TUTORIAL


def test_attendee_suffix():
    """An attendee's name is appended to every name."""
    assert everything(Names("alice")) == sorted(f"{name}-alice" for name in TUTORIAL)


@pytest.mark.parametrize("attendee", ["-a", "a-", "a b", "a_b", "安", "a" * 31, "a/b"])
def test_bad_attendee(attendee):
    """What cannot be part of an AWS name is refused in a sentence that says what can."""
    with pytest.raises(LotteryError, match="Use 1 to 30 letters, digits and hyphens"):
        Names(attendee)


@given(st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9-]{0,28}[A-Za-z0-9])?", fullmatch=True))
def test_names_fit(attendee):
    """Every legal attendee leaves every name within the 64 characters of Lambda and IAM."""
    assert max(map(len, everything(Names(attendee)))) <= 64


def test_unknown_edition():
    """An edition that is not there is refused with the list of those that are."""
    with pytest.raises(LotteryError, match="Use one of: tutorial"):
        Names(edition="deluxe")


def test_owned():
    """Only what carries both of this attendee's tags is ours."""
    alice = Names("alice")
    assert owned({**alice.tags, "more": "tags"}, alice)
    assert not owned(Names("bob").tags, alice)
    assert not owned({}, alice)
