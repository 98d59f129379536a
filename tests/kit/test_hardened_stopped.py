"""If a hardened draw stops at any state and is continued, it is one draw, and is mailed once at most."""

import json
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from helpers import source_of, wait_until
from injected import original

from lottery_course import inject
from lottery_lib import definition, draw, inbox, plan, resume, winners
from lottery_lib.draws import Draws, machine_arn
from lottery_lib.execution import history, stop, wait
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.stack import Stack
from lottery_lib.tables import state_table
from lottery_party import receipts, verify_draw
from states_language import all_states

MACHINE = json.loads(definition.load("hardened"))
#: The states of a draw without errors, and how many mails it has sent when it enters each of them.
PATH = {
    "Commit To The Draw": 0,
    "Is A Public Value Awaited": 0,
    "For Each Prize": 0,
    "Draw And Record": 0,
    "Is A Mail Due": 0,
    "Notify Winners": 0,
    "Recorded And Mailed": 1,
}
RECORDED = ["Is A Mail Due", "Notify Winners", "Recorded And Mailed"]
HOLD = "Hold"


def held(machine, state):
    """The machine with a Wait before one of its states."""
    if isinstance(machine, list):
        return [held(each, state) for each in machine]
    if not isinstance(machine, dict):
        return machine
    changed = {
        key: HOLD if key in ("StartAt", "Next", "Default") and value == state else held(value, state)
        for key, value in machine.items()
    }
    if state in changed.get("States", {}):
        changed["States"][HOLD] = {"Type": "Wait", "Seconds": 60, "Next": state}
    return changed


@pytest.fixture
def stopped(hardened, time_stands):
    """`stopped("Notify Winners")` starts an execution that is stopped before that state; returns its name."""

    def begin(state, wanted=2, start=None):
        arn, states = machine_arn(hardened), hardened.client("stepfunctions")
        machine = json.loads(states.describe_state_machine(stateMachineArn=arn)["definition"])
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(held(machine, state)))
        with time_stands():
            execution = start() if start else Draws(hardened).start(wanted)
            wait_until(lambda: HOLD in entered(hardened, execution))
            stop(hardened, execution)
        wait(hardened, execution)
        states.update_state_machine(stateMachineArn=arn, definition=json.dumps(machine))
        return execution.rsplit(":", 1)[1]

    return begin


def entered(target, arn):
    return list(state_table(history(target, arn))["state"])


def mails(target):
    return len(inbox(target).notifications)


def is_whole(target, draw_id, count=2):
    """Whether the rows of the table are this draw's winners, so many, and all receipts hold."""
    found = receipts(target, draw_id)
    won = Table(target, target.names.winners_table).items()
    told = [json.loads(text) for text in found["draws"][draw_id]["receipts"]]
    drawn = [each for receipt in told for each in receipt.get("winners", [])]
    assert sorted(each["employee_id"] for each in won) == sorted(drawn)
    assert {each["draw_id"] for each in won} == {draw_id}
    assert len(won) == count
    return False not in verify_draw(found).values()


def test_every_state_is_tried():
    """The tests stop before each state, except those that end a failed draw or wait for people."""
    people = {"Wait For The Public Value", "Mix In The Public Value", "Wait For The Roll Call"}
    tried = {*PATH, *people, "Recorded Before", "Recorded Not Mailed"}
    assert tried == {name for name, state in all_states(MACHINE) if state["Type"] != "Fail"}


def test_stopped_before_anything(hardened, stopped):
    """If a draw stops before its first state, there is nothing to continue, and the error says so."""
    told = resume(hardened, stopped("Commit To The Draw"))
    assert (told["error"], len(winners(hardened)), mails(hardened)) == ("NoSuchDraw", 0, 0)


@pytest.mark.parametrize("state", list(PATH)[1:])
def test_stopped_before_a_state(hardened, stopped, state):
    """A draw that stops before a state and is continued is one draw. Nothing is recorded or mailed twice."""
    draw_id = stopped(state)
    assert mails(hardened) == PATH[state]
    told = resume(hardened, draw_id)
    assert (told["status"], len(told["winners"])) == ("SUCCEEDED", 2)
    assert is_whole(hardened, draw_id)
    assert mails(hardened) == (PATH[state] if state in RECORDED else 1)


@pytest.mark.parametrize("state", RECORDED[:2])
def test_mail_that_was_left_to_it(hardened, stopped, state):
    """If a draw stops between the record and the mail, `remail` mails it."""
    draw_id = stopped(state)
    assert resume(hardened, draw_id, remail=True)["status"] == "SUCCEEDED"
    assert is_whole(hardened, draw_id)
    assert mails(hardened) == 1


def test_stopped_when_gone_on_with(hardened, stopped):
    """The execution that continues a draw can stop, too."""
    draw_id = draw(hardened, 2)["execution_arn"].rsplit(":", 1)[1]
    stopped("Recorded Before", start=lambda: started(hardened, {"draw_id": draw_id}))
    assert resume(hardened, draw_id)["status"] == "SUCCEEDED"
    assert is_whole(hardened, draw_id)
    assert mails(hardened) == 1


def started(target, given):
    from lottery_lib import execution

    return execution.start(target, machine_arn(target), given)


def test_stopped_after_a_mail_that_failed(hardened, stopped):
    """If the mail failed and then the draw stopped, `remail` mails it."""
    role = hardened.names.machine_role
    hardened.client("iam").delete_role_policy(RoleName=role, PolicyName="NotifyWinners")
    draw_id = stopped("Recorded Not Mailed")
    plan.machine_role(hardened).ensure()
    assert resume(hardened, draw_id, remail=True)["error"] is None
    assert is_whole(hardened, draw_id)
    assert mails(hardened) == 1


def test_stopped_between_prizes(hardened, tmp_path):
    """If a draw stops after the first prize was mailed, only the second is drawn and mailed."""
    prizes = [{"name": "Car", "count": 1}, {"name": "Mug", "count": 2}]
    gate = str(tmp_path / "gate")

    def draws_only_the_first(event, context):
        if event["number"] == 1:
            return original(event, context)
        while not Path(gate).exists():
            time.sleep(0.01)
        return None

    inject(hardened, "DrawPrize", source_of(draws_only_the_first))
    arn = Draws(hardened).start(prizes)
    wait_until(lambda: mails(hardened) == 1)
    stop(hardened, arn)
    Path(gate).touch()
    Stack(hardened).deploy()
    told = resume(hardened, arn.rsplit(":", 1)[1])
    assert [winner["prize"] for winner in told["winners"]] == ["Car", "Mug", "Mug"]
    assert [mail.text.partition("!\n")[0].rpartition(" ")[2] for mail in inbox(hardened).notifications] == [
        "Car",
        "Mug",
    ]


def test_its_function_goes_on(mended, tmp_path):
    """The function of a stopped execution runs on while another execution continues: it is one draw."""
    hardened = mended
    calls = str(tmp_path)

    def waits_for_another_call(event, context):
        Path(calls, f"{context.aws_request_id} began").touch()
        while len([*Path(calls).glob("* began")]) < 2:
            time.sleep(0.01)
        try:
            return original(event, context)
        finally:
            Path(calls, f"{context.aws_request_id} ended").touch()

    inject(hardened, "DrawPrize", source_of(waits_for_another_call))
    arn = Draws(hardened).start(2)
    wait_until(lambda: any(tmp_path.iterdir()))
    stop(hardened, arn)
    told = resume(hardened, arn.rsplit(":", 1)[1])
    assert (told["status"], len(told["winners"])) == ("SUCCEEDED", 2)
    wait_until(lambda: len([*tmp_path.glob("* ended")]) == len([*tmp_path.glob("* began")]) > 1)
    assert is_whole(hardened, arn.rsplit(":", 1)[1])
    assert mails(hardened) <= 1


def test_the_same_name_again(hardened, stopped):
    """AWS refuses a used name for 90 days, so `resume` gives the execution another name."""
    draw_id = stopped("Draw And Record")
    states = hardened.client("stepfunctions")
    with pytest.raises(ClientError) as refused:
        states.start_execution(stateMachineArn=machine_arn(hardened), name=draw_id, input='{"input": 2}')
    assert refused.value.response["Error"]["Code"] == "ExecutionAlreadyExists"
