"""Every wait has an end, whatever AWS never becomes, and says what it was for."""

import re
from functools import partial

import pytest
from hostile.hostile_aws import NEVER

from lottery_lib import draw, plan
from lottery_lib.errors import LotteryError

pytestmark = pytest.mark.usefixtures("slow")
FUNCTION = partial(plan.function, purpose="InputWinners")
TABLE, MACHINE, ROLE = plan.winners_table, plan.machine, plan.lambda_role
#: The role that must be there before.
NEEDS = {FUNCTION: ROLE, MACHINE: plan.machine_role}
OTHER = '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'


def shown(operation, change):
    """A resource that is always shown so."""
    return lambda aws: aws.edit(operation, lambda ask, reply: change(reply))


def table(**shown_as):
    return shown("DescribeTable", lambda reply: reply["Table"].update(shown_as))


def function(**shown_as):
    return shown("GetFunction", lambda reply: reply["Configuration"].update(shown_as))


def machine(**shown_as):
    return shown("DescribeStateMachine", lambda reply: reply.update(shown_as))


def refused(operation, code, message, status=400):
    """An operation that is always refused so."""
    return lambda aws: aws.refuse(operation, code, message, status=status, times=NEVER)


def hidden(operation, code, created):
    """A resource that is never found once it was created."""
    return lambda aws: aws.refuse(
        operation, code, "cannot be found", status=404, when=lambda ask: created in aws.attempts
    )


NOT_FOUND, DOES_NOT_EXIST = "ResourceNotFoundException", "StateMachineDoesNotExist"
#: What never ends, by what the deploy of a resource waits for.
DEPLOYS = {
    "table .* to be ACTIVE: not there after 300 s": (TABLE, table(TableStatus="CREATING")),
    r"function .* to be ready: not there after 300 s": (FUNCTION, function(State="Pending")),
    "function [^ ]* to be ready: not there": (FUNCTION, function(LastUpdateStatus="InProgress")),
    "state machine .* to be gone: not there after 300 s": (MACHINE, machine(status="DELETING")),
    "function .* to be ready": (FUNCTION, hidden("GetFunction", NOT_FOUND, "CreateFunction")),
    "table .* to be ACTIVE": (TABLE, hidden("DescribeTable", NOT_FOUND, "CreateTable")),
    "machine .* to be visible": (
        MACHINE,
        hidden("DescribeStateMachine", DOES_NOT_EXIST, "CreateStateMachine"),
    ),
    "cannot be found": (ROLE, hidden("ListAttachedRolePolicies", "NoSuchEntity", "CreateRole")),
    "is being deleted": (
        TABLE,
        refused("CreateTable", "ResourceInUseException", "Table is being deleted: T"),
    ),
    "StateMachineDeleting": (
        MACHINE,
        refused("CreateStateMachine", "StateMachineDeleting", "It is being deleted"),
    ),
    "at this time": (
        FUNCTION,
        refused("CreateFunction", "ResourceConflictException", "cannot be performed at this time"),
    ),
}
#: The same for the teardown.
TEARDOWNS = {
    "table .* to be gone: not there after 300 s": (TABLE, table(TableStatus="DELETING")),
    "table .* to be ACTIVE: not there after 300 s": (TABLE, table(TableStatus="UPDATING")),
    "function .* to be gone: not there after 120 s": (FUNCTION, function(State="Deleting")),
    "state machine .* to be gone: not there after 300 s": (MACHINE, machine(status="DELETING")),
    "must detach": (ROLE, refused("DeleteRole", "DeleteConflict", "must detach all policies first", 409)),
    "in use": (
        TABLE,
        refused("DeleteTable", "ResourceInUseException", "still in use: Table is being created: T"),
    ),
    "at this time": (
        FUNCTION,
        refused("DeleteFunction", "ResourceConflictException", "cannot be performed at this time"),
    ),
}


def ends(clock, step):
    """The sentence in which a step ends, within a quarter of an hour."""
    begun = clock.now
    with pytest.raises(LotteryError) as caught:
        step()
    assert clock.now - begun < 900
    return str(caught.value)


def there(aws, *resources):
    """Make resources, and the roles that they need, while AWS is still kind."""
    for each in resources:
        if each in NEEDS:
            NEEDS[each](aws.emulated).ensure()
        each(aws.emulated).ensure()
    aws.forget()


@pytest.mark.parametrize("says", DEPLOYS)
def test_deploy_ends(aws, clock, says):
    """A deploy that waits for what never comes ends, and says for what it waited."""
    made, never = DEPLOYS[says]
    if "to be gone" in says:
        there(aws, made)
    elif made in NEEDS:
        there(aws, NEEDS[made])
    never(aws)
    assert re.search(says, ends(clock, made(aws.target).ensure))


@pytest.mark.parametrize("says", TEARDOWNS)
def test_teardown_ends(aws, clock, says):
    """A teardown that waits for what never goes ends, and says for what it waited."""
    made, never = TEARDOWNS[says]
    there(aws, made)
    never(aws)
    assert re.search(says, ends(clock, made(aws.target).delete))


def test_update_that_is_never_shown(aws, clock):
    """A machine that never shows its update is said."""
    there(aws, MACHINE)
    machine(definition=OTHER)(aws)
    assert "to show its update: not there after 60 s" in ends(clock, MACHINE(aws.target).ensure)


def test_what_stays_is_told(aws, clock, stack):
    """What AWS shows for ever though it was deleted is told as left, after a minute."""
    there(aws, ROLE)
    shown = {}

    def answer(ask):
        if aws.happened("DeleteRole", ask.resource):
            return ask.answer(200, shown[ask.resource], "text/xml")
        shown[ask.resource] = aws.forward().text
        return None

    aws.rule("GetRole", answer)
    begun = clock.now
    assert {each.kind for each in stack.teardown().left} == {"role"}
    assert 60 <= clock.now - begun < 90


def test_draw_that_never_ends(deployed, clock):
    """A draw that runs for ever is not waited for for ever, and is told as running."""
    deployed.edit("DescribeExecution", lambda ask, reply: reply.update(status="RUNNING"))
    begun = clock.now
    assert draw(deployed.target, 1)["status"] == "RUNNING"
    assert 120 <= clock.now - begun < 140
