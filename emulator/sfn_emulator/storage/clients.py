"""Call the emulator's own services as somebody, without leaving this process.

To make a client of botocore takes longer than a call. So each client is made once, and its requests
(botocore's ``before-send`` event) go directly to the router, with the access key of whoever calls.
"""

import io
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import cache, partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

from sfn_emulator.http.messages import Reply, Request, Scope
from sfn_emulator.storage.application import signed

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


#: The code of a call that botocore does not make.
PARAMETERS: Final = "ParamValidationError"


class CallError(Exception):
    """A service refuses a call. The text is the service's message.

    Args:
        code: Such as ``"AccessDenied"``.
        message: The message.
        status: The HTTP status.
        request_id: The id of the request.
        host_id: The second id that S3 gives.
    """

    def __init__(self, code: str, message: str, status: int, request_id: str = "", host_id: str = "") -> None:
        super().__init__(message)
        self.code, self.status, self.host_id = code, status, host_id
        self.request_id = request_id or str(uuid.uuid4())


class Clients:
    """The clients that state machines and stacks use.

    Args:
        answer: The router.
    """

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        self._answer = answer
        self._thread = threading.local()
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def of(self, region: str, service: str) -> Any:
        """The client of a service in a region, which knows the shapes of the service.

        Args:
            region: Such as ``"us-east-1"``.
            service: botocore's name of the service, such as ``"stepfunctions"``.

        Raises:
            UnknownServiceError: There is no such service.
        """
        with self._lock:
            if (service, region) not in self._clients:
                from botocore import UNSIGNED

                client = _session().create_client(
                    service,
                    region_name=region,
                    endpoint_url="http://127.0.0.1",  # by a number, S3's paths have the bucket
                    aws_access_key_id="any",
                    aws_secret_access_key="any",
                    config=_config(),
                )
                # The router does not check signatures.
                client.meta.events.register("choose-signer", lambda **_: UNSIGNED)
                scope = Scope("", client.meta.region_name, client.meta.service_model.signing_name)
                client.meta.events.register("before-send", partial(self._send, scope))
                self._clients[service, region] = client
            return self._clients[service, region]

    def call_as(
        self, key: str, region: str, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call a service with somebody's access key.

        Args:
            key: The access key.
            region: Such as ``"us-east-1"``.
            service: botocore's name of the service, such as ``"stepfunctions"``.
            operation: The operation's name, such as ``"CreateStateMachine"``.
            parameters: Its parameters.

        Raises:
            CallError: The service refuses the call.
        """
        from botocore.exceptions import ClientError, ParamValidationError

        client = self.of(region, service)
        self._thread.key = key
        try:
            return dict(client._make_api_call(operation, parameters))
        except ParamValidationError as error:  # such as a bucket's name that is no name
            raise CallError(PARAMETERS, str(error), 400) from error
        except ClientError as error:
            told, metadata = error.response["Error"], error.response["ResponseMetadata"]
            ids = metadata.get("RequestId", ""), metadata.get("HostId", "")
            status = metadata["HTTPStatusCode"]
            code = str(told.get("QueryErrorCode") or told["Code"])  # the first one has the name of the class
            raise CallError(code, told.get("Message", ""), status, *ids) from error

    def invoke_as(self, key: str, region: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function, without botocore if that suffices: it would take longer than the call.

        Args:
            key: The access key of the caller.
            region: The function's region.
            given: The parameters of Invoke. The payload is bytes.

        Raises:
            CallError: Lambda refuses the call.
        """
        if given.keys() != {"FunctionName", "Payload"}:
            return self.call_as(key, region, "lambda", "Invoke", given)
        target = f"/2015-03-31/functions/{quote(given['FunctionName'], safe='')}/invocations"
        headers = {"content-type": "application/json"} | signed(Scope(key, region, "lambda"))
        self._thread.latest = reply = self._answer(Request("POST", target, headers, given["Payload"]))
        if not reply.ok:
            self._thread.reply = reply  # `_send` takes it, and botocore reads the error
            try:
                return self.call_as(key, region, "lambda", "Invoke", given)
            finally:
                vars(self._thread).pop("reply", None)
        error = reply.headers.get("X-Amz-Function-Error")
        return {
            "StatusCode": reply.status,
            "ExecutedVersion": reply.headers["X-Amz-Executed-Version"],
            "Payload": io.BytesIO(reply.body),
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

        url = urlsplit(request.url)
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        given = [(name.lower(), it) for name, it in request.headers.items()]
        headers = {name: it.decode("latin-1") if isinstance(it, bytes) else str(it) for name, it in given}
        headers.update(signed(replace(scope, access_key=self._thread.key)))
        body = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        body = body.encode() if isinstance(body, str) else bytes(body)
        ours = Request(request.method, target, headers, body)
        self._thread.latest = reply = vars(self._thread).pop("reply", None) or self._answer(ours)
        reply_headers: Any = {**reply.headers}
        if request.method != "HEAD":  # its answer has the length of a body that is not there
            reply_headers["Content-Length"] = str(len(reply.body))
        return AWSResponse(request.url, reply.status, reply_headers, _Raw(reply.body))


@cache
def _session() -> Any:
    """All clients share it, because each session reads AWS's endpoints again."""
    from botocore.session import Session

    return Session()


def _config() -> Any:
    from botocore.config import Config

    return Config(parameter_validation=False, retries={"total_max_attempts": 1}, inject_host_prefix=False)


class _Raw(io.BytesIO):
    """The body of a reply. botocore reads it like a body of urllib3."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """The rest of the body."""
        yield self.read()
