"""Manage an SNS topic and its e-mail subscriptions."""

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from lottery_lib.aws_errors import AwsError, all_pages, call_or_none, says
from lottery_lib.errors import LotteryError
from lottery_lib.resources.base import Planned, Report, Resource
from lottery_lib.translation import N_, _

if TYPE_CHECKING:
    from types_boto3_sns.type_defs import SubscriptionTypeDef

#: The name that mails come from (tutorial 2.2.3).
DISPLAY_NAME: Final = "Lottery"


class Topic(Resource[Mapping[str, str]]):
    """A topic with the display name of tutorial 2.2.3."""

    kind: ClassVar = N_("topic")
    arn_parts: ClassVar = ("sns", "{}")
    actions: ClassVar = (
        *("CreateTopic", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic"),
        *("ListTagsForResource", "SetTopicAttributes", "Subscribe", "TagResource", "Unsubscribe"),
    )
    lesson_actions: ClassVar = {"tutorial": ("ListTopics", "Publish")}
    account_actions: ClassVar = ("ListTopics", "Unsubscribe")
    role_actions: ClassVar = ("Publish",)

    def describe_or_none(self) -> Mapping[str, str] | None:
        """The topic's attributes."""
        get = self.target.kit_client("sns").get_topic_attributes
        answer = call_or_none(get, "NotFound", TopicArn=self.arn)
        return answer and answer["Attributes"]

    def subscriptions(self) -> list["SubscriptionTypeDef"]:
        """The subscriptions, as `list_subscriptions_by_topic` gives them. Without a topic, there are none.

        AWS still lists a deleted subscription for a while, as `Deleted`. It is left out here.
        """
        look = partial(
            all_pages, self.target.kit_client("sns"), "list_subscriptions_by_topic", "Subscriptions"
        )
        pages = call_or_none(look, "NotFound", TopicArn=self.arn) or []
        return [each for each in pages if each["SubscriptionArn"] != "Deleted"]

    def _tags(self, attributes: Mapping[str, str]) -> Mapping[str, str]:
        tags = self.target.kit_client("sns").list_tags_for_resource(ResourceArn=self.arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def has_content(self) -> bool:
        """Whether somebody has let others publish, beside its own account."""
        attributes = self.describe_or_none()
        return attributes is not None and len(json.loads(attributes["Policy"])["Statement"]) > 1

    def _create(self) -> Mapping[str, str] | None:
        attributes = {"DisplayName": DISPLAY_NAME}
        create, other = self.target.kit_client("sns").create_topic, "already exists with different"
        created = call_or_none(create, other, Name=self.name, Attributes=attributes, Tags=self._tag_list())
        return attributes if created else None

    def _update(self, attributes: Mapping[str, str]) -> bool:
        if attributes.get("DisplayName") == DISPLAY_NAME:
            return False
        self.target.kit_client("sns").set_topic_attributes(
            TopicArn=self.arn, AttributeName="DisplayName", AttributeValue=DISPLAY_NAME
        )
        return True

    def _remove(self, report: Report) -> None:
        """Delete the topic. This also deletes its subscriptions, even the pending ones."""
        sns = self.target.kit_client("sns")
        for subscription in self.subscriptions():
            # A pending subscription has no ARN, or one that cannot be unsubscribed. The topic deletes it.
            if (arn := subscription["SubscriptionArn"]).startswith("arn:"):
                call_or_none(sns.unsubscribe, "pending confirmation", "NotFound", SubscriptionArn=arn)
        sns.delete_topic(TopicArn=self.arn)


class Subscription(Planned):
    """An e-mail address that gets the topic's mails once its owner has confirmed it.

    Args:
        topic: The topic.
        address: The e-mail address.
    """

    kind: ClassVar = N_("subscription")

    def __init__(self, topic: Topic, address: str) -> None:
        super().__init__(topic.target, address)
        self._topic = topic

    def find(self) -> Report | None:
        """Look it up; its state is ``"confirmed"`` or ``"pending confirmation"``."""
        subscriptions = (each for each in self._topic.subscriptions() if each["Endpoint"] == self.name)
        return next(map(as_resource, subscriptions), None)

    def ensure(self) -> Report:
        """Subscribe the address, unless it is subscribed or pending already.

        Raises:
            LotteryError: SNS does not take the address.
        """
        if report := self.find():
            return report
        try:
            answer = self.target.kit_client("sns").subscribe(
                TopicArn=self._topic.arn, Protocol="email", Endpoint=self.name
            )
        except AwsError as error:
            if not says("InvalidParameter")(error):
                raise
            reason = str(error.response["Error"]["Message"]).rstrip(".")
            next_step = _("Give an address like ann@example.com")
            where = _("e-mail address {address!r}", address=self.name)
            raise LotteryError(where, reason, next_step) from error
        return as_resource({"Endpoint": self.name, "SubscriptionArn": answer["SubscriptionArn"]})


def as_resource(subscription: "SubscriptionTypeDef") -> Report:
    """Describe an entry of `Topic.subscriptions`: its state is confirmed or pending confirmation."""
    arn = subscription["SubscriptionArn"]
    confirmed = arn.startswith("arn:")
    state = N_("confirmed") if confirmed else N_("pending confirmation")
    return Report(Subscription.kind, subscription["Endpoint"], state, arn if confirmed else "")
