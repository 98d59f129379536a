"""Tags die with what carried them: who cleans up by tags must not be fooled by a namesake."""

import json
import uuid

import pytest
from helpers import one, refused

OLD = ("old", "1")
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture
def name():
    return f"n-{uuid.uuid4().hex[:12]}"


def arn(service, name):
    return f"arn:aws:{service}:us-east-1:123456789012:{name}"


def upper(*pairs):
    return [{"Key": key, "Value": value} for key, value in pairs]


def test_a_tables_tags_die(aws, name):
    """A new table of that name has none."""
    dynamodb = aws("dynamodb")

    def create():
        return dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )["TableDescription"]["TableArn"]

    table = create()
    dynamodb.tag_resource(ResourceArn=table, Tags=upper(OLD))
    dynamodb.delete_table(TableName=name)
    create()
    assert dynamodb.list_tags_of_resource(ResourceArn=table)["Tags"] == []
    dynamodb.delete_table(TableName=name)


def test_a_functions_tags_die(aws, function, name):
    """A new function of that name has none."""
    old = function("def lambda_handler(e, c): pass", FunctionName=name, Tags=dict([OLD]))
    old.client.delete_function(FunctionName=name)
    new = function("def lambda_handler(e, c): pass", FunctionName=name)
    assert new.client.list_tags(Resource=new.arn)["Tags"] == {}


def test_a_topics_tags_die(aws, name):
    """A new topic of that name has none."""
    sns = aws("sns")
    topic = sns.create_topic(Name=name, Tags=upper(OLD))["TopicArn"]
    sns.delete_topic(TopicArn=topic)
    sns.create_topic(Name=name)
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == []
    sns.delete_topic(TopicArn=topic)


def test_a_roles_tags_die(aws, name):
    """A new role of that name has none."""
    iam = aws("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=upper(OLD))
    iam.delete_role(RoleName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    assert iam.list_role_tags(RoleName=name)["Tags"] == []
    iam.delete_role(RoleName=name)


def test_a_log_groups_tags_die(aws, name):
    """A new group of that name has none, whichever way they are asked for."""
    logs = aws("logs")
    group = arn("logs", f"log-group:{name}")
    logs.create_log_group(logGroupName=name, tags=dict([OLD]))
    logs.tag_resource(resourceArn=group, tags={"more": "2"})
    logs.delete_log_group(logGroupName=name)
    logs.create_log_group(logGroupName=name)
    assert logs.list_tags_for_resource(resourceArn=group)["tags"] == {}
    assert logs.list_tags_log_group(logGroupName=name)["tags"] == {}
    logs.delete_log_group(logGroupName=name)


def test_a_machines_tags_die(machine, name):
    """A new machine of that name has none, also of those it got later."""
    definition = one({"Type": "Succeed"})
    old = machine(definition, name=name)
    old.client.tag_resource(resourceArn=old.arn, tags=[{"key": "old", "value": "1"}])
    old.client.delete_state_machine(stateMachineArn=old.arn)
    machine(definition, name=name)
    assert old.client.list_tags_for_resource(resourceArn=old.arn)["tags"] == []


def test_a_topic_with_other_tags_is_refused(aws, topic):
    """CreateTopic with other tags is an InvalidParameter. With its own tags or none, it returns the topic."""
    sns = aws("sns")
    name = topic.rpartition(":")[2]
    sns.tag_resource(ResourceArn=topic, Tags=upper(OLD))
    assert sns.create_topic(Name=name)["TopicArn"] == topic
    assert sns.create_topic(Name=name, Tags=upper(OLD))["TopicArn"] == topic
    told = refused(sns.create_topic, Name=name, Tags=upper(("old", "2")))
    reason = "Tags Reason: Topic already exists with different tags"
    assert told == ("InvalidParameter", f"Invalid parameter: {reason}")
