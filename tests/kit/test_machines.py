"""The states of the kit's own machines, one by one: no function is called, and no mail is sent."""

import pytest
from kit.one_state import one_state

from lottery_lib.definition import load, parse
from states_language import all_states, ways_from

THROTTLED = "Lambda.TooManyRequestsException"
DRAW = {"draw_id": "d", "number": 1, "prizes": [1, 2], "remail": False, "given": {"public": "7"}}
ANSWER = {"Payload": {"prize": "Car", "winners": [], "mail": "due", "message": "m"}}
ALL = {"draw_id": "d", "drawn": ANSWER}
PUBLIC, MIX = "Wait For The Public Value", "Mix In The Public Value"
ROLL_CALL, TOKEN = "Wait For The Roll Call", {"context": {"Task": {"Token": "t"}}}
NOT_MAILED = ALL | {"reason": {"Error": "E", "Cause": "C"}}


def answered(mail):
    """The input of the Choice after a draw."""
    return {"drawn": {"Payload": {"mail": mail}}}


#: For each edition: state, input, what the call gives, status, next state.
CASES = {
    "tutorial": [
        ("Input Lottery Winners", {"input": 2}, {"mock": {"body": 1}}, "SUCCEEDED", "Random Select Winners"),
        ("Input Lottery Winners", {}, {"error": "CustomError"}, "CAUGHT_ERROR", "Failed"),
        ("Input Lottery Winners", {}, {"error": "E"}, "CAUGHT_ERROR", "Failed"),
        ("Random Select Winners", {"body": 1}, {"mock": {}}, "SUCCEEDED", "Validate Winners"),
        ("Random Select Winners", {"body": 1}, {"error": "E"}, "RETRIABLE", None),
        ("Random Select Winners", {"body": 1}, {"error": "E", "retries": 2}, "CAUGHT_ERROR", "Failed"),
        ("Validate Winners", {"body": 1}, {"mock": {}}, "SUCCEEDED", "Is Winner In Past Draw"),
        ("Validate Winners", {"body": 1}, {"error": "E"}, "RETRIABLE", None),
        ("Validate Winners", {"body": 1}, {"error": "E", "retries": 2}, "CAUGHT_ERROR", "Failed"),
        ("Is Winner In Past Draw", {"status": 0}, {}, "SUCCEEDED", "Send SNS and Record In Dynamodb"),
        ("Is Winner In Past Draw", {"status": 1}, {}, "SUCCEEDED", "Random Select Winners"),
        ("Is Winner In Past Draw", {"status": 2}, {}, "FAILED", None),
        ("Send SNS and Record In Dynamodb", {}, {"mock": [1, 2]}, "SUCCEEDED", None),
        ("Send SNS and Record In Dynamodb", {}, {"error": "E"}, "RETRIABLE", None),
        ("Send SNS and Record In Dynamodb", {}, {"error": "E", "retries": 2}, "CAUGHT_ERROR", "Failed"),
        ("Notify Winners", {"sns": "text"}, {"mock": {"MessageId": "m"}}, "SUCCEEDED", None),
        ("Record Winner Queue", {"body": 1}, {"mock": None}, "SUCCEEDED", None),
        ("Failed", {}, {}, "FAILED", None),
    ],
    "hardened": [
        ("Commit To The Draw", {}, {"mock": {"Payload": {}}}, "SUCCEEDED", "Is A Public Value Awaited"),
        ("Commit To The Draw", {}, {"error": THROTTLED}, "RETRIABLE", None),
        ("Commit To The Draw", {}, {"error": THROTTLED, "retries": 6}, "CAUGHT_ERROR", "Failed"),
        ("Commit To The Draw", {}, {"error": "InvalidRequest"}, "CAUGHT_ERROR", "Failed"),
        ("Is A Public Value Awaited", {"awaits": "nothing"}, {}, "SUCCEEDED", "For Each Prize"),
        ("Is A Public Value Awaited", {"awaits": "public value"}, {}, "SUCCEEDED", PUBLIC),
        ("Is A Public Value Awaited", {"awaits": "rain"}, {}, "SUCCEEDED", "Unknown Commitment"),
        ("Is A Public Value Awaited", {}, {}, "SUCCEEDED", "Unknown Commitment"),
        (PUBLIC, DRAW, {"mock": {"public": "7"}} | TOKEN, "SUCCEEDED", MIX),
        (PUBLIC, DRAW, {"error": "DynamoDb.ThrottlingException"} | TOKEN, "RETRIABLE", None),
        (PUBLIC, DRAW, {"error": "States.Timeout"} | TOKEN, "CAUGHT_ERROR", "Failed"),
        (MIX, DRAW, {"mock": {"Payload": {}}}, "SUCCEEDED", "For Each Prize"),
        (MIX, DRAW, {"error": "WinnerTaken"}, "RETRIABLE", None),
        (MIX, DRAW, {"error": "E"}, "CAUGHT_ERROR", "Failed"),
        ("For Each Prize", DRAW, {"mock": [1, 2]}, "SUCCEEDED", None),
        ("For Each Prize", DRAW, {"error": "E"}, "CAUGHT_ERROR", "Failed"),
        (ROLL_CALL, DRAW, {"mock": {"absent": []}} | TOKEN, "SUCCEEDED", "Draw And Record"),
        (ROLL_CALL, DRAW, {"error": "States.Timeout"} | TOKEN, "CAUGHT_ERROR", "Draw And Record"),
        ("Unknown Commitment", {}, {}, "FAILED", None),
        ("Draw And Record", {}, {"mock": ANSWER}, "SUCCEEDED", "Is A Mail Due"),
        ("Draw And Record", {}, {"error": "WinnerTaken"}, "RETRIABLE", None),
        ("Draw And Record", {}, {"error": "WinnerTaken", "retries": 8}, "FAILED", None),
        ("Is A Mail Due", answered("due"), {}, "SUCCEEDED", "Notify Winners"),
        ("Is A Mail Due", answered("not due"), {}, "SUCCEEDED", "Recorded Before"),
        ("Is A Mail Due", answered("after the roll call"), {}, "SUCCEEDED", ROLL_CALL),
        ("Is A Mail Due", answered("maybe"), {}, "SUCCEEDED", "Unknown Answer"),
        ("Is A Mail Due", {}, {}, "SUCCEEDED", "Unknown Answer"),
        ("Notify Winners", ALL, {"mock": {"MessageId": "m"}}, "SUCCEEDED", "Recorded And Mailed"),
        ("Notify Winners", ALL, {"error": "SNS.ThrottledException"}, "RETRIABLE", None),
        ("Notify Winners", ALL, {"error": "E"}, "CAUGHT_ERROR", "Recorded Not Mailed"),
        ("Recorded And Mailed", ALL, {}, "SUCCEEDED", None),
        ("Recorded Before", ALL, {}, "SUCCEEDED", None),
        ("Recorded Not Mailed", NOT_MAILED, {}, "SUCCEEDED", None),
        ("Unknown Answer", {}, {}, "FAILED", None),
        ("Failed", {"Error": "E", "Cause": "C"}, {}, "FAILED", None),
    ],
}  # fmt: skip
EACH = [(edition, *case) for edition, cases in CASES.items() for case in cases]


@pytest.fixture(scope="module")
def targets():
    from lottery_lib import connect

    return {edition: connect("embedded", edition=edition) for edition in ("tutorial", "hardened")}


@pytest.mark.parametrize(("edition", "state", "given", "answer", "status", "follower"), EACH)
def test_a_state(targets, edition, state, given, answer, status, follower):  # noqa: PLR0917
    """A state goes where the definition says, for each answer that its call can get."""
    result = one_state(targets[edition], state, given, local=load(edition), **answer)
    assert (result.status, result.next_state) == (status, follower), result


@pytest.mark.parametrize("edition", ["tutorial", "hardened"])
def test_the_cases_use_every_edge(edition):
    """Each edge of the graph has a case, and each state at least one."""
    machine = parse(load(edition))
    ways = {(name, to) for name, state in all_states(machine) for _, to in ways_from(state)}
    assert ways == {(name, follower) for name, *_, follower in CASES[edition] if follower}
    assert {name for name, _ in all_states(machine)} == {name for name, *_ in CASES[edition]}


def test_what_the_hardened_machine_makes_of_its_data(targets):
    """A winner who got no mail is recorded with the reason; a failure has the reason of the Catch."""
    target, local = targets["hardened"], load("hardened")
    recorded = one_state(target, "Recorded Not Mailed", NOT_MAILED, local=local).output
    assert (recorded["mail"], recorded["error"], recorded["cause"]) == ("recorded, not mailed", "E", "C")
    failed = one_state(target, "Failed", {"Error": "E", "Cause": "C"}, local=local)
    assert (failed.error, failed.cause) == ("E", "C")
    given = DRAW | {"remail": True}
    data = one_state(target, "For Each Prize", given, mock=[1, 2], local=local).data
    items = [(item["draw_id"], item["number"], item["remail"]) for item in data["afterItemSelector"]]
    assert items == [("d", 1, True), ("d", 2, True)]
