"""Show the mails that SNS sent: the emulator's mailbox, or a sentence that says where to look."""

import html
import http.client
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote, urlsplit

from lottery_lib.aws_errors import explain
from lottery_lib.errors import LotteryError
from lottery_lib.resources import sns_topic
from lottery_lib.target import Target

__all__ = ["Inbox", "Mail", "inbox"]

_MAIL: Final = "/lottery/mail"
_URL: Final = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True)
class Mail:
    """One mail: ``kind`` is ``"confirmation"`` or ``"notification"``; ``link`` is where its link leads."""

    kind: str
    to: str
    sender: str
    subject: str
    date: str
    text: str
    link: str | None

    def _repr_html_(self) -> str:
        head = (
            f"<b>{html.escape(self.subject)}</b><br>from {html.escape(self.sender)} to {html.escape(self.to)}"
        )
        # Escaped first: what a link is made of can then no longer be markup.
        text = _URL.sub(r'<a href="\g<0>" target="_blank" rel="noopener">\g<0></a>', html.escape(self.text))
        return f'<p>{head}</p><pre style="white-space: pre-wrap; overflow-wrap: anywhere">{text}</pre>'


class Inbox:
    """The mails of one attendee's topic, in order of arrival.

    Args:
        target: Where.
    """

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def mails(self) -> list[Mail]:
        """What has arrived so far; nothing on AWS, where it arrives in a real mailbox (see ``where``)."""
        if not self._kept:
            return []
        return [_mail(entry) for entry in json.loads(_ask(self._target, "GET", self._path))]

    @cached_property
    def _kept(self) -> bool:
        """Whether the mails are kept where they can be read from here: other emulators have no mailbox."""
        if self._target.kind == "endpoint":
            return _request(self._target, "GET", self._path)[0] == 200
        return self._target.kind == "embedded"

    @property
    def _path(self) -> str:
        topic = sns_topic.topic_arn(self._target, self._target.names.topic)
        return f"{_MAIL}?topic_arn={quote(topic)}"

    @property
    def notifications(self) -> list[Mail]:
        """The mails that are not about confirming a subscription."""
        return [mail for mail in self.mails if mail.kind == "notification"]

    @property
    def where(self) -> str:
        """One sentence that says where the mail is to be read, or that nobody gets any."""
        try:
            found = sns_topic.subscriptions(self._target, self._target.names.topic)
        except Exception as error:  # who asks has something better to tell than that, such as a draw
            if explain(error) is None:
                raise
            return f"Who gets mail cannot be said: {explain(error)}"
        states = {each.name: each.state for each in map(sns_topic.as_resource, found)}
        addresses = [name for name, state in states.items() if state == "confirmed"]
        if not addresses:
            link = f" Open the link in the mail that {', '.join(states)} got." if states else ""
            return f"Nobody has confirmed a subscription to the topic, so no mail is sent.{link}"
        if self._target.kind == "aws":
            return f"AWS sends real mail: open the mailbox of {', '.join(addresses)}."
        if not self._kept:
            return f"The emulator at {self._target.endpoint} has no mailbox that could be read from here."
        return f"The emulator keeps the mail; it can be read at {self._target.endpoint}{_MAIL}/ as well."

    def clear(self) -> None:
        """Throw away what the emulator's mailbox holds; a real one is not ours to empty."""
        if self._kept:
            _ask(self._target, "DELETE", self._path)

    def confirm(self, address: str) -> None:
        """Open the link in the newest confirmation mail of an address, as a click in the mail would.

        Raises:
            LotteryError: No confirmation mail for it has arrived, or the link has expired.
        """
        if not self._kept:
            raise LotteryError(
                f"mail to {address}", "is not kept here", "Open the link in it where it arrived"
            )
        links = [mail.link for mail in self.mails if mail.kind == "confirmation" and mail.to == address]
        if not links or links[-1] is None:
            raise LotteryError(
                f"mail to {address}",
                "no confirmation mail has arrived",
                "Subscribe the address to the topic first",
            )
        parts = urlsplit(links[-1])
        _ask(self._target, "GET", f"{parts.path}?{parts.query}")

    def _repr_html_(self) -> str:
        mails = "<hr>".join(mail._repr_html_() for mail in self.mails) or "<p>No mail yet.</p>"
        return f"{mails}<p><i>{html.escape(self.where)}</i></p>"

    def __repr__(self) -> str:
        subjects = "\n".join(f"{mail.kind}: {mail.subject}" for mail in self.mails)
        return subjects or "No mail yet."


def inbox(target: Target) -> Inbox:
    """Open the mailbox of a target (tutorial 4)."""
    return Inbox(target)


def _mail(entry: dict[str, Any]) -> Mail:
    return Mail(
        entry["type"],
        entry["to"],
        entry["from"],
        entry["subject"],
        entry["date"],
        entry["text"],
        entry["link"],
    )


def _ask(target: Target, method: str, path: str) -> str:
    status, text = _request(target, method, path)
    if status == 400:
        raise LotteryError("confirmation link", "is no longer valid", "Subscribe the address anew")
    if status != 200:
        raise LotteryError(
            f"mailbox at {target.endpoint}",
            f"answered {status}",
            "Look into its log: `python -m lottery_lib emulator status` tells where it lies",
        )
    return text


def _request(target: Target, method: str, path: str) -> tuple[int, str]:
    """Ask the emulator itself: straight to it, whatever proxy the attendee's shell has set."""
    address = urlsplit(target.endpoint or "")
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 80, timeout=10)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8")
    except (OSError, http.client.HTTPException) as error:
        raise LotteryError(
            f"mailbox at {target.endpoint}",
            f"does not answer ({error})",
            "Run `python -m lottery_lib emulator start`",
        ) from error
    finally:
        connection.close()
