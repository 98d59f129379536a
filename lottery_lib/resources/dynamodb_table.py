"""Keep a DynamoDB table, its index, and what is in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.naming import owned
from lottery_lib.resources import Resource, refuse_foreign, tag_list
from lottery_lib.target import ClientError, Target, error_code, ignoring
from lottery_lib.waiting import wait_until

__all__ = [
    "Index",
    "Table",
    "check_ours",
    "delete",
    "employee_table",
    "ensure",
    "find",
    "index_names",
    "is_empty",
    "items",
    "put",
    "remove",
]

KIND: Final = "table"
Item = dict[str, Any]


@dataclass(frozen=True)
class Index:
    """A global secondary index with all attributes: its name, and the attribute and type of its key."""

    name: str
    key: str
    key_type: str


@dataclass(frozen=True)
class Table:
    """A table as it should be: its name, its string key, and its index if it is to have one."""

    name: str
    key: str = "employee_id"
    index: Index | None = None


def employee_table(target: Target, *, index: bool = True) -> Table:
    """The table of employees, with or without the index that tutorial 2.2.4 adds last."""
    serial = Index(target.names.serial_index, "lottery_serial", "N")
    return Table(target.names.employee_table, index=serial if index else None)


def find(target: Target, name: str) -> Resource | None:
    """Look a table up."""
    found = _table(target, name)
    if found is None:
        return None
    ours = owned(_tags(target, found["TableArn"]), target.names)
    return Resource(KIND, name, found["TableStatus"], found["TableArn"], ours)


def ensure(target: Target, table: Table) -> Resource:
    """Create the table, with its index at once, or add the index to a table that lacks it.

    An index more than asked for is left alone: a lesson may have added it.

    Raises:
        LotteryError: A table of that name is not ours, or has another key.
    """
    found = _table(target, table.name)
    if found is not None and found["TableStatus"] == "DELETING":
        _gone(target, table.name)
        found = None
    if found is None:
        _create(target, table)
        return Resource(KIND, table.name, "created", _active(target, table)["TableArn"])
    refuse_foreign(KIND, table.name, _tags(target, found["TableArn"]), target.names)
    _check_keys(table, found)
    found = _active(target, table, index=False)
    missing = table.index is not None and table.index.name not in _indexes(found)
    if missing:
        _add_index(target, table)
    _active(target, table)
    return Resource(KIND, table.name, "updated" if missing else "unchanged", found["TableArn"])


def delete(target: Target, name: str) -> Resource:
    """Delete the table and wait until it is gone.

    Raises:
        LotteryError: A table of that name is not ours.
    """
    found = _table(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(KIND, name, _tags(target, found["TableArn"]), target.names)
    if found["TableStatus"] != "DELETING":
        # AWS refuses to delete a table that is still being made or whose index is.
        _active(target, Table(name))
        delete_table = target.client("dynamodb").delete_table
        ignoring(delete_table, "ResourceNotFoundException", TableName=name)
    _gone(target, name)
    return Resource(KIND, name, "deleted", found["TableArn"])


def items(target: Target, name: str) -> list[Item]:
    """Read everything in a table, however many pages that takes; whole numbers come back as int."""
    table, found, start = target.table(name), list[Item](), dict[str, Any]()
    while True:
        page = table.scan(ConsistentRead=True, **start)
        found += [{key: _plain(value) for key, value in item.items()} for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return found
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def check_ours(target: Target, name: str) -> None:
    """Refuse to go on with a table that is not there, or not ours.

    Raises:
        LotteryError: It is not.
    """
    found = _table(target, name)
    if found is None:
        raise LotteryError(f"table {name}", "does not exist", DEPLOY)
    refuse_foreign(KIND, name, _tags(target, found["TableArn"]), target.names)


def index_names(target: Target, name: str) -> list[str]:
    """The names of a table's indexes."""
    return list(_indexes(_table(target, name) or {}))


def is_empty(target: Target, name: str) -> bool:
    """Whether there is nothing in a table."""
    start: dict[str, Any] = {}
    while True:
        page = target.table(name).scan(Limit=1, ConsistentRead=True, **start)
        if page["Items"] or "LastEvaluatedKey" not in page:  # a page may be empty though more follow
            return not page["Items"]
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def put(target: Target, name: str, employees: Iterable[Item]) -> None:
    """Write items in batches; what DynamoDB left unprocessed is sent again."""
    with target.table(name).batch_writer() as batch:
        for employee in employees:
            batch.put_item(Item=employee)


def remove(target: Target, name: str, employee_ids: Iterable[str]) -> None:
    """Delete items by their keys, in batches."""
    with target.table(name).batch_writer() as batch:
        for employee_id in employee_ids:
            batch.delete_item(Key={"employee_id": employee_id})


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _table(target: Target, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = target.client("dynamodb").describe_table(TableName=name)["Table"]
    except ClientError as error:
        if error_code(error) == "ResourceNotFoundException":
            return None
        raise
    return found


def _tags(target: Target, arn: str) -> dict[str, str]:
    pages = target.client("dynamodb").get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def _create(target: Target, table: Table) -> None:
    extra = {"GlobalSecondaryIndexes": [_index(table.index)]} if table.index else {}
    # There already is one if the reply to our own first try was lost.
    ignoring(
        target.client("dynamodb").create_table,
        "ResourceInUseException",
        TableName=table.name,
        AttributeDefinitions=_attributes(table),
        KeySchema=[{"AttributeName": table.key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        Tags=tag_list(target.names),
        **extra,
    )


def _add_index(target: Target, table: Table) -> None:
    assert table.index is not None
    target.client("dynamodb").update_table(
        TableName=table.name,
        AttributeDefinitions=_attributes(table),
        GlobalSecondaryIndexUpdates=[{"Create": _index(table.index)}],
    )


def _attributes(table: Table) -> list[dict[str, str]]:
    keys = [(table.key, "S")] + ([(table.index.key, table.index.key_type)] if table.index else [])
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in keys]


def _index(index: Index) -> dict[str, Any]:
    return {
        "IndexName": index.name,
        "KeySchema": [{"AttributeName": index.key, "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }


def _indexes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {index["IndexName"]: index for index in found.get("GlobalSecondaryIndexes", [])}


def _check_keys(table: Table, found: dict[str, Any]) -> None:
    """Refuse a table or index whose key is another: a key cannot be changed."""
    types = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
    wanted = {table.name: [(table.key, "S")]}
    there = {table.name: _keys(found, types)}
    if table.index and (index := _indexes(found).get(table.index.name)):
        wanted[table.index.name] = [(table.index.key, table.index.key_type)]
        there[table.index.name] = _keys(index, types)
    for name, keys in wanted.items():
        if there[name] != keys:
            raise LotteryError(
                f"table {table.name}",
                f"the key of {name} is {there[name]}, not {keys}, and a key cannot be changed",
                "Run `python -m lottery_lib teardown`, then deploy again",
            )


def _keys(found: dict[str, Any], types: dict[str, str]) -> list[tuple[str, str]]:
    names = [part["AttributeName"] for part in found["KeySchema"]]
    return [(name, types[name]) for name in names]


def _active(target: Target, table: Table, *, index: bool = True) -> dict[str, Any]:
    """Wait until the table, and unless told otherwise every index, can be read and written."""

    def active() -> dict[str, Any] | None:
        found = _table(target, table.name)
        if found is None or found["TableStatus"] not in ("ACTIVE", "UPDATING"):
            return None
        return found if not index or _indexes_active(found) else None

    return wait_until(f"table {table.name} to be ACTIVE", active, seconds=300, every=2)


def _indexes_active(found: dict[str, Any]) -> bool:
    indexes = _indexes(found).values()
    return found["TableStatus"] == "ACTIVE" and all(
        index["IndexStatus"] == "ACTIVE" and not index.get("Backfilling") for index in indexes
    )


def _gone(target: Target, name: str) -> None:
    wait_until(f"table {name} to be gone", lambda: _table(target, name) is None, seconds=300, every=2)
