"""Build the replies and errors of AWS's protocols."""

import json
import uuid
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from lottery_lib.emulator.http.messages import Reply, Request

__all__ = [
    "denied",
    "failure",
    "json_error",
    "json_reply",
    "malformed",
    "page",
    "query_error",
    "query_reply",
    "rest_error",
    "unknown_operation",
]


def json_reply(body: Any, status: int = 200) -> Reply:
    """A result of Step Functions or DynamoDB, or of our own pages."""
    return Reply(status, json.dumps(body).encode(), _headers("application/x-amz-json-1.0"))


def json_error(code: str, message: str, status: int = 400, **more: Any) -> Reply:
    """An error of Step Functions or DynamoDB."""
    body = {"__type": code, "message": message} | more
    headers = _headers("application/x-amz-json-1.0") | {"x-amzn-errortype": code}
    return Reply(status, json.dumps(body).encode(), headers)


def rest_error(code: str, message: str, status: int = 400, request_id: str = "", **more: str) -> Reply:
    """An error of Lambda."""
    headers = _headers("application/json", request_id) | {"x-amzn-errortype": code}
    return Reply(status, json.dumps({"Type": "User", "message": message} | more).encode(), headers)


def query_reply(operation: str, result: Mapping[str, str] | None = None) -> Reply:
    """A result of SNS, whose members are all text."""
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in (result or {}).items())
    wrapped = "" if result is None else f"<{operation}Result>{members}</{operation}Result>"
    body = (
        f'<{operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{wrapped}'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Reply(200, body.encode(), _headers("text/xml"))


def query_error(code: str, message: str, status: int = 400) -> Reply:
    """An error of SNS."""
    body = (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Reply(status, body.encode(), _headers("text/xml"))


def failure(request: Request, message: str, status: int) -> Reply:
    """Say in the request's protocol that the emulator failed, not the caller."""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    error = query_error if form or "action=" in request.target.lower() else json_error
    return error("InternalFailure", message, status)


def malformed(request: Request, reason: str) -> Reply:
    """Say in the request's protocol that it cannot be read."""
    if request.scope.service == "lambda":
        return rest_error(
            "InvalidRequestContentException", f"Could not parse request body into json: {reason}"
        )
    if "x-amz-target" in request.headers:
        return json_error("SerializationException", reason)
    return query_error("MalformedInput", reason)


def denied(request: Request, message: str) -> Reply:
    """Say in the request's protocol that the caller may not do this."""
    if request.scope.service == "sns":
        return query_error("AuthorizationError", message, 403)
    if "x-amz-target" in request.headers:
        return json_error("AccessDeniedException", message)
    if request.operation:
        return query_error("AccessDenied", message, 403)
    if request.scope.service == "s3":
        return Reply(403, f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>".encode())
    return rest_error("AccessDeniedException", message, 403)


def unknown_operation(request: Request) -> Reply:
    """Say that there is no such operation."""
    if "x-amz-target" in request.headers:
        return json_error("UnknownOperationException", "")
    text = f"Could not find operation {request.operation} for version NO_VERSION_SPECIFIED"
    return query_error("InvalidAction", text)


def page(title: str, body: str, status: int = 200) -> Reply:
    """A page for a browser; ``body`` is HTML already."""
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<body style="font-family: sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em">'
        f"<h1>{escape(title)}</h1>{body}</body></html>"
    )
    return Reply(status, html.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _headers(content_type: str, request_id: str = "") -> dict[str, str]:
    return {"Content-Type": content_type, "x-amzn-RequestId": request_id or str(uuid.uuid4())}
