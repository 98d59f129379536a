"""Find the operation of a REST request, which has it in its method and path. botocore knows the paths."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import unquote
from xml.etree import ElementTree

from sfn_emulator.http.messages import RefusalError, Request
from sfn_emulator.http.models import described

_LABEL: Final = re.compile(r"\{([^}+]+)(\+?)\}")
# Every Task state calls this path. A fixed pattern is faster than a search.
_INVOKE: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
# Another source could be read in two ways.
_COPY_SOURCE: Final = re.compile(r"/?([^/?#;:\t]+/[^?#;\t]+)(?:\?versionId=([^&#;]+))?")
#: With an uploadId, a request is about an upload.
_OF_UPLOADS: Final = {
    "PutObject": "UploadPart",
    "GetObject": "ListParts",
    "DeleteObject": "AbortMultipartUpload",
    "CompleteMultipartUpload": "CompleteMultipartUpload",
}


@lru_cache(1024)
def rest_operation(service: str, method: str, path: str) -> tuple[str, Mapping[str, str]]:
    """The operation and the parameters in its path; ``("", {})`` if there is no such operation.

    Args:
        service: The service in the signature.
        method: Such as ``"POST"``.
        path: The path, still quoted.
    """
    if service == "lambda" and method == "POST" and (match := _INVOKE.fullmatch(path)):
        return "Invoke", {"FunctionName": unquote(match[1])}
    for route_method, pattern, names, operation in _routes(service):
        if method == route_method and (match := pattern.fullmatch(path)):
            return operation, dict(zip(names, map(unquote, match.groups()), strict=True))
    return "", {}


def s3_call(request: Request) -> tuple[str, dict[str, Any]]:
    """The operation of a request to S3, and what its permissions depend on.

    In S3, a name in the query chooses the operation, such as ``tagging``. If two names choose two operations,
    the request has none.

    Returns:
        The operation; and ``Bucket``, ``Key``, ``VersionId``, ``CopySource`` (the bucket and the key that are
        copied), ``CopyVersionId`` and ``Objects`` (the keys and versions of DeleteObjects), as far as the
        request has them.

    Raises:
        RefusalError: S3 has no such operation, or does not accept what is copied or deleted.
    """
    bucket, _, key = request.path.lstrip("/").partition("/")
    query, headers = request.query, request.headers
    routes, chosen = _s3_routes()
    kind = ("key" if key else "bucket") if bucket else ""
    operation = routes.get((request.method, kind, chosen.intersection(query)), "")
    if "uploadId" in query:
        operation = _OF_UPLOADS.get(operation, "")
    if not operation:
        raise not_allowed()
    call: dict[str, Any] = {"Bucket": bucket, "Key": key, "VersionId": query.get("versionId", "")}
    if operation in {"PutObject", "UploadPart"} and (source := headers.get("x-amz-copy-source")):
        operation = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}[operation]
        if not (match := _COPY_SOURCE.fullmatch(source)):
            reason = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
            raise RefusalError("InvalidArgument", reason)
        call |= {"CopySource": unquote(match[1]).lstrip("/"), "CopyVersionId": match[2]}
    if operation == "DeleteObjects":
        call["Objects"] = _deleted(request.body)
    return operation, call


def not_allowed() -> RefusalError:
    """S3's error for a request that names no operation, or one that the emulator does not have."""
    return RefusalError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)


def choosing_names() -> frozenset[str]:
    """The names in the query that choose an operation of S3."""
    return _s3_routes()[1]


def _deleted(body: bytes) -> list[tuple[str, str]]:
    """The keys and versions in the body of DeleteObjects. A version that is not given is empty."""
    try:
        tree = ElementTree.fromstring(body, ElementTree.XMLParser(encoding="utf-8"))  # as moto reads it
    except ElementTree.ParseError:
        tree = ElementTree.Element("nothing")
    found = []
    for element in tree.iterfind("{*}Object"):
        version = element.findtext("{*}VersionId") or ""
        found += [("".join(key.itertext()), version) for key in element.iterfind("{*}Key")]
    if not found:
        reason = "The XML you provided was not well-formed or did not validate against our published schema"
        raise RefusalError("MalformedXML", reason)
    return found


@cache
def _s3_routes() -> tuple[dict[tuple[str, str, frozenset[str]], str], frozenset[str]]:
    """S3's operations by method, kind of the path and the names in the query; and all of these names."""
    routes: dict[tuple[str, str, frozenset[str]], str] = {}
    for name, operation in described("s3")["operations"].items():
        path, _, query = operation["http"]["requestUri"].partition("?")
        kind = {"/": "", "/{Bucket}": "bucket", "/{Bucket}/{Key+}": "key"}.get(path)
        names = frozenset(part.partition("=")[0] for part in query.split("&") if part)
        if kind is not None:
            routes.setdefault((operation["http"]["method"], kind, names), name)
    # botocore sorts by name, and CopyObject comes before PutObject.
    routes["PUT", "key", frozenset()], routes["DELETE", "key", frozenset()] = "PutObject", "DeleteObject"
    return routes, frozenset().union(*(names for _, _, names in routes))


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], list[str], str]]:
    """For each operation: its method, path pattern, names of the path's parameters, and its name."""
    routes = []
    for name, operation in described(service)["operations"].items():
        path = operation["http"]["requestUri"].partition("?")[0].removesuffix("/")
        # A label is {Name}, or {Name+} if its value may contain slashes.
        texts, labels = _LABEL.split(path)[::3], list(_LABEL.finditer(path))
        groups = [*("(.+)" if label[2] else "([^/]+)" for label in labels), "/?"]
        pattern = "".join(re.escape(text) + group for text, group in zip(texts, groups, strict=True))
        routes.append(
            (operation["http"]["method"], re.compile(pattern), [label[1] for label in labels], name)
        )
    # A path with fewer parameters is more specific, so it goes first.
    return sorted(routes, key=lambda route: len(route[2]))
