"""Refuse the subscriptions and messages that SNS refuses. Nothing here makes a call."""

import json
from collections.abc import Mapping
from typing import Final

from sfn_emulator.http.messages import Arn, RefusalError
from sfn_emulator.sns.mail import is_address

_LARGEST: Final = 262_144
_NO_DEFAULT: Final = "Message Structure - No default entry in JSON message body"


def invalid(what: str, reason: str = "") -> RefusalError:
    """SNS's error for a parameter that is wrong."""
    return RefusalError(
        "InvalidParameter", f"Invalid parameter: {what}" + (f" Reason: {reason}" if reason else "")
    )


def check_subscribe(form: Mapping[str, str]) -> None:
    """Refuse a wrong Subscribe of an e-mail address.

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
    """Refuse a wrong Publish in this region.

    Raises:
        RefusalError: With AWS's reason.
    """
    arn = form.get("TopicArn") or form.get("TargetArn", "")
    check_topic(arn, region)
    if arn.endswith(".fifo") and not form.get("MessageGroupId"):
        raise invalid("The MessageGroupId parameter is required for FIFO topics")
    if error := message_error(form):
        raise error


def message_error(form: Mapping[str, str]) -> RefusalError | None:
    """AWS's error for a message; None if the message is right."""
    message, subject = form.get("Message", ""), form.get("Subject")
    faults = {
        "Empty message": not message,
        "Message too long": len(message.encode()) > _LARGEST,
        "Subject": subject is not None and not (0 < len(subject) <= 100 and subject.isprintable()),
        _NO_DEFAULT: mail_text(form) is None,
    }
    return next((invalid(fault) for fault, is_so in faults.items() if is_so), None)


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


def mail_text(form: Mapping[str, str], protocol: str = "email") -> str | None:
    """The text of a message for a mail; None if the message is structured and has no text for a mail."""
    if form.get("MessageStructure") != "json":
        return form.get("Message", "")
    try:
        parts = json.loads(form.get("Message", ""))
        return str(parts.get(protocol) or parts["default"])
    except (ValueError, KeyError, AttributeError):
        return None
