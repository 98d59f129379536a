"""Show the mails that SNS sent: those in the emulator's mailbox, or a sentence that says where to look."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session

from lottery_lib.addresses import in_browser
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import escaped, in_a_row
from lottery_lib.resources.sns_topic import Topic, as_resource
from lottery_lib.target import Target
from lottery_lib.translation import _

_MAIL: Final = "/_emulator/mail"
# The emulator looks at the access key only.
_SIGNATURE: Final = "AWS4-HMAC-SHA256 Credential={}/20200101/us-east-1/sns/aws4_request, Signature=0"
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
        subject, sender, to = map(escaped, (self.subject, self.sender, self.to))
        # Escape first, so that a link cannot contain markup.
        text = _URL.sub(r'<a href="\g<0>" target="_blank" rel="noopener">\g<0></a>', escaped(self.text))
        style = "white-space: pre-wrap; word-break: normal; overflow-wrap: anywhere"
        ends = _("from {sender} to {to}", sender=sender, to=to)
        return f'<p><b>{subject}</b><br>{ends}</p><pre style="{style}">{text}</pre>'


class Inbox:
    """The mails of one attendee's topic, in order of arrival, and one link to the emulator's mailbox."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._topic = Topic(target, target.names.topic)

    @property
    def mails(self) -> list[Mail]:
        """The mails so far. On AWS there are none here: they arrive in a real mailbox (see ``where``)."""
        if not self._is_readable:
            return []
        return [
            Mail(*(mail[key] for key in ("type", "to", "from", "subject", "date", "text", "link")))
            for mail in json.loads(in_browser(self._ask("GET", self._path)))
        ]

    @property
    def notifications(self) -> list[Mail]:
        """The mails with messages that somebody published to the topic."""
        return [mail for mail in self.mails if mail.kind == "notification"]

    @property
    def reaches_nobody(self) -> bool:
        """Whether it is known that nobody has confirmed a subscription."""
        try:
            return "confirmed" not in self._states().values()
        except LotteryError:
            return False

    @property
    def where(self) -> str:
        """One sentence that says where to read the mails, or that nobody gets any.

        Its link works once; then the browser has a cookie. For another browser, call `inbox` again.
        """
        try:
            states = self._states()
        except LotteryError as error:  # do not stop the caller for this: it may be about to draw
            return _("It is not known who gets mail: {error}", error=error)
        addresses = [name for name, state in states.items() if state == "confirmed"]
        if not addresses:
            return self._to_confirm(", ".join(states))
        if self._target.kind == "aws":
            return _("AWS sends real mail: open the mailbox of {addresses}.", addresses=", ".join(addresses))
        if not self._is_readable:
            address = self._target.endpoint
            return _(
                "The emulator at {address} has no mailbox that could be read from here.", address=address
            )
        return _("The emulator keeps the mail. You can read it at {page} in a browser.", page=self._page)

    def _states(self) -> dict[str, str]:
        """The state of each subscription, by its address."""
        return {report.name: report.state for report in map(as_resource, self._topic.subscriptions())}

    def _to_confirm(self, addresses: str) -> str:
        sentences = [_("Nobody has confirmed a subscription to the topic, so SNS sends no messages yet.")]
        if addresses:
            sentences.append(_("Open the link in the mail that {addresses} got.", addresses=addresses))
        if addresses and self._is_readable:
            sentences.append(_("The mailbox at {page} has it.", page=self._page))
        return in_a_row(sentences)

    def clear(self) -> None:
        """Empty the emulator's mailbox. The kit cannot empty a real mailbox."""
        if self._is_readable:
            self._ask("DELETE", self._path)

    def confirm(self, address: str) -> None:
        """Open the link in the newest confirmation mail of an address, as a click in the mail would.

        Raises:
            LotteryError: No confirmation mail for it has arrived, or the link is no longer valid.
        """
        where = _("mail to {address}", address=address)
        if not self._is_readable:
            raise LotteryError(where, _("is not kept here"), _("Open the link in it where it arrived"))
        links = [mail.link for mail in self.mails if mail.kind == "confirmation" and mail.to == address]
        if not links or links[-1] is None:
            next_step = _("Subscribe the address to the topic first")
            raise LotteryError(where, _("no confirmation mail has arrived"), next_step)
        self._ask("GET", f"/?{urlsplit(links[-1]).query}")

    def _repr_html_(self) -> str:
        mails = "<hr>".join(mail._repr_html_() for mail in self.mails) or f"<p>{_('No mail yet.')}</p>"
        return f"{mails}<p><i>{escaped(self.where)}</i></p>"

    def __repr__(self) -> str:
        return "\n".join(f"{mail.kind}: {mail.subject}" for mail in self.mails) or _("No mail yet.")

    @cached_property
    def _page(self) -> str:
        """The address of the mailbox's page, with a ticket."""
        ticket = json.loads(self._ask("POST", f"{_MAIL}/ticket"))["ticket"]
        return in_browser(f"{self._target.endpoint}{_MAIL}/?ticket={ticket}")

    @property
    def _key(self) -> str:
        """The emulator's own key, because the mailbox opens for no other; a user of IAM has one, too."""
        file = self._target.key_file
        return Path(file).read_text("ascii") if file else self._target.access_key

    @property
    def _path(self) -> str:
        return f"{_MAIL}?topic_arn={quote(self._topic.arn)}"

    @cached_property
    def _is_readable(self) -> bool:
        """Whether the mails can be read from here: an emulator that others wrote has no mailbox."""
        if self._target.kind == "endpoint":
            return self._request("GET", self._path)[0] == 200
        return self._target.kind == "embedded"

    def _ask(self, method: str, path: str) -> str:
        status, text = self._request(method, path)
        if status == 400:
            next_step = _("Subscribe the address again")
            raise LotteryError(_("confirmation link"), _("is no longer valid"), next_step)
        if status != 200:
            raise LotteryError(
                _("mailbox at {address}", address=self._target.endpoint),
                _("answered {status}", status=status),
                _("Look into its log: `lottery emulator status` shows its folder"),
            )
        return text

    def _request(self, method: str, path: str) -> tuple[int, str]:
        """Send a request straight to the emulator, whatever proxy the attendee's shell has set."""
        # A link in a mail is opened without the key, as in a browser.
        signed = {"Authorization": _SIGNATURE.format(self._key)} if path.startswith(_MAIL) else {}
        request = AWSRequest(method, f"{self._target.endpoint}{path}", headers=signed).prepare()
        try:
            response = URLLib3Session(timeout=10).send(request)
            return response.status_code, response.content.decode("utf-8")
        except BotoCoreError as error:
            raise LotteryError(
                _("mailbox at {address}", address=self._target.endpoint),
                _("does not answer ({error})", error=error),
                _("Run `lottery emulator start`"),
            ) from error


def inbox(target: Target) -> Inbox:
    """Open the mailbox of a target (tutorial 4)."""
    return Inbox(target)
