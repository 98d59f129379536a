"""Keep a DynamoDB table, its index, and what is in it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from lottery_lib.aws_errors import busy, ignoring, says
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.names import owned
from lottery_lib.resources import Resource, once_tagged, refuse_foreign, still_there, tag_list
from lottery_lib.target import Target
from lottery_lib.waiting import retry_while, wait_until

__all__ = [
    "Index",
    "Table",
    "check_ours",
    "delete",
    "employee_table",
    "ensure",
    "find",
    "get",
    "ids",
    "index_names",
    "is_empty",
    "item",
    "items",
    "put",
    "remove",
]

KIND: Final = "table"
_BATCH: Final = 25  # items that BatchWriteItem takes at once
_KEYS: Final = 100  # keys that BatchGetItem takes at once
#: Refusals that pass: a table or an index that is being made, changed or deleted.
_IN_USE: Final = ("ResourceInUse", "Only 1 online index")
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
    return found and still_there(lambda: _resource(target, found))


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
    created = None if found else _create(target, table)
    found = _active(target, table.name)
    if created:
        return Resource(KIND, table.name, "created", found["TableArn"])
    refuse_foreign(once_tagged(table.name, lambda: _resource(target, found)))
    _check_keys(table, found)
    missing = table.index is not None and table.index.name not in _indexes(found)
    if missing:
        _add_index(target, table)
    return Resource(KIND, table.name, "updated" if missing else "unchanged", found["TableArn"])


def delete(target: Target, name: str) -> Resource:
    """Delete the table and wait until it is gone.

    Raises:
        LotteryError: A table of that name is not ours.
    """
    found = find(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(found)
    if found.state != "DELETING":
        # AWS refuses to delete a table that is still being made or whose index is.
        _active(target, name)
        delete_table = target.client("dynamodb").delete_table
        retry_while(
            f"table {name} to be free",
            lambda: ignoring(delete_table, "ResourceNotFound", TableName=name),
            says(*_IN_USE),
        )
    _gone(target, name)
    return replace(found, state="deleted")


def items(target: Target, name: str) -> list[Item]:
    """Read everything in a table, however many pages that takes; whole numbers come back as int."""
    return [_whole(item) for item in _scan(target, name)]


def ids(target: Target, name: str) -> Iterator[str]:
    """Read the ids alone of all employees in a table."""
    return (item["employee_id"] for item in _scan(target, name, ProjectionExpression="employee_id"))


def item(target: Target, name: str, key: Item) -> Item | None:
    """Read one item; None if there is none."""
    return next(iter(get(target, name, [key])), None)


def get(target: Target, name: str, keys: Sequence[Item]) -> list[Item]:
    """Read the items of these keys, in no order; those that are not there are left out."""
    return [_whole(each) for some in _batched(keys, _KEYS) for each in _read_batch(target, name, some)]


def check_ours(target: Target, name: str) -> None:
    """Refuse to go on with a table that is not there, or not ours.

    Raises:
        LotteryError: It is not.
    """
    found = find(target, name)
    if found is None:
        raise LotteryError(f"table {name}", "does not exist", DEPLOY)
    refuse_foreign(found)


def index_names(target: Target, name: str) -> list[str]:
    """The names of a table's indexes."""
    return list(_indexes(_table(target, name) or {}))


def is_empty(target: Target, name: str) -> bool:
    """Whether there is nothing in a table."""
    return next(_scan(target, name, Limit=1), None) is None


def put(target: Target, name: str, employees: Iterable[Mapping[str, Any]]) -> None:
    """Write items in batches; what DynamoDB left unprocessed is sent again."""
    _write(target, name, ({"PutRequest": {"Item": employee}} for employee in employees))


def remove(target: Target, name: str, employee_ids: Iterable[str]) -> None:
    """Delete items by their keys, in batches."""
    keys = [{"employee_id": employee_id} for employee_id in employee_ids]
    _write(target, name, ({"DeleteRequest": {"Key": key}} for key in keys))


def _write(target: Target, name: str, requests: Iterable[Item]) -> None:
    client = target.table(name).meta.client  # made once: making it takes as long as a tenth of a batch
    for some in _batched(requests, _BATCH):
        _write_batch(client, name, some)


def _read_batch(target: Target, name: str, keys: list[Item]) -> list[Item]:
    client, found = target.table(name).meta.client, list[Item]()
    left = {name: {"Keys": keys, "ConsistentRead": True}}

    def read() -> bool:
        nonlocal left
        answer = client.batch_get_item(RequestItems=left)
        found.extend(answer["Responses"][name])
        left = answer["UnprocessedKeys"]
        return not left

    wait_until(f"table {name} to give {len(keys)} items", read, seconds=120)
    return found


def _batched(things: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """Deal out so many at a time, as they come."""
    left = iter(things)
    return iter(lambda: list(islice(left, most)), [])


def _scan(target: Target, name: str, **options: Any) -> Iterator[Item]:
    """Read a table page by page; a page may be empty though more follow."""
    start: Item = {}
    while True:
        page = target.table(name).scan(ConsistentRead=True, **options, **start)
        yield from page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _write_batch(client: Any, name: str, requests: list[Item]) -> None:
    # Not boto3's batch_writer, which asks again without a pause and without an end.
    left = {name: requests}

    def written() -> bool:
        nonlocal left
        left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]
        return not left

    wait_until(f"table {name} to take {len(requests)} items", written, seconds=120)


def _whole(item: Item) -> Item:
    return {key: _plain(value) for key, value in item.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _table(target: Target, name: str) -> Any:
    found = ignoring(target.client("dynamodb").describe_table, "ResourceNotFound", TableName=name)
    return found and found["Table"]


def _resource(target: Target, found: dict[str, Any]) -> Resource:
    arn = found["TableArn"]
    tags = target.listed("dynamodb", "list_tags_of_resource", "Tags", ResourceArn=arn)
    ours = owned({tag["Key"]: tag["Value"] for tag in tags}, target.names)
    return Resource(KIND, found["TableName"], found["TableStatus"], arn, ours)


def _create(target: Target, table: Table) -> Any:
    """Create it; None if there is one: the reply to our own first try may have been lost."""
    extra = {"GlobalSecondaryIndexes": [_index(table.index)]} if table.index else {}
    create = target.client("dynamodb").create_table
    return retry_while(
        f"the name of table {table.name} to be free",
        lambda: ignoring(
            create,
            "already exists",
            "is being created",
            TableName=table.name,
            AttributeDefinitions=_attributes(table),
            KeySchema=[{"AttributeName": table.key, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            Tags=tag_list(target.names),
            **extra,
        ),
        says("is being deleted"),
    )


def _add_index(target: Target, table: Table) -> None:
    """Add the index, one at a time as AWS wants it, and wait until it can be read."""
    index, update = table.index, target.client("dynamodb").update_table
    assert index is not None

    def added() -> None:
        if index.name not in index_names(target, table.name):  # it is if the reply to our first try was lost
            update(
                TableName=table.name,
                AttributeDefinitions=_attributes(table),
                GlobalSecondaryIndexUpdates=[{"Create": _index(index)}],
            )

    retry_while(f"table {table.name} to take an index", added, says(*_IN_USE), seconds=300)
    _active(target, table.name)


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


def _active(target: Target, name: str) -> Any:
    """Wait until the table and every index of it can be read, written and deleted."""

    def active() -> Any:
        found = _table(target, name)
        return found if found and _is_active(found) else None

    return wait_until(f"table {name} to be ACTIVE", active, seconds=300, passing=busy)


def _is_active(found: dict[str, Any]) -> bool:
    return found["TableStatus"] == "ACTIVE" and all(
        index["IndexStatus"] == "ACTIVE" and not index.get("Backfilling")
        for index in _indexes(found).values()
    )


def _gone(target: Target, name: str) -> None:
    wait_until(f"table {name} to be gone", lambda: _table(target, name) is None, seconds=300, passing=busy)
