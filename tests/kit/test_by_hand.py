"""What lessons make by hand is shown and removed like everything else; none of it is ever deployed."""

import pytest
from kit import by_hand

from lottery_course import restore
from lottery_course.lessons import LESSONS, built_in
from lottery_lib import Stack, connect, plan

MACHINE = "state machine"
KINDS = ["execution log", "alarm", "rule", MACHINE, "alias", MACHINE, MACHINE, MACHINE, "bucket", MACHINE]
KINDS += ["bucket", "stack"]


@pytest.fixture(scope="module")
def target():
    """A lottery of this module's own."""
    target = connect("embedded", attendee="hand")
    Stack(target).deploy()
    return target


@pytest.fixture
def made(target):
    """All of it is there; it is gone after the test."""
    by_hand.make(target)
    yield [resource for resource, _ in plan.made_by_hand(target)]
    for resource, _ in plan.made_by_hand(target):
        resource.delete(foreign=True)


def reports(target, listed):
    """Those reports that are about what is made by hand."""
    names = {(resource.kind, resource.name) for resource, _ in plan.made_by_hand(target)}
    return [each for each in listed if (each.kind, each.name) in names]


def test_nothing_of_it_is_deployed_or_listed_as_missing(target):
    """A lottery without it is whole: a deploy, its status and a dry teardown do not name it."""
    stack = Stack(target)
    for listed in (stack.plan(), stack.status(), stack.removal()):
        assert listed
        assert reports(target, listed) == []


def test_the_status_shows_it_as_ours(target, made):
    """With its kind, its ARN and AWS's own state."""
    listed = reports(target, Stack(target).status())
    assert [each.kind for each in listed] == KINDS
    assert all(each.ours and each.arn.startswith("arn:aws:") for each in listed)
    assert {each.state for each in listed} == {"ACTIVE", "CREATE_COMPLETE", "ENABLED", "INSUFFICIENT_DATA"}


def test_a_dry_run_tells_what_would_go(target, made):
    """First what was made last. Nothing is deleted."""
    listed = reports(target, Stack(target).removal())
    assert [each.kind for each in listed] == KINDS[::-1]
    assert {each.state for each in listed} == {"would be deleted"}
    assert all(each.find() for each in made)


@pytest.mark.parametrize("lesson", ["09", "11", "14", "18"])
def test_its_lesson_is_done_with_it_and_begins_without_it(target, made, lesson):
    """`verify` names each thing of the lesson; after `restore` none of it is there."""
    own = [f"{each.titled}" for each, row in plan.made_by_hand(target) if row.lesson == lesson]
    assert own
    assert {check.what: check.done for check in built_in(target, lesson)} == dict.fromkeys(own, True)
    restore(target, lesson)
    assert [each.find() for each in made] == [None] * len(KINDS)
    assert {check.what: check.done for check in built_in(target, lesson)} == dict.fromkeys(own, False)


def test_the_lesson_on_the_export_is_done_without_its_stack(target, made):
    """`verify` wants the bucket there, and the stack deleted."""
    bucket, stack = (each for each, row in plan.made_by_hand(target) if row.lesson == "19")
    assert [check.done for check in built_in(target, "19")] == [True, False]
    stack.delete()
    assert all(check.done for check in built_in(target, "19"))
    restore(target, "19")
    assert bucket.find() is None
    assert [check.done for check in built_in(target, "19")] == [False, True]


def test_a_stack_is_ours_without_an_attendee():
    """CloudFormation takes no empty tag, so such a stack lacks the attendee's."""
    target = connect("embedded", attendee="")
    stack = plan.exported(target)
    tags = [{"Key": key, "Value": value} for key, value in target.names.tags.items() if value]
    cloudformation = target.client("cloudformation")
    cloudformation.create_stack(StackName=stack.name, TemplateBody=by_hand.ONE_TOPIC, Tags=tags)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=stack.name, WaiterConfig={"Delay": 1})
    found = stack.find()
    assert found and found.ours
    assert stack.delete().state == "deleted"


def test_every_row_has_a_lesson():
    """Each lesson of a row exists."""
    assert {row.lesson for row in plan.BY_HAND} <= {*LESSONS}


def test_a_topic_that_lets_others_publish_is_made_again(target, made):
    """The rule's lesson opens the topic to EventBridge; the next lesson begins with a closed one."""
    topic = plan.topic(target)
    sns = target.client("sns")
    sns.add_permission(TopicArn=topic.arn, Label="x", AWSAccountId=["123456789012"], ActionName=["Publish"])
    assert topic.has_content()
    restore(target, "06")
    assert not topic.has_content()


def test_what_is_not_ours_stays():
    """Without our tags a teardown leaves it alone and lists it as left; the lottery itself is gone."""
    target = connect("embedded", attendee="stranger")
    Stack(target).deploy()
    by_hand.make(target, tags={})
    left = Stack(target).teardown().left
    # An alias has its machine's tags, so it is gone with it.
    assert [each.kind for each in left] == [kind for kind in KINDS if kind != "alias"]
    restore(target, "10")
    assert reports(target, Stack(target).status()) == []


def test_a_teardown_leaves_nothing(target):
    """All of it is deleted, the bucket with what is in it."""
    Stack(target).deploy()
    by_hand.make(target)
    done = Stack(target).teardown()
    assert {each.state for each in reports(target, done.resources)} == {"deleted"}
    assert done.left == []
    assert [each.find() for each, _ in plan.made_by_hand(target)] == [None] * len(KINDS)
