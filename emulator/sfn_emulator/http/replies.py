"""Build the replies and errors of AWS's protocols, and the pages for a browser."""

import base64
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from xml.sax.saxutils import escape

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.models import namespace_of
from sfn_emulator.http.normalization import QUERY_SERVICES

#: Characters that XML does not have.
_NOT_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
#: Services with a REST protocol whose errors are in XML, as in the query protocol.
_XML: Final = ("cloudfront", "route53")
#: Services whose errors are in the namespace of their XML. The models of others are not read for an error.
_NAMED: Final = QUERY_SERVICES | {"monitoring"}
_PAGE_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # No other page may show it in a frame, and it loads nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
# The colours of AWS's console, light and dark.
_STYLE: Final = """
:root { color-scheme: light dark; --page: #f2f3f3; --card: #fff; --text: #16191f; --quiet: #545b64;
  --line: #d5dbdb; --action: #0961b9; --on-action: #fff; }
@media (prefers-color-scheme: dark) { :root { --page: #0f141a; --card: #1b232d; --text: #e9ebed;
  --quiet: #b6bec9; --line: #414d5c; --action: #75b9f5; --on-action: #0f141a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 48rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { margin: .5rem 0 1rem; font-size: 1.75rem; line-height: 1.25; }
h2 { margin: 0 0 .5rem; font-size: 1.15rem; line-height: 1.3; }
article { margin: 1rem 0; padding: 1rem 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .75rem; margin: 0 0 .75rem; font-size: .9rem; }
dt { color: var(--quiet); }
dd { margin: 0; }
pre { margin: 0; padding-top: .75rem; border-top: 1px solid var(--line); font: inherit;
  white-space: pre-wrap; }
code { font: .9em ui-monospace, monospace; }
a { color: var(--action); }
.action { display: inline-block; margin: 1rem 0 .25rem; padding: .5rem 1rem; border-radius: .4rem;
  background: var(--action); color: var(--on-action); font-weight: 600; text-decoration: none; }
:focus-visible { outline: 3px solid var(--action); outline-offset: 2px; }
"""


def json_reply(body: Any, status: int = 200) -> Reply:
    """A reply in a JSON protocol, such as that of Step Functions."""
    return Reply(status, json.dumps(body).encode(), _headers("application/x-amz-json-1.0"))


def query_reply(service: str, operation: str, result: Mapping[str, Any], shape: Any = None) -> Reply:
    """A reply in the query protocol. A member without a value is left out, and one that its shape has not.

    Args:
        service: The service's name in signatures.
        operation: The operation.
        result: Its result.
        shape: The shape of the result; None if all members count and none is a time in seconds.
    """
    body = (
        f'<{operation}Response xmlns="{namespace_of(service)}">'
        f"<{operation}Result>{_xml(result, shape)}</{operation}Result>"
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Reply(200, body.encode(), _headers("text/xml"))


def _xml(value: Any, shape: Any) -> str:
    if isinstance(value, Mapping):
        shapes = shape.members if shape else dict.fromkeys(value)
        there = {name: it for name, it in value.items() if it is not None and name in shapes}
        return "".join(f"<{name}>{_xml(it, shapes[name])}</{name}>" for name, it in there.items())
    if isinstance(value, list):
        inner = shape.member if shape else None
        return "".join(f"<member>{_xml(it, inner)}</member>" for it in value)
    if shape and shape.type_name == "timestamp" and not isinstance(value, str):
        value = f"{datetime.fromtimestamp(value, UTC).isoformat(timespec='milliseconds')[:-6]}Z"
    return in_xml(str(value).lower() if isinstance(value, bool) else str(value))


def error_reply(request: Request, error: RefusalError) -> Reply:
    """The reply with an error, in the protocol of the request."""
    is_lambda = request.scope.service == "lambda"
    is_query = request.is_form or "action=" in request.target.lower()
    is_query |= request.scope.service in _XML
    if request.scope.service == "s3":
        text = f"<Error><Code>{error.code}</Code><Message>{in_xml(error.message)}</Message></Error>"
        return Reply(error.status, text.encode(), {"Content-Type": "application/xml"} | s3_ids())
    if is_query and not is_lambda and "x-amz-target" not in request.headers:
        service = request.scope.service
        namespace = f' xmlns="{namespace_of(service)}"' if service in _NAMED else ""
        told = f"<Message>{in_xml(error.message)}</Message>" if error.message else ""
        text = (
            f"<ErrorResponse{namespace}><Error><Type>{'Sender' if error.status < 500 else 'Receiver'}</Type>"
            f"<Code>{escape(error.code)}</Code>{told}</Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
        return Reply(error.status, text.encode(), _headers("text/xml"))
    body = {"Type": "User"} if is_lambda else {"__type": error.code}
    body |= ({"message": error.message} if error.message else {}) | error.more
    headers = _headers("application/json" if is_lambda else "application/x-amz-json-1.0")
    return Reply(error.status, json.dumps(body).encode(), headers | {"x-amzn-errortype": error.code})


def in_xml(text: str) -> str:
    """A text inside XML. Instead of a character that XML does not have, there is a question mark."""
    return escape(_NOT_IN_XML.sub("?", text))


def readable_xml(xml: bytes) -> bytes:
    """The same XML with question marks instead of characters that XML does not have."""
    return _NOT_IN_XML.sub("?", xml.decode("utf-8", "replace")).encode()


def violation(place: str, rule: str, value: object = None, *, missing: bool = False) -> str:
    """AWS's sentence about a parameter that its model does not allow.

    Args:
        place: The parameter, such as ``"name"``.
        rule: What AWS demands, such as ``"have value less than or equal to 900"``.
        value: The parameter's value, if AWS's sentence repeats it.
        missing: Whether the parameter has no value.
    """
    repeated = " null" if missing else "" if value is None else f" '{value}'"
    fault = f"failed to satisfy constraint: Member must {rule}"
    return f"1 validation error detected: Value{repeated} at '{place}' {fault}"


def internal_failure() -> RefusalError:
    """AWS's error for a request at which the service failed. The emulator's log says why."""
    text = "The request processing has failed because of an unknown error, exception or failure."
    return RefusalError("InternalFailure", text, 500)


def malformed(request: Request, reason: str) -> RefusalError:
    """The error of a request that cannot be read."""
    if request.scope.service == "lambda":
        text = f"Could not parse request body into json: {reason}"
        return RefusalError("InvalidRequestContentException", text)
    json_protocol = "x-amz-target" in request.headers
    return RefusalError("SerializationException" if json_protocol else "MalformedInput", reason)


def unknown_operation(request: Request) -> RefusalError:
    """The error of a request for an operation that AWS or the emulator does not have."""
    name = request.operation or f"{request.method} {request.path}"
    reason = f"The emulator does not have the operation {name}"
    if "x-amz-target" in request.headers:
        return RefusalError("UnknownOperationException", reason)
    if request.operation:
        return RefusalError("InvalidAction", reason)
    return RefusalError("UnknownOperationException", reason, 404)


def page(title: str, body: str, status: int = 200, language: str = "en") -> Reply:
    """A page for a browser; ``body`` is HTML already."""
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return Reply(status, html.encode(), _PAGE_HEADERS)


def _headers(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "x-amzn-RequestId": str(uuid.uuid4())}


def s3_ids() -> dict[str, str]:
    """The headers with the two ids of a reply from S3."""
    return {
        "x-amz-request-id": secrets.token_hex(8).upper(),
        "x-amz-id-2": base64.b64encode(secrets.token_bytes(56)).decode(),
    }


def denied(request: Request, message: str) -> RefusalError:
    """The error of a request that is not allowed, with the code of its service."""
    if request.scope.service == "sns":
        return RefusalError("AuthorizationError", message, 403)
    if "x-amz-target" in request.headers:
        return RefusalError("AccessDeniedException", message)
    query = request.operation or request.scope.service == "s3"
    return RefusalError("AccessDenied" if query else "AccessDeniedException", message, 403)
