"""Refuse the writes and table changes that DynamoDB refuses; pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lottery_lib.emulator.http.messages import Reply
from lottery_lib.emulator.http.replies import json_error

__all__ = ["IndexKeys", "index_keys", "items_of", "why_not_batch", "why_not_change", "why_not_items"]

IndexKeys = Mapping[str, tuple[str, str]]
"""For each attribute that is a key of a secondary index: its type and the index."""

_BATCH: Final = 25


def index_keys(table: Mapping[str, Any]) -> IndexKeys:
    """The index keys of a table, from its description by DescribeTable."""
    types = {each["AttributeName"]: each["AttributeType"] for each in table.get("AttributeDefinitions", [])}
    indexes = [*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or [])]
    return {
        key["AttributeName"]: (types[key["AttributeName"]], index["IndexName"])
        for index in indexes
        for key in index["KeySchema"]
        if key["AttributeName"] in types
    }


def items_of(operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The items that a PutItem, BatchWriteItem or TransactWriteItems puts, each with its table."""
    if operation == "PutItem":
        yield parameters.get("TableName", ""), parameters.get("Item") or {}
    if operation == "BatchWriteItem":
        for table, writes in (parameters.get("RequestItems") or {}).items():
            yield from ((table, write["PutRequest"]["Item"]) for write in writes if "PutRequest" in write)
    if operation == "TransactWriteItems":
        for part in parameters.get("TransactItems") or []:
            yield part.get("Put", {}).get("TableName", ""), part.get("Put", {}).get("Item") or {}


def why_not_items(operation: str, items: Sequence[tuple[Mapping[str, Any], IndexKeys]]) -> Reply | None:
    """AWS's refusal of a key of an index that has another type, or None; it may be missing."""
    faults = [_wrong_type(item, keys) for item, keys in items]
    if not any(faults):
        return None
    if operation != "TransactWriteItems":
        return json_error("ValidationException", next(filter(None, faults)))
    codes = ["ValidationError" if fault else "None" for fault in faults]
    text = "Transaction cancelled, please refer cancellation reasons for specific reasons"
    reasons = [
        {"Code": code} | ({"Message": fault} if fault else {})
        for code, fault in zip(codes, faults, strict=True)
    ]
    return json_error(
        "TransactionCanceledException", f"{text} [{', '.join(codes)}]", CancellationReasons=reasons
    )


def why_not_batch(parameters: Mapping[str, Any]) -> Reply | None:
    """AWS's refusal of more than 25 writes, or None."""
    items = parameters.get("RequestItems")
    count = sum(len(writes) for writes in items.values()) if isinstance(items, dict) else 0
    if count <= _BATCH:
        return None
    return json_error(
        "ValidationException",
        "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value must "
        "satisfy constraint: [Member must have length less than or equal to 25, Member must have length "
        "greater than or equal to 1]",
    )


def why_not_change(parameters: Mapping[str, Any], table: Mapping[str, Any]) -> Reply | None:
    """AWS's refusal of two indexes at once, or of one that exists already, or None."""
    updates = parameters.get("GlobalSecondaryIndexUpdates") or []
    if sum("Create" in update or "Delete" in update for update in updates) > 1:
        limit = "Only 1 online index can be created or deleted simultaneously per table"
        return json_error("LimitExceededException", f"Subscriber limit exceeded: {limit}")
    there = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or []}
    if any(update.get("Create", {}).get("IndexName") in there for update in updates):
        return json_error("ValidationException", "Attempting to create an index which already exists")
    return None


def _wrong_type(item: Mapping[str, Any], keys: IndexKeys) -> str:
    for name, (expected, index) in keys.items():
        actual = next(iter(item.get(name) or {expected: None}))
        if actual != expected:
            return (
                f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                f"Expected: {expected} Actual: {actual} IndexName: {index}"
            )
    return ""
