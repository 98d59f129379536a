"""Names are a function of the attendee alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery_lib.errors import LotteryError
from lottery_lib.names import Names

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


BAD = ["-a", "a-", "a b", "a_b", "安", "é", "a" * 31, "a/b", "a.b", "a*", "a\n", " a", "a\u200b", "１", "-"]


@pytest.mark.parametrize("attendee", [*BAD, "Alice", "ALICE", "aLice"])
def test_bad_attendee(attendee):
    """What cannot be part of an AWS name is refused in a sentence that says what can."""
    with pytest.raises(LotteryError, match="Use 1 to 30 small letters"):
        Names(attendee)


#: By service: what its names may be made of, and how long they may be.
LEGAL = {
    "role": r"[\w+=,.@-]{1,64}",
    "function": r"[A-Za-z0-9_-]{1,64}",
    "machine": r"[A-Za-z0-9_-]{1,80}",
    "topic": r"[A-Za-z0-9_-]{1,256}",
    "table": r"[A-Za-z0-9_.-]{3,255}",
    "log group": r"[A-Za-z0-9_/.#-]{1,512}",
}


def by_service(names: Names) -> dict[str, list[str]]:
    functions = list(names.functions.values())
    return {
        "role": [names.lambda_role, names.machine_role],
        "function": functions,
        "machine": [names.machine],
        "topic": [names.topic],
        "table": [names.employee_table, names.winners_table],
        "log group": [names.log_group(name) for name in functions],
    }


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", fullmatch=True))
def test_names_fit(attendee):
    """Every legal attendee leaves every name within the length and the characters of its service."""
    for service, names in by_service(Names(attendee)).items():
        assert all(re.fullmatch(LEGAL[service], name, re.ASCII) for name in names)


def test_the_longest_names_fit():
    """Thirty characters are not too many, and there would be room for a few more."""
    assert max(map(len, everything(Names("a" * 30)))) == 59


def test_a_room_has_no_name_twice():
    """Thirty attendees, similar ones among them and one without a name, share no name at any service."""
    similar = ["", "alice", "alice-2", "alice2", "alice-alice", "input", "employee-alice", "lambdarole"]
    room = [*similar, *(f"a{number}" for number in range(22))]
    for service in LEGAL:
        # IAM does not tell roles apart by case.
        names = [name.lower() for attendee in room for name in by_service(Names(attendee))[service]]
        assert len(set(names)) == len(names)


def test_no_edition_has_a_name_of_the_others():
    """Whoever the attendees are, even `hardened`: the roles, too, which IAM does not tell apart by case."""
    names = [
        name.lower() if service == "role" else name
        for attendee in ("", "hardened", "hardened-alice", "alice", "hardened-machinerole", "pool")
        for edition in ("tutorial", "hardened")
        for service, named in by_service(Names(attendee, edition)).items()
        for name in named
        if service in ("role", "function", "machine")
    ]
    assert len(set(names)) == len(names)


def test_unknown_edition():
    """An edition that is not there is refused with the list of those that are."""
    with pytest.raises(LotteryError, match="Use one of: tutorial"):
        Names(edition="deluxe")
