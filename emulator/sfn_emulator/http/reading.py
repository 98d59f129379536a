"""Read a request in one way only, so that the authorizer checks exactly what moto does.

moto looks for the operation and its parameters in the query, the form, the text of any body and the headers,
and takes the first that it finds. `iam` would have to guess. So a request that says two things is refused
here. No client of AWS sends one. The others are written again: nothing is left in which moto could find
something else.
"""

import re
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from sfn_emulator.http.messages import BY_TARGET, FORM, MalformedRequestError, Request

_OPERATION: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_TARGET: Final = re.compile(r"[\w.-]+\.[A-Z][A-Za-z0-9]*", re.ASCII)
#: The services with the query protocol.
IN_FORMS: Final = frozenset({"iam", "sns", "sts"})
_IN_JSON: Final = frozenset(BY_TARGET.values())
_IN_PATHS: Final = frozenset({"lambda", "s3"})
# moto would take an operation, an account or a region from these.
_IGNORED: Final = frozenset({"action", "user-agent", "x-moto-account-id"})


def read_once(request: Request) -> Request:
    """The same request, which everybody reads in the same way.

    Args:
        request: A signed request.

    Raises:
        MalformedRequestError: It can be read in two ways.
    """
    if not request.target.startswith("/"):
        raise MalformedRequestError("the target is not a path")
    # WSGI cannot tell X_Amz_Target from X-Amz-Target.
    headers = {
        name: value for name, value in request.headers.items() if "_" not in name and name not in _IGNORED
    }
    request = replace(request, headers=headers)
    if "x-amz-target" in headers:
        return _json(request)
    if request.path == "/" and request.scope.service not in _IN_PATHS:
        return _form(request)
    if "Action" in request.query or (request.is_form and "Action" in request.form):
        raise MalformedRequestError("both the path and Action name an operation")
    return _lambda(request) if request.scope.service == "lambda" else request


def _lambda(request: Request) -> Request:
    path, _, query = request.target.partition("?")
    if path.count("/") != request.path.count("/"):
        raise MalformedRequestError("a part of the path has a slash")
    # Only this parameter is a list.
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True) if name != "tagKeys"]
    if len(set(names)) < len(names):
        raise MalformedRequestError("a parameter is given twice")
    return _with_plain_json(request)


def _json(request: Request) -> Request:
    target, service = request.headers["x-amz-target"], request.scope.service
    if not _TARGET.fullmatch(target):
        raise MalformedRequestError("X-Amz-Target does not name an operation")
    if service in IN_FORMS | _IN_PATHS or BY_TARGET.get(target.partition(".")[0], service) != service:
        raise MalformedRequestError("X-Amz-Target names another service than the signature")
    if request.target != "/" or request.is_form:
        raise MalformedRequestError("X-Amz-Target needs the path / and a JSON body")
    return _with_plain_json(request)


def _form(request: Request) -> Request:
    if request.method not in {"GET", "POST"} or request.scope.service in _IN_JSON:
        raise MalformedRequestError("no operation is named")
    if not _OPERATION.fullmatch(request.form.get("Action", "")):
        raise MalformedRequestError("Action does not name an operation")
    headers = {**request.headers, "content-type": f"{FORM}; charset=utf-8"}
    return Request("POST", "/", headers, urlencode(request.form).encode())


def _with_plain_json(request: Request) -> Request:
    """The same request; moto finds no form in the text of its JSON, because it has no ``&``."""
    headers = {**request.headers}
    if request.is_form:  # curl says so by default
        headers["content-type"] = "application/json"
    return replace(request, headers=headers, body=request.body.replace(b"&", rb"\u0026"))
