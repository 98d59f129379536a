"""Find the operation of a REST request, which has it in its method and path. botocore knows the paths."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final
from urllib.parse import unquote

_LABEL: Final = re.compile(r"\{([^}+]+)(\+?)\}")
# Every Task state calls this path. A fixed pattern is faster than a search.
_INVOKE: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


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


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], list[str], str]]:
    """For each operation: its method, path pattern, names of the path's parameters, and its name."""
    import botocore.session  # noqa: PLC0415 (it takes a while)
    from botocore.exceptions import UnknownServiceError  # noqa: PLC0415

    loader = botocore.session.get_session().get_component("data_loader")
    try:
        operations = loader.load_service_model(service, "service-2")["operations"]
    except UnknownServiceError:
        return []
    routes = []
    for name, operation in operations.items():
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
