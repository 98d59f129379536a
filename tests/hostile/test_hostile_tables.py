"""Tables and their indexes take their time, and a scan or a batch may come in pieces."""

import pytest

from lottery_lib import load_employees, plan
from lottery_lib.employees import tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources.dynamodb_table import Table

NOT_FOUND = ("ResourceNotFoundException", "Requested resource not found: Table: {name} not found")
IN_USE = "ResourceInUseException"
CREATED = "Attempt to change a resource which is still in use: Table is being created: {name}"
DELETED = "Attempt to change a resource which is still in use: Table is being deleted: {name}"
INDEXED = "Attempt to change a resource which is still in use: Cannot delete table while indexes are being "
ONE = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"


@pytest.fixture
def table(aws):
    return plan.employee_table(aws.target)


@pytest.fixture
def bare(aws):
    return plan.employee_table(aws.target, index=False)


def show(aws, operation, status, seconds):
    """Let the table have this status for so long after an operation."""

    def change(ask, reply):
        if aws.age(operation, ask.resource) < seconds:
            reply["Table"]["TableStatus"] = status

    aws.edit("DescribeTable", change)


def linger(aws, seconds):
    """Let a deleted table be shown as DELETING for so long, and its name be taken."""
    found = {}
    aws.edit("DescribeTable", lambda ask, reply: found.update({ask.resource: reply["Table"]}))

    def describe(ask):
        if aws.age("DeleteTable", ask.resource) < seconds:
            shown = found[ask.resource]
            keys = ("TableName", "TableArn", "KeySchema", "AttributeDefinitions")
            return ask.answer(200, {"Table": {key: shown[key] for key in keys} | {"TableStatus": "DELETING"}})
        return None

    def tags(ask):
        if any(aws.age("DeleteTable", name) < seconds for name in tables(aws)):
            ours = [{"Key": key, "Value": value} for key, value in aws.target.names.tags.items()]
            return ask.answer(200, {"Tags": ours})
        return None

    aws.rule("DescribeTable", describe)
    aws.rule("ListTagsOfResource", tags)
    aws.refuse(
        "CreateTable", IN_USE, DELETED, when=lambda ask: aws.age("DeleteTable", ask.resource) < seconds
    )


def test_new_table_is_waited_for(aws, stack):
    """A new table is CREATING, and refuses what is written until it is ACTIVE: nothing is written before."""
    show(aws, "CreateTable", "CREATING", 20)
    young = "BatchWriteItem Scan UpdateTable"
    aws.refuse(
        young,
        "ResourceNotFoundException",
        "Requested resource not found",
        when=lambda ask: any(aws.age("CreateTable", name) < 20 for name in tables(aws)),
        times=1,
    )
    stack.deploy()
    assert aws.attempts.count("BatchWriteItem") == 1
    assert any(each.state.startswith("waiting for table") for each in stack.told)


def tables(aws):
    return (aws.target.names.employee_table, aws.target.names.winners_table)


def test_table_not_yet_visible(aws, table):
    """DescribeTable may not find a table right after CreateTable."""
    aws.refuse("DescribeTable", *NOT_FOUND, when=lambda ask: aws.age("CreateTable", ask.resource) < 7)
    assert table.ensure().state == "created"
    assert aws.attempts.count("CreateTable") == 1


@pytest.mark.parametrize(
    "seen",
    [{"IndexStatus": "CREATING"}, {"IndexStatus": "CREATING", "Backfilling": True}, {"Backfilling": True}],
)
def test_index_is_waited_for(aws, clock, bare, table, seen):
    """An index that is added later is made and filled while its table is ACTIVE: it is waited for."""
    bare.ensure()

    def change(ask, reply):
        if aws.age("UpdateTable", ask.resource) < 60:
            reply["Table"]["GlobalSecondaryIndexes"][0].update(seen)

    aws.edit("DescribeTable", change)
    begun = clock.now
    assert table.ensure().state == "updated"
    assert clock.now - begun >= 60


def test_one_index_operation_at_a_time(aws, bare, table):
    """While another index of the account is being made, AWS refuses ours for a while."""
    bare.ensure()
    aws.refuse("UpdateTable", "LimitExceededException", ONE, times=12)
    assert table.ensure().state == "updated"


def test_lost_reply_of_an_index(aws, bare, table):
    """An index that was made though the reply was lost is not made again."""
    bare.ensure()
    aws.lose("UpdateTable")
    taken = "One or more parameter values were invalid: Attempting to create an index which already exists"
    aws.refuse("UpdateTable", IN_USE, taken, when=lambda ask: aws.happened("UpdateTable", ask.resource))
    assert table.ensure().state == "updated"


@pytest.mark.parametrize("table_is", ["shown", "invisible"])
def test_table_made_anew_while_it_is_being_deleted(aws, table, table_is):
    """A table that is still being deleted holds its name: it is made anew when it has gone."""
    if table_is == "shown":
        linger(aws, 40)
    table.ensure()
    if table_is == "invisible":
        aws.refuse("CreateTable", IN_USE, DELETED, times=9)
    aws.target.client("dynamodb").delete_table(TableName=table.name)
    assert table.ensure().state == "created"


@pytest.mark.parametrize("refusal", [CREATED, INDEXED])
def test_delete_of_a_busy_table(aws, table, refusal):
    """A table whose index is still being made cannot be deleted at once."""
    table.ensure()
    aws.refuse("DeleteTable", IN_USE, refusal, times=6)
    assert Table(aws.target, table.name).delete().state == "deleted"


def test_delete_waits_for_a_new_table(aws, table):
    """A table that is still CREATING is not asked to go before it is ACTIVE."""
    table.ensure()
    show(aws, "CreateTable", "CREATING", 30)
    aws.refuse(
        "DeleteTable", IN_USE, CREATED, when=lambda ask: aws.age("CreateTable", ask.resource) < 30, times=1
    )
    Table(aws.target, table.name).delete()
    assert aws.attempts.count("DeleteTable") == 1


def test_delete_waits_until_it_is_gone(aws, clock, table):
    """A deleted table is DELETING for a while; a delete ends when it has gone, and does not ask twice."""
    linger(aws, 40)
    table.ensure()
    begun = clock.now
    Table(aws.target, table.name).delete()
    assert clock.now - begun >= 40
    assert aws.attempts.count("DeleteTable") == 1


def test_interrupted_delete_goes_on(aws, table):
    """A delete that finds the table DELETING waits, and asks for nothing."""
    linger(aws, 40)
    table.ensure()
    aws.target.client("dynamodb").delete_table(TableName=table.name)
    Table(aws.target, table.name).delete()
    assert aws.attempts.count("DeleteTable") == 1


def test_table_that_goes_while_it_is_looked_at(aws, table):
    """A table that is still shown, but whose tags are not, has gone."""
    table.ensure()
    aws.refuse("ListTagsOfResource", *NOT_FOUND)
    assert Table(aws.target, table.name).find() is None
    assert Table(aws.target, table.name).delete().state == "missing"


def test_tags_not_yet_visible(aws, table):
    """A table whose reply was lost is recognised by its tags, also when AWS shows those only later."""
    aws.lose("CreateTable")
    aws.refuse("ListTagsOfResource", *NOT_FOUND, times=4)
    table.ensure()
    assert Table(aws.target, table.name).find().ours


def test_deletion_protection(aws, table):
    """A protected table is not deleted, and AWS's sentence says what to do."""
    table.ensure()
    message = "Resource cannot be deleted as it is protected. Disable deletion protection first."
    aws.refuse("DeleteTable", "ValidationException", message)
    with pytest.raises(LotteryError, match=r"deletion protection first .*Read AWS"):
        Table(aws.target, table.name).delete()
    assert aws.attempts.count("DeleteTable") == 1


@pytest.mark.parametrize(("number", "times"), [(3, 2), (99, 3)])
def test_unprocessed_items_are_sent_again(aws, table, number, times):
    """DynamoDB may take a part of a batch only, or nothing, and say so with a 200."""
    table.ensure()
    aws.leave_unprocessed(number, times=times)
    assert load_employees(aws.target, tutorial_roster()) == 10
    assert len(Table(aws.target, table.name).items()) == 10
    assert aws.attempts.count("BatchWriteItem") == times + 1


def test_batch_that_is_never_taken(aws, clock, table):
    """A table that takes nothing is not asked for ever."""
    table.ensure()
    aws.leave_unprocessed(99, times=10**9)
    begun = clock.now
    with pytest.raises(LotteryError, match="to handle 10 items: not there after 120 s"):
        load_employees(aws.target, tutorial_roster())
    assert clock.now - begun < 150


def test_keys_not_got_to_are_asked_for_again(aws, table):
    """DynamoDB may give a part of what a batch asks for only, and say so with a 200."""
    table.ensure()
    load_employees(aws.target, tutorial_roster())
    ids = list(table.all_keys())
    keys = [{"employee_id": each} for each in ids]
    whole, asked = table.get(ids), []

    def leave(ask, reply):
        asked.append(ask)
        items = reply["Responses"][table.name]
        if len(asked) == 1:
            reply["UnprocessedKeys"] = {table.name: {"Keys": keys[3:], "ConsistentRead": True}}
            reply["Responses"][table.name] = [item for item in items if item in whole[:3]]

    aws.edit("BatchGetItem", leave)
    found = table.get(ids)
    assert {item["employee_id"] for item in found} >= set(ids[3:])
    assert len(asked) == 2


def test_scan_in_pages(aws, stack):
    """A scan comes in pages, and one in the middle may be empty though more follow."""
    stack.deploy()
    aws.scan_in_pages()
    table = aws.target.names.employee_table
    assert len(Table(aws.target, table).items()) == 10
    assert Table(aws.target, table).has_content()
    assert {each.state for each in stack.deploy()} == {"unchanged"}


def test_tags_in_pages(aws, table):
    """Tags come in pages too."""
    table.ensure()
    aws.page("ListTagsOfResource", "Tags", "NextToken", "NextToken")
    assert Table(aws.target, table.name).find().ours
