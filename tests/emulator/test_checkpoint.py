"""`restore` brings the emulator to where a lesson starts, whatever was there; `verify` says what is done."""

import re

import pytest

from lottery_lib import Stack, connect, draw, executions, inbox, load_employees, restore, verify, winners
from lottery_lib.checkpoint import ADDRESS, LESSONS
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.resources import dynamodb_table, iam_role, sns_topic
from lottery_lib.roster import Roster

BUILT = {
    "01": {"role"},
    "02": {"log group", "function"},
    "03": {"topic", "subscription"},
    "04": {"table"},
    "05": {"state machine"},
}


def kinds(target):
    return {each.kind for each in Stack(target).left()}


@pytest.mark.parametrize("before", ["nothing", "everything"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_restore(target, lesson, before):
    """A lesson starts with what earlier lessons build and nothing else, from nothing or from everything."""
    if before == "everything":
        Stack(target).deploy("bob@example.com")
        draw(target, 2)
    restore(target, lesson)
    expected = set().union(*(built for number, built in BUILT.items() if number < lesson))
    assert kinds(target) == expected
    assert all(check.done for number in BUILT if number < lesson for check in verify(target, number))


def test_restore_twice_is_the_same(target):
    """Restoring again after a draw brings back the same start: no winners, no executions."""
    restore(target, "06")
    draw(target, 3)
    restore(target, "06")
    assert winners(target).empty
    assert executions(target).empty


def test_results_have_one_draw(target):
    """Lesson 07 starts with the two winners of one draw."""
    restore(target, "07")
    assert len(winners(target)) == 2
    assert list(executions(target)["status"]) == ["SUCCEEDED"]


def test_mail_is_confirmed_and_only_anns(target):
    """From lesson 04 on one address is subscribed, and confirmed."""
    restore(target, "03")
    sns_topic.ensure(target, target.names.topic)
    sns_topic.subscribe(target, target.names.topic, "bob@example.com")
    restore(target, "04")
    found = [sns_topic.as_resource(each) for each in sns_topic.subscriptions(target, target.names.topic)]
    assert [(each.name, each.state) for each in found] == [(ADDRESS, "confirmed")]


def test_mail_of_earlier_runs_is_gone(target):
    """A lesson starts with the mail that its start implies, not with that of an earlier run."""
    restore(target, "06")
    draw(target, 1)
    restore(target, "06")
    assert inbox(target).notifications == []
    restore(target, "03")
    assert inbox(target).mails == []


def test_roster_is_the_tutorials(target):
    """Somebody's own roster gives way to the tutorial's ten."""
    restore(target, "05")
    load_employees(target, Roster([{"employee_id": "x", "employee_name": "X", "lottery_serial": 1}]))
    restore(target, "05")
    assert len(dynamodb_table.items(target, target.names.employee_table)) == 10


def test_untagged_things_do_not_block(target):
    """An attendee who made a role without our tags can restore all the same, and clean up after it."""
    target.client("iam").create_role(RoleName=target.names.lambda_role, AssumeRolePolicyDocument="{}")
    restore(target, "02")
    assert iam_role.find(target, target.names.lambda_role).ours
    assert Stack(target).teardown().left == []


def test_unknown_lesson(target):
    """A lesson that is not there is one sentence with those that are."""
    with pytest.raises(LotteryError, match="Use one of: 00, 01"):
        restore(target, "42")


@pytest.mark.parametrize("lesson", BUILT)
def test_verify_says_what_to_do(target, lesson):
    """Before a lesson nothing of it is done, and each line says the next step."""
    restore(target, lesson)
    checks = verify(target, lesson)
    assert checks
    assert not any(check.done for check in checks)
    assert all(line.startswith("not yet: ") and line.endswith(".") for line in repr(checks).splitlines())


@pytest.mark.parametrize("lesson", ["42", "06", 5, None, [], object()])
def test_verify_never_raises(target, lesson):
    """Whatever state things are in, and whatever it is asked, verify answers in sentences."""
    lines = repr(verify(target, lesson)).splitlines()
    assert all(re.fullmatch(r"not yet: .*[^.]\.", line) for line in lines)


def test_verify_without_an_emulator(target):
    """When nobody answers, the line says what to do."""
    gone = connect("embedded")
    gone.endpoint = "http://127.0.0.1:9/"
    assert f"{gone.endpoint}: does not answer. {DEPLOY}." in repr(verify(gone, "05"))


def test_on_aws_restore_only_looks(target):
    """On AWS `restore` changes nothing: it lists what is missing, and says which command makes it."""
    target.kind = "aws"
    with pytest.raises(LotteryError, match=r"not yet: role .*Run `python -m lottery_lib deploy --email"):
        restore(target, "02")
    assert kinds(target) == set()
    Stack(target).deploy(ADDRESS)
    restore(target, "03")
    with pytest.raises(LotteryError, match="not yet: the subscription confirmed"):
        restore(target, "04")


def test_only_a_draw_that_succeeded_counts(target):
    """A draw that failed does not complete lesson 06."""
    restore(target, "06")
    draw(target, 0)
    assert not any(check.done for check in verify(target, "06"))
    draw(target, 1)
    assert all(check.done for check in verify(target, "06"))
