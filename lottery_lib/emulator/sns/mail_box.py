"""Keep the mails that were sent, in order, as files of a Maildir."""

import mailbox
import os
import smtplib
import sys
import threading
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from lottery_lib.emulator.sns.mail import Mail

__all__ = ["Mailbox"]


class Mailbox:
    """Everybody's mails on this machine.

    Args:
        folder: Where the Maildir is made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Throw all mails away."""
        with self._lock:
            self._maildir = mailbox.Maildir(self._folder, create=True)
            self._maildir.clear()
            self._entries: list[dict[str, Any]] = []

    def remove(self, topic_arn: str) -> None:
        """Throw the mails of a topic away."""
        with self._lock:
            for entry in self._entries:
                if entry["topic_arn"] == topic_arn:
                    self._maildir.discard(entry["id"])
            self._entries = [entry for entry in self._entries if entry["topic_arn"] != topic_arn]

    def deliver(self, mail: Mail) -> None:
        """Put a mail into the box, and on its way to ``SMTP_HOST`` when that is set."""
        with self._lock:
            key = self._maildir.add(mail.message)
            self._entries.append(_entry(key, mail))
        if host := os.environ.get("SMTP_HOST"):
            threading.Thread(target=_send, args=(host, mail.message), daemon=True).start()

    def entries(self, topic_arn: str | None = None) -> list[dict[str, Any]]:
        """The mails (of a topic) in the order in which they came.

        Returns:
            ``{"id", "to", "from", "subject", "date", "topic_arn", "type", "text", "link"}`` each.
        """
        with self._lock:
            return [entry for entry in self._entries if topic_arn in {None, entry["topic_arn"]}]


def _entry(key: str, mail: Mail) -> dict[str, Any]:
    headers = {name: str(mail.message[name]) for name in ("To", "From", "Subject", "Date")}
    return {
        "id": key,
        **{name.lower(): value for name, value in headers.items()},
        "topic_arn": mail.topic_arn,
        "type": mail.type,
        "text": mail.message.get_content().rstrip("\n"),
        "link": mail.link,
    }


def _send(host: str, message: EmailMessage) -> None:
    # As on AWS, whoever publishes does not learn whether the mail arrived.
    try:
        with smtplib.SMTP(host, int(os.environ.get("SMTP_PORT") or 25), timeout=30) as smtp:
            smtp.send_message(message)
    except (OSError, ValueError, smtplib.SMTPException) as error:
        print(f"A mail to {message['To']} could not be sent through {host}: {error}", file=sys.stderr)
