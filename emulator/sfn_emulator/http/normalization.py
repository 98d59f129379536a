"""Rewrite a request so that it has only one meaning: `iam` then checks exactly what moto does.

moto looks for the operation and its parameters in the query, the form, the text of any body and the headers.
It takes the first that it finds, and `iam` could read another one. So a request with two meanings is refused.
No client of AWS sends one. From other requests, all places in which moto could find more are removed.
"""

import re
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from sfn_emulator.http.messages import FORM, JSON_SERVICES, MalformedRequestError, Request

_OPERATION: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_TARGET: Final = re.compile(r"[\w.-]+\.[A-Z][A-Za-z0-9]*", re.ASCII)
#: The services with AWS's query protocol, whose requests are forms.
QUERY_SERVICES: Final = frozenset({"cloudformation", "iam", "sns", "sts"})
_JSON_SERVICES: Final = frozenset(JSON_SERVICES.values())
_REST_SERVICES: Final = frozenset({"lambda", "s3"})
_REGION: Final = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d")
# moto would take these for S3, EventBridge, SQS or CloudWatch Logs, but policies name them otherwise.
_OTHER_NAMES: Final = re.compile(r"(?!s3$|s3tables$|s3vectors$).*s3.*|eventbridge|queue|stream(ing)?-logs")
# moto would take an operation, an account or a region from these.
_IGNORED: Final = frozenset({"action", "user-agent", "x-moto-account-id"})


def normalized(request: Request) -> Request:
    """The same request, with only one meaning.

    Args:
        request: A signed request.

    Raises:
        MalformedRequestError: It has two meanings.
    """
    if not request.target.startswith("/"):
        raise MalformedRequestError("the target is not a path")
    if not _REGION.fullmatch(request.scope.region) or _OTHER_NAMES.fullmatch(request.scope.service):
        raise MalformedRequestError("Credential should be scoped to a valid region and a valid service")
    # WSGI gives X_Amz_Target and X-Amz-Target the same name.
    # moto would unpack a body that nobody else reads so.
    ignored = _IGNORED if request.scope.service == "s3" else _IGNORED | {"content-encoding"}
    headers = {name: it for name, it in request.headers.items() if "_" not in name and name not in ignored}
    request = replace(request, headers=headers)
    if "x-amz-target" in headers:
        return _json(request)
    if request.path == "/" and request.scope.service not in _REST_SERVICES:
        return _form(request)
    if "Action" in request.query or (request.is_form and "Action" in request.form):
        raise MalformedRequestError("both the path and Action name an operation")
    if request.scope.service == "s3":
        return _s3(request)
    return _lambda(request) if request.scope.service == "lambda" else request


def _s3(request: Request) -> Request:
    path, _, query = request.target.partition("?")
    bucket = path[1:].partition("/")[0]
    # moto would skip empty parts of the path when it looks for the bucket, but not for the key.
    if path.startswith("//") or "%2f" in bucket.lower():
        raise MalformedRequestError("the path does not begin with a bucket")
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    if len(set(names)) < len(names):
        raise MalformedRequestError("a parameter is given twice")
    return request


def _lambda(request: Request) -> Request:
    path, _, query = request.target.partition("?")
    if path.count("/") != request.path.count("/"):
        raise MalformedRequestError("a part of the path has a slash")
    # Of all parameters, only tagKeys is a list.
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True) if name != "tagKeys"]
    if len(set(names)) < len(names):
        raise MalformedRequestError("a parameter is given twice")
    return _with_plain_json(request)


def _json(request: Request) -> Request:
    target, service = request.headers["x-amz-target"], request.scope.service
    if not _TARGET.fullmatch(target):
        raise MalformedRequestError("X-Amz-Target does not name an operation")
    if (
        service in QUERY_SERVICES | _REST_SERVICES
        or JSON_SERVICES.get(target.partition(".")[0], service) != service
    ):
        raise MalformedRequestError("X-Amz-Target names another service than the signature")
    if request.target != "/" or request.is_form:
        raise MalformedRequestError("X-Amz-Target needs the path / and a JSON body")
    return _with_plain_json(request)


def _form(request: Request) -> Request:
    if request.method not in {"GET", "POST"} or request.scope.service in _JSON_SERVICES:
        raise MalformedRequestError("no operation is named")
    if not _OPERATION.fullmatch(request.form.get("Action", "")):
        raise MalformedRequestError("Action does not name an operation")
    headers = {**request.headers, "content-type": f"{FORM}; charset=utf-8"}
    return Request("POST", "/", headers, urlencode(request.form).encode())


def _with_plain_json(request: Request) -> Request:
    """The same request without ``&`` in its JSON. Without it, moto finds no form in the text."""
    headers = {**request.headers}
    if request.is_form:  # curl's default content type
        headers["content-type"] = "application/json"
    return replace(request, headers=headers, body=request.body.replace(b"&", rb"\u0026"))
