"""AWS's query protocol: read the parameters of its forms, and read and change its XML.

See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import unescape
from typing import Any, Final

from sfn_emulator.http.messages import MalformedRequestError, Reply, Request
from sfn_emulator.http.service_models import shape_of

UNREADABLE: Final = "the request cannot be read"
_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    **dict.fromkeys(("string", "blob"), str),
    **dict.fromkeys(("integer", "long"), int),
    **dict.fromkeys(("float", "double"), float),
    "boolean": lambda text: {"true": True, "false": False}[text],
    "timestamp": lambda text: seconds(datetime.datetime.fromisoformat(text)),
}


def parameters_of_form(request: Request, service: str) -> dict[str, Any]:
    """The parameters of a form, as a JSON protocol would have them. Only those of the model count.

    ``Tags.member.1.Key=a`` is the ``Key`` of the first one of ``Tags``. An empty text is an empty list.

    Args:
        request: The request.
        service: botocore's name of its service.

    Raises:
        MalformedRequestError: A parameter has two values, or one of another type.
    """
    tree: dict[str, Any] = {}
    try:
        for name, value in request.form.items():
            node = tree
            *path, last = name.split(".")
            for part in path:
                node = node.setdefault(part, {})
            node[last] = value
        shape = shape_of(service, request.form["Action"], "input")
        return _read(shape, tree) if shape else {}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise MalformedRequestError(UNREADABLE) from error


def _read(shape: Any, node: Any) -> Any:
    match shape.type_name:
        case "structure":
            return {name: _read(inner, node[name]) for name, inner in shape.members.items() if name in node}
        case "list":
            members = node["member"] if node else {}
            return [_read(shape.member, members[number]) for number in sorted(members, key=int)]
        case "map":
            names = [
                it.serialization.get("name", name)
                for it, name in ((shape.key, "key"), (shape.value, "value"))
            ]
            return {it[names[0]]: _read(shape.value, it[names[1]]) for it in node["entry"].values()}
    if not isinstance(node, str):
        raise TypeError(node)
    return _SCALARS[shape.type_name](node)


def seconds(time: datetime.datetime) -> float:
    """Seconds since 1970. A time without a zone is UTC."""
    return (time if time.tzinfo else time.replace(tzinfo=datetime.UTC)).timestamp()


def elements(xml: bytes, name: str) -> list[str]:
    """The text of each element with this name. An empty element may be written as ``<Value />``."""
    return [unescape(text) for text in re.findall(rf"<{name}(?:>([^<]*)</{name}>|\s*/>)", xml.decode())]


def element(xml: bytes, name: str) -> str:
    """The text of the first element with this name; empty if there is none."""
    return next(iter(elements(xml, name)), "")


def attribute(xml: bytes, name: str) -> str:
    """The value of an attribute in an XML map of attributes; empty if there is none."""
    match = re.search(rf"<key>{name}</key>\s*<value>([^<]*)</value>", xml.decode())
    return unescape(match[1]) if match else ""


def with_attributes(reply: Reply, **attributes: int) -> Reply:
    """The same reply with new numbers or truth values for some of its attributes."""
    body = reply.body
    for name, value in attributes.items():
        pattern = re.compile(rf"(<key>{name}</key>\s*<value>)[^<]*".encode())
        body = pattern.sub(rb"\g<1>" + str(value).lower().encode(), body)
    return replace(reply, body=body)
