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
from hypothesis import given
from hypothesis import strategies as st
from unit.party.fake_dynamodb import DRAWS, EMPLOYEES, POOL, WINNERS
from unit.party.hardened_world import GO, KILL, world

from lottery_lib import employees
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.resources import contents
from lottery_lib.waiting import Waiter
from lottery_party.checker import check_receipts, shuffled

IDS = [f"{number:03}" for number in range(1, 11)]
FRIEND, ROOM = "007", "2 9 21 33 40"
NUMBERS = {"count": 5, "least": 1, "most": 99}
ASKED = {"question": "Call five numbers", "numbers": NUMBERS}
EVENING = {"prizes": [{"name": "Car", "count": 1}], "evening": {}, **ASKED}
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


def restore(made, tables, lost=0):
    """Put older tables back, as `lottery night restore` does."""
    older = copy.deepcopy(tables)
    made.tables.tables.clear()
    made.tables.tables.update(older)
    about = {"evening": "party", "saved_at": "2026-11-29T20:00:00+00:00", "lost": lost}
    with_tables(made, lambda target: contents.add_to_chain(target, "a receipt", "restored", **about))


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
    """Close the evening; return what the check says, and the kinds of its notices."""
    made.run(PARTY | {"close": True})
    found = checked(made)
    return found.word, [notice.kind for notice in found.notices]


def in_order(made):
    """The ids in the order of the evening, by the checker's shuffle."""
    key = hmac.digest(stolen_secret(made), ROOM.encode(), "sha256")
    return [IDS[at] for at in shuffled(len(IDS), key)]


def placed(made, name):
    """The order of a draw, by the functions of the edition."""
    key = bytes.fromhex(made.tables.tables[DRAWS][f"{name}#sealed"]["secret"])
    return [IDS[at] for at in made.functions.draw_prize.order_of(made.draws[name], key)]


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
    items, secret = made.tables.tables[DRAWS], lucky_secret("1 2 3 4 6")
    announced = json.loads(items["#chain#0"]["text"])
    forged = json.dumps(announced | {"commitment": sha256(secret).hexdigest()})
    last = {"last": sha256(forged.encode()).hexdigest()}
    items["#chain#0"] |= {"text": forged}
    items["party#sealed"] |= {"secret": secret.hex()}
    items["party"] |= last
    items["#chain"] |= last
    go_on(made)
    assert car(made) == first(secret, ROOM) != FRIEND
    assert False not in checked(made).claims.values(), "each hash was written by hand, and fits"
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
    assert False not in checked(made).claims.values()


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
    assert False not in found.claims.values()


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
    assert end(made) == ("steered", ["lateWithdrawn"] * len(rivals))
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
    "value",
    [
        *(
            "2  9 21 33 40",
            "2 9 21\u200b 33 40",
            "２ 9 21 33 40",
            "2, 9, 21, 33, 40",
            "9 2 21 33 40",
            "02 9 21 33 40",
        ),
        *("2 9 21 33", "2 9 21 33 100", "2 9 21 33 б", "A 2 9 21 33 40", "\x07", ""),
    ],
)
def test_there_is_one_way_to_type_a_value(made, value):
    """1, 18: numbers have one form and one order. Another one is refused."""
    made.public = value
    assert type(made.run(PARTY).error).__name__ == "InvalidInput"
    assert "public" not in made.draws["party"]


def test_another_value_after_a_restoration(made):
    """2: give the value, look, restore the tables of before, and give another one. The chain has it."""
    ask(made)
    before = copy.deepcopy(made.tables.tables)
    go_on(made)
    restore(made, before)  # after a teardown, no receipt counts as lost
    made.public = "1 2 3 4 5"
    made.run(PARTY)
    car(made)
    assert end(made) == ("steered", ["restored"])
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
    pens = {"prizes": [{"name": "Pen", "count": len(rivals)}], "evening": {}, **ASKED}
    made.run(pens, "pens")
    made.run({"draw_id": "pens", "prize": 1})
    made.run({"draw_id": "pens", "close": True})
    assert car(made) == FRIEND
    assert end(made) == ("steered", ["again", "notAsked"])
    assert checked(made).counts["skipped"] == len(rivals)


def test_a_draw_without_a_question(made):
    """6: an evening needs a question. A draw without one is never green."""
    assert type(made.run(EVENING | {"question": " "}).error).__name__ == "InvalidInput"
    made.run({"prizes": [{"name": "Car", "count": 1}]}, "draw")
    assert "noValue" in [notice.kind for notice in checked(made).notices]


def test_a_late_prize(made):
    """7: a late prize gives those who stand last something. The car has the same winner as without it."""
    go_on(made)
    made.run(PARTY | {"add": {"name": "Pen", "count": 9}})
    assert made.draws["party"]["prizes"][1]["winners"] == in_order(made)[:0:-1]
    assert car(made) == in_order(made)[0]
    assert end(made) == ("happened", ["lateFromEnd"])


def test_a_second_evening_after_the_end_of_the_first(made):
    """Nobody could have steered it: the first draw had ended before the second was announced."""
    go_on(made)
    car(made)
    made.run(PARTY | {"close": True})
    reset(made)
    announce(made, "second")
    made.run({"draw_id": "second", "ask": True})
    made.executions.pop(-2).step(GO)
    made.run({"draw_id": "second", "public": ROOM})
    made.run({"draw_id": "second", "prize": 1})
    made.run({"draw_id": "second", "close": True})
    notices = [(each.kind, each.grade) for each in checked(made).notices]
    assert notices == [("resetBefore", "happened"), ("againAfterEnd", "happened")]
    assert checked(made).word == "happened"


def test_an_open_draw_of_an_older_kit(made):
    """Its rules have changed, so this kit does not go on with it."""
    del made.tables.tables[DRAWS]["party"]["format"]
    error = made.run(PARTY | {"ask": True}).error
    assert type(error).__name__ == "OldDraw"
    assert str(error).endswith("End it with that kit, or announce a new one.")


def test_the_best_of_three(made):
    """9: who announces three times and goes on with the best has two draws that have not ended."""
    for name in ("second", "third"):
        announce(made, name)
    made.executions[0].step(GO)
    go_on(made)
    car(made)
    assert end(made) == ("steered", ["again", "again", "notAsked", "notEnded", "notAsked", "notEnded"])
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
    assert checked(made).word == ("steered" if asked else "happened")
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
    assert [(notice.kind, notice.grade) for notice in checked(made).notices] == [("reset", "steered")]


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
    assert end(made) == ("steered", ["undrawn"])


def test_a_question_that_nobody_can_read(made):
    """A question needs a letter or a digit."""
    assert type(made.run(EVENING | {"question": "\u200b ?"}, "blank").error).__name__ == "InvalidInput"


def test_an_honest_evening_with_a_crash_and_a_late_prize(made):
    """Nobody could have steered it: the crash loses nothing, and the prize changes nothing."""
    go_on(made)
    kept, before = copy.deepcopy(made.tables.tables), in_order(made)
    made.start(PARTY | {"prize": 1}).step(KILL)
    restore(made, kept)
    made.run(PARTY | {"add": {"name": "The boss's prize", "count": 1}})
    assert car(made) == before[0]
    assert end(made) == ("happened", ["restoredAfterValue", "lateFromEnd"])


def test_a_crash_that_lost_receipts(made):
    """If the file had fewer receipts than the tables, nobody knows what was in them."""
    go_on(made)
    restore(made, made.tables.tables, lost=1)
    car(made)
    assert end(made) == ("steered", ["restored"])


def test_a_correction(made):
    """6: a typo is corrected before anybody is drawn, with a receipt. After that it is too late."""
    go_on(made)
    made.run(PARTY | {"correct": "2 9 21 34 40"})
    told = made.told("party")[-1]
    assert (told["kind"], told["value"], told["question"]) == ("corrected", "2 9 21 34 40", ASKED["question"])
    key = hmac.digest(stolen_secret(made), b"2 9 21 34 40", "sha256")
    assert car(made) == IDS[next(shuffled(len(IDS), key))]
    assert type(made.run(PARTY | {"correct": ROOM}).error).__name__ == "TooLate"
    assert end(made) == ("steered", ["corrected"])


@pytest.mark.parametrize("value", ["9 2 21 33 40", ""])
def test_a_correction_has_the_same_form(made, value):
    """A corrected value is written as any other."""
    go_on(made)
    assert type(made.run(PARTY | {"correct": value}).error).__name__ == "InvalidInput"


def test_nothing_is_corrected_before_the_value(made):
    """Before the public value, there is nothing to correct."""
    assert type(made.run(PARTY | {"correct": ROOM}).error).__name__ == "TooEarly"


@pytest.mark.parametrize(
    ("numbers", "question", "kind"),
    [
        (None, "Call five numbers", "text"),
        ({"count": 1, "least": 1, "most": 10}, "Call 1 numbers from 1 to 10", "few"),
        ({"count": 1, "least": 0, "most": 1_000_000}, "Which year begins tonight?", "ownQuestion"),
        ({"count": 1, "least": 0, "most": 1_000_000}, "Call 1 numbers from 0 to 1000000", "oneNumber"),
        (NUMBERS, "Call 5 numbers from 2 to 99", "ownQuestion"),
        (NUMBERS, "Call five numbers", None),
        (NUMBERS, "Call 5 numbers from 1 to 99", None),
    ],
)
def test_answers_that_an_operator_can_try(made, numbers, question, kind):
    """2, 3: one person can give one number, and of other answers the operator can know or try some before."""
    made.run({"draw_id": "party", "take_back": True})
    asked = {"numbers": numbers, "question": question, "draw_id": "other", "prizes": []}
    made.public = "5" if numbers and numbers["count"] == 1 else ROOM
    made.run(EVENING | asked, "other")
    made.run({"draw_id": "other", "close": True})
    kinds = ("text", "few", "ownQuestion", "oneNumber")
    notices = [(each.kind, each.grade) for each in checked(made).notices if each.kind in kinds]
    assert notices == ([(kind, "steered")] if kind else [])


def test_a_second_late_prize(made):
    """The first one takes those behind a friend in the order, the second one is the friend's: steered."""
    go_on(made)
    car(made)
    for name, number, kinds in (("Pen", 2, ["lateFromEnd"]), ("Van", 3, ["lateFromEnd", "lateAdded"])):
        made.run(PARTY | {"add": {"name": name, "count": 1}})
        made.run(PARTY | {"prize": number})
        assert [each.kind for each in checked(made).notices if each.kind.startswith("late")] == kinds
    assert end(made)[0] == "steered"


@pytest.mark.parametrize(("rivals", "kind"), [(IDS, "againAfterEnd"), (IDS[:-1], "againOthers")])
def test_rivals_who_win_in_a_draw_of_their_own(made, rivals, kind):
    """Who has won before is skipped. If only rivals could win before, somebody could have steered it."""
    made.run(PARTY | {"take_back": True})
    write_pool(made, [(each, f"Name of {each}", "") for each in rivals])
    made.run(EVENING | {"draw_id": "lunch", "prizes": [{"name": "Pen", "count": 9}]}, "lunch")
    made.run({"draw_id": "lunch", "prize": 1})
    made.run({"draw_id": "lunch", "close": True})
    write_pool(made, [(each, f"Name of {each}", "") for each in IDS])
    made.run(EVENING | {"draw_id": "night"}, "night")
    made.run({"draw_id": "night", "prize": 1})
    made.run({"draw_id": "night", "close": True})
    assert [each.kind for each in checked(made).notices if each.kind.startswith("again")] == [kind]


@pytest.mark.parametrize("absences", [1, 2, 3])
def test_an_absent_friend_comes_last(made, absences):
    """1: who was marked absent comes behind everybody who was not, and nobody gains by it."""
    made.run(PARTY | {"take_back": True})
    prizes = [{"name": f"Pen {number}", "count": 1} for number in range(9)]
    announced = {"prizes": prizes, "evening": {"absent": "may win later"}, "draw_id": "later"}
    made.run(EVENING | announced, "later")
    order = placed(made, "later")
    away = order[:absences]
    made.roll_call = lambda winners: {"absent": [one for one in winners if one in away]}
    made.run({"draw_id": "later", "prize": 1})
    made.roll_call = lambda winners: {"absent": []}
    for number in range(2, 10):
        made.run({"draw_id": "later", "prize": number})
    won = [one for prize in made.draws["later"]["prizes"] for one in prize["winners"]]
    assert won == (order[absences:] + away)[:9]
    made.run({"draw_id": "later", "close": True})
    assert checked(made).problems == []


@pytest.mark.parametrize(("pens", "grade"), [(8, "happened"), (9, "steered")])
def test_a_late_prize_for_nearly_everybody(made, pens, grade):
    """The announced car goes to whom the late prize leaves over, or to who was called absent for it."""
    made.run(PARTY | {"take_back": True})
    made.run(EVENING | {"evening": {"absent": "may win later"}, "draw_id": "later"}, "later")
    order, later = placed(made, "later"), {"draw_id": "later"}
    away = order[-1]  # the first one whom a late prize meets
    made.roll_call = lambda winners: {"absent": [one for one in winners if one == away]}
    made.run(later | {"add": {"name": "Pen", "count": pens}})
    made.run(later | {"prize": 2})
    made.roll_call = lambda winners: {"absent": []}
    made.run(later | {"prize": 1})
    assert made.draws["later"]["prizes"][0]["winners"] == [order[0] if pens < 9 else away]
    made.run(later | {"close": True})
    late = [each.grade for each in checked(made).notices if each.kind in ("lateFromEnd", "lateAdded")]
    assert (checked(made).problems, late) == ([], [grade])


def test_a_late_prize_that_is_not_drawn(made):
    """It could move nobody up, whoever is drawn after it was added."""
    made.run(PARTY | {"take_back": True})
    later = {"draw_id": "later"}
    made.run(EVENING | later | {"prizes": [{"name": "Mug", "count": 3}]}, "later")
    stopped = made.start(later | {"add": {"name": "Pen", "count": 1}}, "stopped")
    while made.told("later")[-1]["kind"] != "prize added":
        stopped.step(GO)
    stopped.step(KILL)
    made.run(later | {"prize": 1})
    made.run(later | {"close": True})
    assert [each["kind"] for each in made.told("later")].count("drawn") == 1
    assert [each.kind for each in checked(made).notices if each.kind.startswith("late")] == ["lateFromEnd"]


@pytest.mark.parametrize(("place", "kind"), [(0, "lateWithdrawn"), (1, "lastWithdrawn")])
def test_a_late_withdrawal_helps_who_stands_behind(made, place, kind):
    """It only happened if nobody who was drawn later stands behind the person who left."""
    go_on(made)
    order = in_order(made)
    made.run(PARTY | {"withdraw": order[place]})
    assert car(made) == order[place == 0]
    made.run(PARTY | {"close": True})
    assert [each.kind for each in checked(made).notices] == [kind]


COUNTS = st.lists(st.integers(1, 3), min_size=1, max_size=4)


def played(size, counts, seed, calls, late):
    """An evening "may win later" of so many people, whose prizes have these counts; return its receipts.

    Each person in `calls` is called absent once. `late` are the counts of prizes that are added late.
    """
    with world(IDS[:size], seed=seed) as made:
        made.public, left = ROOM, {*calls}

        def absent(winners):
            gone = left.intersection(winners)
            left.difference_update(gone)
            return {"absent": [*gone]}

        made.roll_call = absent
        prizes = [{"name": f"P{number}", "count": count} for number, count in enumerate(counts)]
        made.run(EVENING | {"evening": {"absent": "may win later"}, "prizes": prizes}, "party")
        for count in late:
            made.run(PARTY | {"add": {"name": "Late", "count": count}})
        for number in range(1, len(counts) + 1):
            made.run(PARTY | {"prize": number})
        made.run(PARTY | {"close": True})
        assert checked(made).problems == []
        return made.told("party")


@given(
    st.integers(1, 10),
    COUNTS,
    st.integers(0, 999),
    st.sets(st.sampled_from(IDS)),
    st.lists(st.integers(1, 2), max_size=2),
)
def test_marking_anybody_absent_brings_nobody_forward(size, counts, seed, calls, late):
    """Who was called absent wins only if everybody who was never absent has won."""
    away, present = set(), set()
    for receipt in played(size, counts, seed, calls, late):
        if receipt["kind"] == "roll call":
            away.update(receipt["absent"])
            present.difference_update(receipt["absent"])
        elif receipt["kind"] == "drawn":
            never = {*IDS[:size]} - away
            present.update(receipt["winners"])
            assert not away.intersection(receipt["winners"]) or never <= present


@given(COUNTS, st.integers(0, 999), st.lists(st.integers(1, 3), max_size=3))
def test_a_late_prize_changes_nothing_for_the_others(counts, seed, late):
    """While enough people are left, the announced prizes have the same winners as without it."""
    while sum(counts) + sum(late) > len(IDS):
        (late or counts).pop()

    def announced(late):
        drawn = [each for each in played(10, counts, seed, (), late) if each["kind"] == "drawn"]
        return [each["winners"] for each in drawn if each["prize"] <= len(counts)]

    assert announced(late) == announced([])


def ended(made):
    """An evening with a late withdrawal and a restoration: its winner, its codes, and its receipts."""
    go_on(made)
    restore(made, made.tables.tables)
    made.run(PARTY | {"withdraw": in_order(made)[0]})
    winner = car(made)
    end(made)
    return winner, checked(made).draws[0], made.document()


def rewritten(document, change):
    """Change receipts as somebody does who can write everything, with all numbers and hashes."""
    receipts, chain = document["draws"]["party"]["receipts"], document["chain"]
    says = change([json.loads(text) for text in receipts], chain)
    last = sha256(chain[-1].encode()).hexdigest()
    receipts[:] = [receipts[0]]
    for number, each in enumerate(says[1:], 1):
        more = {"chain": last} if each["kind"] == "closed" else {}
        previous = sha256(receipts[-1].encode()).hexdigest()
        receipts.append(json.dumps(each | more | {"number": number, "previous": previous}))
    return check_receipts(document)


def fits_two_photographs_and_not_the_third(found, photographed):
    """The codes of the announcement and of the value are those of before. The code of the end is not."""
    assert found.problems == []
    (told,) = found.draws
    assert (told["code"], told["value_code"]) == (photographed["code"], photographed["value_code"])
    assert told["end_code"] != photographed["end_code"]


def test_a_late_withdrawal_becomes_an_absence(made):
    """8: who makes a roll call of a withdrawal afterwards has another code of the end."""
    winner, photographed, document = ended(made)

    def change(says, _chain):
        at = next(at for at, each in enumerate(says) if each["kind"] == "withdrawn")
        counted = {key: says[at][key] for key in ("at", "announced", "restored")}
        rival = says[at]["employee_id"]
        drawn = {"kind": "drawn", "prize": 1, "winners": [rival], "passed_over": [], **counted}
        call = {"kind": "roll call", "prize": 1, "absent": [rival], "by": "operator", **counted}
        return [*says[:at], drawn, call, *says[at + 1 :]]

    rival = in_order(made)[0]
    row = {"employee_id": rival, "draw_id": "party", "prize": "Car", "status": "absent"}
    document["winners"].append(row)
    found = rewritten(document, change)
    fits_two_photographs_and_not_the_third(found, photographed)
    assert found.word == "happened", "nobody sees the withdrawal any more"
    assert winner != rival


def test_another_winner_after_the_party(made):
    """9: who withdraws the winner afterwards has another code of the end."""
    winner, photographed, document = ended(made)
    other = in_order(made)[2]

    def change(says, _chain):
        at = next(at for at, each in enumerate(says) if each["kind"] == "withdrawn")
        says[at + 1]["winners"] = [other]
        return [*says[: at + 1], says[at] | {"employee_id": winner}, says[at + 1], *says[-2:]]

    document["winners"][0]["employee_id"] = other
    document["winners"][0]["employee_name"] = f"Name of {other}"
    fits_two_photographs_and_not_the_third(rewritten(document, change), photographed)


def test_a_restoration_that_is_removed(made):
    """10: who removes the restoration from the chain has another code of the end."""
    _, photographed, document = ended(made)

    def change(says, chain):
        chain.pop()
        return [each | ({"restored": 0} if "restored" in each else {}) for each in says]

    found = rewritten(document, change)
    fits_two_photographs_and_not_the_third(found, photographed)
    assert found.counts["restored"] == 0


@pytest.mark.parametrize("head", ["", "0" * 64, "announcement"])
def test_the_end_names_the_head_of_the_chain(made, head):
    """The last receipt names the chain's latest receipt of that moment, not an older one and not another."""
    _, _, document = ended(made)
    first = sha256(document["chain"][0].encode()).hexdigest()
    receipts = document["draws"]["party"]["receipts"]
    receipts[-1] = json.dumps(json.loads(receipts[-1]) | {"chain": first if head == "announcement" else head})
    assert [each for each in check_receipts(document).problems if "chain at its end" in each]
