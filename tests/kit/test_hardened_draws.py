"""The hardened machine draws, records, then mails. It says what happened."""

import json

import pytest
from helpers import source_of, wait_until
from injected import original, reads_all_winners, waits_for

from lottery_course import inject
from lottery_lib import Stack, connect, draw, inbox, plan, resume, winners
from lottery_lib.draws import Draws, machine_arn, remaining
from lottery_lib.employees import Roster
from lottery_lib.execution import describe, history, start, wait
from lottery_lib.history import Reader
from lottery_lib.resources.contents import load_employees
from lottery_lib.tables import state_table
from lottery_party import receipts
from lottery_party.checker import check_receipts


def name_of(told):
    return told["execution_arn"].rsplit(":", 1)[1]


def holds(target, name):
    """Whether the receipts of a draw hold. Other draws of the module may have met winners of the tutorial."""
    problems = [each for each in check_receipts(receipts(target, name)).problems if f"Draw {name}" in each]
    assert problems == []
    return True


def told_of(target, name):
    """The receipts of a draw, in order."""
    return [json.loads(text) for text in receipts(target, name)["draws"][name]["receipts"]]


def mails(target):
    return [mail.text.partition("\n")[0] for mail in inbox(target).notifications]


def states_of(target, told):
    return list(state_table(history(target, told["execution_arn"]))["state"])


def test_draw(hardened):
    """A draw of two is recorded, then mailed once, and its receipts hold."""
    result = draw(hardened, 2)
    assert (result["status"], result["error"], result["cause"]) == ("SUCCEEDED", None, None)
    drawn = [winner["employee_id"] for winner in result["winners"]]
    assert sorted(drawn) == list(winners(hardened)["employee_id"])
    names = ", ".join(winner["employee_name"] for winner in result["winners"])
    assert mails(hardened) == [f"Congrats! [{names}] You have been selected as the Lucky Champ!"]
    assert [each.get("winners") for each in told_of(hardened, name_of(result))] == [None, drawn, None]
    assert holds(hardened, name_of(result))
    order = states_of(hardened, result)
    assert order.index("Draw And Record") < order.index("Notify Winners")


def test_bad_input(hardened_stack):
    """A draw of nobody ends FAILED in the first state, after one attempt, with a sentence."""
    hardened = hardened_stack.target
    told = draw(hardened, 0)
    assert (told["status"], told["error"], told["winners"]) == ("FAILED", "InvalidInput", [])
    assert told["cause"].endswith(".")
    assert "Traceback" not in told["cause"]
    assert states_of(hardened, told) == ["Commit To The Draw", "Failed"]


def test_not_enough(hardened):
    """If too few people remain, the draw fails after one attempt, and nobody is recorded or mailed.

    Step Functions says why, although it happened in the Map.
    """
    assert draw(hardened, 9)["status"] == "SUCCEEDED"
    inbox(hardened).clear()
    told = draw(hardened, 2)
    assert (told["status"], told["error"]) == ("FAILED", "NotEnoughEmployees")
    ended = describe(hardened, told["execution_arn"])
    assert (ended["error"], json.loads(ended["cause"])["errorMessage"]) == (told["error"], told["cause"])
    assert len(Reader(history(hardened, told["execution_arn"])).latest()["Draw And Record"].attempts) == 1
    assert (len(remaining(hardened)), mails(hardened)) == (1, [])


def test_earlier_prizes_stay(hardened):
    """If a later prize cannot be drawn, the prizes before it are recorded and mailed."""
    told = draw(hardened, [{"name": "大奖 🚗", "count": 1}, {"name": "Mug", "count": 10}])
    assert (told["status"], told["error"]) == ("FAILED", "NotEnoughEmployees")
    assert [mail.rpartition(" for ")[2] for mail in mails(hardened)] == ["大奖 🚗!"]
    assert len(winners(hardened)) == 1


def test_few_remain(mended):
    """A draw that reads all winners at once has right receipts, too."""
    draw(mended, 7)
    inject(mended, "DrawPrize", source_of(reads_all_winners))
    told = draw(mended, 3)
    assert told["status"] == "SUCCEEDED"
    found = receipts(mended, name_of(told))
    assert len(found["draws"][name_of(told)]["won_before"]) == 7
    assert holds(mended, name_of(told))


def test_mail_fails(hardened):
    """A draw whose mail fails is recorded, SUCCEEDED, and says why; it can be mailed later."""
    role = hardened.names.machine_role
    hardened.client("iam").delete_role_policy(RoleName=role, PolicyName="NotifyWinners")
    unmailed = draw(hardened, 2)
    plan.machine_role(hardened).ensure()
    assert (unmailed["status"], unmailed["error"]) == ("SUCCEEDED", "RecordedNotMailed")
    assert "recorded, not mailed: 1 of 1 prizes; once SNS.AuthorizationErrorException" in unmailed["cause"]
    assert sorted(each["employee_id"] for each in unmailed["winners"]) == list(
        winners(hardened)["employee_id"]
    )
    assert mails(hardened) == []
    told = resume(hardened, name_of(unmailed), remail=True)
    assert (told["status"], told["error"], told["winners"]) == ("SUCCEEDED", None, unmailed["winners"])
    assert len(mails(hardened)) == 1
    assert len(winners(hardened)) == 2


def test_resume_mails_nothing_twice(hardened):
    """If a draw has ended, `resume` changes nothing, and mails nothing."""
    first = draw(hardened, 2)
    again = resume(hardened, name_of(first))
    assert again["winners"] == first["winners"]
    assert states_of(hardened, again)[-1] == "Recorded Before"
    assert len(mails(hardened)) == 1


def test_choice_whose_variable_is_missing(mended):
    """An answer without the Choice's variable ends in a failure of its own name."""

    def without_mail(event, context):
        told = original(event, context)
        del told["mail"]
        return told

    inject(mended, "DrawPrize", source_of(without_mail))
    told = draw(mended, 1)
    assert (told["status"], told["error"]) == ("FAILED", "UnknownAnswer")
    assert told["cause"].startswith("Draw And Record answered neither")
    assert states_of(mended, told)[-2:] == ["Unknown Answer", "Failed"]


def test_taken_again_and_again(mended):
    """A draw that meets another one at each of nine attempts fails with that error. Nobody is recorded."""

    def taken(event, context):
        from tables import WinnerTaken

        raise WinnerTaken("made up")

    inject(mended, "DrawPrize", source_of(taken))
    told = draw(mended, 2)
    assert (told["status"], told["error"], told["winners"]) == ("FAILED", "WinnerTaken", [])
    assert len(Reader(history(mended, told["execution_arn"])).latest()["Draw And Record"].attempts) == 9
    assert (len(winners(mended)), mails(mended)) == (0, [])


@pytest.mark.parametrize("purpose", ["CommitDraw", "DrawPrize"])
def test_a_throttle_is_tried_again(hardened, time_stands, purpose):
    """If Lambda throttles a function for a while, the draw waits and succeeds."""
    limits, function = hardened.client("lambda"), hardened.names.function(purpose)
    limits.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    with time_stands():
        arn = Draws(hardened).start(1)
        wait_until(lambda: "TaskFailed" in {event["type"] for event in history(hardened, arn)})
        limits.delete_function_concurrency(FunctionName=function)
    assert wait(hardened, arn, seconds=60)["status"] == "SUCCEEDED"


def test_machine_times_out(mended, tmp_path):
    """A draw that takes longer than its definition allows ends TIMED_OUT."""
    arn, states = machine_arn(mended), mended.client("stepfunctions")
    machine = json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"])
    assert machine["TimeoutSeconds"] == 90000
    states.update_state_machine(stateMachineArn=arn, definition=json.dumps(machine | {"TimeoutSeconds": 1}))
    inject(mended, "DrawPrize", waits_for(tmp_path / "gate", goes_on=False))
    assert draw(mended, 1)["status"] == "TIMED_OUT"
    (tmp_path / "gate").touch()


def test_nobody_wins_in_both_editions(hardened):
    """The tutorial's draws and the hardened ones, side by side, share the winners."""
    tutorial = connect("embedded", attendee=hardened.names.attendee, edition="tutorial")
    Stack(tutorial).deploy()
    drawn = [
        winner["employee_id"]
        for target in (hardened, tutorial, hardened, tutorial, hardened)
        for winner in draw(target, 2)["winners"]
    ]
    assert len(set(drawn)) == len(drawn) == 10
    assert draw(hardened, 1)["error"] == draw(tutorial, 1)["error"] == "NotEnoughEmployees"
    table = winners(hardened)
    assert set(table[table["receipt"] == "no receipt"]["employee_id"]) == {*drawn[2:4], *drawn[6:8]}
    assert "receipt" not in winners(tutorial)


@pytest.mark.parametrize("edition", ["tutorial", "hardened"])
def test_a_roster_refreshes_the_pool(hardened, edition):
    """The next draw is from the employees whom either edition has loaded, in the order of their ids."""
    loader = connect("embedded", attendee=hardened.names.attendee, edition=edition)
    ids = [f"{edition}-{number}" for number in range(3)]
    load_employees(loader, Roster([{"employee_id": each, "employee_name": each} for each in reversed(ids)]))
    told = draw(hardened, 3)
    assert sorted(winner["employee_id"] for winner in told["winners"]) == ids
    pool = receipts(hardened, name_of(told))["draws"][name_of(told)]["pool"]
    assert pool == [[each, each, ""] for each in ids]


def test_an_old_receipt_after_a_new_roster(hardened):
    """The receipts of a draw have the pool of its announcement, although another roster was loaded later."""
    told = draw(hardened, 1)
    load_employees(hardened, Roster([{"employee_id": "new", "employee_name": "New"}]))
    assert receipts(hardened, name_of(told))["draws"][name_of(told)]["pool"] != ["new"]
    assert holds(hardened, name_of(told))


def test_any_client_can_start_it(hardened):
    """Any client can start an execution. Its name is the name of the draw."""
    arn = start(hardened, machine_arn(hardened), {"input": 1})
    wait(hardened, arn)
    assert len(told_of(hardened, arn.rsplit(":", 1)[1])) == 3
