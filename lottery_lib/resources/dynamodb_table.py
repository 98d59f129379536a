"""Manage a DynamoDB table and its items."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Final

from lottery_lib.aws_errors import all_pages, call_or_none
from lottery_lib.errors import LotteryError
from lottery_lib.resources import Report, Resource
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TableDescriptionTypeDef as Found

_WRITTEN: Final = 25  # items that BatchWriteItem takes at once
_READ: Final = 100  # keys that BatchGetItem takes at once
Item = dict[str, Any]
"""An item as plain Python values; whole numbers are int."""


class Table(Resource["Found"]):
    """A table as it should be, and its items.

    Args:
        target: Where.
        name: Its name.
        key: Its key, a string attribute.
    """

    kind: ClassVar = N_("table")
    arn_parts: ClassVar = ("dynamodb", "table/{}")
    ready_word: ClassVar = "ACTIVE"
    patience: ClassVar = 300
    actions: ClassVar = (
        *("BatchWriteItem", "CreateTable", "DeleteTable", "DescribeTable", "ListTagsOfResource"),
        *("Scan", "TagResource"),
    )
    lesson_actions: ClassVar = {
        "tutorial": ("GetItem", "ListTables", "PutItem"),
        "hardened": ("BatchGetItem", "DeleteItem", "UpdateItem"),
    }
    account_actions: ClassVar = ("ListTables",)
    role_actions: ClassVar = (
        *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem"),
        *("PutItem", "Scan", "UpdateItem"),
    )
    inside: ClassVar = "/index/*"
    #: DynamoDB is still making, changing or deleting the table.
    not_yet: ClassVar = ("ResourceInUse",)

    def __init__(self, target: Target, name: str, key: str = "employee_id") -> None:
        super().__init__(target, name)
        self.key = key
        #: What `CreateTable` sets.
        self.configuration: dict[str, Any] = {
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }

    def describe_or_none(self) -> "Found | None":
        """AWS's description of the table."""
        describe = self.target.kit_client("dynamodb").describe_table
        found = call_or_none(describe, "ResourceNotFound", TableName=self.name)
        return found and found["Table"]

    def check_ours(self) -> None:
        """Refuse a table that does not exist or is not ours.

        Raises:
            LotteryError: It does not exist, or is not ours.
        """
        found = self.find()
        if found is None:
            self.describe()  # raises
        self.refuse_foreign(found)

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
        client, found = self.target.plain_dynamodb(), list[Item]()

        def read(asked: Any) -> Any:
            wanted: Any = {self.name: {"Keys": asked, "ConsistentRead": True}}
            answer: Any = client.batch_get_item(RequestItems=wanted)
            found.extend(map(_plain, answer["Responses"][self.name]))
            return answer["UnprocessedKeys"].get(self.name, {}).get("Keys")

        self._in_batches(read, ({self.key: key} for key in keys), _READ)
        return found

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

    def _state(self, found: "Found") -> str:
        return found["TableStatus"]

    def _tags(self, found: "Found") -> Mapping[str, str]:
        client = self.target.kit_client("dynamodb")
        tags = all_pages(client, "list_tags_of_resource", "Tags", ResourceArn=self.arn)
        return {tag["Key"]: tag["Value"] for tag in tags}

    def _create(self) -> "Found | None":
        created = self._once_allowed(
            self.target.kit_client("dynamodb").create_table,
            "already exists",
            "is being created",
            TableName=self.name,
            Tags=self._tag_list(),
            **self.configuration,
        )
        return self._wait_until_ready() if created else None

    def _is_ready(self, found: "Found") -> bool:
        return found["TableStatus"] == "ACTIVE"

    def _update(self, found: "Found") -> bool:
        """Refuse a table with another key, because a key cannot be changed."""
        types = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
        there = [(part["AttributeName"], types[part["AttributeName"]]) for part in found["KeySchema"]]
        wanted = [(self.key, "S")]
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
        return False

    def _remove(self, found: Report) -> None:
        if found.state != "DELETING":
            self._wait_until_ready()  # AWS refuses to delete a table while it makes the table
            delete = self.target.kit_client("dynamodb").delete_table
            self._once_allowed(delete, "ResourceNotFound", TableName=self.name)
        self._wait_until_gone()


def _plain(item: Mapping[str, Any]) -> Item:
    return {key: _number(value) if isinstance(value, Decimal) else value for key, value in item.items()}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
