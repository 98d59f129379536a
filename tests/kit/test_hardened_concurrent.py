"""Many draws run at once, and one call in ten fails. Nobody wins twice, and each winner has a record."""

import random
import time
from collections import Counter
from pathlib import Path

import pytest
from helpers import source_of
from injected import original

from lottery_course import inject
from lottery_lib import Stack, execution, inbox, plan, resume
from lottery_lib.draws import machine_arn, result
from lottery_lib.employees import Roster
from lottery_lib.resources.contents import draws_table, load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_party import receipts, verify_draw

EACH = 3
SECONDS = 10  # the time-out of a call here; sixteen calls at once share a busy machine
#: More draws, which always fail: in DrawPrize, before it does anything, or after it did everything.
DOOMED = ["doomed-before-1", "doomed-after-1", "doomed-before-2", "doomed-after-2"]


def faulty(folder):
    """The source of a handler of which one call in ten fails.

    It fails before it does anything, after it did everything, or because it takes too long. The draw and the
    number of the attempt decide which one and how, so each run is the same. What it counts is in the folder.
    """
    notes = str(folder)

    def fails_now_and_then(event, context):
        folder = Path(notes)

        def noted(name, text):
            with (folder / name).open("a") as file:
                file.write(text)
                return file.tell()

        key = event["execution"] + ("-1" if "number" in event else "")
        if "number" in event and key.startswith("doomed-"):
            if "after" in key:
                original(event, context)
            raise ValueError("made up: no attempt would mend it")
        call = f"{context.function_name} {key}"
        chance = random.Random(f"2012 {key} {noted(call, 'x')}")
        how = chance.choice(["before", "after", "late", "never"]) if chance.random() < 0.1 else None
        if how:
            noted("faults", how + " ")
        if how == "before":
            raise type("Lambda.ServiceException", (Exception,), {})("made up: it never began")
        if how == "never":
            time.sleep(SECONDS + 5)
        answer = original(event, context)
        if how == "late":
            time.sleep(SECONDS + 5)
        if how == "after":
            raise type("Lambda.SdkClientException", (Exception,), {})("made up: the reply was lost")
        return answer

    return source_of(fails_now_and_then)


class Night:
    """Makes the draws, and reads what the tables and the inbox have then."""

    def __init__(self, target, attempts, draws):
        self.attempts, self.draws = attempts, draws
        self.target, self.pool = target, sorted(Table(target, target.names.employee_table).all_keys())
        machine = machine_arn(target)
        names = [*DOOMED, *(f"draw-{number:03}" for number in range(draws))]
        self.arns = [self._start(machine, name) for name in names]
        self.ended = [execution.wait(target, arn, seconds=240) for arn in self.arns]
        self.won = Table(target, target.names.winners_table).items()
        items = Table(target, target.names.draws_table).items()
        self.records = [
            {**prize, "draw_id": item["draw_id"]} for item in items for prize in item.get("prizes", [])
        ]
        self.mails = [mail.text.partition("\n")[0] for mail in inbox(target).notifications]

    def _start(self, machine, name):
        states = self.target.client("stepfunctions")
        given = f'{{"prizes": [{{"name": "{name}", "count": {EACH}}}]}}'
        return states.start_execution(stateMachineArn=machine, name=name, input=given)["executionArn"]


@pytest.mark.long("its functions time out")
@pytest.mark.parametrize(("draws", "employees"), [(16, 64), (200, 1_000)])
def test_many_at_once(hardened, tmp_path, draws, employees):
    """All facts below are true of the same draws, of three winners each."""
    night = made(hardened, tmp_path, draws, employees)
    one_call_in_ten_fails(night)
    nobody_wins_twice(night)
    every_winner_is_accounted_for(night)
    a_mail_for_a_record(night)
    a_mail_for_a_draw(night)
    no_draw_is_lost(night)
    every_receipt_verifies(night)
    who_failed_can_go_on(night)


def made(target, folder, draws, employees):
    """Make the draws, with functions that fail."""
    staff = [{"employee_id": f"{number:04}", "employee_name": f"N{number:04}"} for number in range(employees)]
    load_employees(target, Roster(staff))
    for each in (plan.machine(target), draws_table(target)):  # the draws of both nights have the same names
        each.delete()
    Stack(target).deploy()
    for purpose, function in target.names.functions.items():
        inject(target, purpose, faulty(folder))
        target.client("lambda").update_function_configuration(FunctionName=function, Timeout=SECONDS)
    return Night(target, folder, draws)


def one_call_in_ten_fails(night):
    """The faults are real: about a tenth of more than two calls a draw."""
    calls = sum(len(path.read_text()) for path in night.attempts.glob("*-*"))
    faults = (night.attempts / "faults").read_text().split()
    assert calls > 2 * night.draws
    assert 0.05 < len(faults) / calls < 0.2
    assert set(faults) == {"before", "after", "late", "never"}


def nobody_wins_twice(night):
    """No employee is in two records."""
    winners = [each for record in night.records for each in record["winners"]]
    assert len(winners) == len(set(winners))


def every_winner_is_accounted_for(night):
    """The rows of a draw in the table of winners are exactly those of its record."""
    of_draws = Counter((each["draw_id"], each["employee_id"]) for each in night.won)
    recorded = Counter((record["draw_id"], each) for record in night.records for each in record["winners"])
    assert of_draws == recorded
    assert len(recorded) > 0.9 * night.draws * EACH


def a_mail_for_a_record(night):
    """Each mail names the winners of one complete record, and each record has one mail at most."""
    texts = {
        f"Congrats! [{', '.join('N' + each for each in record['winners'])}] "
        f"You have been selected for {record['prize']}!"
        for record in night.records
        if "execution" in record
    }
    assert set(night.mails) <= texts
    assert len(night.mails) == len(set(night.mails))


def a_mail_for_a_draw(night):
    """Each draw that SUCCEEDED has its mail, or says that it is recorded and not mailed."""
    mailed = {mail.rpartition(" for ")[2].removesuffix("!") for mail in night.mails}
    succeeded = {each["name"]: each["executionArn"] for each in night.ended if each["status"] == "SUCCEEDED"}
    for name in succeeded.keys() - mailed:
        assert result(night.target, succeeded[name])["error"] == "RecordedNotMailed", name
    assert mailed <= succeeded.keys()


def no_draw_is_lost(night):
    """Each draw ended SUCCEEDED with a complete record, or FAILED with an error."""
    whole = {record["prize"] for record in night.records if "execution" in record}
    for ended in night.ended:
        if ended["status"] == "SUCCEEDED":
            assert ended["name"] in whole
        else:
            assert (ended["status"], bool(ended["error"])) == ("FAILED", True)
    errors = {ended["name"]: ended.get("error") for ended in night.ended}
    assert [errors[name] for name in DOOMED] == ["ValueError"] * len(DOOMED), night.ended[: len(DOOMED)]


def every_receipt_verifies(night):
    """The receipts can be checked, although calls failed."""
    found = receipts(night.target, night.records[0]["draw_id"])
    assert sum("pool" in each for each in found["draws"].values()) > 0.9 * night.draws
    claims = verify_draw(found)
    assert False not in claims.values(), claims


def who_failed_can_go_on(night):
    """If a draw that failed half-way is continued, it has all its winners."""
    Stack(night.target).deploy()
    failed = [ended["name"] for ended in night.ended if ended["status"] == "FAILED"]
    begun = {record["prize"] for record in night.records}
    assert set(DOOMED) <= set(failed) & begun
    for name in [name for name in failed if name in begun]:
        assert len(resume(night.target, name)["winners"]) == EACH
