"""Let moto's state machines call other services without leaving this process.

moto's engine asks `boto3.client` for a client at every state and sends its call to this server's port. Made
anew, a client costs more than the call; made by two branches of a Parallel state at once, it can fail, for
boto3's default session is not made for threads. So in this process `boto3.client` gives each client out
again, and what such a client would send (botocore's ``before-send`` event) goes to the front at once. Whose
call it is, the thread knows: the role of the machine that it runs.
"""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from lottery_lib.emulator.http.messages import Reply, Request, Scope
from lottery_lib.emulator.iam.callers import Sessions
from lottery_lib.emulator.moto.application import signed

__all__ = ["EngineClients"]


class EngineClients:
    """Stands in for `boto3.client`.

    Args:
        answer: The front.
        sessions: Have the access keys of machines.
    """

    def __init__(self, answer: Callable[[Request], Reply], sessions: Sessions) -> None:
        self._answer = answer
        self._sessions = sessions
        self._thread = threading.local()
        self._make = boto3.client
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Have it used by everything in this process."""
        boto3.client = self

    def act_as(self, role_arn: str) -> None:
        """Make the calls of this thread as those of a machine of that role."""
        self._thread.key = self._sessions.of_machine(role_arn)

    def __call__(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        """A client, made once for a service and region."""
        key = (service_name, region_name or "")
        with self._lock:
            if key not in self._clients:
                client = self._make(service_name, region_name=region_name, **options)
                # The front believes a signature without looking at it.
                client.meta.events.register("choose-signer", lambda **_: UNSIGNED)
                scope = Scope("", client.meta.region_name, client.meta.service_model.signing_name)
                client.meta.events.register("before-send", partial(self._send, scope))
                self._clients[key] = client
            return self._clients[key]

    def _send(self, scope: Scope, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        headers.update(signed(replace(scope, access_key=getattr(self._thread, "key", "ak"))))
        body = request.body or b""
        reply = self._answer(
            Request(request.method, target, headers, body.encode() if isinstance(body, str) else bytes(body))
        )
        length = {"Content-Length": str(len(reply.body))}
        return AWSResponse(request.url, reply.status, {**reply.headers, **length}, _Raw(reply.body))


class _Raw(io.BytesIO):
    """The reply's body, read as urllib3's."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All that is left."""
        yield self.read()


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
