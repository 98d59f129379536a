"""Build the replies and errors of AWS's protocols."""

import json
import uuid
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from lottery_lib.emulator.http.messages import Reply, Request

__all__ = [
    "failure",
    "json_error",
    "json_reply",
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
    """Say in the request's protocol that it could not be answered, and that it is not the caller's fault."""
    error = query_error if "action=" in request.target.lower() or _is_form(request) else json_error
    return error("InternalFailure", message, status)


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


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _headers(content_type: str, request_id: str = "") -> dict[str, str]:
    return {"Content-Type": content_type, "x-amzn-RequestId": request_id or str(uuid.uuid4())}
