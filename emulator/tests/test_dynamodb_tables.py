"""What DynamoDB refuses, and how it changes tables."""

import pytest
from helpers import refused

INDEX = {
    "IndexName": "n-index",
    "KeySchema": [{"AttributeName": "n", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
NUMBER = [{"AttributeName": "n", "AttributeType": "N"}]
BY_ID = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
def dynamodb(aws):
    return aws("dynamodb")


@pytest.fixture
def indexed(dynamodb, table):
    """The name of a table with an index by the number `n`."""
    add_index(dynamodb, table, INDEX)
    return table


def add_index(dynamodb, table, *indexes):
    updates = [{"Create": index} for index in indexes]
    return dynamodb.update_table(
        TableName=table, AttributeDefinitions=NUMBER, GlobalSecondaryIndexUpdates=updates
    )


WRONG = {"id": {"S": "1"}, "n": {"S": "five"}}
PATTERN = (
    "1 validation error detected: Value '{}' at 'tableName' failed to satisfy constraint: "
    "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
)
MISMATCH = (
    "One or more parameter values were invalid: Type mismatch for Index Key n Expected: N Actual: S "
    "IndexName: n-index"
)


def test_an_items_index_key_must_have_its_type(dynamodb, indexed):
    """A PutItem with a wrong type is refused in AWS's words."""
    assert refused(dynamodb.put_item, TableName=indexed, Item=WRONG) == ("ValidationException", MISMATCH)


def test_a_batchs_index_keys_must_have_their_type(dynamodb, indexed):
    """A BatchWriteItem with a wrong type writes nothing."""
    good = {"PutRequest": {"Item": {"id": {"S": "2"}, "n": {"N": "5"}}}}
    wrong = {"PutRequest": {"Item": WRONG}}
    assert refused(dynamodb.batch_write_item, RequestItems={indexed: [good, wrong]})[1] == MISMATCH
    assert dynamodb.scan(TableName=indexed)["Count"] == 0


def test_a_transactions_index_keys_must_have_their_type(dynamodb, indexed):
    """A transaction with a wrong type is cancelled, and its reasons name the part."""
    puts = [{"Put": {"TableName": indexed, "Item": item}} for item in ({"id": {"S": "2"}}, WRONG)]
    told = refused(dynamodb.transact_write_items, TransactItems=puts)
    assert told.code == "TransactionCanceledException"
    assert told.response["CancellationReasons"] == [
        {"Code": "None"},
        {"Code": "ValidationError", "Message": MISMATCH},
    ]


def test_an_item_may_lack_an_index_key(dynamodb, indexed):
    """It is in the table and not in the index."""
    dynamodb.put_item(TableName=indexed, Item={"id": {"S": "1"}})
    assert dynamodb.scan(TableName=indexed)["Count"] == 1
    assert dynamodb.scan(TableName=indexed, IndexName="n-index")["Count"] == 0


def test_a_batch_with_an_item_twice_is_refused(dynamodb, table):
    """A batch with an item twice is a ValidationException."""
    twice = [{"PutRequest": {"Item": {"id": {"S": "1"}}}}] * 2
    assert refused(dynamodb.batch_write_item, RequestItems={table: twice}) == (
        "ValidationException",
        "Provided list of item keys contains duplicates",
    )


def test_a_transaction_with_an_item_twice_is_refused(dynamodb, table):
    """A transaction with an item twice is a ValidationException."""
    twice = [{"Put": {"TableName": table, "Item": {"id": {"S": "1"}}}}] * 2
    assert refused(dynamodb.transact_write_items, TransactItems=twice) == (
        "ValidationException",
        "Transaction request cannot include multiple operations on one item",
    )


def test_a_table_that_is_there_is_refused(dynamodb, table):
    """To create a table that exists is a ResourceInUseException."""
    key = {"AttributeName": "id", "KeyType": "HASH"}
    definition = {"AttributeName": "id", "AttributeType": "S"}
    asked = {"TableName": table, "AttributeDefinitions": [definition], "KeySchema": [key]}
    told = refused(dynamodb.create_table, **asked, BillingMode="PAY_PER_REQUEST")
    assert told == ("ResourceInUseException", f"Table already exists: {table}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("my table", PATTERN),
        ("tüble", PATTERN),
        ("t1", "TableName must be at least 3 characters long and at most 255 characters long"),
        ("t" * 256, "TableName must be at least 3 characters long and at most 255 characters long"),
    ],
)
def test_a_table_gets_no_bad_name(dynamodb, name, says):
    """A ValidationException, in AWS's words."""
    key = {"AttributeName": "id", "KeyType": "HASH"}
    definition = {"AttributeName": "id", "AttributeType": "S"}
    asked = {"TableName": name, "AttributeDefinitions": [definition], "KeySchema": [key]}
    code, message = refused(dynamodb.create_table, **asked, BillingMode="PAY_PER_REQUEST")
    assert (code, message) == ("ValidationException", says.format(name))


def test_an_index_added_later_keeps_the_tables_attributes(dynamodb, indexed):
    """The table's own key is still described."""
    described = dynamodb.describe_table(TableName=indexed)["Table"]["AttributeDefinitions"]
    assert sorted(each["AttributeName"] for each in described) == ["id", "n"]


def test_an_index_that_is_there_is_refused(dynamodb, indexed):
    """To create an index that exists is a ValidationException."""
    assert refused(add_index, dynamodb, indexed, INDEX) == (
        "ValidationException",
        "Attempting to create an index which already exists",
    )


def test_one_index_at_a_time(dynamodb, table):
    """Two new indexes in one call are a LimitExceededException."""
    assert refused(add_index, dynamodb, table, INDEX, INDEX | {"IndexName": "m-index"}) == (
        "LimitExceededException",
        "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
    )


def test_an_index_that_is_not_there(dynamodb, indexed):
    """A query of an unknown index is a ValidationException."""
    asked = {"KeyConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    assert refused(dynamodb.query, TableName=indexed, IndexName="no-index", **asked) == (
        "ValidationException",
        "The table does not have the specified index: no-index",
    )


def test_an_index_is_never_read_consistently(dynamodb, indexed):
    """A consistent read of a global index is a ValidationException."""
    asked = {"KeyConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    told = refused(dynamodb.query, TableName=indexed, IndexName="n-index", ConsistentRead=True, **asked)
    assert told.code == "ValidationException"


def test_a_deletion_is_under_way(dynamodb, table):
    """DeleteTable answers DELETING."""
    told = dynamodb.delete_table(TableName=table)["TableDescription"]
    assert told["TableStatus"] == "DELETING"
    dynamodb.create_table(TableName=table, **BY_ID)


def test_a_table_is_described_as_by_aws(dynamodb, table, advance):
    """A new table is CREATING. It has an id of its own, and no lists of the indexes that it does not have."""
    old = dynamodb.delete_table(TableName=table)["TableDescription"]
    advance(1)
    new = dynamodb.create_table(TableName=table, **BY_ID)["TableDescription"]
    seen = dynamodb.describe_table(TableName=table)["Table"]
    assert (new["TableStatus"], seen["TableStatus"]) == ("CREATING", "ACTIVE")
    assert new["TableId"] == seen["TableId"] != old["TableId"]
    assert not any("Indexes" in name for name in (*new, *seen))


def test_an_index_is_described_as_by_aws(dynamodb, table):
    """A new index is CREATING, and its table UPDATING. It has an ARN. At the next call it is ACTIVE."""
    told = add_index(dynamodb, table, INDEX)["TableDescription"]
    (new,) = told["GlobalSecondaryIndexes"]
    (seen,) = dynamodb.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]
    assert (told["TableStatus"], new["IndexStatus"], new["Backfilling"]) == ("UPDATING", "CREATING", False)
    assert (seen["IndexStatus"], seen.get("Backfilling")) == ("ACTIVE", None)
    assert seen["IndexArn"] == new["IndexArn"] == f"{told['TableArn']}/index/n-index"


def test_an_update_without_an_index_is_under_way(dynamodb, table):
    """UpdateTable answers UPDATING."""
    told = dynamodb.update_table(TableName=table, DeletionProtectionEnabled=False)["TableDescription"]
    assert told["TableStatus"] == "UPDATING"


def test_a_table_made_again_has_other_index_keys(dynamodb, indexed):
    """What the old table's index demanded is forgotten."""
    dynamodb.delete_table(TableName=indexed)
    dynamodb.create_table(TableName=indexed, **BY_ID)
    dynamodb.put_item(TableName=indexed, Item=WRONG)
    assert dynamodb.scan(TableName=indexed)["Items"] == [WRONG]
