"""Build the replies and errors of AWS's protocols."""

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from lottery_lib.emulator.http.messages import RefusalError, Reply, Request

_PAGE_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    # No other page may show it in a frame, and it loads nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def json_reply(body: Any, status: int = 200) -> Reply:
    """A result of Step Functions or DynamoDB, or of our own pages."""
    return Reply(status, json.dumps(body).encode(), _headers("application/x-amz-json-1.0"))


def query_reply(operation: str, result: Mapping[str, str]) -> Reply:
    """A result of SNS, whose members are all text."""
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in result.items())
    body = (
        f'<{operation}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
        f"<{operation}Result>{members}</{operation}Result>"
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Reply(200, body.encode(), _headers("text/xml"))


def error_reply(request: Request, error: RefusalError) -> Reply:
    """An error in the request's own protocol."""
    is_lambda = request.scope.service == "lambda"
    is_query = request.is_form or "action=" in request.target.lower()
    if request.scope.service == "s3":
        text = f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
        return Reply(error.status, text.encode(), _headers("text/xml"))
    if is_query and not is_lambda and "x-amz-target" not in request.headers:
        text = (
            '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
            f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
        )
        return Reply(error.status, text.encode(), _headers("text/xml"))
    body = {"Type": "User"} if is_lambda else {"__type": error.code}
    body |= {"message": error.message} | error.more
    headers = _headers("application/json" if is_lambda else "application/x-amz-json-1.0")
    return Reply(error.status, json.dumps(body).encode(), headers | {"x-amzn-errortype": error.code})


def violation(place: str, rule: str, value: object = None) -> str:
    """AWS's sentence about a parameter that its model does not allow.

    Args:
        place: The parameter, such as ``"name"``.
        rule: What AWS demands, such as ``"have value less than or equal to 900"``.
        value: The parameter's value, if AWS repeats it.
    """
    repeated = "" if value is None else f" '{value}'"
    fault = f"failed to satisfy constraint: Member must {rule}"
    return f"1 validation error detected: Value{repeated} at '{place}' {fault}"


def malformed(request: Request, reason: str) -> RefusalError:
    """The error of a request that cannot be read."""
    if request.scope.service == "lambda":
        text = f"Could not parse request body into json: {reason}"
        return RefusalError("InvalidRequestContentException", text)
    json_protocol = "x-amz-target" in request.headers
    return RefusalError("SerializationException" if json_protocol else "MalformedInput", reason)


def unknown_operation(request: Request) -> RefusalError:
    """The error of a request for an operation that does not exist."""
    if "x-amz-target" in request.headers:
        return RefusalError("UnknownOperationException", "")
    text = f"Could not find operation {request.operation} for version NO_VERSION_SPECIFIED"
    return RefusalError("InvalidAction", text)


def page(title: str, body: str, status: int = 200) -> Reply:
    """A page for a browser; ``body`` is HTML already."""
    html = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        '<body style="font-family: sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em">'
        f"<h1>{escape(title)}</h1>{body}</body></html>"
    )
    return Reply(status, html.encode(), _PAGE_HEADERS)


def _headers(content_type: str) -> dict[str, str]:
    return {"Content-Type": content_type, "x-amzn-RequestId": str(uuid.uuid4())}
