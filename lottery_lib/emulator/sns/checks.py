"""Read SNS's requests and XML, and refuse the messages that SNS refuses. Nothing here makes a call."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html import unescape
from typing import Final

from lottery_lib.emulator.http.messages import Arn, RefusalError, Reply
from lottery_lib.emulator.sns.mail import is_address

_LARGEST: Final = 262_144


def invalid(what: str, reason: str = "") -> RefusalError:
    """SNS's error for a wrong parameter."""
    return RefusalError(
        "InvalidParameter", f"Invalid parameter: {what}" + (f" Reason: {reason}" if reason else "")
    )


def check_subscribe(form: Mapping[str, str]) -> None:
    """Refuse a Subscribe of an e-mail address.

    Raises:
        RefusalError: With AWS's reason.
    """
    if form.get("TopicArn", "").endswith(".fifo"):
        raise invalid("Invalid protocol type: email")
    if not form.get("TopicArn"):
        raise invalid("TopicArn")
    if not is_address(form.get("Endpoint", "")):
        raise invalid("Email address")


def check_publish(form: Mapping[str, str], region: str) -> None:
    """Refuse a Publish in this region.

    Raises:
        RefusalError: With AWS's reason.
    """
    arn = form.get("TopicArn") or form.get("TargetArn", "")
    message, subject = form.get("Message", ""), form.get("Subject")
    check_arn(arn, "TopicArn")
    faults = {
        "TopicArn": Arn.of(arn).region != region,
        "Empty message": not message,
        "Message too long": len(message.encode()) > _LARGEST,
        "Subject": subject is not None and not (0 < len(subject) <= 100 and subject.isprintable()),
        "Message Structure - No default entry in JSON message body": mail_text(form) is None,
    }
    for fault, found in faults.items():
        if found:
            raise invalid(fault)


def check_arn(arn: str, parameter: str = "SubscriptionArn") -> None:
    """Refuse an ARN that is too short. A list shows no real ARN for a pending subscription.

    Raises:
        RefusalError: With AWS's reason.
    """
    if (parts := len(arn.split(":"))) < 6:
        raise invalid(parameter, f"An ARN must have at least 6 elements, not {parts}")


def mail_text(form: Mapping[str, str]) -> str | None:
    """The text of a message for a mail; None if the message is structured and has no such text."""
    if form.get("MessageStructure") != "json":
        return form.get("Message", "")
    try:
        parts = json.loads(form.get("Message", ""))
        return str(parts.get("email") or parts["default"])
    except (ValueError, KeyError, AttributeError):
        return None


def pairs_of(form: Mapping[str, str], prefix: str, key: str, value: str) -> dict[str, str]:
    """The keys and values of attributes or tags, which are the members of a list."""
    return {member.get(key, ""): member.get(value, "") for member in numbered(form, prefix)}


def numbered(form: Mapping[str, str], prefix: str) -> Iterator[dict[str, str]]:
    """The members of a list in the query protocol. Each member is a mapping of its parameters."""
    index = 1
    while member := {
        name.removeprefix(start): value
        for start in [f"{prefix}.{index}."]
        for name, value in form.items()
        if name.startswith(start)
    }:
        yield member
        index += 1


def elements(xml: bytes, name: str) -> list[str]:
    """The text of every element of that name."""
    return [unescape(text) for text in re.findall(rf"<{name}>([^<]*)</{name}>", xml.decode())]


def element(xml: bytes, name: str) -> str:
    """The text of the first element of that name; empty if there is none."""
    return next(iter(elements(xml, name)), "")


def attribute(xml: bytes, name: str) -> str:
    """The value of an attribute in an XML map of attributes; empty if there is none."""
    match = re.search(rf"<key>{name}</key>\s*<value>([^<]*)</value>", xml.decode())
    return unescape(match[1]) if match else ""


def with_attributes(reply: Reply, **attributes: int) -> Reply:
    """The same reply with other numbers or truth values of some attributes. The attributes must be there."""
    body = reply.body
    for name, value in attributes.items():
        there = re.compile(rf"(<key>{name}</key>\s*<value>)[^<]*".encode())
        body = there.sub(rb"\g<1>" + str(value).lower().encode(), body)
    return replace(reply, body=body)
