"""The hardened edition's two functions, on tables in memory."""

import json
import secrets

import pytest
from unit.party.fake_dynamodb import (
    CONTEXT,
    DRAWS,
    EMPLOYEES,
    POOL,
    WINNERS,
    FakeDynamoDb,
    cancelled,
    lambdas,
)
from unit.party.hardened_world import FAIL, GO, KILL, world

from lottery_lib import definition
from lottery_lib.definition import all_states
from lottery_lib.party import fairness

DRAWING = dict(all_states(json.loads(definition.load("hardened"))))["Draw And Record"]
IDS = [f"{number:04}" for number in range(1, 301)]


@pytest.fixture
def made():
    """A world of three hundred employees, of whom nobody has won."""
    with world(IDS) as made:
        yield made


def refused(made, request):
    """The error of an execution with this input."""
    error = made.run(request).error
    return type(error).__name__, str(error)


@pytest.mark.parametrize("count", [0, -3, True, False, 2.5, "2", None, [2], {"a": 1}, "二"])
def test_no_number_of_winners(made, count):
    """What is no whole number of at least 1 is refused in one sentence that shows it."""
    sentence = (
        f"How many to draw must be a whole number of at least 1, not {json.dumps(count, ensure_ascii=False)}."
    )
    assert refused(made, {"input": count}) == ("InvalidInput", sentence)
    assert refused(made, {"prizes": [{"name": "Car", "count": count}]}) == ("InvalidInput", sentence)


@pytest.mark.parametrize(
    "request_", [{}, [], "2", 3, None, {"input": 2, "prizes": []}, {"input": 2, "draw_id": "x"}, {"Input": 2}]
)
def test_input_of_another_shape(made, request_):
    """An input with none of the keys, or with two, is shown what it must look like."""
    name, sentence = refused(made, request_)
    assert name == "InvalidInput"
    assert sentence.startswith('The input must look like {"input": 2}, or {"prizes": ')


@pytest.mark.parametrize("prizes", [[], {}, None, "Car", [{"name": "Car", "count": 1}] * 41])
def test_no_list_of_prizes(made, prizes):
    """No prizes, too many, or no list are one sentence."""
    assert refused(made, {"prizes": prizes}) == ("InvalidInput", '"prizes" must be a list of 1 to 40 prizes.')


@pytest.mark.parametrize("name", [3, None, ["Car"], "x" * 101])
def test_no_name_of_a_prize(made, name):
    """A prize's name is a text, and not a novel."""
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
    """What cannot be an execution's name is refused in one sentence, and tells nothing of what is kept."""
    made.run({"input": 1})
    name, sentence = refused(made, {"draw_id": draw_id})
    assert (name, sentence) == (
        "InvalidInput",
        '"draw_id" must be the name of the execution that began the draw.',
    )


def test_unknown_draw(made):
    """A draw that was never begun cannot be gone on with."""
    assert refused(made, {"draw_id": "nobody"}) == ("NoSuchDraw", "There is no draw nobody to go on with.")


@pytest.mark.parametrize("remail", ["yes", 1, None])
def test_remail_is_true_or_false(made, remail):
    """Anything else is refused, and so is mailing again without saying of which draw."""
    sentence = f'"remail" must be true or false, not {json.dumps(remail)}.'
    assert refused(made, {"draw_id": "x", "remail": remail}) == ("InvalidInput", sentence)
    assert refused(made, {"input": 2, "remail": True})[0] == "InvalidInput"


def test_no_pool(made):
    """Without a roster it is said how to load one."""
    made.tables.tables[POOL].clear()
    assert refused(made, {"input": 1})[0] == "NoPool"


def test_prizes_in_their_order(made):
    """Each prize has a record of its own, drawn in the order of the input, under its name."""
    execution = made.run({"prizes": [{"name": "大奖", "count": 1}, {"name": "Mug ☕", "count": 3}]})
    assert [(each["prize"], len(each["winners"])) for each in made.records] == [("大奖", 1), ("Mug ☕", 3)]
    assert [each["employee_id"] for each in execution.winners] == [
        each for record in made.records for each in record["winners"]
    ]


def test_bound_before_anybody_is_drawn(made):
    """Pool, algorithm and commitment are written first; the secret is told only when all are recorded."""
    execution = made.start({"input": 2})
    for _ in range(3):  # no such draw, the pool's head, the commitment
        execution.step(GO)
    (record,) = made.records
    assert {"pool_digest", "pool_size", "algorithm", "commitment", "committed_at"} < record.keys()
    assert not {"secret", "recorded_at", "drawn_at"} & record.keys()
    execution.step(KILL)


def test_the_secrets_are_of_the_system(monkeypatch):
    """Each prize of each draw has a secret of its own: 32 bytes that `secrets` gave."""
    asked, given, token_bytes, tables = [], [], secrets.token_bytes, FakeDynamoDb()
    tables.put(POOL, [{"chunk": "head", "size": 2, "digest": "d"}])
    with lambdas(tables) as functions:
        monkeypatch.setattr(
            "secrets.token_bytes",
            lambda *size: asked.append(size) or given.append(token_bytes(*size)) or given[-1],
        )
        for name in ("x", "y"):
            request = {"prizes": [{"count": 1}, {"count": 1}]}
            functions.commit_draw.lambda_handler({"execution": name, "request": request}, CONTEXT)
    kept = [item["secret"] for item in tables.tables[DRAWS].values() if "secret" in item]
    assert asked == [(32,)] * 4
    assert kept == [each.hex() for each in given]
    assert len({*kept}) == 4


def test_what_dynamodb_did_not_get_to(monkeypatch):
    """A draw whose reads are answered in part asks for the rest, waiting between, and is the same draw."""
    pauses, told = [], []
    monkeypatch.setattr("time.sleep", pauses.append)
    for gets_to in (100, 3):
        with world(IDS, won=IDS[:150]) as made:
            made.tables.gets_to = gets_to
            execution = made.run({"input": 20})
            (record,) = made.records
            told.append((execution.error, execution.winners, record["winners"], record["excluded"]))
            assert gets_to < 100 or not pauses
    assert told[0] == told[1]
    assert len(told[0][1]) == 20
    assert pauses[:2] == [0.05, 0.1]


def test_the_record_can_be_checked(made):
    """Draw id, times, pool, algorithm, commitment, winners and who was passed over are in it, and agree."""
    made.run({"input": 5})
    (record,) = made.records
    assert record["committed_at"] <= record["recorded_at"]
    assert all(fairness.verify_draw(made.receipt(record)).values())


def test_not_enough(made):
    """More than remain is a named error, which says how many do; nobody is recorded."""
    made.run({"input": 298})
    assert refused(made, {"input": 3}) == (
        "NotEnoughEmployees",
        "3 winners were asked for, but only 2 of 300 employees remain.",
    )
    assert len(made.tables.tables[WINNERS]) == 298


def between_chunks(made, count=250):
    """An execution of so many winners that is killed after its first transaction."""
    execution, before = made.start({"input": count}), len(made.tables.tables[WINNERS])
    while len(made.tables.tables[WINNERS]) == before:
        execution.step(GO)
    execution.step(KILL)
    return execution


def test_killed_between_chunks(made):
    """What is recorded by then is the record's, says so, and tells no secret yet; a resume draws the rest."""
    execution = between_chunks(made)
    (record,) = made.records
    assert len(record["winners"]) == 99 == len(made.recorded_of(record["draw_id"]))
    assert "secret" not in record
    made.run({"draw_id": execution.name})
    (record,) = made.records
    assert len({*record["winners"]}) == 250 == len(made.recorded_of(record["draw_id"]))
    assert all(fairness.verify_draw(made.receipt(record)).values())


def test_a_winner_leaves_between_chunks(made):
    """Who is recorded stays a winner, even if the employee is deleted before the draw goes on."""
    execution = between_chunks(made)
    del made.tables.tables[EMPLOYEES][made.records[0]["winners"][0]]
    made.run({"draw_id": execution.name})
    (record,) = made.records
    assert len(record["winners"]) == 250
    assert all(fairness.verify_draw(made.receipt(record)).values())


@pytest.mark.parametrize("one_by_one", [2000, -1])
def test_somebody_comes_back_between_chunks(one_by_one):
    """Who was passed over stays so in that draw, even if the winners were forgotten before it goes on."""
    with world(IDS, won=IDS[:40], limits={"MOST_PASSED_OVER": one_by_one}) as made:
        execution = between_chunks(made)
        for each in IDS[:40]:
            del made.tables.tables[WINNERS][each]
        made.run({"draw_id": execution.name})
        (record,) = made.records
        assert len({*record["winners"]} - {*IDS[:40]}) == 250
        assert all(fairness.verify_draw(made.receipt(record)).values())


def test_few_remain():
    """Where nearly all have won or left, the receipt holds as well: it has who they were."""
    with world(IDS, won=IDS[:290], left=IDS[290:293], limits={"MOST_PASSED_OVER": 20}) as made:
        made.run({"input": 7})
        (record,) = made.records
        assert sorted(record["winners"]) == IDS[293:]
        receipt = made.receipt(record)
        assert set(receipt["won_before"]) == set(IDS[:290])
        assert set(receipt["excluded"]) <= set(IDS[:293])
        assert all(fairness.verify_draw(receipt).values())


def test_others_win_while_few_remain():
    """Who wins elsewhere after a draw is not taken for one who had won before it."""
    with world(IDS, won=IDS[:280], limits={"MOST_PASSED_OVER": 20}) as made:
        made.run({"input": 5})
        before = made.receipt(made.records[0])
        made.run({"input": 10})
        assert made.receipt(made.records[0]) == before


def test_two_executions_of_one_draw(made):
    """Whose choice is older than the record is refused, though whom it chose is free: it draws again."""
    first = made.start({"input": 1})
    while made.tables.requests.count("BatchGetItem") < 3:  # it has chosen, and is about to record
        first.step(GO)
    chosen = next(fairness.order(300, bytes.fromhex(made.record("x0#1#sealed")["secret"])))
    del made.tables.tables[EMPLOYEES][IDS[chosen]]
    made.run({"draw_id": first.name})
    while first.alive:
        first.step(GO)
    (record,) = made.records
    assert set(record["winners"]) == made.recorded_of("x0#1")
    assert len(made.tables.tables[WINNERS]) == 1


def test_remaining_for_nobody_else(made):
    """Too few are left for a draw half of which is recorded: it says how many of it are."""
    execution = between_chunks(made, 250)
    made.run({"input": 100})
    name, sentence = refused(made, {"draw_id": execution.name})
    assert name == "NotEnoughEmployees"
    assert sentence == (
        "250 winners were asked for, but only 200 of 300 employees remain, 99 of whom this draw has recorded."
    )


@pytest.mark.parametrize(
    "code",
    ["ConditionalCheckFailed", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"],
)
def test_a_refusal_that_passes(made, code):
    """A transaction that met another, or was throttled, is the error at which the machine draws again."""
    assert type(refusal(made, cancelled("None", code))).__name__ == "WinnerTaken"


def test_a_refusal_that_stays(made):
    """A transaction that can never succeed, such as one with an item too large, is not drawn again."""
    assert type(refusal(made, cancelled("None", "ValidationError"))).__name__ == "RecordRefused"
    retried = {error for rule in DRAWING["Retry"] for error in rule["ErrorEquals"]}
    assert "TransactionCanceledException" in retried
    assert "RecordRefused" not in retried


def refusal(made, error):
    """What DrawPrize raises when its transaction is refused so."""
    made.start({"input": 1})
    execution = made.executions[-1]
    while not made.records:
        execution.step(GO)
    execution.step(KILL)

    def refuse(operation, do):
        if operation == "TransactWriteItems":
            raise error
        return do()

    made.tables.step = refuse
    record = made.records[0]["draw_id"]
    with pytest.raises(Exception) as raised:
        made.functions.draw_prize.lambda_handler(
            {"execution": "x", "remail": False, "record": record}, made.context
        )
    return raised.value


def test_asked_again(made):
    """DrawPrize asked again returns what was recorded, and the mail stays due to who recorded."""
    execution = made.run({"input": 2})
    again = made.run({"draw_id": execution.name})
    assert again.winners == execution.winners
    assert made.mails == [(execution.name, "x0#1", made.records[0]["winners"])]


def test_remail(made):
    """Asked to, another execution mails what is recorded: the same winners."""
    execution = made.run({"input": 2})
    made.run({"draw_id": execution.name, "remail": True})
    assert [mail[2] for mail in made.mails] == [made.records[0]["winners"]] * 2


def test_names_of_all_kinds():
    """Ids and names may be of any script; an employee without a name is called by the id."""
    ids = ["", "王小明", "🎉", "a b", '"'][1:]
    with world(ids) as made:
        execution = made.run({"input": 4})
        assert {each["employee_id"] for each in execution.winners} == set(ids)


@pytest.mark.parametrize("prizes", [[{"count": 1000}], [{"count": 25}] * 40])
def test_what_a_state_hands_on_fits(prizes):
    """A thousand winners of long names fit into what a state may hand on, and so can be mailed."""
    with world([f"{number:04}" for number in range(1000)], about={"employee_name": "王" * 90}) as made:
        execution = made.run({"prizes": prizes})
    assert len(execution.winners) == 1000
    assert len(json.dumps(execution.winners, ensure_ascii=False).encode()) < 250_000


def test_few_winners_are_told_in_full():
    """All that is known of a winner is handed on where that is not much."""
    with world(["1", "2"], about={"employee_name": "王" * 90, "employee_entry_date": "20200101"}) as made:
        (winner, _) = made.run({"input": 2}).winners
    assert winner.keys() == {"employee_id", "employee_name", "employee_entry_date", "lottery_serial"}


def test_structured_logs(made, capsys):
    """Every line of ours is one JSON object with a message and the draw's id."""
    made.run({"prizes": [{"count": 1}, {"count": 2}]})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines] == ["committed", "recorded", "recorded"]
    assert [line["draw_id"] for line in lines] == ["x0", "x0#1", "x0#2"]


def test_a_lost_commitment_is_made_again(made):
    """A commitment whose reply was lost is read, not made anew: the secret stays the first one's."""
    execution = made.start({"input": 2})
    while not made.records:
        execution.step(GO)
    first = dict(made.records[0])
    execution.step(FAIL)
    while execution.alive:
        execution.step(GO)
    assert made.records[0]["commitment"] == first["commitment"]


def test_the_seal_is_published(made):
    """The mail and the history have the seal, with which a receipt that is shown later can be compared."""
    made.start({"input": 2})
    told = made.functions.draw_prize
    while not made.records:
        made.executions[0].step(GO)
    made.executions[0].step(KILL)
    answer = told.lambda_handler({"execution": "y", "remail": False, "record": "x0#1"}, made.context)
    assert answer["message"].endswith(f"\nSeal of this draw: {made.records[0]['seal']}")


def test_committed_to_once(made):
    """A commitment that comes late, of a call that was given up, is not written over the other."""
    late = made.start({"input": 2})
    for _ in range(2):  # it has found no such draw, and is about to write one
        late.step(GO)
    made.run({"input": 2}, name=late.name)
    (record,) = made.records
    while late.alive:
        late.step(GO)
    assert made.records == [record]
    assert all(fairness.verify_draw(made.receipt(record)).values())


def test_a_congratulation_to_many(made):
    """The mail names a hundred, and says how many more."""
    told = made.functions.draw_prize.congratulation("Mug", [{"employee_id": each} for each in IDS])
    assert told.endswith(", 0100 and 200 more] You have been selected for Mug!")
