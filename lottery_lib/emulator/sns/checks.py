"""Refuse the messages that SNS refuses; pure."""

import json
import re
from collections.abc import Mapping
from typing import Final

from lottery_lib.emulator.sns.mail import is_address

__all__ = ["attributes_of", "mail_text", "why_not_arn", "why_not_publish", "why_not_subscribe"]

_LARGEST: Final = 262_144


def why_not_subscribe(form: Mapping[str, str]) -> str | None:
    """AWS's reason to refuse a Subscribe of an e-mail address, or None."""
    if form.get("TopicArn", "").endswith(".fifo"):
        return "Invalid parameter: Invalid protocol type: email"
    if not form.get("TopicArn"):
        return "Invalid parameter: TopicArn"
    return None if is_address(form.get("Endpoint", "")) else "Invalid parameter: Email address"


def attributes_of(form: Mapping[str, str]) -> dict[str, str]:
    """The attributes that a Subscribe asks for."""
    keys = {name: key for name, key in form.items() if re.fullmatch(r"Attributes\.entry\.\d+\.key", name)}
    return {key: form.get(name.removesuffix("key") + "value", "") for name, key in keys.items()}


def why_not_publish(form: Mapping[str, str], region: str) -> str | None:
    """AWS's reason to refuse a Publish in this region, or None."""
    arn = form.get("TopicArn") or form.get("TargetArn", "")
    if reason := why_not_arn(arn, "TopicArn"):
        return reason
    return _why_not_message(form) if arn.split(":")[3] == region else "Invalid parameter: TopicArn"


def _why_not_message(form: Mapping[str, str]) -> str | None:
    message, subject = form.get("Message", ""), form.get("Subject")
    if not message:
        return "Invalid parameter: Empty message"
    if len(message.encode()) > _LARGEST:
        return "Invalid parameter: Message too long"
    if subject is not None and not (0 < len(subject) <= 100 and subject.isprintable()):
        return "Invalid parameter: Subject"
    if form.get("MessageStructure") == "json" and mail_text(form) is None:
        return "Invalid parameter: Message Structure - No default entry in JSON message body"
    return None


def mail_text(form: Mapping[str, str]) -> str | None:
    """What of a message goes into a mail; None when a structured one has nothing for it."""
    if form.get("MessageStructure") != "json":
        return form["Message"]
    try:
        parts = json.loads(form["Message"])
        return str(parts.get("email") or parts["default"])
    except (ValueError, KeyError, AttributeError):
        return None


def why_not_arn(arn: str, parameter: str = "SubscriptionArn") -> str | None:
    """AWS's reason to refuse an ARN, or None; a pending subscription is listed under a mere word."""
    if (parts := len(arn.split(":"))) >= 6:
        return None
    return f"Invalid parameter: {parameter} Reason: An ARN must have at least 6 elements, not {parts}"
