"""Ways to cheat at an evening. The operator may write to every table; lesson 90 shows some.

`docs/receipts.md` says what a check must say of each of them.
"""

import copy
import hmac
import json
from hashlib import sha256
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from unit.party.fake_dynamodb import DRAWS, EMPLOYEES, POOL, WINNERS
from unit.party.hardened_world import GO, KILL, world

from lottery_lib import employees
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.resources import contents
from lottery_lib.waiting import Waiter
from lottery_party.checker import check_receipts, shuffled

IDS = [f"{number:03}" for number in range(1, 11)]
FRIEND, ROOM = "007", "9 21 40 33 2"
EVENING = {"prizes": [{"name": "Car", "count": 1}], "evening": {}, "question": "Call five numbers"}
PARTY = {"draw_id": "party"}


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


def ask(made):
    made.run(PARTY | {"ask": True})


def go_on(made):
    """Ask the room, and let all executions give the public value and end."""
    ask(made)
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


def end(made):
    """Close the evening; return the check's colour, and the kinds of its notices."""
    made.run(PARTY | {"close": True})
    found = checked(made)
    return found.verdict, [notice.kind for notice in found.notices]


def in_order(made):
    """The ids in the order of the evening, by the checker's shuffle."""
    key = hmac.digest(stolen_secret(made), ROOM.encode(), "sha256")
    return [IDS[at] for at in shuffled(len(IDS), key)]


def with_tables(made, do, meanwhile=lambda: None):
    """Do something with a target whose tables are those in memory; `meanwhile` runs when it reads an item."""

    def table(_target, name, _key=""):
        items = made.tables.tables[name]
        return SimpleNamespace(
            name=name,
            check_ours=lambda: None,
            refuse_foreign=lambda _found: None,
            find=lambda: "there",
            all_keys=lambda: [*items],
            item=lambda key: (items.get(key), meanwhile())[0],
            put=lambda new: made.tables.put(name, [*new]),
            items=lambda: [*items.values()],
            remove=lambda keys: [items.pop(key) for key in keys],
        )

    target = SimpleNamespace(
        names=Names(edition="hardened"),
        plain_dynamodb=lambda: made.tables,
        waiter=Waiter(lambda seconds: None),
    )
    with patch.object(contents, "Table", table):
        return do(target)


def reset(made, meanwhile=lambda: None):
    with_tables(made, contents.empty_winners, meanwhile)


def write_pool(made, people):
    with_tables(made, lambda target: contents.Pool(target).write(people))


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
    (photographed,) = checked(made).draws
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
    assert found.draws[-1]["announced_before"] == 3, "it is on the photograph of the last one"
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
    ask(made)
    rivals = in_order(made)[: in_order(made).index(FRIEND)]
    for rival in rivals:  # before the operator types what the room has called
        made.run(PARTY | {"withdraw": rival})
    go_on(made)
    assert car(made) == FRIEND
    assert end(made) == ("amber", ["lateWithdrawn"] * len(rivals))
    assert (checked(made).counts["withdrawn"], checked(made).counts["late"]) == (len(rivals), len(rivals))


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
    del made.tables.tables[DRAWS]["party#3"]
    assert made.without_receipt() == {winner}
    assert checked(made).problems == ["Draw party, receipt 3: it does not have the form of a receipt."]


def test_a_reset_takes_the_receipts_with_it(made):
    """If somebody writes a winner back after a reset, the row has no receipt."""
    go_on(made)
    row = made.tables.tables[WINNERS][car(made)]
    made.run({"draw_id": "party", "close": True})
    assert made.without_receipt() == set()
    reset(made)
    made.tables.put(WINNERS, [row])
    assert made.without_receipt() == {row["employee_id"]}


def test_an_honest_evening_is_green(made):
    """Without changes after the question, the check is green. Absences and early withdrawals keep it so."""
    go_on(made)
    rivals = in_order(made)[:6]
    made.roll_call = lambda winners: {"absent": [each for each in winners if each in rivals]}  # attack 8
    car(made)
    assert end(made) == ("green", [])
    assert checked(made).counts["absent"] == 6


@pytest.mark.parametrize(
    "value", ["9  21 40", "9 21\u200b 40", "９ 21 40", "9, 21, 40", " 9 21", "A 9", "\x07", ""]
)
def test_there_is_one_way_to_type_a_value(made, value):
    """1: a value that somebody types in another way than everybody reads it is refused."""
    made.public = value
    assert type(made.run(PARTY).error).__name__ == "InvalidInput"
    assert "public" not in made.draws["party"]


def test_another_value_after_a_restoration(made):
    """2: give the value, look, restore the tables of before, and give another one. The chain has it."""
    ask(made)
    before = copy.deepcopy(made.tables.tables)
    go_on(made)
    made.tables.tables.clear()
    made.tables.tables.update(before)
    about = {"evening": "party", "saved_at": "2026-11-29T20:00:00+00:00", "lost": 1}
    with_tables(made, lambda target: contents.add_to_chain(target, "a receipt", "restored", **about))
    made.public = "1 2 3"
    made.run(PARTY)
    car(made)
    assert end(made) == ("amber", ["restored"])
    assert made.told("party")[-1]["restored"] == 1, "each later receipt has it"


def test_a_list_of_an_open_evening(made):
    """4, 5: nobody loads a list while an evening is open. After a reset, or its end, one can."""
    roster = employees.Roster(
        [{"employee_id": "1", "employee_name": "A", "employee_entry_date": "", "lottery_serial": 1}]
    )
    with pytest.raises(LotteryError, match="the announced draw party is open"):
        with_tables(made, lambda target: contents.load_employees(target, roster))
    reset(made)
    assert with_tables(made, contents.open_draws) == []


def test_a_winner_has_the_name_of_the_pool(made):
    """4: whatever somebody writes into the table of employees, the receipts have the announced name."""
    go_on(made)
    winner = car(made)
    made.tables.tables[EMPLOYEES][winner]["employee_name"] = "A friend"
    assert end(made) == ("green", [])
    (row,) = made.document()["winners"]
    assert row["employee_name"] == f"Name of {winner}"


def test_rivals_who_win_a_pen(made):
    """5: with a pool of only the rivals, they win something small in between. It is counted, and amber."""
    go_on(made)
    rivals = in_order(made)[: in_order(made).index(FRIEND)]
    write_pool(made, [(each, "", "") for each in sorted(rivals)])
    pens = {"prizes": [{"name": "Pen", "count": len(rivals)}], "evening": {}, "question": "Say something"}
    made.run(pens, "pens")
    made.run({"draw_id": "pens", "prize": 1})
    made.run({"draw_id": "pens", "close": True})
    assert car(made) == FRIEND
    assert end(made) == ("amber", ["again", "notAsked"])
    assert checked(made).counts["skipped"] == len(rivals)


def test_a_draw_without_a_question(made):
    """6: an evening needs a question. A draw without one is never green."""
    assert type(made.run(EVENING | {"question": " "}).error).__name__ == "InvalidInput"
    made.run({"prizes": [{"name": "Car", "count": 1}]}, "draw")
    assert "noValue" in [notice.kind for notice in checked(made).notices]


def test_a_late_prize(made):
    """7: a prize that is added after the question gives others something small. It is amber."""
    go_on(made)
    made.run(PARTY | {"add": {"name": "Pen", "count": in_order(made).index(FRIEND)}})
    assert car(made) == FRIEND
    assert end(made) == ("amber", ["lateAdded"])


def test_the_best_of_three(made):
    """9: who announces three times and goes on with the best has two draws that have not ended."""
    for name in ("second", "third"):
        announce(made, name)
    made.executions[0].step(GO)
    go_on(made)
    car(made)
    assert end(made) == ("amber", ["again", "again", "notAsked", "notEnded", "notAsked", "notEnded"])
    assert made.told("party")[-1]["announced"] == 3, "each later receipt has it"


@pytest.mark.parametrize(("asked", "kind"), [(True, "takenBack"), (False, "takenBackEarly")])
def test_an_announcement_that_was_taken_back(made, asked, kind):
    """Who hears the room's value and takes the announcement back leaves a receipt of it."""
    if asked:
        ask(made)
    made.run(PARTY | {"take_back": True})
    announce(made, "party-2")
    made.run({"draw_id": "party-2", "ask": True})
    made.executions.pop(0).step(KILL)
    go_on(made)
    made.run({"draw_id": "party-2", "prize": 1})
    made.run({"draw_id": "party-2", "close": True})
    assert [notice.kind for notice in checked(made).notices] == [kind]
    assert checked(made).counts["taken back"] == 1


def test_nobody_takes_an_announcement_back_after_the_value(made):
    """After the public value, it is too late."""
    go_on(made)
    assert type(made.run(PARTY | {"take_back": True}).error).__name__ == "TooLate"


def test_a_reset_afterwards(made):
    """10: it is amber."""
    go_on(made)
    car(made)
    made.run(PARTY | {"close": True})
    reset(made)
    assert [notice.kind for notice in checked(made).notices] == ["reset"]


def test_a_new_lottery_has_another_code(made):
    """11: beyond proof. A lottery that was deployed again is green, but its code is not on the photograph."""
    (photographed,) = checked(made).draws
    made.tables.tables[DRAWS].clear()
    made.executions.pop(0).step(KILL)
    write_pool(made, [(each, f"Name of {each}", "") for each in IDS])
    announce(made, "party")
    go_on(made)
    car(made)
    assert end(made) == ("green", [])
    assert checked(made).draws[0]["code"] != photographed["code"]


@pytest.mark.parametrize("change", ["name", "secret", "friend"])
def test_a_pool_or_a_secret_that_was_changed(made, change):
    """12, 15: another name, another secret, or the friend a second time in the pool is red."""
    items, root = made.tables.tables, made.draws["party"]["pool"]
    if change == "name":
        items[POOL][f"{root}#0"]["names"][3] = "A friend"
    elif change == "secret":
        items[DRAWS]["party#sealed"]["secret"] = "00" * 32
    else:
        people = [(each, f"Name of {each}", "") for each in [*IDS[:7], "007\u200b", *IDS[7:]]]
        write_pool(made, people)
        announce(made, "forged")
        made.run({"draw_id": "forged", "prize": 1})
        made.run({"draw_id": "forged", "close": True})
    go_on(made)
    car(made)
    assert end(made)[0] == "red"


def test_a_receipt_that_was_changed(made):
    """13: one receipt alone does not fit the next one."""
    go_on(made)
    car(made)
    made.run(PARTY | {"close": True})
    receipt = made.tables.tables[DRAWS]["party#3"]
    receipt["text"] = receipt["text"].replace(made.draws["party"]["prizes"][0]["winners"][0], FRIEND + "7")
    assert checked(made).verdict == "red"


def test_seconds_by_hand(made):
    """Who changes when the room was asked, so that the seconds look few, has two times that do not fit."""
    ask(made)
    made.tables.tables[DRAWS]["party"]["asked"] = "2020-01-01T00:00:00.000+00:00"
    made.run(PARTY | {"public": ROOM})
    car(made)
    assert end(made)[0] == "red"


def test_each_prize_comes_to_its_end(made):
    """Nobody keeps a place of a prize free, so that a friend is the next for the car."""
    made.run({"prizes": [{"name": "Mug", "count": 2}, {"name": "Car", "count": 1}]}, "two")
    draw = made.tables.tables[DRAWS]["two"]
    del draw["closed"], draw["prizes"][0]["execution"], draw["prizes"][1]["execution"]  # its roll call waits
    assert type(made.run({"draw_id": "two", "prize": 2}).error).__name__ == "TooEarly"


def test_an_early_prize_has_its_turn(made):
    """A prize that was added before the question comes after the announced ones, and cannot be left out."""
    made.start(PARTY | {"add": {"name": "Pen", "count": 2}})
    for _ in range(2):
        made.executions[-1].step(GO)
    assert len(made.draws["party"]["prizes"]) == 2
    go_on(made)
    assert not made.draws["party"]["prizes"][1]["late"]
    assert type(made.run(PARTY | {"prize": 2}).error).__name__ == "TooEarly"
    car(made)
    assert end(made) == ("amber", ["undrawn"])


def test_a_question_that_nobody_can_read(made):
    """A question needs a letter or a digit."""
    assert type(made.run(EVENING | {"question": "\u200b ?"}, "blank").error).__name__ == "InvalidInput"
