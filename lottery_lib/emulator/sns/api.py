"""Answer SNS's API as AWS does where e-mail is concerned; moto keeps the topics."""

import datetime
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import urlencode

from lottery_lib.emulator.http.messages import Reply, Request, Scope
from lottery_lib.emulator.http.replies import query_error, query_reply
from lottery_lib.emulator.moto.application import Moto
from lottery_lib.emulator.sns.checks import (
    attributes_of,
    mail_text,
    why_not_arn,
    why_not_publish,
    why_not_subscribe,
)
from lottery_lib.emulator.sns.mail import Recipient, confirmation, notification
from lottery_lib.emulator.sns.mail_box import Mailbox
from lottery_lib.emulator.sns.subscriptions import Book, Subscription
from lottery_lib.emulator.sns.topics import create_topic
from lottery_lib.emulator.sns.xml import attribute, element, elements, with_attribute

__all__ = ["SnsApi"]

_EMAIL: Final = ("email", "email-json")


class SnsApi:
    """The topics of one emulator.

    Args:
        moto: Keeps them.
        mailbox: Where mails go.
        endpoint: The emulator's URL, for the links in mails.
    """

    def __init__(self, moto: Moto, mailbox: Mailbox, endpoint: str) -> None:
        self._moto = moto
        self._mailbox = mailbox
        self._endpoint = endpoint
        self._book = Book()
        self._subscribing = threading.Lock()
        self._operations: dict[str, Callable[[Request], Reply]] = {
            "CreateTopic": partial(create_topic, moto),
            "Subscribe": self._subscribe,
            "ConfirmSubscription": self.confirm,
            "Unsubscribe": self.unsubscribe,
            "ListSubscriptions": self._list,
            "ListSubscriptionsByTopic": self._list,
            "GetSubscriptionAttributes": self._subscription_attributes,
            "GetTopicAttributes": self._topic_attributes,
            "Publish": self._publish,
            "PublishBatch": self._publish_batch,
            "DeleteTopic": self._delete_topic,
        }

    def answer(self, request: Request) -> Reply | None:
        """Answer a request that is SNS's; None for any other."""
        if request.scope.service != "sns":
            return None
        operation = self._operations.get(request.operation)
        return operation(request) if operation else self._moto(request)

    def reset(self) -> None:
        """Forget all subscriptions and mails."""
        self._book.clear()
        self._mailbox.clear()

    def confirm(self, request: Request) -> Reply:
        """ConfirmSubscription, signed or by the link in a mail."""
        topic_arn, token = request.form.get("TopicArn", ""), request.form.get("Token", "")
        if not self._topic(request.scope, topic_arn).ok:
            return query_error("NotFound", "Topic does not exist", 404)
        if (subscription := self._book.by_token(topic_arn, token)) is None:
            return query_error("InvalidParameter", "Invalid parameter: Token")
        if not subscription.confirmed:
            subscription.confirmed, subscription.authenticated = True, request.signed
        return query_reply("ConfirmSubscription", {"SubscriptionArn": subscription.arn})

    def unsubscribe(self, request: Request) -> Reply:
        """Unsubscribe, signed or by the link in a mail."""
        arn = request.form.get("SubscriptionArn", "")
        if reason := why_not_arn(arn):
            return query_error("InvalidParameter", reason)
        if (subscription := self._book.find(arn)) and not subscription.confirmed:
            reason = "Cannot unsubscribe a subscription that is pending confirmation"
            return query_error("InvalidParameter", f"Invalid parameter: SubscriptionArn Reason: {reason}")
        reply = self._moto.query(_scope_of(request.scope, arn), "Unsubscribe", SubscriptionArn=arn)
        if reply.ok:
            self._book.remove(arn)
        return reply

    def _subscribe(self, request: Request) -> Reply:
        form = request.form
        if form.get("Protocol") not in _EMAIL:
            return self._moto(request)
        if reason := why_not_subscribe(form):
            return query_error("InvalidParameter", reason)
        with self._subscribing:
            if self._has_other_attributes(request.scope, form):
                reason = "Attributes Reason: Subscription already exists with different attributes"
                return query_error("InvalidParameter", f"Invalid parameter: {reason}")
            reply = self._moto(request)
            if not reply.ok:
                return reply
            arn = element(reply.body, "SubscriptionArn")
            subscription = self._book.enter(arn, form["TopicArn"], form["Endpoint"])
        return self._asked(request, subscription) or reply

    def _asked(self, request: Request, subscription: Subscription) -> Reply | None:
        if not subscription.confirmed:
            self._ask(request.scope, subscription)
        if subscription.confirmed or request.form.get("ReturnSubscriptionArn") == "true":
            return None
        return query_reply("Subscribe", {"SubscriptionArn": "pending confirmation"})

    def _has_other_attributes(self, scope: Scope, form: Mapping[str, str]) -> bool:
        there = self._book.by_address(form["TopicArn"], form["Endpoint"])
        if there is None or not (asked := attributes_of(form)):
            return False
        told = self._moto.query(scope, "GetSubscriptionAttributes", SubscriptionArn=there.arn).body
        return any(attribute(told, name) != value for name, value in asked.items())

    def _ask(self, scope: Scope, subscription: Subscription) -> None:
        topic_arn = subscription.topic_arn
        to = Recipient(subscription.address, topic_arn, self._display_name(scope, topic_arn))
        link = self._link("ConfirmSubscription", TopicArn=topic_arn, Token=subscription.token)
        self._mailbox.deliver(confirmation(to, link, _now()))

    def _list(self, request: Request) -> Reply:
        reply = self._moto(request)
        body = reply.body
        for subscription in self._book.pending():
            body = body.replace(_arn_element(subscription.arn), _arn_element("PendingConfirmation"))
        return replace(reply, body=body)

    def _subscription_attributes(self, request: Request) -> Reply:
        arn = request.form.get("SubscriptionArn", "")
        if reason := why_not_arn(arn):
            return query_error("InvalidParameter", reason)
        reply = self._moto(request)
        if (subscription := self._book.find(arn)) is None:
            return reply
        body = with_attribute(reply.body, "PendingConfirmation", _word(not subscription.confirmed))
        authenticated = _word(subscription.authenticated)
        return replace(reply, body=with_attribute(body, "ConfirmationWasAuthenticated", authenticated))

    def _topic_attributes(self, request: Request) -> Reply:
        reply = self._moto(request)
        if not reply.ok:
            return reply
        topic_arn = request.form.get("TopicArn", "")
        pending = len(self._book.pending(topic_arn))
        confirmed = self._subscribed(request.scope, topic_arn) - pending
        body = with_attribute(reply.body, "SubscriptionsPending", str(pending))
        body = with_attribute(body, "SubscriptionsConfirmed", str(confirmed))
        return replace(
            reply, body=with_attribute(body, "SubscriptionsDeleted", str(self._book.deleted(topic_arn)))
        )

    def _subscribed(self, scope: Scope, topic_arn: str) -> int:
        count, more = 0, {"NextToken": "0"}
        while more["NextToken"]:
            reply = self._moto.query(scope, "ListSubscriptionsByTopic", TopicArn=topic_arn, **more)
            count += len(elements(reply.body, "SubscriptionArn"))
            more = {"NextToken": element(reply.body, "NextToken")}
        return count

    def _publish(self, request: Request) -> Reply:
        if "PhoneNumber" not in request.form and (
            reason := why_not_publish(request.form, request.scope.region)
        ):
            return query_error("InvalidParameter", reason)
        reply = self._moto(request)
        if reply.status == 404 and "TopicArn" in request.form:
            return query_error("NotFound", "Topic does not exist", 404)
        if reply.ok:
            topic_arn = request.form.get("TopicArn") or request.form.get("TargetArn", "")
            self._deliver(request.scope, topic_arn, request.form)
        return reply

    def _publish_batch(self, request: Request) -> Reply:
        reply = self._moto(request)
        if reply.ok:
            sent = set(elements(reply.body.partition(b"<Failed>")[0], "Id"))
            for entry in _entries(request.form):
                if entry.get("Id") in sent:
                    self._deliver(request.scope, request.form.get("TopicArn", ""), entry)
        return reply

    def _deliver(self, scope: Scope, topic_arn: str, form: Mapping[str, str]) -> None:
        text = mail_text(form)
        subscribers = [it for it in self._book.of(topic_arn) if it.confirmed]
        if text is None or not subscribers:
            return
        display_name = self._display_name(scope, topic_arn)
        for subscriber in subscribers:
            to = Recipient(subscriber.address, topic_arn, display_name)
            link = self._link("Unsubscribe", SubscriptionArn=subscriber.arn)
            subject = form.get("Subject")
            mail = notification(to, subject=subject, text=text, unsubscribe=link, date=_now())
            self._mailbox.deliver(mail)

    def _delete_topic(self, request: Request) -> Reply:
        reply = self._moto(request)
        if reply.ok:
            self._book.remove_topic(request.form.get("TopicArn", ""))
        return reply

    def _topic(self, scope: Scope, topic_arn: str) -> Reply:
        return self._moto.query(_scope_of(scope, topic_arn), "GetTopicAttributes", TopicArn=topic_arn)

    def _display_name(self, scope: Scope, topic_arn: str) -> str:
        return attribute(self._topic(scope, topic_arn).body, "DisplayName")

    def _link(self, action: str, **parameters: str) -> str:
        return f"{self._endpoint}/?{urlencode({'Action': action} | parameters)}"


def _scope_of(scope: Scope, arn: str) -> Scope:
    """A link in a mail is not signed: the ARN says where its topic is."""
    parts = arn.split(":")
    region = parts[3] if len(parts) > 5 and parts[3] else scope.region
    return replace(scope, service="sns", region=region)


def _entries(form: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for index in range(1, 11):
        prefix = f"PublishBatchRequestEntries.member.{index}."
        yield {name.removeprefix(prefix): value for name, value in form.items() if name.startswith(prefix)}


def _arn_element(arn: str) -> bytes:
    return f"<SubscriptionArn>{arn}</SubscriptionArn>".encode()


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
