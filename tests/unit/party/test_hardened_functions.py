"""The hardened edition's two functions, on tables in memory."""

import json
import secrets

import pytest
from unit.party.fake_dynamodb import (
    CONTEXT,
    DRAWS,
    POOL,
    WINNERS,
    FakeDynamoDb,
    cancelled,
    lambdas,
)
from unit.party.hardened_world import FAIL, GO, KILL, world

from lottery_lib import definition
from lottery_lib.merkle import root
from lottery_party.checker import check_receipts
from states_language import all_states

DRAWING = dict(all_states(json.loads(definition.load("hardened"))))["Draw And Record"]
IDS = [f"{number:04}" for number in range(1, 301)]


@pytest.fixture
def made():
    """A world of three hundred employees. Nobody has won."""
    with world(IDS) as made:
        yield made


def holds(made):
    """Whether the receipts of all draws of a world hold."""
    checked = check_receipts(made.document())
    assert False not in checked.claims.values(), checked.problems
    return True


def false_claims(made):
    """The claims of the check that are false."""
    return [claim for claim, true in check_receipts(made.document()).claims.items() if true is False]


def refused(made, request):
    """The error of an execution with this input."""
    error = made.run(request).error
    return type(error).__name__, str(error)


@pytest.mark.parametrize("count", [0, -3, True, False, 2.5, "2", None, [2], {"a": 1}, "二"])
def test_no_number_of_winners(made, count):
    """If a count is not a whole number of at least 1, the sentence shows it."""
    sentence = (
        f"How many to draw must be a whole number of at least 1, not {json.dumps(count, ensure_ascii=False)}."
    )
    assert refused(made, {"input": count}) == ("InvalidInput", sentence)
    assert refused(made, {"prizes": [{"name": "Car", "count": count}]}) == ("InvalidInput", sentence)


@pytest.mark.parametrize(
    "request_", [{}, [], "2", 3, None, {"input": 2, "prizes": []}, {"input": 2, "draw_id": "x"}, {"Input": 2}]
)
def test_input_of_another_shape(made, request_):
    """If an input has none of the keys, or two, the sentence shows what it must look like."""
    name, sentence = refused(made, request_)
    assert name == "InvalidInput"
    assert sentence.startswith('The input must look like {"input": 2}, or {"prizes": ')


@pytest.mark.parametrize("prizes", [[], {}, None, "Car", [{"name": "Car", "count": 1}] * 41])
def test_no_list_of_prizes(made, prizes):
    """If there are no prizes, too many, or no list, one sentence says so."""
    assert refused(made, {"prizes": prizes}) == ("InvalidInput", '"prizes" must be a list of 1 to 40 prizes.')


@pytest.mark.parametrize("name", [3, None, ["Car"], "x" * 101])
def test_no_name_of_a_prize(made, name):
    """The name of a prize is a text of at most 100 characters."""
    sentence = 'The "name" of a prize must be a text of at most 100 characters.'
    assert refused(made, {"prizes": [{"name": name, "count": 1}]}) == ("InvalidInput", sentence)


@pytest.mark.parametrize("request_", [{"input": 1001}, {"prizes": [{"count": 501}] * 2}, {"input": 10**30}])
def test_too_many_winners(made, request_):
    """A draw of more winners than a state can hand on is refused before anything is written."""
    assert refused(made, request_) == (
        "InvalidInput",
        "A draw may have 1000 winners at most: make several draws.",
    )
    assert made.tables.tables[DRAWS] == {}


@pytest.mark.parametrize("draw_id", ["", "x0#1", "x0#1#sealed", "x" * 81, 7, None])
def test_no_draw_id(made, draw_id):
    """A name that no execution can have is refused in one sentence. It shows nothing of the tables."""
    made.run({"input": 1})
    name, sentence = refused(made, {"draw_id": draw_id})
    assert (name, sentence) == (
        "InvalidInput",
        '"draw_id" must be the name of the execution that began the draw.',
    )


def test_unknown_draw(made):
    """Nobody can continue a draw that does not exist."""
    assert refused(made, {"draw_id": "nobody"}) == ("NoSuchDraw", "There is no draw nobody to go on with.")


@pytest.mark.parametrize("remail", ["yes", 1, None])
def test_remail_is_true_or_false(made, remail):
    """`remail` is true or false, and needs the name of a draw."""
    sentence = f'"remail" must be true or false, not {json.dumps(remail)}.'
    assert refused(made, {"draw_id": "x", "remail": remail}) == ("InvalidInput", sentence)
    assert refused(made, {"input": 2, "remail": True})[0] == "InvalidInput"


def test_no_pool(made):
    """If there is no roster, the error is NoPool."""
    made.tables.tables[POOL].clear()
    assert refused(made, {"input": 1})[0] == "NoPool"


@pytest.mark.parametrize("size", [1, 99, 100, 101, 250])
def test_the_pool_in_chunks(size):
    """A pool is kept in chunks of a hundred people, and its root is that of its people in order."""
    with world(IDS[:size]) as made:
        items = made.tables.tables[POOL]
    head = items["head"]
    people = [f"{each}\nName of {each}\n" for each in IDS[:size]]
    assert (head["size"], head["root"]) == (size, root(people, bytes.fromhex(head["salt"])))
    chunks = [items[f"{head['root']}#{number}"]["ids"] for number in range(-(-size // 100))]
    assert [each for chunk in chunks for each in chunk] == IDS[:size]
    assert {len(chunk) for chunk in chunks[:-1]} <= {100}


def test_prizes_in_their_order(made):
    """The prizes are drawn in the order of the input, each under its name."""
    execution = made.run({"prizes": [{"name": "大奖", "count": 1}, {"name": "Mug ☕", "count": 3}]})
    assert [(each["prize"], len(each["winners"])) for each in made.prizes] == [("大奖", 1), ("Mug ☕", 3)]
    assert [each["employee_id"] for each in execution.winners] == [
        each for prize in made.prizes for each in prize["winners"]
    ]


def test_bound_before_anybody_is_drawn(made):
    """The first receipt has pool, algorithm, prizes and commitment. Only the last one has the secret."""
    execution = made.start({"input": 2})
    for _ in range(2):  # what is there, the commitment
        execution.step(GO)
    (receipt,) = made.told(execution.name)
    assert {"pool", "size", "algorithm", "prizes", "absent", "commitment"} < receipt.keys()
    while execution.alive:
        execution.step(GO)
    assert [each["kind"] for each in made.told(execution.name)] == ["announced", "drawn", "closed"]
    assert "secret" in made.told(execution.name)[-1]


def test_the_secrets_are_of_the_system(monkeypatch):
    """Each draw has its own secret: 32 bytes from `secrets`."""
    asked, given, token_bytes, tables = [], [], secrets.token_bytes, FakeDynamoDb()
    tables.put(POOL, [{"chunk": "head", "size": 2, "root": "r"}])
    with lambdas(tables) as functions:
        monkeypatch.setattr(
            "secrets.token_bytes",
            lambda *size: asked.append(size) or given.append(token_bytes(*size)) or given[-1],
        )
        for name in ("x", "y"):
            request = {"prizes": [{"count": 1}, {"count": 1}]}
            functions.commit_draw.lambda_handler({"execution": name, "request": request}, CONTEXT)
    kept = [item["secret"] for item in tables.tables[DRAWS].values() if "secret" in item]
    assert asked == [(32,)] * 2
    assert kept == [each.hex() for each in given]
    assert len({*kept}) == 2


def test_what_dynamodb_did_not_get_to(monkeypatch):
    """If DynamoDB answers a read in part, the draw waits, asks for the rest, and has the same winners."""
    pauses, told = [], []
    monkeypatch.setattr("time.sleep", pauses.append)
    for gets_to in (100, 3):
        with world(IDS, won=IDS[:150]) as made:
            made.tables.gets_to = gets_to
            execution = made.run({"input": 20})
            (draw,) = made.draws.values()
            told.append((execution.error, execution.winners, draw["prizes"][0]["winners"], draw["excluded"]))
            assert gets_to < 100 or not pauses
    assert told[0] == told[1]
    assert len(told[0][1]) == 20
    assert pauses[:2] == [0.05, 0.1]


def test_the_receipts_can_be_checked(made):
    """The receipts of several draws, one after the other, hold, and each has its time."""
    for count in (5, 1, 100):
        made.run({"input": count})
    assert holds(made)
    times = [each["at"] for name in made.draws for each in made.told(name)]
    assert times == sorted(times)


def test_the_receipts_have_a_format_number(made):
    """The receipts are published with the number of their form."""
    made.run({"input": 1})
    assert made.document()["format"] == 3


def test_not_enough(made):
    """If too few people remain, the error says how many there are. Nobody is recorded."""
    made.run({"input": 298})
    assert refused(made, {"input": 3}) == (
        "NotEnoughEmployees",
        "3 winners were asked for, but only 2 of 300 employees remain.",
    )
    assert len(made.tables.tables[WINNERS]) == 298


def between_chunks(made, count=250):
    """Start an execution for so many winners, and kill it after its first transaction."""
    execution, before = made.start({"input": count}), len(made.tables.tables[WINNERS])
    while len(made.tables.tables[WINNERS]) == before:
        execution.step(GO)
    execution.step(KILL)
    return execution


def test_killed_between_chunks(made):
    """A draw that was killed keeps its first winners and its secret. A resume draws the rest."""
    execution = between_chunks(made)
    (prize,) = made.prizes
    assert len(prize["winners"]) == 97 == len(made.recorded_of(execution.name))
    assert "secret" not in made.told(execution.name)[-1]
    made.run({"draw_id": execution.name})
    (prize,) = made.prizes
    assert len({*prize["winners"]}) == 250 == len(made.recorded_of(execution.name))
    assert holds(made)


@pytest.mark.parametrize("one_by_one", [2000, -1])
def test_somebody_comes_back_between_chunks(one_by_one):
    """A person who was passed over wins nothing in this draw, even if their row is removed meanwhile."""
    with world(IDS, won=IDS[:40], limits={"MOST_PASSED_OVER": one_by_one}) as made:
        execution = between_chunks(made)
        passed_over = {*made.draws[execution.name]["excluded"]}
        assert passed_over or one_by_one < 0
        for each in IDS[:40]:
            del made.tables.tables[WINNERS][each]
        made.run({"draw_id": execution.name})
        (prize,) = made.prizes
        assert len({*prize["winners"]} - passed_over) == 250
        assert not one_by_one < 0 or {*prize["winners"]}.isdisjoint(IDS[:40])
        assert false_claims(made) == ["nobody was skipped without a receipt"]


def test_few_remain():
    """If nearly everybody has won before, the receipts hold, and the folder has the earlier winners."""
    with world(IDS, limits={"MOST_PASSED_OVER": 20}) as made:
        for count in (290, 7):
            made.run({"input": count})
        first, second = made.prizes
        assert {*first["winners"]}.isdisjoint(second["winners"])
        assert set(made.document()["draws"]["x1"]["won_before"]) == set(first["winners"])
        assert holds(made)


def test_others_win_while_few_remain():
    """A person who wins elsewhere after a draw is not one of its earlier winners."""
    with world(IDS, limits={"MOST_PASSED_OVER": 20}) as made:
        for count in (280, 5, 10):
            made.run({"input": count})
        assert len(made.document()["draws"]["x1"]["won_before"]) == 280
        assert holds(made)


def test_two_executions_of_one_draw(made):
    """If another execution of the draw was faster, an execution reads again and draws nobody."""
    first = made.start({"input": 1})
    while made.tables.requests.count("BatchGetItem") < 4:  # it has chosen, and is about to record
        first.step(GO)
    made.run({"draw_id": first.name})
    while first.alive:
        first.step(GO)
    assert set(made.prizes[0]["winners"]) == made.recorded_of("x0")
    assert len(made.tables.tables[WINNERS]) == 1
    assert holds(made)


def test_remaining_for_nobody_else(made):
    """If too few people remain for the rest of a draw, the error says how many it has recorded."""
    execution = between_chunks(made, 250)
    made.run({"input": 100})
    name, sentence = refused(made, {"draw_id": execution.name})
    assert name == "NotEnoughEmployees"
    assert sentence == (
        "250 winners were asked for, but only 200 of 300 employees remain, 97 of whom this draw has recorded."
    )


@pytest.mark.parametrize(
    "code",
    ["ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"],
)
def test_a_refusal_that_passes(made, code):
    """If a transaction meets another one or is throttled, the machine draws again."""
    assert type(refusal(made, cancelled("None", code))).__name__ == "WinnerTaken"


def test_a_refusal_that_stays(made):
    """If a transaction can never succeed, for example with a large item, the machine does not draw again."""
    assert type(refusal(made, cancelled("None", "ValidationError"))).__name__ == "RecordRefused"
    retried = {error for rule in DRAWING["Retry"] for error in rule["ErrorEquals"]}
    assert "TransactionCanceledException" in retried
    assert "RecordRefused" not in retried


def refusal(made, error):
    """What DrawPrize raises if its transaction is refused with this error."""
    made.start({"input": 1})
    execution = made.executions[-1]
    while not made.draws:
        execution.step(GO)
    execution.step(KILL)

    def refuse(operation, do):
        if operation == "TransactWriteItems":
            raise error
        return do()

    made.tables.step = refuse
    event = {"execution": "x", "remail": False, "draw_id": execution.name, "number": 1}
    with pytest.raises(Exception) as raised:
        made.functions.draw_prize.lambda_handler(event, made.context)
    return raised.value


def test_asked_again(made):
    """A second call of DrawPrize returns the recorded winners. Only the first execution sends the mail."""
    execution = made.run({"input": 2})
    again = made.run({"draw_id": execution.name})
    assert again.winners == execution.winners
    assert made.mails == [(execution.name, ("x0", 1), made.prizes[0]["winners"])]


def test_remail(made):
    """With `remail`, another execution mails the same winners again."""
    execution = made.run({"input": 2})
    made.run({"draw_id": execution.name, "remail": True})
    assert [mail[2] for mail in made.mails] == [made.prizes[0]["winners"]] * 2


def test_ids_of_all_kinds():
    """Ids can have any characters."""
    ids = ["王小明", "🎉", "a b", '"']
    with world(ids) as made:
        execution = made.run({"input": 4})
        assert {each["employee_id"] for each in execution.winners} == set(ids)


@pytest.mark.parametrize("prizes", [[{"count": 1000}], [{"count": 25}] * 40])
def test_what_a_state_hands_on_fits(prizes):
    """A thousand winners with long names fit into the output of a state."""
    with world([f"{number:04}" for number in range(1000)], about={"employee_name": "王" * 90}) as made:
        execution = made.run({"prizes": prizes})
    assert len(execution.winners) == 1000
    assert len(json.dumps(execution.winners, ensure_ascii=False).encode()) < 250_000


def test_few_winners_are_told_in_full():
    """If there are few winners, the output has all their data."""
    with world(["1", "2"], about={"employee_name": "王" * 90, "employee_entry_date": "20200101"}) as made:
        (winner, _) = made.run({"input": 2}).winners
    assert winner.keys() == {"employee_id", "employee_name", "employee_entry_date", "lottery_serial"}


def test_structured_logs(made, capsys):
    """Each line that a function logs is one JSON object with a message and the draw's id."""
    made.run({"prizes": [{"count": 1}, {"count": 2}]})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["committed", "recorded", "recorded"]
    assert [line["draw_id"] for line in lines] == ["x0"] * 3


def test_a_lost_commitment_is_made_again(made):
    """If the reply to a commitment is lost, the next call reads it. The secret stays the same."""
    execution = made.start({"input": 2})
    while not made.draws:
        execution.step(GO)
    first = made.told(execution.name)[0]
    execution.step(FAIL)
    while execution.alive:
        execution.step(GO)
    assert made.told(execution.name)[0] == first
    assert len(made.document()["chain"]) == 1


def test_the_seal_is_published(made):
    """The mail and the history have the hash of the latest receipt. People can compare it later."""
    made.run({"input": 2})
    event = {"execution": "y", "remail": False, "draw_id": "x0", "number": 1}
    answer = made.functions.draw_prize.lambda_handler(event, made.context)
    assert answer["message"].endswith(f"\nSeal of this draw: {made.draws['x0']['last']}")


def test_committed_to_once(made):
    """If a call commits late, it does not overwrite the commitment of another call."""
    late = made.start({"input": 2})
    late.step(GO)  # it has found no such draw, and is about to write one
    made.run({"input": 2}, name=late.name)
    (prize,) = made.prizes
    while late.alive:
        late.step(GO)
    assert made.prizes == [prize]
    assert holds(made)


def test_a_congratulation_to_many(made):
    """The mail names a hundred winners, and says how many more there are."""
    told = made.functions.draw_prize.congratulation("Mug", [{"employee_id": each} for each in IDS])
    assert told.endswith(", 0100 and 200 more] You have been selected for Mug!")


EVENING = {
    "prizes": [{"name": "Mug", "count": 5}, {"name": "Car", "count": 1}],
    "evening": {"absent": "out"},
    "question": "Call five numbers",
}


def party(made, **changes):
    """Announce an evening and give its public value; return its name."""
    return made.run({**EVENING, **changes}, name="party").name


def absent_once(made, count):
    """Let the first winners of the next roll call be absent, and nobody after them."""
    calls = iter([count])
    made.roll_call = lambda winners: {"absent": winners[: next(calls, 0)]}


def kinds(made, name="party"):
    return [each["kind"] for each in made.told(name)]


def test_an_evening_waits_for_the_public_value(made):
    """An evening is announced with its question. Then it waits until the value has a receipt."""
    execution = made.start(EVENING, "party")
    while "party" not in made.draws:
        execution.step(GO)
    assert "public" not in made.draws["party"]
    while execution.alive:
        execution.step(GO)
    assert kinds(made) == ["announced", "public value"]
    assert made.told("party")[1]["value"] == "17 4 88"


def test_the_public_value_decides(made):
    """The same secret with another public value gives another order."""
    orders = []
    for made.public in ("1 2 3", "1 2 4", "1 2 3"):
        made.functions.commit_draw.secrets.seed(1)
        name = f"e{len(orders)}"
        made.run(EVENING, name=name)
        made.run({"draw_id": name, "prize": 1})
        orders.append(made.draws[name]["prizes"][0]["winners"])
        made.tables.tables[WINNERS].clear()
    assert orders[0] == orders[2] != orders[1]


def test_a_public_value_is_given_once(made):
    """A second value, or the first one again after a lost reply, changes nothing."""
    party(made)
    made.run({"draw_id": "party", "public": "another"})
    assert made.draws["party"]["public"] == "17 4 88"
    assert kinds(made) == ["announced", "public value"]


def test_only_the_places_of_the_absent_are_drawn_again(made):
    """Present winners keep the prize. The next people get the free places. Then the mail is sent."""
    party(made)
    absent_once(made, 2)
    execution = made.run({"draw_id": "party", "prize": 1})
    drawn = [each["winners"] for each in made.told("party") if each["kind"] == "drawn"]
    assert [len(each) for each in drawn] == [5, 2]
    prize = made.draws["party"]["prizes"][0]
    assert prize["winners"] == [*drawn[0][2:], *drawn[1]]
    assert prize["absent"] == drawn[0][:2]
    assert made.recorded_of("party", "absent") == {*drawn[0][:2]}
    assert made.mails == [(execution.name, ("party", 1), prize["winners"])]
    assert holds(made)


@pytest.mark.parametrize(("rule", "wins"), [("out", False), ("may win later", True)])
def test_whether_the_absent_may_win_later(rule, wins):
    """The rule of the evening decides whether the absent win a later prize if nobody else is left."""
    with world(IDS[:6]) as made:
        party(made, evening={"absent": rule})
        absent_once(made, 1)
        made.run({"draw_id": "party", "prize": 1})
        (absent,) = made.draws["party"]["prizes"][0]["absent"]
        made.run({"draw_id": "party", "prize": 2})
        assert (absent in made.draws["party"]["prizes"][1]["winners"]) is wins
        made.run({"draw_id": "party", "close": True})
        assert holds(made)


def test_nobody_is_left_for_a_free_place():
    """If all others have won, the place of an absent winner stays free, and the prize is done."""
    with world(IDS[:6]) as made:
        party(made)
        absent_once(made, 1)
        made.run({"draw_id": "party", "prize": 1})
        absent_once(made, 1)
        execution = made.run({"draw_id": "party", "prize": 2})
        assert execution.error.args[0].startswith("1 winners were asked for, but only 0 of 6 employees")
        prize = made.draws["party"]["prizes"][0]
        assert (len(prize["winners"]), "execution" in prize) == (5, True)
        made.run({"draw_id": "party", "close": True})
        assert holds(made)


def test_everybody_is_absent_and_nobody_is_left():
    """If all winners of a prize are absent and nobody else can win, it ends without winners."""
    with world(IDS[:5]) as made:
        party(made)
        absent_once(made, 5)
        assert made.run({"draw_id": "party", "prize": 1}).error is None
        prize = made.draws["party"]["prizes"][0]
        assert (prize["winners"], len(prize["absent"]), "execution" in prize) == ([], 5, True)
        made.run({"draw_id": "party", "close": True})
        assert holds(made)


def test_a_time_out_counts_everybody_as_present(made):
    """If nobody answers the roll call, the receipt says so, and the prize is done."""
    party(made)
    made.roll_call = lambda winners: {"Error": "States.Timeout", "Cause": ""}
    made.run({"draw_id": "party", "prize": 1})
    assert made.told("party")[-1]["by"] == "time-out"
    assert "execution" in made.draws["party"]["prizes"][0]


def test_a_roll_call_of_many(made):
    """Two hundred absent winners are recorded in parts, and each of their places is drawn again."""
    party(made, prizes=[{"name": "Pen", "count": 120}])
    absent_once(made, 110)
    made.run({"draw_id": "party", "prize": 1})
    (prize,) = made.prizes
    assert (len({*prize["winners"]}), len({*prize["absent"]})) == (120, 110)
    made.run({"draw_id": "party", "close": True})
    assert holds(made)


def test_a_roll_call_that_comes_twice(made):
    """If the reply to a roll call is lost, it counts once. The new winners are not absent."""
    party(made)
    execution = made.start({"draw_id": "party", "prize": 1})
    absent_once(made, 2)
    while "roll call" not in kinds(made):
        execution.step(GO)
    execution.step(FAIL)
    while execution.alive:
        execution.step(GO)
    assert len(made.draws["party"]["prizes"][0]["absent"]) == 2


def test_a_surprise_prize(made):
    """A surprise prize has a receipt before its winners, who are the next people in the order."""
    party(made)
    made.run({"draw_id": "party", "prize": 1})
    made.run({"draw_id": "party", "add": {"name": "Trip", "count": 2}})
    made.run({"draw_id": "party", "prize": 2})
    assert kinds(made)[-5:] == ["prize added", "drawn", "roll call", "drawn", "roll call"]
    made.run({"draw_id": "party", "close": True})
    assert holds(made)


def test_a_surprise_prize_is_added_once(made):
    """If the reply is lost and the execution asks again, the prize is added once."""
    party(made)
    execution = made.start({"draw_id": "party", "add": {"name": "Trip", "count": 2}})
    while len(made.draws["party"]["prizes"]) < 3:
        execution.step(GO)
    execution.step(FAIL)
    while execution.alive:
        execution.step(GO)
    assert len(made.draws["party"]["prizes"]) == 3


@pytest.mark.parametrize(
    "step",
    [
        *({"prize": 1}, {"add": {"name": "x", "count": 1}}, {"close": True}, {"public": "1"}),
        {"withdraw": "0001"},
    ],
)
def test_after_the_end(made, step):
    """Nothing can be added to a closed evening, because everybody knows the secret."""
    party(made)
    made.run({"draw_id": "party", "close": True})
    error = made.run({"draw_id": "party", **step}).error
    assert error is None or type(error).__name__ == "DrawClosed"
    assert kinds(made) == ["announced", "public value", "closed"]


def test_no_end_before_the_roll_call(made):
    """An evening does not close while a prize waits for its roll call."""
    party(made)
    execution = made.start({"draw_id": "party", "prize": 1})
    while not made.recorded_of("party"):
        execution.step(GO)
    execution.step(KILL)
    assert refused(made, {"draw_id": "party", "close": True}) == (
        "TooEarly",
        "The prize Mug still waits for its roll call.",
    )


def test_no_end_before_the_public_value(made):
    """An evening does not close before it has its public value."""
    execution = made.start(EVENING, "party")
    while "party" not in made.draws:
        execution.step(GO)
    execution.step(KILL)
    sentence = "The draw party still waits for its public value."
    assert refused(made, {"draw_id": "party", "close": True}) == ("TooEarly", sentence)


@pytest.mark.parametrize(
    "request_",
    [
        {"prize": 1, "input": 1},
        {"draw_id": "party", "prize": 3},
        {"draw_id": "party", "prize": True},
        {"draw_id": "party", "add": {"count": 0}},
        {"draw_id": "party", "public": 5},
        {"draw_id": "party", "withdraw": 5},
        {"draw_id": "party", "withdraw": ""},
        {"input": 1, "withdraw": "0001"},
        {"prizes": [], "evening": {"absent": "perhaps"}},
        {"prizes": [], "evening": "yes"},
        {"prizes": [{"count": 1}], "question": "x" * 201},
    ],
)
def test_steps_that_cannot_be(made, request_):
    """If a request is not a step of an evening, it is refused in one sentence."""
    party(made)
    name, sentence = refused(made, request_)
    assert name == "InvalidInput"
    assert sentence.endswith(".") and len(sentence) < 160


def next_of(made):
    """The ids in the order of the party."""
    order_of, secret = made.functions.draw_prize.order_of, made.tables.tables[DRAWS]["party#sealed"]["secret"]
    return [IDS[at] for at in order_of(made.draws["party"], bytes.fromhex(secret))]


def test_who_is_withdrawn_is_passed_over(made):
    """A withdrawn person has one receipt before the prize, and the next person in the order wins."""
    party(made)
    order = next_of(made)
    for _ in range(2):
        assert made.run({"draw_id": "party", "withdraw": order[1]}).error is None
    made.run({"draw_id": "party", "prize": 1})
    assert made.draws["party"]["prizes"][0]["winners"] == [order[0], *order[2:6]]
    made.run({"draw_id": "party", "close": True})
    assert kinds(made) == ["announced", "public value", "withdrawn", "drawn", "roll call", "closed"]
    assert check_receipts(made.document()).counts["withdrawn"] == 1
    assert holds(made)


def test_withdrawn_before_the_public_value(made):
    """A withdrawal does not wait for the public value, and the evening goes on."""
    execution = made.start(EVENING, "party")
    while "party" not in made.draws:
        execution.step(GO)
    assert made.run({"draw_id": "party", "withdraw": "0007"}).error is None
    assert "public" not in made.draws["party"]
    while execution.alive:
        execution.step(GO)
    assert kinds(made) == ["announced", "withdrawn", "public value"]
    made.run({"draw_id": "party", "close": True})
    assert holds(made)


def test_withdrawn_after_a_win(made):
    """A withdrawn winner keeps the prize. A withdrawn absent winner wins nothing later."""
    party(made, evening={"absent": "may win later"}, prizes=[{"name": "Mug", "count": 1}] * 2)
    winner, second, third = next_of(made)[:3]
    made.run({"draw_id": "party", "prize": 1})
    made.run({"draw_id": "party", "withdraw": winner})
    assert made.recorded_of("party") == {winner}
    absent_once(made, 1)
    made.run({"draw_id": "party", "prize": 2})
    assert made.draws["party"]["prizes"][1]["winners"] == [third]
    assert made.recorded_of("party", "absent") == {second}
    made.run({"draw_id": "party", "withdraw": second})
    made.run({"draw_id": "party", "add": {"name": "Trip", "count": 1}})
    assert second not in made.draws["party"]["prizes"][2]["winners"]
    made.run({"draw_id": "party", "close": True})
    assert holds(made)


def test_withdrawn_while_a_prize_is_drawn(made):
    """If a chosen person is withdrawn before the record, the draw chooses again."""
    party(made)
    one, execution = next_of(made)[0], made.start({"draw_id": "party", "prize": 1})
    before = made.tables.requests.count("BatchGetItem")
    while made.tables.requests.count("BatchGetItem") < before + 4:  # it is about to record
        execution.step(GO)
    made.run({"draw_id": "party", "withdraw": one})
    while execution.alive:
        execution.step(GO)
    assert execution.error is None
    assert one not in made.recorded_of("party")
    made.run({"draw_id": "party", "close": True})
    assert holds(made)


def test_announced_prizes_are_drawn_in_their_order(made):
    """An operator who knows who is next cannot choose what they win."""
    party(made)
    sentence = "Draw the prizes in their order: Mug (1) comes before Car (2)."
    assert refused(made, {"draw_id": "party", "prize": 2}) == ("TooEarly", sentence)
