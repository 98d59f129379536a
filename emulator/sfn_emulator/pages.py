"""Answer people and their programs: serve the mailbox and the links in mails, move the clock, mock Tasks.

A link needs no access key, because it has a secret token. The page of the mailbox opens with a one-time
ticket, which somebody with the key asks for. The browser gets a cookie for the ticket. Browsers send cookies
to all ports of a machine, but only to their paths. So the page's path contains the ticket. The cookie only
reads mail, and its name contains the port.
"""

import re
import secrets
from collections import deque
from dataclasses import replace
from functools import partial
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from sfn_emulator.http.messages import RefusalError, Reply, Request
from sfn_emulator.http.query_protocol import element
from sfn_emulator.http.replies import json_reply, page
from sfn_emulator.process.timers import Timers
from sfn_emulator.sns.api import SnsApi
from sfn_emulator.sns.mail import Mailbox
from sfn_emulator.states.api import StatesApi
from sfn_emulator.translation import _, first_spoken, translated

#: Mails and other sites may link to these paths.
LINKED: Final = re.compile(r"/|/_emulator/mail/([\w-]+/)?", re.ASCII)
_MOST_TICKETS: Final = 1000
_LONGEST: Final = 100 * 365 * 86_400  # seconds by which a clock can be moved


class Pages:
    """The pages that people see in a browser.

    Args:
        sns: Confirms and ends subscriptions.
        mailbox: Holds the mails.
        endpoint: The emulator's address, which is in mails.
        timers: Its clock.
        states: Mocks Tasks.
    """

    def __init__(
        self, sns: SnsApi, mailbox: Mailbox, endpoint: str, timers: Timers, states: StatesApi
    ) -> None:
        self._timers, self._states = timers, states
        self._sns = sns
        self._mailbox = mailbox
        self._endpoint = endpoint
        self._tickets: deque[str] = deque(maxlen=_MOST_TICKETS)
        self._cookie = f"sfn-emulator-mail-{endpoint.rpartition(':')[2]}={secrets.token_urlsafe()}"

    def answer(self, request: Request, *, is_owner: bool) -> Reply | None:
        """Answer a request for a page.

        Args:
            request: The request.
            is_owner: Whether it has the owner's access key.

        Returns:
            None if there is no such page, or if it needs a key.
        """
        may_read = is_owner or self._cookie in request.headers.get("cookie", "").split("; ")
        match request.method, request.path:
            case "GET", "/":  # a mail program that checks a link with HEAD has not opened it
                return self._link(request)
            case "GET" | "HEAD", path if LINKED.fullmatch(path) and path != "/":
                return self._mails(request, may_read)
            case "GET" | "HEAD", "/_emulator/mail" if may_read:
                return json_reply(self._mailbox.entries(request.query.get("topic_arn")))
        return self._answer_owner(request) if is_owner else None

    def _answer_owner(self, request: Request) -> Reply | None:
        match request.method, request.path:
            case "DELETE", "/_emulator/mail":
                self._mailbox.remove(request.query.get("topic_arn", ""))
                return json_reply({})
            case "POST", "/_emulator/mail/ticket":
                self._tickets.append(ticket := secrets.token_urlsafe(16))
                return json_reply({"ticket": ticket})
            case "POST", "/_emulator/clock":
                return self._advance(request)
            case "POST", "/_emulator/mock":
                return self._states.mock(request)
        return None

    def _advance(self, request: Request) -> Reply:
        """Move the time: ``{"advance": SECONDS}``. ``{"hold": BOOLEAN}`` lets it stand, or skip again."""
        seconds, hold = request.json.get("advance"), request.json.get("hold")
        if not self._timers.can_advance:
            return json_reply({"message": _("its clock is that of the machine")}, 409)
        if isinstance(hold, bool):
            return json_reply({"now": self._timers.hold(hold)})
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < _LONGEST:
            told = _("advance is {seconds!r}: it must be a number of seconds", seconds=seconds)
            return json_reply({"message": told, "moves": True}, 400)
        return json_reply({"now": self._timers.advance(seconds)})

    def _mails(self, request: Request, may_read: bool) -> Reply:
        """Show all mails. A ticket leads to a path of its own, and the cookie is for that path."""
        language = _asked_for(request)
        _ = partial(translated, language)
        if re.fullmatch(r"[\w-]+", ticket := request.query.get("ticket", ""), re.ASCII):
            return Reply(303, b"", {"Location": f"./{ticket}/"})  # the same behind a proxy
        cookie = {}
        if request.method == "GET" and self._takes(request.path.split("/")[-2]):
            # Strict would not let in those who clicked on the link in another page. Without Path, the browser
            # takes the request's own, also behind a proxy.
            cookie = {"Set-Cookie": f"{self._cookie}; HttpOnly; SameSite=Lax"}
        elif not may_read:
            how = _("A link to the mailbox works once. Get a new one where you found this one.")
            return page(_("The mailbox is closed"), f"<p>{how}</p>", 403, language)
        what = _(
            "These are the mails that SNS would send to all subscribers, newest first. Load the page again "
            "to see new ones."
        )
        seen = _seen_from(request) or self._endpoint
        entries = [
            mail | {key: (mail[key] or "").replace(self._endpoint, seen) for key in ("text", "link")}
            for mail in reversed(self._mailbox.entries())
        ]
        mails = "".join(_article(mail, language) for mail in entries)
        mails = mails or f"<p>{_('No mail yet.')}</p>"
        reply = page(_("Mailbox"), f"<p>{what}</p>{mails}", language=language)
        return replace(reply, headers={**reply.headers, **cookie})

    def _takes(self, ticket: str) -> bool:
        """Whether the ticket is valid. After that, it is not."""
        try:
            self._tickets.remove(ticket)
        except ValueError:
            return False
        return True

    def _link(self, request: Request) -> Reply | None:
        language = _asked_for(request)
        _ = partial(translated, language)
        match request.query.get("Action"):
            case "ConfirmSubscription":
                follow, title, arn = self._sns.confirm, _("Subscription confirmed"), "TopicArn"
            case "Unsubscribe":
                follow, title, arn = self._sns.unsubscribe, _("Subscription removed"), "SubscriptionArn"
            case None:
                return page(_("Step Functions emulator"), f"<p>{_('It runs.')}</p>", language=language)
            case _:
                return None
        failed = _("That did not work")
        try:
            reply = follow(request)
        except RefusalError as error:
            return page(failed, f"<p>{escape(error.message)}</p>", error.status, language)
        if not reply.ok:
            return page(failed, f"<p>{escape(element(reply.body, 'Message'))}</p>", reply.status, language)
        body = f"<p>{escape(request.query.get(arn, ''))}</p><p>{_('You can close this page.')}</p>"
        return page(title, body, language=language)


def _asked_for(request: Request) -> str:
    """The language that the browser asks for. One emulator serves people of all languages."""
    return first_spoken(request.headers.get("accept-language", ""))


def _seen_from(request: Request) -> str | None:
    """The emulator's address as the browser sees it through a proxy, which says so in headers."""
    proto, host, prefix = (request.headers.get(f"x-forwarded-{name}") for name in ("proto", "host", "prefix"))
    secure = (proto or "").startswith("https")
    return f"http{'s' * secure}://{host}{prefix}" if host and prefix else None


def _article(mail: dict[str, Any], language: str) -> str:
    _ = partial(translated, language)
    words = {"from": _("From"), "to": _("To"), "date": _("Date")}
    heads = "".join(f"<dt>{word}</dt><dd>{escape(mail[key])}</dd>" for key, word in words.items())
    link = ""
    if mail["link"]:
        link = f'<a class="action" href={quoteattr(mail["link"])}>{_("Confirm subscription")}</a>'
    text = f"<pre>{escape(mail['text'])}</pre>"
    return f"<article><h2>{escape(mail['subject'])}</h2><dl>{heads}</dl>{text}{link}</article>"
