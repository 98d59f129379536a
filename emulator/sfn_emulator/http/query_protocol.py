"""AWS's query protocol: read and change its XML. `parameters` reads its forms.

See https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

import re
from dataclasses import replace
from html import unescape

from sfn_emulator.http.messages import Reply


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
