"""Read SNS's requests and XML, and refuse the messages that SNS refuses. Nothing here makes a call."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from html import unescape
from typing import Final

from sfn_emulator.http.messages import Arn, RefusalError, Reply
from sfn_emulator.sns.mail import is_address

_LARGEST: Final = 262_144
_MOST_ENTRIES: Final = 10
_LONGEST_ID: Final = 80
_ID: Final = re.compile(r"[A-Za-z0-9_-]+")
_NO_DEFAULT: Final = "Message Structure - No default entry in JSON message body"


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
    check_topic(form.get("TopicArn") or form.get("TargetArn", ""), region)
    if error := message_error(form):
        raise error


def check_batch(topic_arn: str, entries: Sequence[Mapping[str, str]], region: str) -> None:
    """Refuse a PublishBatch in this region. An entry with a `message_error` fails alone.

    Raises:
        RefusalError: With AWS's reason.
    """
    check_topic(topic_arn, region)
    if not entries:
        raise RefusalError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(entries) > _MOST_ENTRIES:
        text = "The batch request contains more entries than permissible."
        raise RefusalError("TooManyEntriesInBatchRequest", text)
    ids = [entry.get("Id", "") for entry in entries]
    if len(set(ids)) < len(ids):
        text = "Two or more batch entries in the request have the same Id."
        raise RefusalError("BatchEntryIdsNotDistinct", text)
    for each in ids:
        too_long = len(each) > _LONGEST_ID
        if too_long or not _ID.fullmatch(each):
            fault = "is too long" if too_long else "contains an impermissible character"
            text = f"The Id of a batch entry in the batch request {fault}: {each}"
            raise RefusalError("InvalidBatchEntryId", text)
    counted = ("Message", "MessageAttributes.")
    texts = (text for entry in entries for name, text in entry.items() if name.startswith(counted))
    if sum(len(text.encode()) for text in texts) > _LARGEST:
        text = "The length of all the messages put together is more than the limit."
        raise RefusalError("BatchRequestTooLong", text)
    if any(mail_text(entry) is None for entry in entries):
        raise invalid(_NO_DEFAULT)


def message_error(form: Mapping[str, str]) -> RefusalError | None:
    """AWS's reason to refuse a message, if there is one."""
    message, subject = form.get("Message", ""), form.get("Subject")
    faults = {
        "Empty message": not message,
        "Message too long": len(message.encode()) > _LARGEST,
        "Subject": subject is not None and not (0 < len(subject) <= 100 and subject.isprintable()),
        _NO_DEFAULT: mail_text(form) is None,
    }
    return next((invalid(fault) for fault, found in faults.items() if found), None)


def check_topic(arn: str, region: str) -> None:
    """Refuse an ARN that cannot be a topic's in this region.

    Raises:
        RefusalError: With AWS's reason.
    """
    check_arn(arn, "TopicArn")
    if Arn.of(arn).region != region:
        raise invalid("TopicArn")


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
    """The text of every element of that name. An empty one may be written as ``<Value />``."""
    return [unescape(text) for text in re.findall(rf"<{name}(?:>([^<]*)</{name}>|\s*/>)", xml.decode())]


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


def with_failed(reply: Reply, errors: Mapping[str, RefusalError]) -> Reply:
    """The reply to a PublishBatch with more failed entries, by their ids."""
    members = "".join(
        f"<member><Id>{entry_id}</Id><Code>{error.code}</Code><Message>{error.message}</Message>"
        "<SenderFault>true</SenderFault></member>"
        for entry_id, error in errors.items()
    )
    body = reply.body.replace(b"<Failed/>", b"<Failed></Failed>")
    return replace(reply, body=body.replace(b"</Failed>", members.encode() + b"</Failed>"))
