"""A transaction that is cancelled leaves nothing behind, though hardly anything is put aside for it."""

import pytest
from moto.dynamodb import models
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item

from sfn_emulator.storage import patches


def item(number, **more):
    return {"id": {"S": str(number)}, "at": {"S": str(number)}} | more


def put(number, **more):
    return {"Put": {"TableName": "t", "Item": item(number, **more)}}


def update(number):
    expression = {"UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"S": "new"}}}
    return {"Update": {"TableName": "t", "Key": item(number), **expression}}


REFUSED = {
    "ConditionCheck": {"TableName": "t", "Key": item(0), "ConditionExpression": "attribute_not_exists(id)"}
}


@pytest.fixture
def backend():
    """A table of a hundred items with a hash and a range key."""
    patches.apply(models)
    made = DynamoDBBackend("us-east-1", "123456789012")
    keys = [("id", "HASH"), ("at", "RANGE")]
    made.create_table(
        name="t",
        schema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        attr=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        throughput={"ReadCapacityUnits": 0, "WriteCapacityUnits": 0},
        global_indexes=None,
        indexes=None,
        streams=None,
        billing_mode="PAY_PER_REQUEST",
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    made.transact_write_items([put(number) for number in range(100)])
    return made


def content(backend):
    return sorted(str(each.to_json()) for each in backend.tables["t"].all_items())


@pytest.mark.parametrize(
    "change",
    [put(1, n={"S": "other"}), put(1000), {"Delete": {"TableName": "t", "Key": item(1)}}, update(1)],
    ids=["replaced", "added", "deleted", "updated"],
)
def test_what_is_cancelled_is_undone(backend, change):
    """A change before a condition that does not hold was never made."""
    before = content(backend)
    with pytest.raises(TransactionCanceledException):
        backend.transact_write_items([change, REFUSED])
    assert content(backend) == before


def test_no_item_is_copied(backend, monkeypatch):
    """Fifty puts into a table of a hundred items copy none of them."""
    copied = []
    monkeypatch.setattr(Item, "__deepcopy__", lambda self, memo: copied.append(self) or self)
    backend.transact_write_items([put(number) for number in range(50, 100)])
    assert copied == []


def test_of_an_update_the_items_are_copied(backend):
    """An update that went well stays, and one that was cancelled next to it does not."""
    backend.transact_write_items([update(1)])
    with pytest.raises(TransactionCanceledException):
        backend.transact_write_items([update(2), REFUSED])
    changed = [line for line in content(backend) if "new" in line]
    assert len(changed) == 1
