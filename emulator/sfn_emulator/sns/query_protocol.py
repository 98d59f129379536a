"""Read lists in the forms of AWS's query protocol, and read and change its XML.

See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape

from sfn_emulator.http.messages import Reply


def pairs_of(form: Mapping[str, str], prefix: str, key: str, value: str) -> dict[str, str]:
    """The keys and values of tags or attributes, which a form has as members of a list.

    Args:
        form: The parameters of a request.
        prefix: The beginning of the members' names, such as ``"Tags.member"``.
        key: The name of a member's key, such as ``"Key"``.
        value: The name of a member's value.
    """
    return {member.get(key, ""): member.get(value, "") for member in list_members(form, prefix)}


def list_members(form: Mapping[str, str], prefix: str) -> Iterator[dict[str, str]]:
    """The members of a list. Each one is a mapping of its parameters.

    ``Tags.member.1.Key=a`` is the parameter ``Key`` of the first member.
    """
    members: dict[str, dict[str, str]] = {}
    for name, value in form.items():
        if name.startswith(f"{prefix}."):
            number, _, parameter = name.removeprefix(f"{prefix}.").partition(".")
            members.setdefault(number, {})[parameter] = value
    index = 1
    while member := members.get(str(index)):
        yield member
        index += 1


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
