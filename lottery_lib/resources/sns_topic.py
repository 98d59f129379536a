"""Keep an SNS topic and its e-mail subscriptions."""

from dataclasses import replace
from typing import Any, Final

from lottery_lib.aws_errors import ClientError, error_message, ignoring, says
from lottery_lib.errors import LotteryError
from lottery_lib.names import owned
from lottery_lib.resources import Resource, once_tagged, refuse_foreign, still_there, tag_list
from lottery_lib.target import Target

__all__ = ["as_resource", "delete", "ensure", "find", "subscribe", "subscriptions", "topic_arn"]

KIND: Final = "topic"
_DISPLAY_NAME: Final = "Lottery"


def topic_arn(target: Target, name: str) -> str:
    """The ARN of a topic, which SNS makes of its name."""
    return target.arn("sns", name)


def find(target: Target, name: str) -> Resource | None:
    """Look a topic up."""
    arn = topic_arn(target, name)
    if _attributes(target, arn) is None:
        return None
    return still_there(lambda: _resource(target, name))


def ensure(target: Target, name: str) -> Resource:
    """Create the topic with its display name (tutorial 2.2.3), or put the display name right.

    Raises:
        LotteryError: A topic of that name is not ours.
    """
    arn = topic_arn(target, name)
    found = _attributes(target, arn)
    if found is None and _create(target, name):
        return Resource(KIND, name, "created", arn)
    refuse_foreign(once_tagged(name, lambda: _resource(target, name)))
    if found and found.get("DisplayName") == _DISPLAY_NAME:
        return Resource(KIND, name, "unchanged", arn)
    name_it = target.client("sns").set_topic_attributes
    name_it(TopicArn=arn, AttributeName="DisplayName", AttributeValue=_DISPLAY_NAME)
    return Resource(KIND, name, "updated", arn)


def delete(target: Target, name: str) -> Resource:
    """Delete the topic; its subscriptions go with it, the pending ones too.

    Raises:
        LotteryError: A topic of that name is not ours.
    """
    sns, found = target.client("sns"), find(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(found)
    for subscription in subscriptions(target, name):
        # A pending subscription has no ARN, or one that cannot be unsubscribed: it goes with the topic.
        if subscription["SubscriptionArn"].startswith("arn:"):
            arn = subscription["SubscriptionArn"]
            ignoring(sns.unsubscribe, "pending confirmation", "NotFound", SubscriptionArn=arn)
    sns.delete_topic(TopicArn=found.arn)
    return replace(found, state="deleted")


def subscribe(target: Target, name: str, address: str) -> Resource:
    """Subscribe an e-mail address to the topic, unless it is subscribed or pending already.

    Returns:
        The subscription, its state ``"pending confirmation"`` or ``"confirmed"``.

    Raises:
        LotteryError: SNS does not take the address.
    """
    for subscription in subscriptions(target, name):
        if subscription["Endpoint"] == address:
            return as_resource(subscription)
    try:
        arn = target.client("sns").subscribe(
            TopicArn=topic_arn(target, name), Protocol="email", Endpoint=address
        )["SubscriptionArn"]
    except ClientError as error:
        if not says("InvalidParameter")(error):
            raise
        raise LotteryError(
            f"e-mail address {address!r}",
            error_message(error).rstrip("."),
            "Give an address like ann@example.com",
        ) from error
    return as_resource({"Endpoint": address, "SubscriptionArn": arn})


def subscriptions(target: Target, name: str) -> list[dict[str, Any]]:
    """List a topic's subscriptions, as `list_subscriptions_by_topic` tells them; none without the topic.

    One that was ended stays in AWS's list for a while, as `Deleted`; it is left out here.
    """
    arn, what = topic_arn(target, name), ("list_subscriptions_by_topic", "Subscriptions")
    found = ignoring(lambda: target.listed("sns", *what, TopicArn=arn), "NotFound") or []
    return [each for each in found if each["SubscriptionArn"] != "Deleted"]


def as_resource(subscription: dict[str, Any]) -> Resource:
    """Say of an entry of `subscriptions` whether it is confirmed or pending."""
    arn = subscription["SubscriptionArn"]
    confirmed = arn.startswith("arn:")
    state = "confirmed" if confirmed else "pending confirmation"
    return Resource("subscription", subscription["Endpoint"], state, arn if confirmed else "")


def _create(target: Target, name: str) -> Any:
    """Create it; None if there is one of other tags, which AWS did not show a moment ago."""
    return ignoring(
        target.client("sns").create_topic,
        "already exists with different tags",
        Name=name,
        Attributes={"DisplayName": _DISPLAY_NAME},
        Tags=tag_list(target.names),
    )


def _attributes(target: Target, arn: str) -> Any:
    found = ignoring(target.client("sns").get_topic_attributes, "NotFound", TopicArn=arn)
    return found and found["Attributes"]


def _resource(target: Target, name: str) -> Resource:
    arn = topic_arn(target, name)
    tags = target.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
    ours = owned({tag["Key"]: tag["Value"] for tag in tags}, target.names)
    return Resource(KIND, name, "ACTIVE", arn, ours)
