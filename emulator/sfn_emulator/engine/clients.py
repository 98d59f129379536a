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
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from email.utils import formatdate
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

from sfn_emulator.engine.application import signed
from sfn_emulator.engine.failures import WrongTypesError
from sfn_emulator.http.authentication import Sessions
from sfn_emulator.http.messages import Reply, Request, Scope
from sfn_emulator.http.replies import denied, error_reply, violation
from sfn_emulator.http.service_models import shape_of

# The headers of AWS's replies, as the output of a Task tells them. Other services have the last ones.
_HEADERS: Final = {
    "lambda": (
        *("X-Amz-Log-Result", "X-Amz-Executed-Version", "x-amzn-Remapped-Content-Length", "Connection"),
        *("x-amzn-RequestId", "Content-Length", "Date", "X-Amzn-Trace-Id", "Content-Type"),
    ),
    "dynamodb": (
        *("Server", "Connection", "x-amzn-RequestId", "x-amz-crc32", "Content-Length", "Date"),
        "Content-Type",
    ),
    "": ("x-amzn-RequestId", "connection", "Content-Length", "Date", "Content-Type"),
}


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
        self._clients: dict[tuple[str, str, object], Any] = {}
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
            if (service, region, make) not in self._clients:
                self._clients[service, region, make] = client = make(region=region, service=service)
                from botocore import UNSIGNED

                # The router does not check signatures.
                client.meta.events.register("choose-signer", lambda **_: UNSIGNED)
                client.meta.events.register("provide-client-params", checked)
                scope = Scope("", client.meta.region_name, client.meta.service_model.signing_name)
                client.meta.events.register("before-send", partial(self._send, scope))
                if service == "lambda":
                    client.invoke = partial(self._invoke, scope, client.invoke)
            return self._clients[service, region, make]

    def call_as(
        self, key: str, region: str, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call a service with somebody's access key, inside this process.

        Args:
            key: The access key.
            region: Such as ``"us-east-1"``.
            service: botocore's name of the service, such as ``"stepfunctions"``.
            operation: The operation's name, such as ``"CreateStateMachine"``.
            parameters: Its parameters.

        Raises:
            CallError: The service refuses the call.
        """
        from botocore.exceptions import ClientError

        client = self.of_callers(region, service)
        self._thread.key = key
        try:
            return dict(client._make_api_call(operation, parameters))
        except ClientError as error:
            told, metadata = error.response["Error"], error.response["ResponseMetadata"]
            status, request_id = metadata["HTTPStatusCode"], metadata.get("RequestId") or str(uuid.uuid4())
            raise CallError(told["Code"], told.get("Message", ""), status, request_id) from error

    def of_callers(self, region: str, service: str) -> Any:
        """The client that `call_as` uses. It knows the shapes of the service."""
        return self.client(_client_of_callers, region, service, None)

    def _invoke(self, scope: Scope, boto3_invoke: Callable[..., Any], **given: Any) -> Any:
        """Call a function without boto3, which would take longer than the call. boto3 only reads errors."""
        key, name = getattr(self._thread, "key", None), given.get("FunctionName")
        if not (key and name and isinstance(name, str) and given.keys() == {"FunctionName", "Payload"}):
            return boto3_invoke(**given)
        target = f"/2015-03-31/functions/{quote(name, safe='')}/invocations"
        headers = {"content-type": "application/json"} | signed(replace(scope, access_key=key))
        self._thread.latest = reply = self._answer(Request("POST", target, headers, given["Payload"]))
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

    def metadata(self, service: str) -> dict[str, Any]:
        """What the output of a Task says about the latest reply to this thread: status and headers."""
        reply: Reply = self._thread.latest
        given = {name.lower(): value for name, value in reply.headers.items()}
        request_id = given.get("x-amzn-requestid") or str(uuid.uuid4())
        known = {
            **given,
            "connection": "keep-alive",
            "content-length": str(len(reply.body)),
            "content-type": given.get("content-type", "").partition(";")[0],
            "date": formatdate(usegmt=True),
            "server": "Server",
            "x-amz-crc32": str(zlib.crc32(reply.body)),
            "x-amzn-remapped-content-length": "0",
            "x-amzn-requestid": request_id,
            "x-amzn-trace-id": f"root=1-{int(time.time()):x}-{uuid.uuid4().hex[:24]};sampled=0",
        }
        names = [name for name in _HEADERS.get(service, _HEADERS[""]) if known.get(name.lower())]
        headers = {name: known[name.lower()] for name in names}
        return {
            "SdkHttpMetadata": {
                "AllHttpHeaders": {name: [value] for name, value in headers.items()},
                "HttpHeaders": dict(sorted(headers.items(), key=lambda header: header[0].lower())),
                "HttpStatusCode": reply.status,
            },
            "SdkResponseMetadata": {"RequestId": request_id},
        }

    def _send(self, scope: Scope, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        key = getattr(self._thread, "key", None)
        url = urlsplit(request.url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        given = [(name.lower(), it) for name, it in request.headers.items()]
        headers = {name: it.decode("latin-1") if isinstance(it, bytes) else str(it) for name, it in given}
        headers.update(signed(replace(scope, access_key=key or "")))
        body = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        body = body.encode() if isinstance(body, str) else bytes(body)
        ours = Request(request.method, target, headers, body)
        refusal = denied(ours, "The state machine that calls has no role")
        earlier = vars(self._thread).pop("reply", None)
        self._thread.latest = reply = earlier or (self._answer(ours) if key else error_reply(ours, refusal))
        reply_headers: Any = {**reply.headers}
        if request.method != "HEAD":  # its answer has the length of a body that is not there
            reply_headers["Content-Length"] = str(len(reply.body))
        return AWSResponse(request.url, reply.status, reply_headers, _Raw(reply.body))


class CallError(Exception):
    """A service refuses a call. The text is the service's message.

    Args:
        code: Such as ``"AccessDenied"``.
        message: The message.
        status: The HTTP status.
        request_id: The id of the request.
    """

    def __init__(self, code: str, message: str, status: int, request_id: str) -> None:
        super().__init__(message)
        self.code, self.status, self.request_id = code, status, request_id


@cache
def _session() -> Any:
    """All clients of callers share it, because each session reads AWS's endpoints again."""
    from botocore.session import Session

    return Session()


def _client_of_callers(region: str, service: str) -> Any:
    from botocore.config import Config

    return _session().create_client(
        service,
        region_name=region,
        endpoint_url="http://127.0.0.1",  # by a number, S3's paths have the bucket
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(
            parameter_validation=False, retries={"total_max_attempts": 1}, inject_host_prefix=False
        ),
    )


_installed: EngineClients | None = None


def boto_client_for(
    original: Callable[..., Any], region: str, service: str, state_credentials: Any = None
) -> Any:
    """A state machine calls other services with its role, inside this process."""
    if _installed is None:
        raise RuntimeError("no emulator serves the calls of moto's engine")
    return _installed.client(original, region, service, getattr(state_credentials, "role_arn", None))


def with_metadata(original: Callable[..., Any], self: Any, env: Any, **given: Any) -> None:
    """The output of an optimized integration tells about the HTTP reply of its service. moto drops that."""
    original(self, env, **given)
    if _installed is not None:
        told = _installed.metadata(self.resource.service_name)
        env.stack[-1] = dict(sorted((env.stack[-1] | told).items()))


def with_invocation_type(original: dict[str, set[str]]) -> dict[str, set[str]]:
    """A Task of lambda:invoke also passes its InvocationType on. moto drops it."""
    return {"invoke": original["invoke"] | {"InvocationType"}}


_JSON_TYPES: Final = {"structure": dict, "map": dict, "list": list}


def checked(params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
    """The parameters of a call without those that are null. botocore checks nothing for moto.

    Raises:
        ClientError: A parameter that the service needs is null.
        WrongTypesError: One that is an object or an array has another type.
    """
    from botocore.exceptions import ClientError

    shape = model.input_shape
    given = {name: value for name, value in params.items() if value is not None}
    kinds = {name: member.type_name for name, member in shape.members.items()} if shape else {}
    fits = {name: isinstance(it, _JSON_TYPES.get(kinds.get(name, ""), object)) for name, it in given.items()}
    if not all(fits.values()):
        raise WrongTypesError(*(name for name in fits if not fits[name]))
    for name in shape.required_members if shape else ():
        if name in given or name not in params:
            continue
        text = violation(f"{name[0].lower()}{name[1:]}", "not be null", missing=True)
        reply = {"Error": {"Code": "ValidationException", "Message": text}}
        about = {"HTTPStatusCode": 400, "RequestId": str(uuid.uuid4())}
        raise ClientError(reply | {"ResponseMetadata": about}, model.name)  # type: ignore[arg-type]
    return {
        name: json.dumps(value) if kinds.get(name) == "string" and not isinstance(value, str) else value
        for name, value in given.items()
    }


def of_any_type(original: Callable[..., Any], self: Any, parameters: Any, structure_shape: Any) -> None:
    """A parameter that should be an object may be something else. Then botocore refuses it."""
    if isinstance(parameters, dict):
        original(self, parameters, structure_shape)


def named_as_in_api(original: Callable[..., Any], self: Any, parameters: Any, **given: Any) -> None:
    """The parameters of a call get the names and types of its API. moto keeps those of the definition."""
    original(self, parameters, **given)
    self._to_boto_request(parameters, _shape_of(self, "input"))


def named_as_in_definitions(
    _: Callable[..., Any], self: Any, response: Any, *, service_action_name: str = "", **given: Any
) -> None:
    """The result of a call is JSON. Its names begin with capitals, and are sorted. moto keeps the API's."""
    self._from_boto_response(response, _shape_of(self, "output", service_action_name))

    def as_json(value: Any) -> Any:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if self.resource.service_name == "states":
            return round(value.timestamp() * 1000)
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    told = json.loads(json.dumps(response, default=as_json))
    response.clear()
    response.update(sorted(told.items()))


def _shape_of(task: Any, side: str, action: str = "") -> Any:
    operation = (action or task.resource.api_action).replace("_", "")
    return shape_of(task._get_boto_service_name(), operation, side)


class _Raw(io.BytesIO):
    """The body of a reply. botocore reads it like a body of urllib3."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The rest of the body."""
        yield self.read()
