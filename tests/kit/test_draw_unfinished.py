"""What a hardened draw says that has recorded winners, and is not done: how to go on, which then works."""

import re
import shlex

import pytest
from helpers import source_of
from injected import original

from lottery_course import inject
from lottery_lib import Stack, draw, inbox, winners
from lottery_lib.__main__ import main
from lottery_lib.draws import Draws, last_execution
from lottery_lib.history import published

PRIZES = [{"name": "Pen", "count": 2}, {"name": "Car", "count": 1}]


def no_car(event, context):
    if event["number"] == 2:
        raise ValueError("no car")
    return original(event, context)


NO_CAR = source_of(no_car)


@pytest.fixture(autouse=True)
def its_attendee(hardened, monkeypatch):
    """The commands are typed by the attendee of the lottery."""
    monkeypatch.setenv("LOTTERY_ATTENDEE", hardened.names.attendee)


def mails(target):
    """The texts of the mails that were published, whoever is subscribed."""
    last = Draws(target).execution(last_execution(target))
    return published(last.events)


def follow(cause):
    """Run the command that a sentence tells; its exit code."""
    return main(shlex.split(re.search(r"`lottery (.*?)`", cause)[1]))


def test_failed_half_way(hardened):
    """A draw that fails after a prize names the command that draws the rest, and that does it."""
    inject(hardened, "DrawPrize", NO_CAR)
    told = draw(hardened, PRIZES)
    assert (told["status"], told["error"]) == ("FAILED", "ValueError")
    assert told["cause"].startswith("no car. The recorded winners stay; `lottery resume draw-")
    Stack(hardened).deploy()
    first = set(winners(hardened)["employee_id"])
    assert follow(told["cause"]) == 0
    assert first < set(winners(hardened)["employee_id"])
    assert sorted(winners(hardened)["prize"]) == ["Car", "Pen", "Pen"]


def test_resumed_and_failed_again(hardened):
    """A resumed draw that fails again names the draw that it goes on with, not itself."""
    inject(hardened, "DrawPrize", NO_CAR)
    told = draw(hardened, PRIZES)
    name = told["execution_arn"].rsplit(":", 1)[-1]
    assert follow(told["cause"]) == 1
    Stack(hardened).deploy()
    assert f"resume {name} " in told["cause"]
    assert follow(told["cause"]) == 0


def test_failed_after_a_prize_that_was_not_mailed(hardened):
    """A draw that fails after a prize whose mail failed names the command that mails that prize too."""
    role = hardened.names.machine_role
    hardened.client("iam").delete_role_policy(RoleName=role, PolicyName="NotifyWinners")
    inject(hardened, "DrawPrize", NO_CAR)
    told = draw(hardened, PRIZES)
    assert told["status"] == "FAILED"
    Stack(hardened).deploy()
    inbox(hardened).clear()
    assert follow(told["cause"]) == 0
    assert {"Pen", "Car"} == {prize for prize in ("Pen", "Car") for mail in mails(hardened) if prize in mail}


def test_failed_before_the_first_prize(hardened):
    """A draw that has recorded nobody is not to be gone on with."""
    told = draw(hardened, [{"name": "Pen", "count": 999}])
    assert told["error"] == "NotEnoughEmployees"
    assert "resume" not in told["cause"]


def test_recorded_not_mailed(hardened):
    """Without the right to publish, the draw's first line tells what mails them, and AWS's words follow."""
    role = hardened.names.machine_role
    hardened.client("iam").delete_role_policy(RoleName=role, PolicyName="NotifyWinners")
    told = draw(hardened, PRIZES)
    first, *rest = told["cause"].splitlines()
    assert (told["status"], told["error"]) == ("SUCCEEDED", "RecordedNotMailed")
    assert first.startswith("recorded, not mailed: 2 of 2 prizes; once SNS.AuthorizationErrorException is")
    assert "is not authorized to perform: SNS:Publish" in rest[0]
    Stack(hardened).deploy()
    assert follow(first) == 0
