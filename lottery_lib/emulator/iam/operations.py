"""Name the operation of a request in a REST protocol, by botocore's description of the service."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Final
from urllib.parse import unquote

import botocore.session
from botocore.exceptions import UnknownServiceError

__all__ = ["rest_operation"]

_LABEL: Final = re.compile(r"\{([^}+]+)(\+?)\}")
# What is called for every state of a machine is known without looking.
_INVOKE: Final = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


@lru_cache(1024)
def rest_operation(service: str, method: str, path: str) -> tuple[str, Mapping[str, str]]:
    """The operation and the parameters that its path holds; ``("", {})`` when nothing fits.

    Args:
        service: As in the signature.
        method: GET, POST...
        path: As it came, still quoted.
    """
    if service == "lambda" and method == "POST" and (match := _INVOKE.fullmatch(path)):
        return "Invoke", {"FunctionName": unquote(match[1])}
    for its_method, pattern, names, operation in _routes(service):
        if method == its_method and (match := pattern.fullmatch(path)):
            return operation, dict(zip(names, map(unquote, match.groups()), strict=True))
    return "", {}


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], list[str], str]]:
    loader = botocore.session.get_session().get_component("data_loader")
    try:
        operations = loader.load_service_model(service, "service-2")["operations"]
    except UnknownServiceError:
        return []
    routes = [
        (http["method"], _pattern(path), [label[1] for label in _LABEL.finditer(path)], name)
        for name, operation in operations.items()
        for http in [operation["http"]]
        for path in [http["requestUri"].partition("?")[0]]
    ]
    # The one that says more in words goes before the one that takes anything there.
    return sorted(routes, key=lambda route: len(route[2]))


def _pattern(path: str) -> re.Pattern[str]:
    parts, end = [], 0
    for label in _LABEL.finditer(path):
        parts += [re.escape(path[end : label.start()]), "(.+)" if label[2] else "([^/]+)"]
        end = label.end()
    return re.compile("".join([*parts, re.escape(path[end:]).removesuffix("/"), "/?"]))
