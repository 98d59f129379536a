"""The checker believes a folder only if nobody cheated, and says in a sentence what does not fit."""

import copy
import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.party import evenings
from unit.party.evenings import (
    CHANCES,
    CHEATS,
    EVENINGS,
    Draw,
    Lottery,
    announce_again,
    broken,
    evening,
    relink,
    sha,
)

from lottery_party.checker import CLAIMS, check_page, check_receipts

CHAIN, POOL, SECRET, ORDER, COUNT, SKIPPED, LIST = CLAIMS
PEOPLE = [f"{number:02}" for number in range(1, 21)]


def false(document):
    """The claims that are false; if there is one, there is also a sentence."""
    checked = check_receipts(document)
    found = {claim for claim, true in checked.claims.items() if not true}
    assert bool(found) == bool(checked.problems)
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in checked.problems)
    return found


@pytest.fixture
def party():
    """Two draws with the same people: a winner of the first is absent, the second passes over winners."""
    lottery = Lottery()
    for number, rule in enumerate(["out", "may win later"], 1):
        draw = Draw(
            *(lottery, f"draw-{number}", PEOPLE, [("Car", 2), ("Mug", 5)]),
            **{"rule": rule, "secret": bytes([number]) * 32, "salt": bytes(32), "question": "Call a number"},
        )
        draw.value = f"7 2 {number}"
        draw.add("public value", value=draw.value)
        draw.draw(1, 2)
        draw.roll_call(1, [draw.order[0]] if number == 1 else [])
        draw.draw(1, draw.free(1))
        draw.draw(2, 5)
        draw.close()
    document = lottery.document()
    assert false(document) == set()
    return document


def receipt(document, number, draw="draw-1"):
    """What a receipt says."""
    return json.loads(document["draws"][draw]["receipts"][number])


def say(document, at, draw="draw-1", /, **new):
    """Change what a receipt says, and calculate all hashes again."""
    texts = document["draws"][draw]["receipts"]
    texts[at] = json.dumps(json.loads(texts[at]) | new)
    relink(document)


@given(EVENINGS)
def test_an_honest_evening_fits(document):
    """Whatever happens on an evening without cheats, all claims are true."""
    assert check_receipts(document).problems == []
    assert all(check_receipts(document).claims.values())


def test_evenings_have_everything():
    """The random evenings have each kind of receipt, and all that is rare in them."""
    seen = Counter()
    for seed in range(200):
        document = evening(random.Random(seed))
        seen += Counter(check_receipts(document).counts)
        for text in [text for texts in evenings.texts_of(document) for text in texts]:
            says = json.loads(text)
            seen += Counter([says["kind"]])
            seen += Counter(key for key in ("passed_over", "unwon", "question", "absent") if says.get(key))
            seen += Counter(says["absent"] for _ in "1" if says["kind"] == "announced")
            seen += Counter("nobody is left" for _ in "1" if says.get("winners") == [])
        seen += Counter(f"row: {row.get('status')}" for row in document["winners"])
    assert min(seen.values()) > 50
    assert len(seen) == 20


def test_counts_and_codes(party):
    """It counts draws, prizes and resets, and shows what to compare with the photograph."""
    party["draws"]["draw-2"]["receipts"][4:] = []  # the draw was given up before the second prize
    party["winners"] = [
        row for row in party["winners"] if (row["draw_id"], row["prize"]) != ("draw-2", "Mug")
    ]
    checked = check_receipts(party)
    assert all(checked.claims.values())
    assert checked.counts == {
        "announced": 2,
        "closed": 1,
        "not ended": 1,
        "prizes not drawn": 1,
        "withdrawn": 0,
        "resets": 0,
    }
    assert checked.codes[1] == {
        "draw": "draw-2",
        "root": receipt(party, 0, "draw-2")["pool"],
        "commitment": sha(b"\2" * 32),
        "announced_before": 1,
    }


# The five ways to cheat that a lottery without a chain does not notice.


def test_another_secret_by_hand(party):
    """Who tries secrets until the cousin wins must change the announcement, or the order does not fit."""
    say(party, -1, secret="07" * 32)
    assert false(party) == {SECRET, ORDER}
    announce_again(party, party["draws"]["draw-1"], commitment=sha(b"\7" * 32))
    assert false(party) == {ORDER}


def test_winners_who_were_not_next(party):
    """Who knows the order before the draw cannot choose somebody else, and cannot change the order."""
    winners = receipt(party, 5)["winners"]
    say(party, 5, winners=winners[::-1])
    assert false(party) == {ORDER}
    say(party, 5, winners=winners)
    say(party, 1, value="7 2 2")
    assert false(party) == {ORDER}


def test_a_draw_that_was_given_up(party):
    """A draw that did not fit the operator cannot disappear: the next ones count it."""
    lottery = copy.deepcopy(party)
    del lottery["draws"]["draw-1"], lottery["chain"][0]
    relink(lottery)
    found = check_receipts(lottery)
    assert "it counts 1 draws before it; the chain has 0" in found.problems[0]
    assert not found.claims[CHAIN]
    hidden = copy.deepcopy(party)
    del hidden["draws"]["draw-1"]
    assert CHAIN in false(hidden)
    del party["chain"][-1]
    assert check_receipts(party).problems == ["Draw draw-2: the lottery's chain does not have it."]


def test_rivals_who_are_taken_out(party):
    """Nobody is passed over, called absent or taken out of the pool without a trace."""
    rival = receipt(party, 5)["winners"][0]
    for change in ({"passed_over": [rival]}, {"winners": receipt(party, 5)["winners"][1:]}):
        cheated = copy.deepcopy(party)
        say(cheated, 5, **change)
        assert ORDER in false(cheated)
    absent = copy.deepcopy(party)
    say(absent, 3, absent=[*receipt(party, 3)["absent"], rival])
    assert ORDER in false(absent)
    pool = copy.deepcopy(party)
    pool["draws"]["draw-1"]["pool"].remove(rival)
    assert false(pool) >= {POOL, ORDER}


def test_a_row_by_hand(party):
    """A row that no receipt names is found, with the draw's name and without."""
    for row in ({"draw_id": "draw-1", "prize": "Car"}, {}, {"draw_id": "draw-9", "prize": "Car"}):
        document = copy.deepcopy(party)
        document["winners"].append({"employee_id": "99", **row})
        assert false(document) == {LIST}
        assert check_receipts(document).problems == [
            "99 is in the list of winners, but no receipt names them."
        ]


# What else does not fit.


def test_a_changed_text(party):
    """Each receipt fixes the whole text of the one before it."""
    texts = party["draws"]["draw-1"]["receipts"]
    texts[2] = texts[2].replace("T20:", "T21:")
    assert check_receipts(party).problems == [
        "Draw draw-1, receipt 3: it does not name the receipt before it."
    ]


def test_the_lotterys_own_chain(party):
    """In the lottery's chain, each receipt names the one before. A reset has the number of its place."""
    reset = Lottery().receipt(party["chain"], 2, "reset", removed=0)
    party["winners"].clear()
    for new, sentence in [
        (
            {"previous": sha("another")},
            "The lottery's chain, receipt 2: it does not name the receipt before it.",
        ),
        ({"number": 1}, "The lottery's chain, receipt 2: it has the number 1."),
    ]:
        document = copy.deepcopy(party)
        document["chain"].append(json.dumps(json.loads(reset) | new))
        assert check_receipts(document).problems == [sentence]
        assert false(document) == {CHAIN}


@pytest.mark.parametrize("number", range(7))
def test_numbers_have_no_gap(party, number):
    """The number of each receipt is its place."""
    if number:
        say(party, number, number=9)
    else:
        announce_again(party, party["draws"]["draw-1"], number=9)
    assert f"Draw draw-1, receipt {number}: it has the number 9." in check_receipts(party).problems
    assert CHAIN in false(party)


@pytest.mark.parametrize(
    ("question", "kinds", "right"),
    [
        ("Call a number", "announced, public value, closed", True),
        ("Call a number", "announced, public value, prize added, closed", True),
        ("Call a number", "announced, public value", True),
        ("Call a number", "announced", True),
        ("Call a number", "announced, closed", False),
        ("Call a number", "announced, prize added, public value", False),
        ("Call a number", "announced, public value, public value", False),
        ("Call a number", "announced, public value, closed, closed", False),
        ("Call a number", "announced, public value, announced", False),
        ("Call a number", "announced, withdrawn", True),
        ("Call a number", "announced, withdrawn, withdrawn, public value, withdrawn, closed", True),
        ("Call a number", "announced, withdrawn, closed", False),
        ("Call a number", "announced, withdrawn, prize added, public value, closed", False),
        ("Call a number", "announced, public value, closed, withdrawn", False),
        ("", "announced, withdrawn, prize added, withdrawn, closed", True),
        ("", "announced, withdrawn, public value, closed", False),
        ("", "announced, prize added, closed", True),
        ("", "announced, closed", True),
        ("", "announced, public value, closed", False),
    ],
)
def test_each_kind_has_its_place(question, kinds, right):
    """The public value comes directly after the question, and nothing comes after the secret."""
    lottery = Lottery()
    draw = Draw(lottery, "draw", ["1", "2"], [], rule="out", secret=b"s", salt=b"", question=question)
    says = {
        "announced": json.loads(draw.texts[0]),
        "public value": {"value": "7"},
        "prize added": {"prize": "Mug", "count": 1},
        "withdrawn": {"employee_id": "1"},
        "closed": {"secret": b"s".hex()},
    }
    for kind in kinds.split(", ")[1:]:
        draw.add(kind)
        draw.texts[-1] = json.dumps(says[kind] | json.loads(draw.texts[-1]))
    draw.closed = True
    assert (false(lottery.document()) == set()) == right


def test_too_many_and_too_few(party):
    """A prize has as many winners who are there as were announced, at the end and at no time more."""
    prizes = [{"prize": "Car", "count": 1}, {"prize": "Mug", "count": 6}]
    announce_again(party, party["draws"]["draw-1"], prizes=prizes)
    assert false(party) == {COUNT}
    assert check_receipts(party).problems == [
        "Draw draw-1, receipt 2: prize 1 has more winners than announced.",
        "Draw draw-1, receipt 4: prize 1 has more winners than announced.",
        "Draw draw-1: prize 2 has fewer winners than announced.",
    ]


def test_prizes_in_their_order(party):
    """Who knows the next winner cannot choose their prize."""
    for number in (2, 4):
        say(party, number, prize=2)
    say(party, 3, prize=2)
    say(party, 5, prize=1)
    assert "Draw draw-1, receipt 5: prize 1 is drawn after a later prize." in check_receipts(party).problems


@pytest.mark.parametrize("number", [0, 3])
def test_a_prize_is_announced_before_it_is_drawn(party, number):
    """A prize that nobody has announced cannot have winners."""
    say(party, 5, prize=number)
    assert f"Draw draw-1, receipt 5: there is no prize {number} yet." in check_receipts(party).problems


def test_only_winners_of_a_prize_are_called_absent():
    """A roll call is for the winners of one prize. Each of them can be called absent once."""
    lottery = Lottery()
    draw = Draw(lottery, "draw", PEOPLE, [("Car", 1), ("Mug", 2)], rule="out", secret=b"s", salt=b"")
    draw.draw(1, 1)
    draw.draw(2, 2)
    car, mug = draw.order[:2]
    draw.roll_call(2, [mug])
    draw.draw(2, 1)
    draw.close()
    assert false(lottery.document()) == set()
    for one in (car, draw.order[9]):
        document = lottery.document()
        texts = document["draws"]["draw"]["receipts"]
        texts[3] = json.dumps(json.loads(texts[3]) | {"absent": [one, mug]})
        relink(document)
        assert check_receipts(document).problems == [
            f"Draw draw, receipt 3: {one} is called absent, but did not win prize 2."
        ]


def test_who_was_withdrawn_is_passed_over():
    """From the receipt on, and not before it, a withdrawn person is skipped. What they have won stays."""
    lottery = Lottery()
    draw = Draw(lottery, "draw", PEOPLE, [("Car", 1), ("Mug", 2)], rule="out", secret=b"s", salt=b"")
    draw.draw(1, 1)
    for one in draw.order[:2]:  # the winner, and who is next
        draw.withdraw(one)
    draw.draw(2, 2)
    draw.close()
    document = lottery.document()
    assert receipt(document, 4, "draw")["winners"] == draw.order[2:4]
    assert false(document) == set()
    assert check_receipts(document).counts["withdrawn"] == 2
    assert [row["employee_id"] for row in document["winners"]] == [draw.order[0], *draw.order[2:4]]
    say(document, 3, "draw", employee_id="nobody")
    assert ORDER in false(document)
    late = lottery.document()
    texts = late["draws"]["draw"]["receipts"]
    texts[3], texts[4] = texts[4], texts[3]
    evenings.renumber(late, texts)
    assert ORDER in false(late)


def test_who_was_passed_over_is_a_winner(party):
    """Past winners are passed over once, and only if they are the next."""
    passed_over = receipt(party, 5, "draw-2")["passed_over"]
    say(party, 5, "draw-2", passed_over=passed_over * 2)
    assert false(party) == {ORDER}
    say(party, 5, "draw-2", passed_over=[])
    assert ORDER in false(party)


def test_nobody_is_passed_over_who_is_not_next():
    """A past winner who comes later in the order is not passed over yet."""
    lottery = Lottery()
    for name, count in (("a", 10), ("b", 1)):
        draw = Draw(lottery, name, PEOPLE, [("Car", count)], rule="out", secret=name.encode(), salt=b"")
        draw.draw(1, count)
        draw.close()
    document = lottery.document()
    assert false(document) == set()
    late = [one for one in draw.order[5:] if lottery.rows.get(one, {}).get("draw_id") == "a"]
    say(document, 1, "b", passed_over=[*receipt(document, 1, "b")["passed_over"], late[-1]])
    assert check_receipts(document).problems == [
        "Draw b, receipt 1: somebody was passed over who was not the next in the order."
    ]


def test_a_reset_frees_the_winners(party):
    """After a reset, the winners before it have no row, and nobody is passed over because of them."""
    one = Lottery()
    party["chain"].append(one.receipt(party["chain"], 2, "reset", removed=14))
    assert false(party) == {LIST}
    party["winners"].clear()
    assert false(party) == set()
    party["chain"].insert(1, party["chain"].pop())  # between the draws
    party["chain"][1] = json.dumps(json.loads(party["chain"][1]) | {"number": 1})
    relink(party)
    assert false(party) == {SKIPPED, LIST}


def test_earlier_winners_of_a_receipt(party):
    """The ids of `won_before` are those that the receipt has fixed, and each has won elsewhere."""
    lottery = Lottery()
    for name in ("a", "b"):
        draw = Draw(lottery, name, PEOPLE, [("Car", 10)], rule="out", secret=name.encode(), salt=b"")
        draw.draw(1, 10, unwon=True)
        draw.close()
    document = lottery.document()
    assert false(document) == set()
    assert sorted(document["draws"]["b"]["won_before"]) == sorted(
        json.loads(document["draws"]["a"]["receipts"][1])["winners"]
    )
    rival = json.loads(document["draws"]["b"]["receipts"][1])["winners"][0]
    document["draws"]["b"]["won_before"].append(rival)
    assert false(document) == {ORDER, SKIPPED}
    assert (
        "Draw b, receipt 1: the folder's list of earlier winners is not that of the receipt."
        in check_receipts(document).problems
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.pop(),
        lambda rows: rows.append(rows[0]),
        lambda rows: rows[0].update(prize="Mug"),
        lambda rows: rows[-1].update(status="absent"),
        lambda rows: rows[-1].update(draw_id="draw-1"),
        lambda rows: next(row for row in rows if "status" in row).pop("status"),
    ],
)
def test_rows_are_those_of_the_receipts(party, change):
    """Each winner has one row, with the draw, the prize and the status of the receipts."""
    change(party["winners"])
    assert false(party) == {LIST}


@pytest.mark.parametrize("absent", [False, True])
def test_nobody_wins_in_two_draws(absent):
    """Who empties the table without a receipt is found when somebody wins again; the absent may win again."""
    lottery = Lottery()
    for name in ("a", "b"):
        draw = Draw(lottery, name, PEOPLE, [("Car", 1)], rule="out", secret=b"the same", salt=b"")
        draw.draw(1, 1)
        if absent and name == "a":
            draw.roll_call(1, [draw.order[0]])
            draw.draw(1, 1)
            absent_row = lottery.rows.pop(draw.order[0])
        elif name == "a":
            lottery.rows.clear()
        draw.close()
    assert false(lottery.document()) == (set() if absent else {LIST})
    if absent:
        lottery.rows[draw.order[0]] = absent_row
        assert false(lottery.document()) == {LIST}
    else:
        assert check_receipts(lottery.document()).problems == [f"{draw.order[0]} won more than once."]


def test_the_pool_is_checked_as_a_whole(party):
    """The size of the pool is that of the announcement, and each person is the same."""
    announce_again(party, party["draws"]["draw-1"], size=19)
    assert false(party) == {POOL}
    assert check_receipts(party).problems == ["Draw draw-1: the pool is not the one that was announced."]
    announce_again(party, party["draws"]["draw-1"], size=20)
    winners = {row["employee_id"] for row in party["winners"]}
    other = next(at for at, one in enumerate(PEOPLE) if one not in winners)
    party["draws"]["draw-1"]["pool"][other] = "somebody else"
    assert false(party) == {POOL}


@pytest.mark.parametrize(("pool", "right"), [(["1", "2"], True), (["1", "1"], False), ([], False)])
def test_everyone_is_in_the_pool_once(pool, right):
    """Nobody can have two places in a pool, and somebody is in it."""
    lottery = Lottery()
    draw = Draw(lottery, "draw", pool or ["1"], [("Car", 1)], rule="out", secret=b"s", salt=b"")
    draw.roll_call(1, [])  # of a prize that is not drawn
    draw.close()
    draw.pool = pool
    announced = lottery.document()
    announce_again(announced, announced["draws"]["draw"], size=len(pool))
    assert false(announced) == (set() if right else {POOL})


# A folder that is broken.


@given(EVENINGS, CHANCES)
def test_a_broken_folder_is_no_exception(document, chance):
    """Whatever a folder contains, the claims are true or false, and each false one has a reason."""
    false(broken(document, chance))


@given(EVENINGS, st.sampled_from(CHEATS), CHANCES)
def test_a_cheat_is_no_exception(document, cheat, chance):
    """The same for somebody who cheats with receipts of the right form."""
    if document["draws"]:
        cheat(document, chance)
    false(document)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda party: party.pop("chain"), "The file is not one of a lottery's receipts."),
        (
            lambda party: party["winners"].append({}),
            "List of winners, row 16: something in it has a wrong form.",
        ),
        (lambda party: party["draws"]["draw-1"].pop("salt"), "Draw draw-1: it is closed, and its pool"),
        (
            lambda party: party["draws"]["draw-1"].update(salt="abc"),
            "Draw draw-1: something in it has a wrong form.",
        ),
        (lambda party: party["draws"]["draw-1"]["receipts"].clear(), "Draw draw-1: something in it has a"),
        (lambda party: say(party, 2, winners="01"), "Draw draw-1, receipt 2: it does not have the form of"),
        (
            lambda party: say(party, 2, kind="reset", removed=0),
            "Draw draw-1, receipt 2: it does not have the",
        ),
        (lambda party: say(party, 3, by="cousin"), "Draw draw-1, receipt 3: it does not have the form of"),
        (lambda party: say(party, 1, value="\ud800"), "Draw draw-1, receipt 1: it does not have the form of"),
        (lambda party: say(party, 2, prize=-1), "Draw draw-1, receipt 2: it does not have the form of"),
        (lambda party: say(party, 6, number=2**31), "Draw draw-1, receipt 6: it does not have the form of"),
        (
            lambda party: party["chain"].append(party["draws"]["draw-1"]["receipts"][2]),
            "The lottery's chain, receipt 2: it does not have the form",
        ),
        (lambda party: say(party, 2, prize=True), "Draw draw-1, receipt 2: it does not have the form of"),
        (
            lambda party: party["chain"].append("{"),
            "The lottery's chain, receipt 2: it does not have the form",
        ),
        (lambda party: party["chain"].append('{"é": 1}'), "The lottery's chain, receipt 2: it does not have"),
    ],
)
def test_a_wrong_form_makes_all_claims_false(party, change, sentence):
    """Nothing is said about a folder in which something has a wrong form, except where it is."""
    change(party)
    checked = check_receipts(party)
    assert set(checked.claims.values()) == {False}
    assert [each.startswith(sentence) for each in checked.problems] == [True]
    assert set(checked.counts.values()) == {0}


def test_a_document_that_is_none():
    """Not even an object is needed."""
    assert false([1]) == false(None) == set(CLAIMS)


def test_numbers_as_in_javascript(party):
    """1.0 is 1, so that both checkers read the same; but no number is half."""
    texts = party["draws"]["draw-1"]["receipts"]
    texts[-1] = texts[-1].replace('"number": 6', '"number": 6.0')
    assert false(party) == set()
    texts[-1] = texts[-1].replace('"number": 6.0', '"number": 6.5')
    assert false(party) == set(CLAIMS)


@pytest.mark.parametrize(("new", "right"), [('"x": 1, ', True), ('"x": "é", ', False), ('"x": NaN, ', False)])
def test_a_receipt_is_json_in_ascii(party, new, right):
    """Other keys are ignored, but the whole text is JSON, in ASCII."""
    texts = party["draws"]["draw-1"]["receipts"]
    texts[-1] = texts[-1].replace('"at"', f'{new}"at"')
    assert false(party) == (set() if right else set(CLAIMS))


def test_the_page_holds_any_text(party):
    """No text of a document ends the script element in which it stands."""
    party["winners"][0]["employee_name"] = "</script><!--<script>"
    page = check_page(party)
    data = page.partition('id="document">')[2].partition("</script>")[0]
    assert json.loads(data) == party
    assert "<" not in data
    assert page.count("</script>") == check_page({}).count("</script>") == 3
