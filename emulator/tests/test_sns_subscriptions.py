import pytest
from helpers import refused

ADDRESS = "employee@example.org"


@pytest.fixture
def sns(aws):
    return aws("sns")


@pytest.fixture
def pending(sns, topic):
    """The ARN of a subscription that waits for its confirmation."""
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": ADDRESS}
    return sns.subscribe(**asked, ReturnSubscriptionArn=True)["SubscriptionArn"]


def counts(sns, topic):
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    return tuple(attributes[f"Subscriptions{kind}"] for kind in ("Pending", "Confirmed", "Deleted"))


def token_of(mail):
    return mail["link"].partition("Token=")[2]


def test_a_subscription_is_pending(sns, topic):
    """Subscribe answers `pending confirmation` in place of an ARN."""
    told = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    assert told["SubscriptionArn"] == "pending confirmation"


def test_the_arn_comes_when_it_is_asked_for(pending, topic):
    """ReturnSubscriptionArn gives the ARN of a pending one."""
    assert pending.startswith(topic + ":")


def test_lists_do_not_tell_a_pending_arn(sns, topic, pending):
    """Both lists say `PendingConfirmation`."""
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert (listed["SubscriptionArn"], listed["Endpoint"]) == ("PendingConfirmation", ADDRESS)
    everywhere = sns.get_paginator("list_subscriptions").paginate().build_full_result()["Subscriptions"]
    assert [each["SubscriptionArn"] for each in everywhere if each["TopicArn"] == topic] == [
        "PendingConfirmation"
    ]


def test_a_pending_one_is_counted_as_pending(sns, topic, pending):
    """The topic's attributes count one pending and no confirmed subscription."""
    assert counts(sns, topic) == ("1", "0", "0")
    assert (
        sns.get_subscription_attributes(SubscriptionArn=pending)["Attributes"]["PendingConfirmation"]
        == "true"
    )


def test_opening_the_link_confirms(sns, topic, pending, mails, browse):
    """The link in the mail, opened by a browser, confirms and shows a page."""
    status, page = browse(mails()[0]["link"])
    assert status == 200 and "Subscription confirmed" in page
    (listed,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert listed["SubscriptionArn"] == pending
    assert counts(sns, topic) == ("0", "1", "0")
    attributes = sns.get_subscription_attributes(SubscriptionArn=pending)["Attributes"]
    assert attributes["PendingConfirmation"] == attributes["ConfirmationWasAuthenticated"] == "false"


def test_the_token_confirms_by_boto3(sns, topic, pending, mails):
    """ConfirmSubscription confirms with the mail's token, and may be repeated."""
    for _ in range(2):
        told = sns.confirm_subscription(TopicArn=topic, Token=token_of(mails()[0]))
        assert told["SubscriptionArn"] == pending
    assert counts(sns, topic) == ("0", "1", "0")


def test_a_wrong_token_confirms_nothing(sns, topic, pending, browse, mails):
    """A wrong token is an InvalidParameter. A browser gets a page that says so."""
    wrong = refused(sns.confirm_subscription, TopicArn=topic, Token="wrong")
    assert wrong == ("InvalidParameter", "Invalid parameter: Token")
    status, page = browse(mails()[0]["link"] + "x")
    assert status == 400 and "Invalid parameter: Token" in page
    assert counts(sns, topic) == ("1", "0", "0")


def test_a_token_is_for_its_topic(sns, pending, mails):
    """Another topic's subscription is not confirmed by it."""
    other = sns.create_topic(Name="another-topic")["TopicArn"]
    assert (
        refused(sns.confirm_subscription, TopicArn=other, Token=token_of(mails()[0]))[0] == "InvalidParameter"
    )
    sns.delete_topic(TopicArn=other)


def test_a_pending_one_cannot_be_unsubscribed(sns, pending):
    """A pending subscription cannot be ended. The error has AWS's words."""
    assert refused(sns.unsubscribe, SubscriptionArn=pending) == (
        "InvalidParameter",
        "Invalid parameter: SubscriptionArn Reason: "
        "Cannot unsubscribe a subscription that is pending confirmation",
    )


@pytest.mark.parametrize("word", ["PendingConfirmation", "Deleted", "pending confirmation"])
def test_a_word_is_no_arn(sns, word):
    """What lists show for a pending one cannot be unsubscribed."""
    assert refused(sns.unsubscribe, SubscriptionArn=word) == (
        "InvalidParameter",
        "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1",
    )


def test_another_protocol_is_another_subscription(sns, topic):
    """The attributes of the first one are not compared with those of the second one."""
    asked = {"TopicArn": topic, "Endpoint": ADDRESS, "ReturnSubscriptionArn": True}
    policy = {"FilterPolicy": '{"kind": ["wanted"]}'}
    arns = {
        sns.subscribe(**asked, Protocol=protocol, Attributes=attributes)["SubscriptionArn"]
        for protocol, attributes in (("email", {}), ("email-json", policy))
    }
    assert len(arns) == 2


def test_subscribing_again_sends_the_mail_again(sns, topic, pending, mails):
    """A second Subscribe sends another mail with the same token."""
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1
    assert len(mails()) == 2
    assert token_of(mails()[0]) == token_of(mails()[1])


def test_subscribing_again_after_confirming_gives_the_arn(sns, topic, pending, mails):
    """A Subscribe after the confirmation returns the ARN and sends no mail."""
    sns.confirm_subscription(TopicArn=topic, Token=token_of(mails()[0]))
    assert sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)["SubscriptionArn"] == pending
    assert len(mails()) == 1


@pytest.mark.parametrize("address", ["nobody", "a b@example.org", "@example.org", "a@", ""])
def test_a_bad_address_is_refused(sns, topic, address):
    """A wrong address is an InvalidParameter, and nothing is subscribed."""
    bad = refused(sns.subscribe, TopicArn=topic, Protocol="email", Endpoint=address)
    assert bad == ("InvalidParameter", "Invalid parameter: Email address")
    assert counts(sns, topic) == ("0", "0", "0")


def test_an_unknown_topic_is_refused(sns, topic):
    """A subscription to an unknown topic is refused with NotFound."""
    assert refused(sns.subscribe, TopicArn=topic + "x", Protocol="email", Endpoint=ADDRESS)[0] == "NotFound"


def test_unsubscribing_a_confirmed_one(sns, topic, pending, mails):
    """An ended subscription is gone, and counted as deleted."""
    sns.confirm_subscription(TopicArn=topic, Token=token_of(mails()[0]))
    sns.unsubscribe(SubscriptionArn=pending)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    assert counts(sns, topic) == ("0", "0", "1")


def test_deleting_a_topic_ends_its_subscriptions(sns, topic, pending, mails):
    """A new topic of that name has none, and the old token confirms nothing."""
    token = token_of(mails()[0])
    sns.delete_topic(TopicArn=topic)
    assert refused(sns.confirm_subscription, TopicArn=topic, Token=token)[0] == "NotFound"
    sns.create_topic(Name=topic.rpartition(":")[2])
    assert refused(sns.confirm_subscription, TopicArn=topic, Token=token)[0] == "InvalidParameter"
    assert counts(sns, topic) == ("0", "0", "0")


def test_other_protocols_are_not_touched(sns, topic, aws):
    """A queue is confirmed at once, and counted."""
    queue = aws("sqs").create_queue(QueueName="q")["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    assert sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"].startswith(topic)
    assert counts(sns, topic) == ("0", "1", "0")
