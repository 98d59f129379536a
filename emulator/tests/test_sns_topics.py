"""What SNS refuses where topics are concerned."""

import pytest
from helpers import refused

ADDRESS = "employee@example.org"


@pytest.fixture
def sns(aws):
    return aws("sns")


def test_a_bad_name_is_refused(sns):
    """InvalidParameter."""
    told = refused(sns.create_topic, Name="bad name")
    assert told == ("InvalidParameter", "Invalid parameter: Topic Name")


def test_a_topic_with_an_empty_tag_is_made_again(sns, topic):
    """A tag may have an empty value."""
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "owner", "Value": ""}])
    tags = sns.list_tags_for_resource(ResourceArn=topic)["Tags"]
    assert sns.create_topic(Name=topic.rpartition(":")[2], Tags=tags)["TopicArn"] == topic


def test_a_fifo_topic_has_no_mail(sns, topic):
    """A queue of messages in order cannot be mailed."""
    name = topic.rpartition(":")[2] + ".fifo"
    fifo = sns.create_topic(Name=name, Attributes={"FifoTopic": "true"})["TopicArn"]
    told = refused(sns.subscribe, TopicArn=fifo, Protocol="email", Endpoint=ADDRESS)
    assert told == ("InvalidParameter", "Invalid parameter: Invalid protocol type: email")
    sns.delete_topic(TopicArn=fifo)


def test_a_subscription_with_other_attributes_is_refused(sns, topic):
    """A Subscribe with other attributes is an InvalidParameter. With the same ones it is idempotent."""
    asked = {"TopicArn": topic, "Protocol": "email", "Endpoint": ADDRESS}
    policy = {"FilterPolicy": '{"kind": ["a"]}'}
    for _ in range(2):
        sns.subscribe(**asked, Attributes=policy)
    told = refused(sns.subscribe, **asked, Attributes={"FilterPolicy": '{"kind": ["b"]}'})
    reason = "Attributes Reason: Subscription already exists with different attributes"
    assert told == ("InvalidParameter", f"Invalid parameter: {reason}")


def test_unsubscribing_what_is_not_there_is_no_error(sns, topic):
    """To end a subscription that does not exist is a success."""
    arn = f"{topic}:00000000-0000-0000-0000-000000000000"
    assert sns.unsubscribe(SubscriptionArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_deleting_a_topic_twice_is_no_error(sns, topic):
    """To delete a topic that does not exist is a success."""
    for _ in range(2):
        assert sns.delete_topic(TopicArn=topic)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_publishing_to_no_topic(sns, topic):
    """A message to an unknown topic is refused with NotFound."""
    assert refused(sns.publish, TopicArn=topic + "x", Message="x") == ("NotFound", "Topic does not exist")


def test_publishing_to_another_regions_topic(aws, topic):
    """A message to a topic of another region is an InvalidParameter."""
    told = refused(aws("sns", "eu-west-1").publish, TopicArn=topic, Message="x")
    assert told == ("InvalidParameter", "Invalid parameter: TopicArn")


def test_publishing_to_what_is_no_arn(sns):
    """A message to something that is not an ARN is an InvalidParameter."""
    told = refused(sns.publish, TopicArn="nonsense", Message="x")
    reason = "TopicArn Reason: An ARN must have at least 6 elements, not 1"
    assert told == ("InvalidParameter", f"Invalid parameter: {reason}")


def test_a_topic_with_other_attributes_is_refused(sns, topic):
    """CreateTopic with other attributes is an InvalidParameter. With the same ones, it returns the topic."""
    name = topic.rpartition(":")[2]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="A & B")
    assert sns.create_topic(Name=name, Attributes={"DisplayName": "A & B"})["TopicArn"] == topic
    told = refused(sns.create_topic, Name=name, Attributes={"DisplayName": "B"})
    reason = "Attributes Reason: Topic already exists with different attributes"
    assert told == ("InvalidParameter", f"Invalid parameter: {reason}")
