"""Answer people and `inbox`: serve the mailbox and the links in mails."""

from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from lottery_lib.emulator.http.messages import RefusalError, Reply, Request
from lottery_lib.emulator.http.replies import json_reply, page
from lottery_lib.emulator.sns.api import SnsApi
from lottery_lib.emulator.sns.checks import element
from lottery_lib.emulator.sns.mail import Mailbox

_WELCOME: Final = '<p>It runs. Mails are in the <a href="/lottery/mail/">mailbox</a>.</p>'


class Pages:
    """The pages that people see in a browser.

    Args:
        sns: Confirms and ends subscriptions.
        mailbox: Holds the mails.
    """

    def __init__(self, sns: SnsApi, mailbox: Mailbox) -> None:
        self._sns = sns
        self._mailbox = mailbox

    def answer(self, request: Request) -> Reply | None:
        """Answer a request without a signature; None if there is no such page."""
        match request.method, request.path:
            case "DELETE", "/lottery/mail":
                self._mailbox.remove(request.query.get("topic_arn", ""))
                return json_reply({})
            case "GET" | "HEAD", "/lottery/mail":
                return json_reply(self._mailbox.entries(request.query.get("topic_arn")))
            case "GET" | "HEAD", "/lottery/mail/":
                mails = "".join(_article(mail) for mail in reversed(self._mailbox.entries()))
                return page("Mailbox", mails or "<p>No mail yet.</p>")
            case "GET", "/":  # a mail program that checks a link with HEAD has not opened it
                return self._link(request)
        return None

    def _link(self, request: Request) -> Reply | None:
        match request.query.get("Action"):
            case "ConfirmSubscription":
                follow, title, arn = self._sns.confirm, "Subscription confirmed", "TopicArn"
            case "Unsubscribe":
                follow, title, arn = self._sns.unsubscribe, "Subscription removed", "SubscriptionArn"
            case None:
                return page("Lottery emulator", _WELCOME)
            case _:
                return None
        try:
            reply = follow(request)
        except RefusalError as error:
            return page("That did not work", f"<p>{escape(error.message)}</p>", error.status)
        if not reply.ok:
            return page("That did not work", f"<p>{escape(element(reply.body, 'Message'))}</p>", reply.status)
        return page(title, f"<p>{escape(request.query.get(arn, ''))}</p><p>You can close this page.</p>")


def _article(mail: dict[str, Any]) -> str:
    link = f"<p><a href={quoteattr(mail['link'])}>Confirm subscription</a></p>" if mail["link"] else ""
    heads = "".join(f"<b>{name}</b> {escape(mail[name.lower()])}<br>" for name in ("From", "To", "Date"))
    text = f'<pre style="white-space: pre-wrap">{escape(mail["text"])}</pre>'
    return f"<article><h2>{escape(mail['subject'])}</h2><p>{heads}</p>{text}{link}<hr></article>"
