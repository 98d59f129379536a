"""`restore` brings the emulator to where a lesson starts, whatever was there; `verify` says what is done."""

import json
import re
from dataclasses import replace

import pytest

from lottery_course import calls, checks, restore, verify
from lottery_course.lessons import ADDRESS, LESSONS, built_in
from lottery_lib import Stack, connect, draw, execution, executions, inbox, plan, winners
from lottery_lib.employees import DATA_FOLDER, Roster, read
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.history import published
from lottery_lib.names import Names
from lottery_lib.resources.contents import load_employees
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.resources.iam_role import allowing
from lottery_lib.resources.sns_topic import Subscription
from lottery_party.evening import Evening

#: The lessons that build the tutorial's edition.
BUILT = ("01", "02", "03", "04", "05")
#: Lessons 06 and 08 to 15 start as 16 does, and 18 and 90 as 17.
FORWARDS = ("00", "01", "02", "03", "04", "05", "07", "16", "17")


@pytest.fixture(scope="module")
def target():
    """Where each test leaves its things for the next one."""
    return connect("embedded", attendee="lived-in")


@pytest.fixture(scope="module")
def hardened(target):
    """The other edition of the same attendee."""
    return target.named(Names(target.names.attendee, "hardened"))


def assert_start(target, hardened, lesson):
    """A lesson starts with what earlier lessons build and nothing else; its own checks say what to do."""
    drawn = lesson in ("07", "99")
    built = "10" if lesson == "00" else lesson
    there = [each for each in Stack(target).status() if each.state != "missing"]
    own = [resource.find() for resource, row in plan.resources(hardened) if row.edition == "hardened"]
    subscribed = [(each.name, each.state) for each in there if each.kind == Subscription.kind]
    earlier = {resource.name for resource, row in plan.resources(target) if row.lesson < built}
    assert {each.name for each in there if each.kind != Subscription.kind} == earlier
    assert {each is not None for each in own} == {lesson in ("17", "18", "19", "20", "90", "99")}
    assert all(each.ours for each in [*there, *own] if each)
    assert subscribed == ([(ADDRESS, "confirmed")] if built > "03" else [])
    assert all(check.done for number in BUILT if number < built for check in built_in(target, number))
    assert len(inbox(target).notifications) == drawn
    if built < "04":
        assert inbox(target).mails == []
    if built > "04":
        assert len(Table(target, target.names.employee_table).items()) == 10
        assert len(winners(target)) == 2 * drawn
        assert list(executions(target)["status"]) == ["SUCCEEDED"] * drawn
    if lesson in BUILT:
        own = list(built_in(target, lesson))
        assert own
        assert not any(check.done for check in own)
        assert all(str(check).startswith("○ not yet: ") and str(check)[-1] == "." for check in own)


@pytest.mark.parametrize("lesson", FORWARDS)
def test_restore_forwards(target, hardened, lesson):
    """A lesson makes what is missing: first from nothing, then from where the lesson before it starts."""
    restore(target, lesson)
    assert_start(target, hardened, lesson)


def test_restore_makes_few_calls(target, hardened):
    """If the whole lottery is there already, the last lesson is restored with at most 130 calls."""
    restore(target, "99")
    assert_start(target, hardened, "99")
    again = connect("embedded", attendee=target.names.attendee)
    restore(again, "99")
    assert 0 < calls(again).table["calls"].sum() <= 130


def test_scale_is_undone(target, hardened):
    """At the next start of lesson 17, its many employees, draws, pool and receipts are gone."""
    Stack(hardened).deploy()
    load_employees(hardened, Roster(read(DATA_FOLDER / "roster_1000.csv").employees[:120]))
    draw(hardened, 2)
    tags = list(hardened.names.tags)
    target.client("iam").untag_role(RoleName=hardened.names.lambda_role, TagKeys=tags)
    restore(target, "17")
    assert_start(target, hardened, "17")
    assert executions(hardened).empty
    assert not Table(hardened, hardened.names.draws_table).has_content()
    chunks = Table(hardened, hardened.names.pool_table).items()
    assert sorted(len(each.get("ids", [])) for each in chunks) == [0, 0, 10]  # two heads, and a chunk


def test_what_an_attendee_did_goes(target, hardened):
    """So do another address, a roster, and a policy of the machine's role, whatever LOTTERY_EDITION says."""
    Stack(target).deploy("bob@example.com")
    load_employees(target, Roster([{"employee_id": "x", "employee_name": "X", "lottery_serial": 1}]))
    role = plan.machine_role(target)
    mine = json.dumps(allowing(("sns:Publish", ["*"])))
    target.client("iam").put_role_policy(RoleName=role.name, PolicyName="Mine", PolicyDocument=mine)
    assert role.other_policies() == ["Mine"]
    restore(hardened, "08")
    assert_start(target, hardened, "08")
    assert role.other_policies() == role.missing_policies() == []


@pytest.mark.parametrize("lesson", ["07", "05", "03", "01"])
def test_restore_backwards(target, hardened, lesson):
    """A lesson removes what it and later lessons build."""
    restore(target, lesson)
    assert_start(target, hardened, lesson)


def test_untagged_things_do_not_block(target, hardened):
    """What has our names without our tags gives way, though the other edition stands, which uses it too."""
    Stack(hardened).deploy()
    arn, name = target.arn("sns", target.names.topic), target.names.lambda_role
    target.client("sns").delete_topic(TopicArn=arn)
    target.client("sns").create_topic(Name=target.names.topic)
    target.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    target.client("iam").untag_role(RoleName=hardened.names.lambda_role, TagKeys=list(hardened.names.tags))
    restore(target, "04")
    assert_start(target, hardened, "04")


def test_verify_tables(target):
    """Lesson 04 is done with both tables, the employees and the index. The next lesson has them anyway."""
    restore(target, "04")
    plan.winners_table(target).ensure()
    Table(target, target.names.employee_table).ensure()
    load_employees(target, read(DATA_FOLDER / "request-items.json"))
    left_out = range(1, 4)
    done = verify(target, "04", without=left_out)
    assert [check.done for check in done] == [True, True, True, False, *(True for _ in left_out)]
    assert "index lottery_serial-index. Create it on lottery_serial, and wait" in repr(done)
    restore(target, "05")
    assert all(check.done for check in verify(target, "04", without=left_out))


@pytest.mark.long
@pytest.mark.parametrize("lesson", LESSONS)
def test_restore_from_nothing(lesson):
    """Each lesson, where nothing is.

    It is long: each lesson makes everything again. The short run goes forwards once.
    """
    target = connect("embedded", attendee=f"new-{lesson}")
    restore(target, lesson)
    assert_start(target, target.named(target.names.other), lesson)


@pytest.mark.long
@pytest.mark.parametrize("lesson", LESSONS)
def test_restore_from_everything(target, hardened, lesson):
    """Each lesson, where both editions stand, with somebody else's address and a draw.

    It is long: each lesson needs everything again. The short run goes backwards once.
    """
    Stack(target).deploy("bob@example.com")
    Stack(hardened).deploy()
    draw(target, 2)
    restore(target, lesson)
    assert_start(target, hardened, lesson)


def test_both_editions_share_their_clients(target, hardened):
    """Another edition's names need no clients of their own, which take longer to make than to use."""
    assert hardened.client("iam") is target.client("iam")


def test_dry_runs_share_their_clients(target):
    """A second dry run makes no clients; they are not those that may write."""
    clients = {target.read_only().client("iam") for _ in range(2)}
    assert len(clients) == 1
    assert target.client("iam") not in clients


def test_verify_hardened_edition(target, hardened):
    """Lesson 16 is done when the hardened edition stands, 17 with a thousand, 90 after a closed evening."""
    restore(target, "16")
    assert not any(check.done for check in built_in(target, "16"))
    Stack(hardened).deploy()
    assert all(check.done for check in built_in(target, "16"))
    assert "it has 10 now" in repr(list(built_in(target, "17")))
    assert [check.done for check in built_in(target, "90")] == [False, True]
    evening = Evening(hardened, "party")
    evening.announce([{"name": "Mug", "count": 1}], question="Call five numbers")
    assert [check.done for check in built_in(target, "90")] == [False, False]
    evening.give("17 4 88 23 5")
    evening.close()
    done = hardened.waiter.until(
        "its end", lambda: all(check.done for check in built_in(target, "90")), seconds=60, every=0.2
    )
    assert done


@pytest.fixture(scope="module")
def drawn(target):
    """The start of lesson 06, after a draw that failed."""
    restore(target, "06")
    draw(target, 0)


@pytest.mark.usefixtures("drawn")
def test_only_a_draw_that_succeeded_counts(target):
    """A draw that failed does not complete lesson 06."""
    assert not any(check.done for check in built_in(target, "06"))
    draw(target, 1)
    assert all(check.done for check in built_in(target, "06"))


@pytest.mark.usefixtures("drawn")
def test_verify_hardening(target):
    """Lesson 15 is done after a draw that mailed last, with the tutorial's definition back in the machine."""
    draw(target, 1)
    assert [check.done for check in built_in(target, "15")] == [False, True]
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
    assert [check.done for check in built_in(target, "15")] == [True, False]
    Stack(target).deploy()
    assert all(check.done for check in built_in(target, "15"))


@pytest.mark.usefixtures("drawn")
def test_verify_jsonata(target):
    """Lesson 10 is done after a draw in JSONata, once the machine has the tutorial's definition again."""
    modern = target.named(target.names.in_edition("jsonata"))
    draw(target, 1)
    assert [check.done for check in built_in(target, "10")] == [False, True]
    Stack(modern).deploy()
    draw(modern, 1)
    assert [check.done for check in built_in(target, "10")] == [True, False]
    Stack(target).deploy()
    assert all(check.done for check in built_in(target, "10"))


@pytest.mark.usefixtures("drawn")
def test_verify_waiting(target):
    """Lesson 13 is done when a draw has waited and succeeded, and none waits any more."""
    draw(target, 1)
    assert [check.done for check in built_in(target, "13")] == [False, True]
    machine = plan.machine(target)
    wait = {"Type": "Task", "Resource": "arn:aws:states:::sns:publish.waitForTaskToken", "End": True}
    wait["Parameters"] = {"TopicArn": plan.topic(target).arn, "Message.$": "$$.Task.Token"}
    machine.definition = json.dumps({"StartAt": "Wait", "States": {"Wait": wait}})
    machine.ensure()
    arn = execution.start(target, machine.arn, {})
    (token,) = target.waiter.until(
        "the token", lambda: published(execution.history(target, arn)) or None, seconds=60
    )
    assert [check.done for check in built_in(target, "13")] == [False, False]
    target.client("stepfunctions").send_task_success(taskToken=token, output="{}")
    execution.wait(target, arn)
    assert all(check.done for check in built_in(target, "13"))


def test_verify_lists_the_exercises(target, monkeypatch):
    """After what a lesson builds come its exercises. Those that are solved or left out are done."""
    restore(target, "05")
    monkeypatch.setattr(checks, "_SOLVED", {1})
    *made, first, second, third = verify(target, "05", without=[2])
    assert [str(check) for check in made] == [str(check) for check in built_in(target, "05")]
    assert str(first) == "✓ done: exercise 1"
    assert str(second) == "– left out: exercise 2"
    assert str(third).startswith(
        "○ not yet: you have not tried exercise 3 since the first cell of this lesson"
    )
    said = repr(verify(target, "05", without=2))
    assert said.endswith('To leave exercises out, say which: `verify(target, "05", without=[2, 3])`.')
    assert all(check.done for check in verify(target, "05", without=[2, 3])[len(made) :])
    assert "To leave" not in repr(verify(target, "05", without=[2, 3]))


def test_exercises_of_another_lesson_are_not_tried(target, monkeypatch):
    """What was solved in the lesson that has begun last says nothing of another lesson."""
    restore(target, "05")
    monkeypatch.setattr(checks, "_SOLVED", {1, 2, 3})
    assert [check.done for check in verify(target, "12")] == [False] * 3


def test_unknown_lesson(target):
    """A lesson that is not there is one sentence with those that are."""
    with pytest.raises(LotteryError, match="Use one of: 00, 01"):
        restore(target, "42")


@pytest.mark.parametrize("lesson", ["42", "06", 5, None, [], object()])
def test_verify_never_raises(target, lesson):
    """Whatever state things are in, and whatever it is asked, verify answers in sentences."""
    nobody = target.named(Names("nobody"))
    said = verify(nobody, lesson, without=object())
    assert said
    assert all(re.fullmatch(r"○ not yet: .*[^.]\.", str(check)) for check in [*said, *verify(nobody, lesson)])


def test_verify_without_an_emulator(target):
    """When nobody answers, the line says what to do."""
    gone = connect("embedded")
    gone.endpoint = "http://127.0.0.1:9/"
    assert f"{gone.endpoint}: does not answer. {DEPLOY}." in repr(verify(gone, "05"))


def test_on_aws_restore_only_looks():
    """On AWS `restore` changes nothing: it lists what is missing, and says which command makes it."""
    emulated = connect("embedded", attendee="on-aws")
    target = replace(emulated, kind="aws")
    with pytest.raises(LotteryError, match=r"not yet: role .*Run `lottery deploy --email"):
        restore(target, "02")
    assert {each.state for each in Stack(target).status()} == {"missing"}
    Stack(emulated).deploy(ADDRESS)
    restore(target, "03")
    with pytest.raises(LotteryError, match="not yet: the subscription confirmed"):
        restore(target, "04")
