"""Manage a DynamoDB table, its index and its items."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lottery_lib.aws_errors import all_pages, call_or_none, says
from lottery_lib.errors import LotteryError
from lottery_lib.resources.base import Report, Resource
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef as Description

_WRITTEN: Final = 25  # items that BatchWriteItem takes at once
_READ: Final = 100  # keys that BatchGetItem takes at once
Item = dict[str, Any]
"""An item as plain Python values; whole numbers are int."""


@dataclass(frozen=True)
class Index:
    """A global secondary index with all attributes: its name, and the name and type of its key."""

    name: str
    key: str
    key_type: str

    @property
    def configuration(self) -> dict[str, Any]:
        """What `CreateTable` and `UpdateTable` set."""
        return {
            "IndexName": self.name,
            "KeySchema": [{"AttributeName": self.key, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }


class Table(Resource["Description"]):
    """A table as it should be, and its items.

    Args:
        name: Its name.
        key: Its key, a string attribute.
        index: Its index, if it should have one. Other indexes stay, because an attendee may have added them.
    """

    kind: ClassVar = N_("table")
    arn_parts: ClassVar = ("dynamodb", "table/{}")
    ready_word: ClassVar = "ACTIVE"
    patience: ClassVar = 600  # DynamoDB may need minutes to add an index to a table, also to a small one
    actions: ClassVar = (
        *("BatchWriteItem", "CreateTable", "DeleteTable", "DescribeTable", "ListTagsOfResource"),
        *("Scan", "TagResource", "UpdateTable"),
    )
    lesson_actions: ClassVar = {
        "tutorial": ("GetItem", "ListTables", "PutItem", "Query"),
        "hardened": ("BatchGetItem", "DeleteItem", "UpdateItem"),
    }
    account_actions: ClassVar = ("ListTables",)
    role_actions: ClassVar = (
        *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem"),
        *("PutItem", "Query", "Scan", "UpdateItem"),
    )
    inside: ClassVar = "/index/*"
    #: DynamoDB is still making, changing or deleting the table or an index.
    not_yet: ClassVar = ("ResourceInUse", "Only 1 online index")

    def __init__(
        self, target: Target, name: str, key: str = "employee_id", index: Index | None = None
    ) -> None:
        super().__init__(target, name)
        self.key, self.index = key, index
        types = {key: "S"} | ({index.key: index.key_type} if index else {})
        #: What `CreateTable` sets.
        self.configuration: dict[str, Any] = {
            "AttributeDefinitions": [
                {"AttributeName": attribute, "AttributeType": types[attribute]} for attribute in types
            ],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        } | ({"GlobalSecondaryIndexes": [index.configuration]} if index else {})

    @property
    def policy_arns(self) -> list[str]:
        """The ARNs of the table and, if a lesson of the edition queries it, of its index."""
        is_queried = self.index and "Query" in self.lesson_actions[self.target.names.base]
        return self.role_arns if is_queried else [self.arn]

    def describe_or_none(self) -> "Description | None":
        """AWS's description of the table."""
        describe = self.target.kit_client("dynamodb").describe_table
        answer = call_or_none(describe, "ResourceNotFound", TableName=self.name)
        return answer and answer["Table"]

    def check_ours(self) -> None:
        """Refuse a table that does not exist or is not ours.

        Raises:
            LotteryError: It does not exist, or is not ours.
        """
        report = self.find()
        if report is None:
            self.describe()  # raises
        self.refuse_foreign(report)

    def is_complete(self) -> bool:
        """Whether the table exists, and its index can be used."""
        table = self.describe_or_none()
        return table is not None and self._is_ready(table) and self._has_index(table)

    def items(self) -> list[Item]:
        """Read everything in the table, from all pages."""
        return [_plain(item) for item in self._scan()]

    def typed_items(self) -> list[Item]:
        """Read everything in the table, in the form that DynamoDB sends, such as ``{"id": {"S": "1"}}``."""
        client = self.target.kit_client("dynamodb")
        return all_pages(client, "scan", "Items", TableName=self.name, ConsistentRead=True)

    def all_keys(self) -> Iterator[str]:
        """Read only the keys of all items."""
        return (item[self.key] for item in self._scan(ProjectionExpression=self.key))

    def has_content(self) -> bool:
        """Whether the table exists and has an item."""
        return bool(call_or_none(lambda: next(self._scan(Limit=1), None), "ResourceNotFound"))

    def item(self, key: str) -> Item | None:
        """Read the item of a key; None if there is none."""
        return next(iter(self.get([key])), None)

    def get(self, keys: Sequence[str]) -> list[Item]:
        """Read the items of these keys, in any order. Keys without an item are left out."""
        client, items = self.target.plain_dynamodb(), list[Item]()

        def read(asked: Any) -> Any:
            wanted: Any = {self.name: {"Keys": asked, "ConsistentRead": True}}
            answer: Any = client.batch_get_item(RequestItems=wanted)
            items.extend(map(_plain, answer["Responses"][self.name]))
            return answer["UnprocessedKeys"].get(self.name, {}).get("Keys")

        self._in_batches(read, ({self.key: key} for key in keys), _READ)
        return items

    def put(self, items: Iterable[Mapping[str, Any]]) -> None:
        """Write items in batches."""
        self._write({"PutRequest": {"Item": item}} for item in items)

    def put_typed(self, items: Iterable[Item]) -> None:
        """Write items in the form of `typed_items`, in batches."""
        self._write(({"PutRequest": {"Item": item}} for item in items), self.target.kit_client("dynamodb"))

    def remove(self, keys: Iterable[str]) -> None:
        """Delete the items of these keys, in batches."""
        self._write({"DeleteRequest": {"Key": {self.key: key}}} for key in keys)

    def _write(self, requests: Iterable[Item], client: "DynamoDBClient | None" = None) -> None:
        client = client or self.target.plain_dynamodb()

        def write(asked: Any) -> Any:
            return client.batch_write_item(RequestItems={self.name: asked})["UnprocessedItems"].get(self.name)

        self._in_batches(write, requests, _WRITTEN)

    def _in_batches(self, call: Callable[[Any], Any], asked: Iterable[Item], most: int) -> None:
        """Make a batch call, and repeat it for what DynamoDB leaves undone.

        boto3's batch_writer is not used, because it repeats without a pause and without an end.

        Args:
            call: Takes a list of keys or requests, and returns those that are not done.
            asked: The keys or requests.
            most: How many of them the call takes at once.
        """
        items = iter(asked)
        while left := list(islice(items, most)):

            def done() -> bool:
                nonlocal left
                left = call(left)
                return not left

            what = _("{table} to handle {count} items", table=self.titled, count=len(left))
            self.target.waiter.until(what, done, seconds=120)

    def _scan(self, **options: Any) -> Iterator[Item]:
        pages = self.target.plain_dynamodb().get_paginator("scan")
        for page in pages.paginate(TableName=self.name, ConsistentRead=True, **options):
            yield from page["Items"]

    def _state(self, table: "Description") -> str:
        status, usable = table["TableStatus"], self._is_ready(table) and self._has_index(table)
        return N_("without its index") if self.index and status == "ACTIVE" and not usable else status

    def _tags(self, table: "Description") -> Mapping[str, str]:
        client = self.target.kit_client("dynamodb")
        tags = all_pages(client, "list_tags_of_resource", "Tags", ResourceArn=self.arn)
        return {tag["Key"]: tag["Value"] for tag in tags}

    def _create(self) -> "Description | None":
        created = self._once_allowed(
            self.target.kit_client("dynamodb").create_table,
            "already exists",
            "is being created",
            TableName=self.name,
            Tags=self._tag_list(),
            **self.configuration,
        )
        return self._wait_until_ready() if created else None

    def _is_ready(self, table: "Description") -> bool:
        """Whether the table and each index can be used, changed and deleted."""
        return table["TableStatus"] == "ACTIVE" and all(
            each["IndexStatus"] == "ACTIVE" and not each.get("Backfilling")
            for each in table.get("GlobalSecondaryIndexes", [])
        )

    def _has_index(self, table: "Description") -> bool:
        """Whether the table has its index as it should be, ready or not."""
        return self.index is None or any(
            each["IndexName"] == self.index.name
            and _keys(table, each) == [(self.index.key, self.index.key_type)]
            and each["Projection"]["ProjectionType"] == "ALL"
            for each in table.get("GlobalSecondaryIndexes", [])
        )

    def _update(self, table: "Description") -> bool:
        """Add the index if it is missing. If it is wrong, delete it and add it again: it has only copies.

        A table with another key is refused, because a key cannot be changed.
        """
        there, wanted = _keys(table, table), [(self.key, "S")]
        if there != wanted:
            raise LotteryError(
                self.titled,
                _(
                    "the key of {name} is {there}, not {wanted}, and a key cannot be changed",
                    name=self.name,
                    there=there,
                    wanted=wanted,
                ),
                _("Run `lottery teardown`, then deploy again"),
            )
        if (index := self.index) is None or self._has_index(table):
            return False

        def settled() -> bool:
            """Take the next step. DynamoDB creates or deletes one index at a time."""
            table = self.describe()
            if not self._is_ready(table) or self._has_index(table):
                return self._is_ready(table)
            names = [each["IndexName"] for each in table.get("GlobalSecondaryIndexes", [])]
            delete, create = {"Delete": {"IndexName": index.name}}, {"Create": index.configuration}
            change: Any = delete if index.name in names else create
            self.target.kit_client("dynamodb").update_table(
                TableName=self.name,
                AttributeDefinitions=self.configuration["AttributeDefinitions"],
                GlobalSecondaryIndexUpdates=[change],
            )
            return False

        what, passing = _("the index of {table}", table=self.titled), says(*self.not_yet, "already exists")
        self.target.waiter.until(what, settled, seconds=self.patience, passing=passing)
        return True

    def _remove(self, report: Report) -> None:
        if report.state != "DELETING":
            self._wait_until_ready()  # AWS refuses to delete a table while it makes the table or an index
            delete = self.target.kit_client("dynamodb").delete_table
            self._once_allowed(delete, "ResourceNotFound", TableName=self.name)
        self._wait_until_gone()


def _keys(table: "Description", described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The key attributes of a table, or of an index of it, with their types."""
    types = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    return [(part["AttributeName"], types[part["AttributeName"]]) for part in described["KeySchema"]]


def _plain(item: Mapping[str, Any]) -> Item:
    return {key: _number(value) if isinstance(value, Decimal) else value for key, value in item.items()}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
