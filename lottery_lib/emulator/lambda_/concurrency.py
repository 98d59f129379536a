"""Keep functions to their reserved concurrency: calls beyond it are throttled, not queued."""

import contextlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

from lottery_lib.emulator.http.messages import Reply, Request
from lottery_lib.emulator.http.replies import json_reply
from lottery_lib.emulator.lambda_.function import arn_of, name_of
from lottery_lib.emulator.moto.application import Moto

__all__ = ["Concurrency", "ThrottledError"]

_PATH: Final = re.compile(r"/(?:2015-03-31|2017-10-31|2019-09-30)/functions/([^/]+)(/concurrency)?/?")
_FIELD: Final = "ReservedConcurrentExecutions"


class ThrottledError(Exception):
    """As many calls of the function run as are reserved for it."""


class Concurrency:
    """What is reserved for the functions of one emulator, in all versions.

    Args:
        moto: Keeps the numbers, too, and knows which functions there are; but not what 0 means.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._reserved: dict[str, int] = {}
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply | None:
        """Answer what is asked about it; None for any other request."""
        if not (match := _PATH.fullmatch(request.path)):
            return None
        arn = arn_of(request.scope, name_of(match[1]).partition(":")[0])
        if match[2]:
            return self._change(request, arn)
        return self._told(request, arn) if request.method == "GET" else None

    def reset(self) -> None:
        """Forget all."""
        self._reserved.clear()

    def remove(self, arn: str) -> None:
        """Reserve nothing: the function may run as often as there is room."""
        self._reserved.pop(arn, None)

    @contextlib.contextmanager
    def call(self, arn: str) -> Iterator[None]:
        """Count a call of the function while it runs.

        Raises:
            ThrottledError: It must not run.
        """
        with self._lock:
            if self._running[arn] >= self._reserved.get(arn, self._running[arn] + 1):
                raise ThrottledError(arn)
            self._running[arn] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[arn] -= 1

    def _change(self, request: Request, arn: str) -> Reply:
        reply = self._moto(request)
        if not reply.ok:
            return reply
        match request.method:
            case "PUT":
                self._reserved[arn] = int(request.json.get(_FIELD) or 0)
            case "DELETE":
                self.remove(arn)
            case "GET":
                return json_reply(self._field(arn))
        return reply

    def _told(self, request: Request, arn: str) -> Reply:
        """GetFunction."""
        reply = self._moto(request)
        if not reply.ok or not (field := self._field(arn)):
            return reply
        return reply.with_json(reply.json | {"Concurrency": field})

    def _field(self, arn: str) -> dict[str, int]:
        return {_FIELD: self._reserved[arn]} if arn in self._reserved else {}
