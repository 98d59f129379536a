"""Ways to cheat at an evening. The operator may write to every table; lesson 90 shows the same."""

import hmac
import json
from hashlib import sha256
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from unit.party.fake_dynamodb import DRAWS, EMPLOYEES, WINNERS
from unit.party.hardened_world import GO, KILL, world

from lottery_lib.names import Names
from lottery_lib.resources import contents
from lottery_lib.waiting import Waiter
from lottery_party.checker import check_receipts, shuffled

IDS = [f"{number:03}" for number in range(1, 11)]
FRIEND, ROOM = "007", "9 21 40 33 2"
EVENING = {"prizes": [{"name": "Car", "count": 1}], "evening": {}, "question": "Call five numbers"}


@pytest.fixture
def made():
    """A world of ten people, whose evening `party` is announced and waits for the public value."""
    with world(IDS) as made:
        made.public = ROOM
        announce(made, "party")
        yield made


def announce(made, name):
    """Start an execution that announces an evening, and stops before the public value; return it."""
    execution = made.start(EVENING, name)
    while name not in made.draws:
        execution.step(GO)
    return execution


def go_on(made):
    """Let all executions give the public value and end."""
    for execution in made.executions:
        while execution.alive:
            execution.step(GO)


def first(secret, public):
    """The first person of the order, by the checker's shuffle."""
    return IDS[next(shuffled(len(IDS), hmac.digest(secret, public.encode(), "sha256")))]


def lucky_secret(public):
    """A secret with which the friend is the first."""
    tries = (sha256(f"try {number}".encode()).digest() for number in range(1000))
    return next(secret for secret in tries if first(secret, public) == FRIEND)


def stolen_secret(made):
    return bytes.fromhex(made.tables.tables[DRAWS]["party#sealed"]["secret"])


def car(made):
    """Draw the car, or find it drawn; return its winner."""
    made.run({"draw_id": "party", "prize": 1})
    (winner,) = made.draws["party"]["prizes"][0]["winners"]
    return winner


def checked(made):
    return check_receipts(made.document())


def reset(made, meanwhile=lambda: None):
    """What `empty_winners` does, on the tables in memory; `meanwhile` runs when it has read the chain."""

    def table(_target, name, _key=""):
        items = made.tables.tables[name]
        return SimpleNamespace(
            name=name,
            check_ours=lambda: None,
            find=lambda: "there",
            all_keys=lambda: [*items],
            item=lambda key: (items.get(key), meanwhile())[0],
            put=lambda new: made.tables.put(name, [*new]),
            remove=lambda keys: [items.pop(key) for key in keys],
        )

    target = SimpleNamespace(
        names=Names(edition="hardened"),
        plain_dynamodb=lambda: made.tables,
        waiter=Waiter(lambda seconds: None),
    )
    with patch.object(contents, "Table", table):
        contents.empty_winners(target)


def test_a_chosen_secret_does_not_choose_the_winner(made):
    """Nobody can choose a secret that makes the friend win: the room gives the public value later."""
    items, secret = made.tables.tables[DRAWS], lucky_secret("1 2 3 4 5")
    announced = json.loads(items["#chain#0"]["text"])
    forged = json.dumps(announced | {"commitment": sha256(secret).hexdigest()})
    last = {"last": sha256(forged.encode()).hexdigest()}
    items["#chain#0"] |= {"text": forged}
    items["party#sealed"] |= {"secret": secret.hex()}
    items["party"] |= last
    items["#chain"] |= last
    go_on(made)
    assert car(made) == first(secret, ROOM) != FRIEND
    assert all(checked(made).claims.values()), "each hash was written by hand, and fits"
    (photographed,) = checked(made).codes
    assert sha256(lucky_secret(ROOM)).hexdigest() != photographed["commitment"]


def test_a_stolen_secret_does_not_tell_who_wins(made):
    """Before the public value is known, each person of the pool may be the first of the order."""
    order_of, draw = made.functions.draw_prize.order_of, made.draws["party"]
    firsts = {next(order_of({**draw, "public": str(value)}, stolen_secret(made))) for value in range(300)}
    assert firsts == {*range(len(IDS))}
    assert not made.recorded_of("party")


def test_a_removed_rival_wins(made):
    """A rival who is deleted from the table of employees still wins, because the pool decides."""
    go_on(made)
    rival = first(stolen_secret(made), ROOM)
    del made.tables.tables[EMPLOYEES][rival]
    assert car(made) == rival
    assert all(checked(made).claims.values())


def test_a_repeated_draw_has_the_same_winner_or_is_counted(made):
    """A second try has the same winner. The chain keeps draws that were given up, and resets."""
    go_on(made)
    given_up = made.start({"draw_id": "party", "prize": 1})
    while not made.recorded_of("party"):
        given_up.step(GO)
    given_up.step(KILL)
    (winner,) = made.recorded_of("party")
    assert car(made) == winner == first(stolen_secret(made), ROOM)
    assert len(made.mails) == 1
    for number in range(3):
        reset(made)
        announce(made, f"again {number}").step(KILL)
    found = checked(made)
    assert (found.counts["announced"], found.counts["not ended"], found.counts["resets"]) == (4, 4, 3)
    assert found.codes[-1]["announced_before"] == 3, "it is on the photograph of the last one"
    assert all(found.claims.values())


def test_a_reset_overwrites_no_announcement(made):
    """A draw that is announced during a reset keeps its receipt, and the reset has one, too."""
    waiting = ["meanwhile"]
    reset(made, lambda: waiting and announce(made, waiting.pop()))
    found = checked(made)
    assert (found.counts["announced"], found.counts["resets"], found.problems) == (2, 1, [])


def test_a_row_by_hand_is_found(made):
    """A row without a receipt is marked in the list of winners, and the check finds it."""
    go_on(made)
    car(made)
    assert made.without_receipt() == set()
    made.tables.put(WINNERS, [{"employee_id": "999", "prize": "Car", "draw_id": "party"}])
    assert made.without_receipt() == {"999"} == {*checked(made).strange}


def test_a_withdrawn_rival_stays_in_the_chain(made):
    """If an operator withdraws rivals to help a friend, each withdrawal has a receipt before the prize."""
    go_on(made)
    secret = stolen_secret(made)
    order = [IDS[at] for at in shuffled(len(IDS), hmac.digest(secret, ROOM.encode(), "sha256"))]
    rivals = order[: order.index(FRIEND)]
    for rival in rivals:
        made.run({"draw_id": "party", "withdraw": rival})
    assert car(made) == FRIEND
    made.run({"draw_id": "party", "close": True})
    assert checked(made).counts["withdrawn"] == len(rivals)
    assert [each["kind"] for each in made.told("party")[2:-3]] == ["withdrawn"] * len(rivals)
    assert all(checked(made).claims.values())


@pytest.mark.parametrize(
    "change", [{"prize": "Mug"}, {"prize": 5}, {"draw_id": "other"}, {"status": "absent"}]
)
def test_a_row_that_was_changed_is_marked(made, change):
    """A row is marked if its prize, its draw or its status is another one than in the receipts."""
    go_on(made)
    winner = car(made)
    made.tables.put(WINNERS, [made.tables.tables[WINNERS][winner] | change])
    assert made.without_receipt() == {winner}


def test_without_its_receipt_no_row_is_trusted(made):
    """If a receipt was removed, all rows are marked, and the check says which receipt is missing."""
    go_on(made)
    winner = car(made)
    del made.tables.tables[DRAWS]["party#2"]
    assert made.without_receipt() == {winner}
    assert checked(made).problems == ["Draw party, receipt 2: it does not have the form of a receipt."]


def test_a_reset_takes_the_receipts_with_it(made):
    """If somebody writes a winner back after a reset, the row has no receipt."""
    go_on(made)
    row = made.tables.tables[WINNERS][car(made)]
    made.run({"draw_id": "party", "close": True})
    assert made.without_receipt() == set()
    reset(made)
    made.tables.put(WINNERS, [row])
    assert made.without_receipt() == {row["employee_id"]}
