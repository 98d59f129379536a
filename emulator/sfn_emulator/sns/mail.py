"""Write the mails that SNS sends, and store them in order as files of a Maildir."""

import datetime
import mailbox
import os
import smtplib
import sys
import threading
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final

_SENDER: Final = ("no-reply", "sns.amazonaws.com")


def is_address(text: str) -> bool:
    """Whether a text is an e-mail address."""
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError, AttributeError, MessageError):
        return False
    complete = bool(address.username) and "." in address.domain.strip(".")
    return complete and text.isprintable() and " " not in text


def confirmation(address: str, topic_arn: str, display_name: str, link: str) -> EmailMessage:
    """Write the mail that asks for the confirmation of a subscription.

    Args:
        address: The subscriber.
        topic_arn: The topic.
        display_name: The topic's display name, which is the sender's name.
        link: The link that confirms the subscription.
    """
    subject = "AWS Notification - Subscription Confirmation"
    message = _message(address, topic_arn, display_name, subject, "SubscriptionConfirmation")
    message.set_content(
        f"You have chosen to subscribe to the topic:\n{topic_arn}\n\n"
        "To confirm this subscription, click or visit the link below "
        f"(If this was in error no action is necessary):\n{link}\n"
    )
    return message


def notification(
    address: str, topic_arn: str, display_name: str, *, subject: str | None, text: str, unsubscribe: str
) -> EmailMessage:
    """Write the mail with a published message for a subscriber.

    Args:
        address: The subscriber.
        topic_arn: The topic.
        display_name: The topic's display name, which is the sender's name.
        subject: The subject of the message, if it has one.
        text: The message.
        unsubscribe: The link that ends the subscription.
    """
    subject = subject or "AWS Notification Message"
    message = _message(address, topic_arn, display_name, subject, "Notification")
    message.set_content(
        f"{text}\n\n--\nIf you wish to stop receiving notifications from this topic, please click or visit "
        f"the link below to unsubscribe:\n{unsubscribe}\n"
    )
    return message


def _message(address: str, topic_arn: str, display_name: str, subject: str, kind: str) -> EmailMessage:
    message = EmailMessage()
    name = "".join(character for character in display_name if character.isprintable())
    message["From"] = Address(name or "AWS Notifications", *_SENDER)
    message["To"] = Address(addr_spec=address)
    message["Date"] = format_datetime(datetime.datetime.now(datetime.UTC))
    message["Subject"] = subject
    message["x-amz-sns-message-type"] = kind
    message["x-amz-sns-topic-arn"] = topic_arn
    return message


class Mailbox:
    """The mails of all subscribers.

    Args:
        folder: The folder of the Maildir.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Remove all mails."""
        with self._lock:
            self._maildir = mailbox.Maildir(self._folder, create=True)
            self._maildir.clear()
            self._entries: list[dict[str, Any]] = []

    def remove(self, topic_arn: str) -> None:
        """Remove the mails of a topic."""
        with self._lock:
            for entry in self._entries:
                if entry["topic_arn"] == topic_arn:
                    self._maildir.discard(entry["id"])
            self._entries = [entry for entry in self._entries if entry["topic_arn"] != topic_arn]

    def deliver(self, message: EmailMessage, link: str | None = None) -> None:
        """Store a mail, and send it through ``SMTP_HOST`` if that is set.

        Args:
            message: The mail.
            link: The link that confirms a subscription; None for a notification.
        """
        headers = {name.lower(): str(message[name]) for name in ("To", "From", "Subject", "Date")}
        entry = {
            "topic_arn": message["x-amz-sns-topic-arn"],
            "type": "confirmation" if link else "notification",
            "text": message.get_content().rstrip("\n"),
            "link": link,
        }
        with self._lock:
            self._entries.append({"id": self._maildir.add(message)} | headers | entry)
        if host := os.environ.get("SMTP_HOST"):
            threading.Thread(target=_send, args=(host, message), daemon=True).start()

    def entries(self, topic_arn: str | None = None) -> list[dict[str, Any]]:
        """All mails, or the mails of a topic. The oldest mail is the first.

        Returns:
            ``{"id", "to", "from", "subject", "date", "topic_arn", "type", "text", "link"}`` each.
        """
        with self._lock:
            return [entry for entry in self._entries if topic_arn in {None, entry["topic_arn"]}]


def _send(host: str, message: EmailMessage) -> None:
    # As on AWS, the publisher does not learn whether the mail arrived.
    try:
        with smtplib.SMTP(host, int(os.environ.get("SMTP_PORT") or 25), timeout=30) as smtp:
            smtp.send_message(message)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        print(f"A mail to {message['To']} could not be sent through {host}: {error}", file=sys.stderr)
