"""A state machine is eventually consistent: made, updated and deleted a while before everybody sees it."""

import pytest

from lottery_lib import draw, plan
from lottery_lib.errors import LotteryError
from lottery_lib.plan import machine_definition
from lottery_lib.resources.iam_role import Role
from lottery_lib.resources.state_machine import StateMachine

OTHER = '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'
ABSENT = ("StateMachineDoesNotExist", "State Machine Does Not Exist: '{name}'")
EXISTS = ("StateMachineAlreadyExists", "State Machine Already Exists: '{name}'")
DELETING = ("StateMachineDeleting", "State Machine is being deleted: '{name}'")


@pytest.fixture
def role(aws):
    return plan.machine_role(aws.target).ensure().arn


@pytest.fixture
def name(aws):
    return aws.target.names.machine


def ensure(aws, role, definition=None):
    wanted = definition or machine_definition(aws.target)
    return StateMachine(aws.target, aws.target.names.machine, wanted, role).ensure().state


def linger(aws, name, seconds):
    """Let a deleted machine be shown as DELETING for so long, and its name be taken."""
    found = {}

    def deleting():
        return aws.age("DeleteStateMachine", name) < seconds

    def keep(ask, reply):
        keys = ("stateMachineArn", "name", "definition", "roleArn", "type")
        found.update({key: reply[key] for key in keys}, creationDate=1.0, status="DELETING")

    tags = [{"key": key, "value": value} for key, value in aws.target.names.tags.items()]
    aws.edit("DescribeStateMachine", keep)
    aws.rule("DescribeStateMachine", lambda ask: ask.answer(200, found) if deleting() else None)
    aws.rule("ListTagsForResource", lambda ask: ask.answer(200, {"tags": tags}) if deleting() else None)
    aws.refuse("CreateStateMachine", *DELETING, when=lambda ask: deleting())


def delete_by_hand(aws, name):
    arn = StateMachine(aws.target, name).arn
    aws.target.client("stepfunctions").delete_state_machine(stateMachineArn=arn)


def test_machine_not_yet_visible(aws, role, name):
    """DescribeStateMachine may not find a machine right after CreateStateMachine."""
    aws.refuse("DescribeStateMachine", *ABSENT, when=lambda ask: aws.age("CreateStateMachine", name) < 8)
    assert ensure(aws, role) == "created"
    assert aws.attempts.count("CreateStateMachine") == 1


@pytest.mark.parametrize("seen", ["shown", "invisible"])
def test_machine_made_anew_while_it_is_being_deleted(aws, role, name, seen):
    """A machine that is still being deleted holds its name: it is made anew when it has gone."""
    if seen == "shown":
        linger(aws, name, 40)
    ensure(aws, role)
    if seen == "invisible":
        aws.refuse("CreateStateMachine", *DELETING, times=9)
    delete_by_hand(aws, name)
    assert ensure(aws, role) == "created"


def test_delete_waits_until_it_is_gone(aws, clock, role, name):
    """A delete ends when the machine has gone, and does not ask twice."""
    linger(aws, name, 40)
    ensure(aws, role)
    begun = clock.now
    assert StateMachine(aws.target, name).delete().state == "deleted"
    assert clock.now - begun >= 40
    assert aws.attempts.count("DeleteStateMachine") == 1


def test_interrupted_delete_goes_on(aws, role, name):
    """A delete that finds the machine DELETING waits, and asks for nothing."""
    linger(aws, name, 40)
    ensure(aws, role)
    delete_by_hand(aws, name)
    assert StateMachine(aws.target, name).delete().state == "deleted"
    assert aws.attempts.count("DeleteStateMachine") == 1


@pytest.mark.parametrize("there", [None, OTHER])
def test_machine_that_exists_after_all(aws, role, name, there):
    """Where AWS says that the machine exists, it is brought up to date: by role and tags it is ours."""
    ensure(aws, role, there)
    aws.refuse("DescribeStateMachine", *ABSENT, times=1)
    aws.refuse("CreateStateMachine", *EXISTS)
    assert ensure(aws, role) == ("updated" if there else "unchanged")
    assert ensure(aws, role) == "unchanged"


def test_other_role_of_an_idempotent_create(aws, role, name):
    """A create that meets the same definition is answered with success, and keeps the old role."""
    wanted = plan.machine_role(aws.target)
    other = Role(aws.target, f"{wanted.name}-b", wanted.service, wanted.managed, wanted.inline).ensure().arn
    ensure(aws, role)
    aws.refuse("DescribeStateMachine", *ABSENT, times=1)
    arn = StateMachine(aws.target, name).arn
    aws.rule("CreateStateMachine", lambda ask: ask.answer(200, {"stateMachineArn": arn, "creationDate": 1.0}))
    assert ensure(aws, other) == "created"
    assert "UpdateStateMachine" in aws.attempts
    assert ensure(aws, other) == "unchanged"


def test_foreign_machine_behind_a_stale_look(aws, role, name):
    """A machine of our name that is not ours is refused, also when AWS does not show it at first."""
    aws.target.client("stepfunctions").create_state_machine(name=name, definition=OTHER, roleArn=role)
    aws.refuse("DescribeStateMachine", *ABSENT, times=1)
    with pytest.raises(LotteryError, match="was not made by this kit"):
        ensure(aws, role)
    assert "UpdateStateMachine" not in aws.attempts


def test_tags_not_yet_visible(aws, role, name):
    """A machine whose reply was lost is recognised by its tags, also when AWS shows those only later."""
    aws.lose("CreateStateMachine")
    aws.refuse("ListTagsForResource", "ResourceNotFound", "Resource not found: '{name}'", times=4)
    ensure(aws, role)
    assert ensure(aws, role) == "unchanged"


def test_machine_that_goes_while_it_is_looked_at(aws, role, name):
    """A machine that is still shown, but whose tags are not found, has gone."""
    ensure(aws, role)
    aws.refuse("ListTagsForResource", "ResourceNotFound", "Resource not found: '{name}'")
    assert StateMachine(aws.target, name).find() is None


def test_update_not_yet_visible(aws, role, name):
    """DescribeStateMachine may show the old definition for a while after an update."""
    ensure(aws, role, OTHER)

    def change(ask, reply):
        if aws.age("UpdateStateMachine", name) < 9:
            reply["definition"] = OTHER

    aws.edit("DescribeStateMachine", change)
    assert ensure(aws, role) == "updated"
    assert ensure(aws, role) == "unchanged"


def test_draw_after_an_update(deployed):
    """Executions that start within a few seconds of an update may use the old definition: none does."""
    machine, ages = plan.machine(deployed.target), []
    client = deployed.target.client("stepfunctions")
    client.update_state_machine(stateMachineArn=machine.arn, definition=OTHER)
    machine.ensure()
    deployed.rule("StartExecution", lambda ask: ages.append(deployed.age("UpdateStateMachine", machine.name)))
    draw(deployed.target, 1)
    assert min(ages) >= 5


def test_delete_of_what_goes_meanwhile(aws, role, name):
    """A machine that somebody else deletes at the same moment is deleted."""
    ensure(aws, role)

    def answer(ask):
        aws.forward()
        return ask.refusal(*ABSENT)

    aws.rule("DeleteStateMachine", answer)
    assert StateMachine(aws.target, name).delete().state == "deleted"
