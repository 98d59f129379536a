"""Read and change single values in SNS's XML; pure."""

import re
from xml.sax.saxutils import unescape

__all__ = ["attribute", "element", "elements", "with_attribute"]


def elements(xml: bytes, name: str) -> list[str]:
    """The text of every element of that name."""
    return [unescape(text) for text in re.findall(rf"<{name}>([^<]*)</{name}>", xml.decode())]


def element(xml: bytes, name: str) -> str:
    """The text of the first element of that name; empty when there is none."""
    return next(iter(elements(xml, name)), "")


def attribute(xml: bytes, name: str) -> str:
    """The value of an attribute in a map of them; empty when there is none."""
    match = re.search(rf"<key>{name}</key>\s*<value>([^<]*)</value>", xml.decode())
    return unescape(match[1]) if match else ""


def with_attribute(xml: bytes, name: str, value: str) -> bytes:
    """The same with another value of an attribute that is there."""
    there = re.compile(rf"(<key>{name}</key>\s*<value>)[^<]*(</value>)".encode())
    return there.sub(rb"\g<1>" + value.encode() + rb"\g<2>", xml)
