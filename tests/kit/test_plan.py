"""To add a resource, add one line to the plan. Everything that reads the plan then knows the resource."""

import pytest

from lottery_course import restore
from lottery_course.attendee_policy import boundary, policy
from lottery_course.lessons import built_in
from lottery_lib import Stack, plan
from lottery_lib.plan import Row
from lottery_lib.resources.dynamodb_table import Table


@pytest.fixture
def audit(monkeypatch, target):
    """One more table. A developer would write this line."""
    line = Row("both", "04", lambda where: Table(where, where.names.of("Lottery-Audit")), "Create the audit")
    monkeypatch.setattr(plan, "PLAN", (*plan.PLAN, line))
    return Table(target, target.names.of("Lottery-Audit"))


@pytest.fixture
def small(monkeypatch, audit):
    """A plan of the new table, and the machines with their roles."""
    rows = [row for row in plan.PLAN if row is plan.PLAN[-1] or row.make in (plan.machine_role, plan.machine)]
    monkeypatch.setattr(plan, "PLAN", tuple(rows))


def told(resources, table):
    """The states of the table in a list of resources."""
    return [each.state for each in resources if (each.kind, each.name) == ("table", table.name)]


@pytest.mark.usefixtures("small")
def test_stack_knows_it(target, audit):
    """Dry run, deploy, status, teardown and inventory know a new table in the plan."""
    stack = Stack(target)
    assert told(stack.plan(), audit) == ["would be created"]
    assert told(stack.deploy(), audit) == ["created"]
    assert told(stack.deploy(), audit) == ["unchanged"]
    assert told(stack.status(), audit) == ["ACTIVE"]
    assert told(stack.left(), audit) == ["ACTIVE"]
    assert told(stack.removal(), audit) == ["would be deleted"]
    inventory = stack.teardown()
    assert told(inventory.resources, audit) == ["deleted"]
    assert inventory.left == []
    assert audit.describe_or_none() is None


def test_lessons_know_it(target, audit):
    """Lesson 05 starts with the table. Lesson 04 starts without it, and `verify` has a line for it."""
    restore(target, "05")
    assert audit.find().ours
    line = f"table {audit.name}"
    assert [check.done for check in built_in(target, "04") if check.what == line] == [True]
    restore(target, "04")
    assert audit.describe_or_none() is None
    assert f"○ not yet: {line}. Create the audit." in map(str, built_in(target, "04"))


@pytest.mark.parametrize("edition", ["tutorial", "hardened"])
def test_policy_knows_it(target, audit, edition):
    """The attendee's policy allows the same actions on the new table as on the other tables.

    The boundary lets the attendee's roles use it.
    """
    there = target.named(target.names.in_edition(edition))
    for document, action in ((policy(there), "CreateTable"), (boundary(there), "PutItem")):
        (tables,) = [each for each in document["Statement"] if each["Sid"] == "Tables"]
        assert audit.arn in tables["Resource"]
        assert f"dynamodb:{action}" in tables["Action"]


@pytest.mark.usefixtures("small")
def test_the_other_edition_keeps_it(target, audit):
    """A table that both editions use stays until the other edition is removed, too."""
    hardened = target.named(target.names.other)
    Stack(target).deploy()
    Stack(hardened).deploy()
    assert told(Stack(target).teardown().resources, audit) == []
    assert audit.find().ours
    assert told(Stack(hardened).teardown().resources, audit) == ["deleted"]
