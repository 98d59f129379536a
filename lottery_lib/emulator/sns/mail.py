"""Write the mails that SNS sends."""

import datetime
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

__all__ = ["Mail", "Recipient", "confirmation", "is_address", "notification"]

_SENDER: Final = ("no-reply", "sns.amazonaws.com")


@dataclass(frozen=True)
class Mail:
    """A mail and what it is about.

    Args:
        type: ``"confirmation"`` or ``"notification"``.
        topic_arn: The topic.
        message: The mail itself.
        link: What confirms a subscription; None for a notification.
    """

    type: str
    topic_arn: str
    message: EmailMessage
    link: str | None = None


@dataclass(frozen=True)
class Recipient:
    """Whom a mail is for, and on whose behalf: a topic, which shows its display name as the sender."""

    address: str
    topic_arn: str
    display_name: str


def is_address(text: str) -> bool:
    """Whether a mail can be sent there."""
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, AttributeError, MessageError):
        return False
    return (
        bool(address.username) and "." in address.domain.strip(".") and text.isprintable() and " " not in text
    )


def confirmation(to: Recipient, link: str, date: datetime.datetime) -> Mail:
    """Ask for the confirmation of a subscription."""
    message = _message(to, "SubscriptionConfirmation", date)
    message["Subject"] = "AWS Notification - Subscription Confirmation"
    message.set_content(
        f"You have chosen to subscribe to the topic:\n{to.topic_arn}\n\n"
        "To confirm this subscription, click or visit the link below "
        f"(If this was in error no action is necessary):\n{link}\n"
    )
    return Mail("confirmation", to.topic_arn, message, link)


def notification(
    to: Recipient, *, subject: str | None, text: str, unsubscribe: str, date: datetime.datetime
) -> Mail:
    """Carry a published message to a subscriber.

    Args:
        to: The subscriber.
        subject: The message's, if it has one.
        text: The message.
        unsubscribe: A link.
        date: Now.
    """
    message = _message(to, "Notification", date)
    message["Subject"] = subject or "AWS Notification Message"
    message.set_content(
        f"{text}\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit "
        f"the link below to unsubscribe:\n{unsubscribe}\n"
    )
    return Mail("notification", to.topic_arn, message)


def _message(to: Recipient, kind: str, date: datetime.datetime) -> EmailMessage:
    message = EmailMessage()
    name = "".join(character for character in to.display_name if character.isprintable())
    message["From"] = Address(name or "AWS Notifications", *_SENDER)
    message["To"] = Address(addr_spec=to.address)
    message["Date"] = format_datetime(date)
    message["x-amz-sns-message-type"] = kind
    message["x-amz-sns-topic-arn"] = to.topic_arn
    return message
