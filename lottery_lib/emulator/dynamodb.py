"""Answer DynamoDB's API as AWS does where moto does not; moto keeps the tables."""

import hashlib
import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

from lottery_lib.emulator.moto_wire import Moto
from lottery_lib.emulator.replies import json_error
from lottery_lib.emulator.wire import Reply, Request

__all__ = ["DynamoDbApi"]

_BATCH: Final = 25
_TOKEN_SECONDS: Final = 600.0


@dataclass(frozen=True)
class _Done:
    """A transaction that was made with a token."""

    asked: bytes
    reply: Reply
    at: float


class DynamoDbApi:
    """The tables of one emulator.

    Args:
        moto: Keeps them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._done: dict[tuple[str, str], _Done] = {}
        # moto undoes a failed transaction by putting back all tables as they were: what another thread wrote
        # meanwhile would be lost. And no reader may see half of one.
        self._one_at_a_time = threading.RLock()

    def answer(self, request: Request) -> Reply | None:
        """Answer a request that is DynamoDB's; None for any other."""
        if request.scope.service != "dynamodb":
            return None
        if "x-amz-target" not in request.headers:
            return json_error("MissingAuthenticationTokenException", "Missing Authentication Token")
        with self._one_at_a_time:
            if request.operation == "BatchWriteItem" and (refused := _why_not_batch(request.json)):
                return refused
            if request.operation == "TransactWriteItems" and request.json.get("ClientRequestToken"):
                return self._transact(request)
            return self._moto(request)

    def reset(self) -> None:
        """Forget all tokens."""
        self._done.clear()

    def _transact(self, request: Request) -> Reply:
        key = (request.scope.region, request.json["ClientRequestToken"])
        asked = hashlib.sha256(json.dumps(request.json, sort_keys=True).encode()).digest()
        now = time.monotonic()
        self._done = {token: done for token, done in self._done.items() if now - done.at < _TOKEN_SECONDS}
        if done := self._done.get(key):
            if done.asked == asked:
                return done.reply
            code = "IdempotentParameterMismatchException"
            return json_error(code, "This request token was used before with other parameters")
        reply = self._moto(request)
        if reply.ok:
            self._done[key] = _Done(asked, reply, now)
        return reply


def _why_not_batch(parameters: dict[str, Any]) -> Reply | None:
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
