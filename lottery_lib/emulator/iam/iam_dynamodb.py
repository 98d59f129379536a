"""Say what a DynamoDB request needs; pure.

A batch needs the right to each of its tables, a transaction the rights that its parts would need alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lottery_lib.emulator.iam.asked import Asked, Need

__all__ = ["dynamodb_needs"]

_PARTS: Final = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
_ARNS: Final = (
    "ResourceArn",
    "StreamArn",
    "BackupArn",
    "ExportArn",
    "ImportArn",
    "TableArn",
    "SourceBackupArn",
)
# PartiQL: the verb decides the action, the first name after it the table, and one after a dot the index.
_STATEMENT: Final = re.compile(
    r"\s*(SELECT|INSERT|UPDATE|DELETE)\b(?:.*?\b(?:FROM|INTO)\s+|\s+)\"?([\w.-]+?)\"?(?:\.\"?([\w-]+)\"?)?(?:\s|$)",
    re.IGNORECASE | re.DOTALL,
)


def dynamodb_needs(asked: Asked) -> list[Need]:
    """The actions and resources of a request."""
    match asked.operation:
        case "BatchGetItem" | "BatchWriteItem":
            return [asked.need(_table(asked, name)) for name in asked.parameters.get("RequestItems") or {}]
        case "TransactWriteItems" | "TransactGetItems":
            parts = asked.parameters.get("TransactItems") or []
            return _once(need for part in parts for need in _part_needs(asked, part))
        case "ExecuteStatement":
            return _statement_needs(asked, asked.parameters)
        case "BatchExecuteStatement" | "ExecuteTransaction":
            each = asked.parameters.get("Statements") or asked.parameters.get("TransactStatements") or []
            return _once(need for statement in each for need in _statement_needs(asked, statement))
    if table := asked.text("TableName", "TargetTableName"):
        index = asked.text("IndexName") if asked.operation in {"Query", "Scan"} else ""
        return [asked.need(_table(asked, table, index))]
    return [asked.need(asked.text(*_ARNS) or "*")]


def _part_needs(asked: Asked, part: Mapping[str, Any]) -> Iterator[Need]:
    for kind, parameters in part.items():
        if kind in _PARTS:
            yield asked.need(_table(asked, parameters.get("TableName", "")), _PARTS[kind])


def _statement_needs(asked: Asked, parameters: Mapping[str, Any]) -> list[Need]:
    if not (match := _STATEMENT.match(str(parameters.get("Statement", "")))):
        return [asked.need("*", "PartiQLSelect")]
    return [asked.need(_table(asked, match[2], match[3] or ""), f"PartiQL{match[1].capitalize()}")]


def _table(asked: Asked, name: str, index: str = "") -> str:
    return asked.arn(name if name.startswith("arn:") else f"table/{name}") + (
        f"/index/{index}" if index else ""
    )


def _once(needs: Iterator[Need]) -> list[Need]:
    return list(dict.fromkeys(needs))
