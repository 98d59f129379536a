"""Answer DynamoDB's API as AWS does. moto stores the tables."""

import hashlib
import json
import threading
import uuid
from dataclasses import dataclass
from typing import Any, Final

from sfn_emulator.dynamodb import validation
from sfn_emulator.http.messages import MalformedRequestError, RefusalError, Reply, Request, Scope
from sfn_emulator.http.replies import unknown_operation
from sfn_emulator.process.timers import now
from sfn_emulator.storage.application import Moto

_TOKEN_SECONDS: Final = 600.0
_TARGETS: Final = ("DynamoDB_20120810.", "DynamoDBStreams_20120810.")
#: The status in AWS's answer. Here, the table is ready, or gone, at the next call.
_CHANGING: Final = {"CreateTable": "CREATING", "UpdateTable": "UPDATING", "DeleteTable": "DELETING"}
_PARTIQL: Final = {"ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"}


@dataclass(frozen=True)
class _Done:
    """A finished transaction with a token: a digest of its parameters, its reply, and when it was made."""

    digest: bytes
    reply: Reply
    at: float


class DynamoDbApi:
    """The tables of one emulator.

    Args:
        moto: Stores them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._done: dict[tuple[str, str], _Done] = {}
        self._index_keys: dict[tuple[Scope, str], validation.IndexKeys] = {}
        # When a transaction fails, moto restores all tables, which would undo another thread's writes. Also,
        # no reader may see half of a transaction.
        self._one_at_a_time = threading.RLock()

    def answer(self, request: Request) -> Reply:
        """Answer a request to DynamoDB."""
        if "x-amz-target" not in request.headers:
            raise RefusalError("MissingAuthenticationTokenException", "Missing Authentication Token")
        if not request.headers["x-amz-target"].startswith(_TARGETS):
            raise unknown_operation(request)
        if request.operation in _PARTIQL:
            # The names of the tables are inside a statement, which `iam` does not read.
            raise RefusalError("UnknownOperationException", "This emulator does not support PartiQL")
        with self._one_at_a_time:
            try:
                self._check(request)
            except (AttributeError, KeyError, StopIteration, TypeError) as error:
                raise MalformedRequestError("a parameter has the wrong type") from error
            return self._answer(request)

    def reset(self) -> None:
        """Forget all tokens."""
        self._done.clear()
        self._index_keys.clear()

    def _check(self, request: Request) -> None:
        operation, scope = request.operation, request.scope
        validation.check_expressions(request.json)
        if operation in {"CreateTable", "UpdateTable"}:
            validation.check_stream(request.json)
        if operation == "CreateTable":
            validation.check_name(request.json.get("TableName", ""))
        if operation == "UpdateTable":
            validation.check_change(request.json, self._table(scope, request.json.get("TableName", "")))
        if operation == "BatchWriteItem":
            validation.check_batch(request.json)
        items = []
        for table, item in validation.items_of(operation, request.json):
            if (scope, table) not in self._index_keys:
                self._index_keys[scope, table] = validation.index_keys(self._table(scope, table))
            items.append((item, self._index_keys[scope, table]))
        validation.check_items(operation, items)

    def _answer(self, request: Request) -> Reply:
        match request.operation:
            case "TransactWriteItems":
                return self._transact(request)
            case "CreateTable" | "UpdateTable" | "DeleteTable":
                return self._change(request)
        reply = self._moto(request)
        if reply.ok and request.json.get("ReturnConsumedCapacity", "NONE") == "NONE":
            told = reply.json
            if told.pop("ConsumedCapacity", None):
                reply = reply.with_json(told)
        if request.operation == "DescribeTable" and reply.ok:
            return reply.with_json({"Table": _described(reply.json["Table"])})
        index = request.json.get("IndexName") if request.operation in {"Query", "Scan"} else None
        if not reply.ok and index and "Invalid index" in reply.json.get("message", ""):
            raise RefusalError("ValidationException", f"The table does not have the specified index: {index}")
        return reply

    def _change(self, request: Request) -> Reply:
        parameters = request.json
        if request.operation == "UpdateTable":
            # moto forgets the attributes that the request does not name again.
            old = self._table(request.scope, parameters.get("TableName", "")).get("AttributeDefinitions", [])
            new = parameters.get("AttributeDefinitions") or []
            names = {attribute["AttributeName"] for attribute in new}
            kept = [attribute for attribute in old if attribute["AttributeName"] not in names]
            parameters = parameters | {"AttributeDefinitions": [*kept, *new]}
        reply = self._moto(request.with_json(parameters))
        self._index_keys.clear()
        if not reply.ok:
            return reply
        table = _described(reply.json["TableDescription"]) | {"TableStatus": _CHANGING[request.operation]}
        updates = parameters.get("GlobalSecondaryIndexUpdates") or []
        created = [update["Create"]["IndexName"] for update in updates if "Create" in update]
        for index in table.get("GlobalSecondaryIndexes", []):
            if index["IndexName"] in created:
                index |= {"IndexStatus": "CREATING", "Backfilling": False}
        return reply.with_json({"TableDescription": table})

    def _transact(self, request: Request) -> Reply:
        """Make a transaction, with a token only once. For ten minutes the same token gets the same reply."""
        key = (request.scope.region, request.json.get("ClientRequestToken") or "")
        digest = hashlib.sha256(json.dumps(request.json, sort_keys=True).encode()).digest()
        recent = now() - _TOKEN_SECONDS
        self._done = {token: done for token, done in self._done.items() if done.at > recent}
        if key[1] and (done := self._done.get(key)):
            if done.digest == digest:
                return done.reply
            code = "IdempotentParameterMismatchException"
            raise RefusalError(code, "This request token was used before with other parameters")
        reply = self._moto(request)
        if not reply.ok and (reasons := reply.json.get("CancellationReasons")):
            raise validation.cancelled(reasons)
        if reply.ok and key[1]:
            self._done[key] = _Done(digest, reply, now())
        return reply

    def _table(self, scope: Scope, name: str) -> dict[str, Any]:
        reply = self._moto.target(scope, "DynamoDB_20120810.DescribeTable", {"TableName": name})
        return reply.json["Table"] if reply.ok else {}


def _described(table: dict[str, Any]) -> dict[str, Any]:
    """AWS leaves out indexes that a table does not have, and gives each table an id and each index an ARN."""
    made = f"{table['TableArn']} {table['CreationDateTime']}"
    filled = {name: value for name, value in table.items() if value != []}
    for index in filled.get("GlobalSecondaryIndexes", []):
        index["IndexArn"] = f"{table['TableArn']}/index/{index['IndexName']}"
    return filled | {"TableId": str(uuid.uuid5(uuid.NAMESPACE_URL, made))}
