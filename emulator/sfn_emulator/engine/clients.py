"""Let moto's state machines call other services as their role, without leaving this process.

Without this module, moto's engine would make a new boto3 client for every state, and send its call to this
server's port without a role. To make a client takes longer than the call. Two branches of a Parallel state
can fail if they make a client at the same time, because boto3's default session is not thread-safe. Here each
client is made once, and its requests (botocore's ``before-send`` event) go directly to the router. Each
thread stores the role of the state machine that it runs, and its calls use this role. A call without a role
is denied.
"""

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from sfn_emulator.engine.application import signed
from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import Reply, Request, Scope
from sfn_emulator.http.replies import denied, error_reply
from sfn_emulator.http.service_models import shape_of


class EngineClients:
    """The clients that moto's engine uses.

    Args:
        answer: The router.
        sessions: Give an access key to each role of a machine.
    """

    def __init__(self, answer: Callable[[Request], Reply], sessions: Sessions) -> None:
        self._answer = answer
        self._sessions = sessions
        self._thread = threading.local()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Make moto's engine in this process use these clients."""
        global _installed  # noqa: PLW0603 (moto's engine is one for the whole process, too)
        _installed = self

    def client(self, make: Callable[..., Any], region: str, service: str, role_arn: str | None) -> Any:
        """A client whose next calls in this thread are made as a machine with this role.

        Args:
            make: moto's function that makes a client, called once for each region and service.
            region: Such as ``"us-east-1"``.
            service: Such as ``"lambda"``.
            role_arn: None if there is no role. Then the calls are denied.
        """
        self._thread.key = self._sessions.of_machine(role_arn) if role_arn else None
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = client = make(region=region, service=service)
                from botocore import UNSIGNED

                # The router does not check signatures.
                client.meta.events.register("choose-signer", lambda **_: UNSIGNED)
                scope = Scope("", client.meta.region_name, client.meta.service_model.signing_name)
                client.meta.events.register("before-send", partial(self._send, scope))
                if service == "lambda":
                    client.invoke = partial(self._invoke, scope, client.invoke)
            return self._clients[service, region]

    def _invoke(self, scope: Scope, boto3_invoke: Callable[..., Any], **given: Any) -> Any:
        """Call a function without boto3, which would take longer than the call. boto3 only reads errors."""
        key, name = getattr(self._thread, "key", None), given.get("FunctionName")
        if not (key and name and isinstance(name, str) and given.keys() == {"FunctionName", "Payload"}):
            return boto3_invoke(**given)
        target = f"/2015-03-31/functions/{quote(name, safe='')}/invocations"
        headers = {"content-type": "application/json"} | signed(replace(scope, access_key=key))
        reply = self._answer(Request("POST", target, headers, given["Payload"]))
        if not reply.ok:
            self._thread.reply = reply  # `_send` takes it
            try:
                return boto3_invoke(**given)
            finally:
                vars(self._thread).pop("reply", None)
        from botocore.response import StreamingBody

        error = reply.headers.get("X-Amz-Function-Error")
        return {
            "StatusCode": reply.status,
            "ExecutedVersion": reply.headers["X-Amz-Executed-Version"],
            "Payload": StreamingBody(io.BytesIO(reply.body), len(reply.body)),
        } | ({"FunctionError": error} if error else {})

    def _send(self, scope: Scope, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        key = getattr(self._thread, "key", None)
        url = urlsplit(request.url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        headers = {
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        headers.update(signed(replace(scope, access_key=key or "")))
        body = request.body or b""
        ours = Request(
            request.method, target, headers, body.encode() if isinstance(body, str) else bytes(body)
        )
        refusal = denied(ours, "The state machine that calls has no role")
        earlier = vars(self._thread).pop("reply", None)
        reply = earlier or (self._answer(ours) if key else error_reply(ours, refusal))
        reply_headers: Any = {**reply.headers, "Content-Length": str(len(reply.body))}
        return AWSResponse(request.url, reply.status, reply_headers, _Raw(reply.body))


_installed: EngineClients | None = None


def boto_client_for(
    original: Callable[..., Any], region: str, service: str, state_credentials: Any = None
) -> Any:
    """A state machine calls other services with its role, inside this process."""
    if _installed is None:
        raise RuntimeError("no emulator serves the calls of moto's engine")
    return _installed.client(original, region, service, getattr(state_credentials, "role_arn", None))


def named_as_in_api(original: Callable[..., Any], self: Any, parameters: Any, **given: Any) -> None:
    """The parameters of a call get the names and types of its API. moto keeps those of the definition."""
    original(self, parameters, **given)
    self._to_boto_request(parameters, _shape_of(self, "input"))


def named_as_in_definitions(
    _: Callable[..., Any], self: Any, response: Any, *, service_action_name: str = "", **given: Any
) -> None:
    """The result of a call is JSON, and its names begin with capitals. moto keeps those of the API."""
    self._from_boto_response(response, _shape_of(self, "output", service_action_name))

    def as_json(value: Any) -> Any:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if self.resource.service_name == "states":
            return round(value.timestamp() * 1000)
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    response.update(json.loads(json.dumps(response, default=as_json)))


def _shape_of(task: Any, side: str, action: str = "") -> Any:
    operation = (action or task.resource.api_action).replace("_", "")
    return shape_of(task._get_boto_service_name(), operation, side)


class _Raw(io.BytesIO):
    """The body of a reply. botocore reads it like a body of urllib3."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The rest of the body."""
        yield self.read()
