"""Answer SNS's API as AWS does, with e-mail. moto stores the topics."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from sfn_emulator.http.messages import Arn, RefusalError, Reply, Request, Scope
from sfn_emulator.http.parameters import parameters_of_form
from sfn_emulator.http.query_protocol import attribute, element, elements, with_attributes
from sfn_emulator.http.replies import query_reply
from sfn_emulator.iam.authorization import Authorizer
from sfn_emulator.sns import validation
from sfn_emulator.sns.mail import Mailbox, confirmation, notification
from sfn_emulator.sns.subscriptions import Subscriptions
from sfn_emulator.storage.application import Moto

_EMAIL: Final = ("email", "email-json")
_ARNS: Final = ("TopicArn", "SubscriptionArn", "ResourceArn", "PlatformApplicationArn", "EndpointArn")


class SnsApi:
    """The topics of one emulator.

    Args:
        moto: Stores them.
        mailbox: Stores the mails.
        endpoint: The emulator's URL, for the links in mails.
        authorizer: Reads the policies of topics to which services send.
    """

    def __init__(self, moto: Moto, mailbox: Mailbox, endpoint: str, authorizer: Authorizer) -> None:
        self._authorizer = authorizer
        self._moto = moto
        self._mailbox = mailbox
        self._endpoint = endpoint
        self._subscriptions = Subscriptions()
        self._subscribing = threading.Lock()
        self._numbers = itertools.count(10**19)  # AWS's numbers of messages in FIFO topics have 20 digits
        self._operations: dict[str, Callable[[Request], Reply]] = {
            "CreateTopic": self._create_topic,
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

    def answer(self, request: Request) -> Reply:
        """Answer a request to SNS."""
        for name in _ARNS:
            if arn := request.form.get(name):
                validation.check_arn(arn, name)
        return self._operations.get(request.operation, self._moto)(request)

    def reset(self) -> None:
        """Forget all subscriptions and mails."""
        self._subscriptions.clear()
        self._mailbox.clear()

    def publish_for(
        self, service: str, source_arn: str, topic_arn: str, message: Mapping[str, str]
    ) -> str | None:
        """Publish a message of a service, if the topic's policy lets it.

        Args:
            service: ``"cloudwatch"`` or ``"events"``.
            source_arn: The alarm or the rule.
            topic_arn: The topic.
            message: The parameters of Publish.

        Returns:
            Why the message was not published; None if it was.
        """
        scope = _scope_of(Scope(), topic_arn)
        topic = self._topic(scope, topic_arn)
        if not topic.ok:
            return "Topic does not exist"
        document = attribute(topic.body, "Policy")
        if not self._authorizer.lets_in(document, service, "SNS:Publish", topic_arn, source_arn):
            return (
                f"Resource: {source_arn} is not authorized to perform: SNS:Publish on resource: {topic_arn}"
            )
        reply = self._moto.query(scope, "Publish", TopicArn=topic_arn, **message)
        if not reply.ok:
            return "Invalid parameter"  # a FIFO topic, for example, wants more than a service gives
        self._deliver(scope, topic_arn, message)
        return None

    def confirm(self, request: Request) -> Reply:
        """Answer ConfirmSubscription. It is a signed call, or a click on the link in a mail."""
        topic_arn, token = request.form.get("TopicArn", ""), request.form.get("Token", "")
        if not self._topic(request.scope, topic_arn).ok:
            raise RefusalError("NotFound", "Topic does not exist", 404)
        of_topic = self._subscriptions.of(topic_arn)
        if (subscription := next((it for it in of_topic if it.token == token), None)) is None:
            raise validation.invalid("Token")
        if not subscription.confirmed:
            subscription.confirmed, subscription.authenticated = True, request.signed
        return query_reply("sns", "ConfirmSubscription", {"SubscriptionArn": subscription.arn})

    def unsubscribe(self, request: Request) -> Reply:
        """Answer Unsubscribe. It is a signed call, or a click on the link in a mail."""
        arn = request.form.get("SubscriptionArn", "")
        validation.check_arn(arn)
        subscription = self._subscriptions.find(arn)
        if not request.signed and not (subscription and request.form.get("Token") == subscription.token):
            raise validation.invalid("Token")
        if subscription and not subscription.confirmed:
            reason = "Cannot unsubscribe a subscription that is pending confirmation"
            raise validation.invalid("SubscriptionArn", reason)
        reply = self._moto.query(_scope_of(request.scope, arn), "Unsubscribe", SubscriptionArn=arn)
        if reply.ok:
            self._subscriptions.remove(arn)
        return reply

    def _create_topic(self, request: Request) -> Reply:
        """Create a topic. If it exists, return it, unless the request has other tags or attributes."""
        arn = request.scope.arn(request.form.get("Name", ""))
        old = self._moto.query(request.scope, "ListTagsForResource", ResourceArn=arn)
        if old.ok:
            keys, values = elements(old.body, "Key"), elements(old.body, "Value")
            given = parameters_of_form(request, "sns")
            new = {tag["Key"]: tag["Value"] for tag in given.get("Tags", [])}
            if not new.items() <= dict(zip(keys, values, strict=True)).items():
                raise validation.invalid("Tags", "Topic already exists with different tags")
            xml = self._moto.query(request.scope, "GetTopicAttributes", TopicArn=arn).body
            attributes = given.get("Attributes", {})
            if any(attribute(xml, name) != value for name, value in attributes.items()):
                raise validation.invalid("Attributes", "Topic already exists with different attributes")
        reply = self._moto(request)
        if not reply.ok and element(reply.body, "Message").startswith("Topic names must"):
            raise validation.invalid("Topic Name")
        return reply

    def _subscribe(self, request: Request) -> Reply:
        form, scope = request.form, request.scope
        if form.get("Protocol") not in _EMAIL:
            return self._moto(request)
        validation.check_subscribe(form)
        topic_arn, address, protocol = (form[name] for name in ("TopicArn", "Endpoint", "Protocol"))
        with self._subscribing:
            of_topic = self._subscriptions.of(topic_arn)
            old = next((it for it in of_topic if (it.address, it.protocol) == (address, protocol)), None)
            attributes = parameters_of_form(request, "sns").get("Attributes", {})
            if old is not None and attributes:
                xml = self._moto.query(scope, "GetSubscriptionAttributes", SubscriptionArn=old.arn).body
                if any(attribute(xml, name) != value for name, value in attributes.items()):
                    reason = "Subscription already exists with different attributes"
                    raise validation.invalid("Attributes", reason)
            reply = self._moto(request)
            if not reply.ok:
                return reply
            arn = element(reply.body, "SubscriptionArn")
            subscription = self._subscriptions.enter(arn, topic_arn, address, protocol)
        if not subscription.confirmed:
            link = self._link("ConfirmSubscription", TopicArn=topic_arn, Token=subscription.token)
            mail = confirmation(address, topic_arn, self._display_name(scope, topic_arn), link)
            self._mailbox.deliver(mail, link)
        if subscription.confirmed or form.get("ReturnSubscriptionArn") == "true":
            return reply
        return query_reply("sns", "Subscribe", {"SubscriptionArn": "pending confirmation"})

    def _list(self, request: Request) -> Reply:
        reply = self._moto(request)
        body = reply.body
        for subscription in self._subscriptions.pending():
            body = body.replace(_arn_element(subscription.arn), _arn_element("PendingConfirmation"))
        return replace(reply, body=body)

    def _subscription_attributes(self, request: Request) -> Reply:
        arn = request.form.get("SubscriptionArn", "")
        validation.check_arn(arn)
        reply = self._moto(request)
        if (subscription := self._subscriptions.find(arn)) is None:
            return reply
        pending, authenticated = not subscription.confirmed, subscription.authenticated
        return with_attributes(reply, PendingConfirmation=pending, ConfirmationWasAuthenticated=authenticated)

    def _topic_attributes(self, request: Request) -> Reply:
        reply = self._moto(request)
        if not reply.ok:
            return reply
        topic_arn = request.form.get("TopicArn", "")
        subscribed, token = 0, "0"
        while token:
            listed = self._moto.query(
                request.scope, "ListSubscriptionsByTopic", TopicArn=topic_arn, NextToken=token
            )
            subscribed += len(elements(listed.body, "SubscriptionArn"))
            token = element(listed.body, "NextToken")
        pending = len(self._subscriptions.pending(topic_arn))
        return with_attributes(
            reply,
            SubscriptionsPending=pending,
            SubscriptionsConfirmed=subscribed - pending,
            SubscriptionsDeleted=self._subscriptions.deleted[topic_arn],
        )

    def _publish(self, request: Request) -> Reply:
        form = request.form
        # IAM would check another one than moto takes.
        if len(given := [name for name in ("TopicArn", "TargetArn", "PhoneNumber") if form.get(name)]) > 1:
            raise validation.invalid(" and ".join(given), "Only one of them may be given")
        if "PhoneNumber" not in form:
            validation.check_publish(form, request.scope.region)
        reply = self._moto(request)
        if reply.status == 404 and "TopicArn" in form:
            raise RefusalError("NotFound", "Topic does not exist", 404)
        if (fault := element(reply.body, "Message")).startswith("The topic should either"):
            raise validation.invalid(fault)
        if not reply.ok:
            return reply
        arn = form.get("TopicArn") or form.get("TargetArn", "")
        self._deliver(request.scope, arn, form)
        if not arn.endswith(".fifo"):
            return reply
        told = {"MessageId": element(reply.body, "MessageId"), "SequenceNumber": str(next(self._numbers))}
        return query_reply("sns", "Publish", told)

    def _publish_batch(self, request: Request) -> Reply:
        topic_arn = request.form.get("TopicArn", "")
        validation.check_topic(topic_arn, request.scope.region)
        entries = parameters_of_form(request, "sns").get("PublishBatchRequestEntries", [])
        if error := next(filter(None, map(validation.message_error, entries)), None):
            raise error
        reply = self._moto(request)
        published = elements(reply.body.partition(b"<Failed")[0], "Id")
        for entry in entries:
            if entry.get("Id") in published:
                self._deliver(request.scope, topic_arn, entry)
        return reply

    def _deliver(self, scope: Scope, topic_arn: str, form: Mapping[str, str]) -> None:
        subscribers = [it for it in self._subscriptions.of(topic_arn) if it.confirmed]
        if not subscribers:
            return
        display_name = self._display_name(scope, topic_arn)
        for subscriber in subscribers:
            if (text := validation.mail_text(form, subscriber.protocol)) is None:
                continue
            link = self._link("Unsubscribe", SubscriptionArn=subscriber.arn, Token=subscriber.token)
            subject = form.get("Subject")
            mail = notification(
                subscriber.address, topic_arn, display_name, subject=subject, text=text, unsubscribe=link
            )
            self._mailbox.deliver(mail)

    def _delete_topic(self, request: Request) -> Reply:
        reply = self._moto(request)
        if reply.ok:
            self._subscriptions.remove_topic(request.form.get("TopicArn", ""))
        return reply

    def _topic(self, scope: Scope, topic_arn: str) -> Reply:
        return self._moto.query(_scope_of(scope, topic_arn), "GetTopicAttributes", TopicArn=topic_arn)

    def _display_name(self, scope: Scope, topic_arn: str) -> str:
        return attribute(self._topic(scope, topic_arn).body, "DisplayName")

    def _link(self, action: str, **parameters: str) -> str:
        return f"{self._endpoint}/?{urlencode({'Action': action} | parameters)}"


def _scope_of(scope: Scope, arn: str) -> Scope:
    """The scope of a topic or subscription. Links in mails have no signature, so the ARN gives the region."""
    return replace(scope, service="sns", region=Arn.of(arn).region or scope.region)


def _arn_element(arn: str) -> bytes:
    return f"<SubscriptionArn>{arn}</SubscriptionArn>".encode()
