"""`restore` brings the emulator to where a lesson starts, whatever was there; `verify` says what is done."""

import json
import re

import pytest

from lottery_lib import (
    Stack,
    calls,
    connect,
    draw,
    execution,
    executions,
    inbox,
    load_employees,
    plan,
    remaining,
    restore,
    verify,
    winners,
)
from lottery_lib.course.lessons import ADDRESS, LESSONS
from lottery_lib.employees import DATA_FOLDER, Roster, read
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.history import published
from lottery_lib.names import Names
from lottery_lib.party.evening import Evening
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.iam_role import Role, allowing
from lottery_lib.resources.sns_topic import Subscription, Topic, as_resource

BUILT = {
    "01": {"role"},
    "02": {"log group", "function"},
    "03": {"topic", "subscription"},
    "04": {"table"},
    "05": {"state machine"},
}


HARDENED = {"role", "log group", "function", "table", "state machine"}


def kinds(target):
    return {each.kind for each in Stack(target).status() if each.state != "missing"}


@pytest.fixture
def hardened(target):
    """The other edition of the same attendee."""
    return target.named(Names(target.names.attendee, "hardened"))


def own_kinds(hardened):
    """What is there of the hardened edition's own."""
    found = [each for each in Stack(hardened).status() if "Hardened" in each.name]
    return {each.kind for each in found if each.state != "missing"}


#: Lessons 06 and 08 are long: they start as 09 does.
EACH_LESSON = [
    pytest.param(lesson, marks=pytest.mark.long if lesson in ("06", "08") else ()) for lesson in LESSONS
]


@pytest.fixture(scope="module")
def lived_in():
    """Where lessons leave their things for the next one."""
    return connect("embedded", attendee="lived-in")


@pytest.mark.parametrize("lesson", EACH_LESSON)
def test_restore_from_nothing(target, hardened, lesson):
    """A lesson starts with what earlier lessons build and nothing else."""
    assert_restored(target, hardened, lesson)


@pytest.mark.parametrize("lesson", EACH_LESSON)
def test_restore_from_everything(lived_in, lesson):
    """Also where both editions stand, with somebody else's address and a draw."""
    hardened = lived_in.named(lived_in.names.in_edition("hardened"))
    Stack(lived_in).deploy("bob@example.com")
    Stack(hardened).deploy()
    draw(lived_in, 2)
    assert_restored(lived_in, hardened, lesson)


def assert_restored(target, hardened, lesson):
    """Restore a lesson, and look at what is there."""
    restore(target, lesson)
    expected = set().union(*(built for number, built in BUILT.items() if number < lesson))
    assert kinds(target) == expected
    assert own_kinds(hardened) == (HARDENED if lesson in ("14", "15", "99") else set())
    assert all(check.done for number in BUILT if number < lesson for check in verify(target, number))
    if lesson > "04":
        assert len(winners(target)) == (2 if lesson in ("07", "99") else 0)


def test_restore_twice_is_the_same(target):
    """Restoring again after a draw brings back the same start: no winners, no executions."""
    restore(target, "06")
    draw(target, 3)
    restore(target, "06")
    assert winners(target).empty
    assert executions(target).empty


def test_restore_makes_few_calls(target):
    """If the whole lottery is there already, the last lesson is restored with at most 150 calls."""
    restore(target, "99")
    again = connect("embedded", attendee=target.names.attendee)
    restore(again, "99")
    assert 0 < calls(again).table["calls"].sum() <= 150


def test_results_have_one_draw(target):
    """Lesson 07 starts with the two winners of one draw."""
    restore(target, "07")
    assert len(winners(target)) == 2
    assert list(executions(target)["status"]) == ["SUCCEEDED"]


def test_mail_is_confirmed_and_only_anns(target):
    """From lesson 04 on one address is subscribed, and confirmed."""
    restore(target, "03")
    Topic(target, target.names.topic).ensure()
    Subscription(Topic(target, target.names.topic), "bob@example.com").ensure()
    restore(target, "04")
    found = [as_resource(each) for each in Topic(target, target.names.topic).subscriptions()]
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
    assert len(Table(target, target.names.employee_table).items()) == 10


def test_scale_is_undone(target, hardened):
    """What lesson 14 leaves is gone at its next start: the thousand, the draws, the pool and its receipts."""
    restore(target, "14")
    load_employees(hardened, read(DATA_FOLDER / "roster_1000.csv"))
    draw(hardened, 2)
    restore(target, "14")
    assert len(remaining(target)) == 10
    assert executions(hardened).empty
    assert Table(hardened, hardened.names.draws_table).is_empty()
    chunks = Table(hardened, hardened.names.pool_table).items()
    assert sorted(len(each.get("ids", [])) for each in chunks) == [0, 0, 10]  # two heads, and a chunk


def test_edition_does_not_matter(target, hardened):
    """Whoever works with LOTTERY_EDITION=hardened gets the lessons' start all the same."""
    restore(hardened, "05")
    assert all(check.done for check in verify(hardened, "04"))
    assert not own_kinds(hardened)


def test_both_editions_share_their_clients(target, hardened):
    """Another edition's names need no clients of their own, which take longer to make than to use."""
    assert hardened.client("iam") is target.client("iam")


def test_dry_runs_share_their_clients(target):
    """A second dry run makes no clients; they are not those that may write."""
    clients = {target.read_only().client("iam") for _ in range(2)}
    assert len(clients) == 1
    assert target.client("iam") not in clients


def test_verify_asks_for_no_index(target):
    """Lesson 04 is done without the index of its last part. The next lesson has it all the same."""
    restore(target, "04")
    plan.winners_table(target).ensure()
    plan.employee_table(target, index=False).ensure()
    load_employees(target, read(DATA_FOLDER / "request-items.json"))
    assert all(check.done for check in verify(target, "04"))
    restore(target, "05")
    assert plan.employee_table(target).index_names() == [target.names.serial_index]


def test_verify_hardened_edition(target, hardened):
    """Lesson 13 is done when the hardened edition stands, lesson 14 with a thousand in the pool."""
    restore(target, "13")
    assert not any(check.done for check in verify(target, "13"))
    Stack(hardened).deploy()
    assert all(check.done for check in verify(target, "13"))
    assert "it has 10 now" in repr(verify(target, "14"))


def test_verify_evening(target, hardened):
    """Lesson 15 is done after an evening that was closed, if none waits any more."""
    restore(target, "15")
    assert [check.done for check in verify(target, "15")] == [False, True]
    evening = Evening(hardened, "party")
    evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
    assert [check.done for check in verify(target, "15")] == [False, False]
    evening.give("17 4 88 23 5")
    evening.close()
    done = hardened.waiter.until(
        "its end", lambda: all(check.done for check in verify(target, "15")), seconds=60, every=0.2
    )
    assert done


def test_verify_hardening(target):
    """Lesson 12 is done after a draw that mailed last, with the tutorial's definition back in the machine."""
    restore(target, "12")
    draw(target, 1)
    assert [check.done for check in verify(target, "12")] == [False, True]
    repaired = plan.machine(target)
    states = json.loads(repaired.definition)["States"]
    record, mail = (
        branch["States"] for branch in states["Send SNS and Record In Dynamodb"]["Branches"][::-1]
    )
    record["Record Winner Queue"] |= {"ResultPath": "$.recorded", "Next": "Notify Winners"}
    del record["Record Winner Queue"]["End"]
    states["Is Winner In Past Draw"]["Choices"][0]["Next"] = "Record Winner Queue"
    del states["Send SNS and Record In Dynamodb"]
    repaired.definition = json.dumps({"StartAt": "Input Lottery Winners", "States": states | record | mail})
    repaired.ensure()
    assert draw(target, 1)["status"] == "SUCCEEDED"
    assert [check.done for check in verify(target, "12")] == [True, False]
    Stack(target).deploy()
    assert all(check.done for check in verify(target, "12"))


def test_verify_jsonata(target):
    """Lesson 09 is done after a draw in JSONata, once the machine has the tutorial's definition again."""
    modern = target.named(target.names.in_edition("jsonata"))
    restore(target, "09")
    draw(target, 1)
    assert [check.done for check in verify(target, "09")] == [False, True]
    Stack(modern).deploy()
    draw(modern, 1)
    assert [check.done for check in verify(target, "09")] == [True, False]
    Stack(target).deploy()
    assert all(check.done for check in verify(target, "09"))


def test_verify_test_states(target):
    """Lesson 10 leaves nothing behind that could be checked, and says so."""
    assert repr(verify(target, "10")) == "Nothing to build in this lesson."


def test_verify_waiting(target):
    """Lesson 11 is done when a draw has waited and succeeded, and none waits any more."""
    restore(target, "11")
    draw(target, 1)
    assert [check.done for check in verify(target, "11")] == [False, True]
    machine = plan.machine(target)
    wait = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken", "End": True}
    wait["Parameters"] = {"TopicArn": plan.topic(target).arn, "Message.$": "$$.Task.Token"}
    machine.definition = json.dumps({"StartAt": "Wait", "States": {"Wait": wait}})
    machine.ensure()
    arn = execution.start(target, machine.arn, {})
    (token,) = target.waiter.until(
        "the token", lambda: published(execution.history(target, arn)) or None, seconds=60
    )
    assert [check.done for check in verify(target, "11")] == [False, False]
    target.client("stepfunctions").send_task_success(taskToken=token, output="{}")
    execution.wait(target, arn)
    assert all(check.done for check in verify(target, "11"))


def test_untagged_things_do_not_block(target):
    """An attendee who made a role without our tags can restore all the same, and clean up after it."""
    target.client("iam").create_role(RoleName=target.names.lambda_role, AssumeRolePolicyDocument="{}")
    restore(target, "02")
    assert Role(target, target.names.lambda_role, "").find().ours
    assert Stack(target).teardown().left == []


def test_policies_of_an_attendee_go(target):
    """A policy that an attendee adds to the machine's role is gone at the next start of the lesson."""
    restore(target, "08")
    role = plan.machine_role(target)
    mine = json.dumps(allowing(("sns:Publish", ["*"])))
    target.client("iam").put_role_policy(RoleName=role.name, PolicyName="Mine", PolicyDocument=mine)
    assert role.other_policies() == ["Mine"]
    restore(target, "08")
    assert role.other_policies() == role.missing_policies() == []


def test_untagged_things_of_the_other_edition_go(target, hardened):
    """Nor does a role of the hardened edition's that was made by hand."""
    target.client("iam").create_role(RoleName=hardened.names.lambda_role, AssumeRolePolicyDocument="{}")
    restore(target, "13")
    assert not own_kinds(hardened)


def test_an_untagged_topic_does_not_block_beside_the_other_edition(target, hardened):
    """Nor does a topic that was made by hand, though the other edition stands, which uses it too."""
    restore(target, "14")
    arn = target.arn("sns", target.names.topic)
    target.client("sns").delete_topic(TopicArn=arn)
    target.client("sns").create_topic(Name=target.names.topic)
    restore(target, "04")
    assert all(each.ours for each in Stack(target).status())


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
    assert all(line.startswith("○ not yet: ") and line.endswith(".") for line in repr(checks).splitlines())


@pytest.mark.parametrize("lesson", ["42", "06", 5, None, [], object()])
def test_verify_never_raises(target, lesson):
    """Whatever state things are in, and whatever it is asked, verify answers in sentences."""
    lines = repr(verify(target, lesson)).splitlines()
    assert all(re.fullmatch(r"○ not yet: .*[^.]\.", line) for line in lines)


def test_verify_without_an_emulator(target):
    """When nobody answers, the line says what to do."""
    gone = connect("embedded")
    gone.endpoint = "http://127.0.0.1:9/"
    assert f"{gone.endpoint}: does not answer. {DEPLOY}." in repr(verify(gone, "05"))


def test_on_aws_restore_only_looks(target):
    """On AWS `restore` changes nothing: it lists what is missing, and says which command makes it."""
    target.kind = "aws"
    with pytest.raises(LotteryError, match=r"not yet: role .*Run `lottery deploy --email"):
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
