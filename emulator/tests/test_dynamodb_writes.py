import threading

import pytest
from botocore.exceptions import ClientError
from helpers import one, refused


@pytest.fixture
def dynamodb(aws):
    return aws("dynamodb")


def put(table, key, **more):
    return {"Put": {"TableName": table, "Item": {"id": {"S": key}}} | more}


NEW = {"ConditionExpression": "attribute_not_exists(id)"}


def items(dynamodb, table):
    return sorted(item["id"]["S"] for item in dynamodb.scan(TableName=table)["Items"])


@pytest.mark.parametrize(("number", "accepted"), [(25, True), (26, False)])
def test_a_batch_has_at_most_25_writes(dynamodb, table, number, accepted):
    """The 26th makes it a ValidationException, and nothing is written."""
    requests = {table: [{"PutRequest": {"Item": {"id": {"S": f"{n:02}"}}}} for n in range(number)]}
    if accepted:
        dynamodb.batch_write_item(RequestItems=requests)
        assert len(items(dynamodb, table)) == 25
        return
    assert refused(dynamodb.batch_write_item, RequestItems=requests).code == "ValidationException"
    assert items(dynamodb, table) == []


def test_a_batch_without_writes_is_refused(machine, table):
    """boto3 refuses it itself, so a state machine asks."""
    arguments = {"RequestItems": {table: []}}
    state = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:dynamodb:batchWriteItem", "End": True}
    state |= {"Arguments": arguments, "QueryLanguage": "JSONata"}
    told = machine(one(state)).run({})
    assert told["status"] == "FAILED"
    assert "Member must have length greater than or equal to 1" in told["cause"]


def test_a_transaction_again_with_its_token_is_a_success(dynamodb, table):
    """A transaction with the same token and parameters succeeds, and writes nothing again."""
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[put(table, "1", **NEW)], ClientRequestToken="token-1")
    assert items(dynamodb, table) == ["1"]


def test_a_token_with_other_parameters_is_refused(dynamodb, table):
    """The same token with other parameters is an IdempotentParameterMismatchException."""
    dynamodb.transact_write_items(TransactItems=[put(table, "1")], ClientRequestToken="token-2")
    asked = {"TransactItems": [put(table, "2")], "ClientRequestToken": "token-2"}
    assert refused(dynamodb.transact_write_items, **asked).code == "IdempotentParameterMismatchException"


def test_a_token_counts_for_ten_minutes(dynamodb, table, advance):
    """Then it may be that of another transaction. The time is the emulator's."""
    dynamodb.transact_write_items(TransactItems=[put(table, "1")], ClientRequestToken="token-3")
    advance(601)
    dynamodb.transact_write_items(TransactItems=[put(table, "2")], ClientRequestToken="token-3")


def test_a_cancelled_transaction_gives_its_reasons(dynamodb, table):
    """A cancelled transaction has one reason for each part, in order, and writes nothing."""
    dynamodb.put_item(TableName=table, Item={"id": {"S": "1"}})
    puts = [put(table, "2", **NEW), put(table, "1", **NEW)]
    told = refused(dynamodb.transact_write_items, TransactItems=puts)
    assert told.code == "TransactionCanceledException"
    assert [reason["Code"] for reason in told.response["CancellationReasons"]] == [
        "None",
        "ConditionalCheckFailed",
    ]
    assert items(dynamodb, table) == ["1"]


def test_of_many_transactions_at_once_one_wins(dynamodb, table):
    """Each of eight wants the same item; one gets it, and no other write is lost."""
    won = []

    def attempt(number):
        try:
            dynamodb.transact_write_items(TransactItems=[put(table, "same", **NEW), put(table, f"{number}")])
            won.append(f"{number}")
        except ClientError:
            dynamodb.put_item(TableName=table, Item={"id": {"S": f"lost-{number}"}})

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    lost = {f"lost-{number}" for number in range(8)} - {f"lost-{won[0]}"}
    assert set(items(dynamodb, table)) == {"same", *won} | lost


def test_what_was_used_is_told_if_asked(dynamodb, table):
    """A write answers ConsumedCapacity only to who asks for it."""
    update = {"TableName": table, "Key": {"id": {"S": "1"}}, "UpdateExpression": "SET n = :n"}
    update["ExpressionAttributeValues"] = {":n": {"N": "1"}}
    assert "ConsumedCapacity" not in dynamodb.update_item(**update)
    assert "ConsumedCapacity" in dynamodb.update_item(**update, ReturnConsumedCapacity="TOTAL")
