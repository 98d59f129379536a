"""Refuse the writes and table changes that DynamoDB refuses. Nothing here makes a call."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from sfn_emulator.http.messages import RefusalError
from sfn_emulator.http.replies import violation

IndexKeys = Mapping[str, tuple[str, str]]
"""The type and the index of each key attribute of a secondary index."""

_BATCH: Final = 25
_NAME: Final = "[a-zA-Z0-9_.-]+"
_REASONS: Final = {"None", "ConditionalCheckFailed", "ValidationError"}
_KINDS: Final = ("Condition", "Filter", "KeyCondition", "Projection", "Update")
#: How the names of attributes and values begin, where they are defined, and AWS's words if one is not.
_DEFINED: Final = (
    ("#", "ExpressionAttributeNames", "name used in the document path is not defined; attribute name"),
    (":", "ExpressionAttributeValues", "value used in expression is not defined; attribute value"),
)


def index_keys(table: Mapping[str, Any]) -> IndexKeys:
    """The index keys of a table, from its description by DescribeTable."""
    definitions = table.get("AttributeDefinitions", [])
    types = {definition["AttributeName"]: definition["AttributeType"] for definition in definitions}
    indexes = [*(table.get("GlobalSecondaryIndexes") or []), *(table.get("LocalSecondaryIndexes") or [])]
    return {
        key["AttributeName"]: (types[key["AttributeName"]], index["IndexName"])
        for index in indexes
        for key in index["KeySchema"]
        if key["AttributeName"] in types
    }


def items_of(operation: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each item that a PutItem, BatchWriteItem or TransactWriteItems puts, after the name of its table."""
    if operation == "PutItem":
        yield parameters.get("TableName", ""), parameters.get("Item") or {}
    if operation == "BatchWriteItem":
        for table, writes in (parameters.get("RequestItems") or {}).items():
            yield from ((table, write["PutRequest"]["Item"]) for write in writes if "PutRequest" in write)
    if operation == "TransactWriteItems":
        for part in parameters.get("TransactItems") or []:
            yield part.get("Put", {}).get("TableName", ""), part.get("Put", {}).get("Item") or {}


def check_items(operation: str, items: Sequence[tuple[Mapping[str, Any], IndexKeys]]) -> None:
    """Refuse items whose index keys have the wrong type. An item without the key is not in the index.

    Args:
        operation: The operation that puts the items.
        items: Each item, with the index keys of its table.

    Raises:
        RefusalError: With AWS's reason.
    """
    faults = []
    for item, keys in items:
        wrong = (
            "One or more parameter values were invalid: Type mismatch for Index Key "
            f"{name} Expected: {expected} Actual: {actual} IndexName: {index}"
            for name, (expected, index) in keys.items()
            if (actual := next(iter(item.get(name) or {expected: None}))) != expected
        )
        faults.append(next(wrong, ""))
    if not any(faults):
        return
    if operation != "TransactWriteItems":
        raise RefusalError("ValidationException", next(filter(None, faults)))
    raise cancelled(
        [{"Code": "ValidationError", "Message": fault} if fault else {"Code": "None"} for fault in faults]
    )


def cancelled(reasons: Sequence[Mapping[str, Any]]) -> RefusalError:
    """The error of a transaction. Instead of a code that AWS does not have, it tells a ValidationError.

    Args:
        reasons: For each item, its code, message and item, if it has them. moto also tells names of Python.
    """
    unknown = {"Code": "ValidationError", "Message": "The emulator cannot do this. Its log says why."}
    told = [reason if reason["Code"] in _REASONS else unknown for reason in reasons]
    codes = ", ".join(reason["Code"] for reason in told)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return RefusalError("TransactionCanceledException", text, CancellationReasons=told)


def check_expressions(parameters: Mapping[str, Any]) -> None:
    """Refuse an expression with a name or a value that the call does not define.

    Args:
        parameters: Those of a call, or of a part of a transaction.

    Raises:
        RefusalError: With AWS's reason.
    """
    for expression in (f"{kind}Expression" for kind in _KINDS):
        for sign, parameter, told in _DEFINED:
            known = parameters.get(parameter) or {}
            for name in re.findall(rf"{sign}\w+", parameters.get(expression) or ""):
                if name not in known:
                    text = f"Invalid {expression}: An expression attribute {told}: {name}"
                    raise RefusalError("ValidationException", text)
    for part in parameters.get("TransactItems") or ():
        for each in part.values():
            check_expressions(each)


def check_stream(parameters: Mapping[str, Any]) -> None:
    """Refuse a stream that does not say what it shows.

    Raises:
        RefusalError: With AWS's reason.
    """
    stream = parameters.get("StreamSpecification") or {}
    if stream.get("StreamEnabled") and not stream.get("StreamViewType"):
        text = "One or more parameter values were invalid: A stream needs a StreamViewType"
        raise RefusalError("ValidationException", text)


def check_batch(parameters: Mapping[str, Any]) -> None:
    """Refuse more than 25 writes, and a table without any.

    Raises:
        RefusalError: With AWS's reason.
    """
    items = parameters.get("RequestItems")
    counts = [len(writes) for writes in items.values()] if isinstance(items, dict) else []
    if sum(counts) > _BATCH or 0 in counts:
        text = (
            "1 validation error detected: Value at 'requestItems' failed to satisfy constraint: Map value "
            "must satisfy constraint: [Member must have length less than or equal to 25, Member must have "
            "length greater than or equal to 1]"
        )
        raise RefusalError("ValidationException", text)


def check_name(name: str) -> None:
    """Refuse a new table whose name is too short or too long, or has other characters than AWS allows.

    Raises:
        RefusalError: With AWS's reason.
    """
    if not 3 <= len(name) <= 255:
        text = "TableName must be at least 3 characters long and at most 255 characters long"
        raise RefusalError("ValidationException", text)
    if not re.fullmatch(_NAME, name):
        rule = f"satisfy regular expression pattern: {_NAME}"
        raise RefusalError("ValidationException", violation("tableName", rule, name))


def check_change(parameters: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    """Refuse a change of two indexes at once, and an index that exists already.

    Raises:
        RefusalError: With AWS's reason.
    """
    updates = parameters.get("GlobalSecondaryIndexUpdates") or []
    if sum("Create" in update or "Delete" in update for update in updates) > 1:
        limit = "Only 1 online index can be created or deleted simultaneously per table"
        raise RefusalError("LimitExceededException", f"Subscriber limit exceeded: {limit}")
    names = {index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or []}
    if any(update.get("Create", {}).get("IndexName") in names for update in updates):
        raise RefusalError("ValidationException", "Attempting to create an index which already exists")
