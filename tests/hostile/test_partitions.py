"""In China and GovCloud every ARN is of that partition, in all that is sent."""

import re
from types import SimpleNamespace

import pytest
from hostile.hostile_aws import HostileAws

from lottery_lib import Stack, draw, inbox
from lottery_lib.course.attendee_policy import policy
from lottery_lib.draws import winners

PLACES = [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
ADDRESS = "ann@example.com"


@pytest.fixture(scope="module", params=PLACES, ids=lambda place: place[0])
def lived(request):
    """A whole life of a lottery there: the AWS it was lived on, and the partition."""
    region, partition = request.param
    aws = HostileAws(SimpleNamespace(now=0.0), f"p-{region}", region)
    stack = Stack(aws.target, announce=lambda plan: None)
    stack.deploy(ADDRESS)
    stack.deploy(ADDRESS)
    assert draw(aws.target, 2)["status"] == "SUCCEEDED"
    assert len(winners(aws.target)) == 2
    assert stack.teardown().left == []
    return aws, partition


def test_every_arn_is_of_the_partition(lived):
    """Role, policy, function, topic, machine, service integration: none names another partition."""
    aws, partition = lived
    named = {found for text in aws.sent for found in re.findall(r"arn:([\w-]+)", text)}
    assert len(aws.sent) > 100
    assert named == {partition}


def test_every_region_is_the_right_one(lived):
    """No ARN that is sent names another region."""
    aws, _ = lived
    regions = {found for text in aws.sent for found in re.findall(r"arn:[\w-]+:[a-z]+:([\w-]+):\d{12}", text)}
    assert regions == {aws.target.region}


def test_service_principals_are_those_of_everywhere(lived):
    """Lambda and Step Functions have one service principal in all partitions, without .cn."""
    aws, _ = lived
    named = {found for text in aws.sent for found in re.findall(r"\w+\.amazonaws\.com[.\w]*", text)}
    assert {"lambda.amazonaws.com", "states.amazonaws.com"} <= named
    assert not any(found.endswith(".cn") for found in named)


@pytest.mark.parametrize(("region", "partition"), PLACES)
def test_attendees_policy(clock, region, partition):
    """What an administrator is asked for is of the partition too."""
    target = HostileAws(clock, "p", region).target
    document = policy(target)
    assert set(re.findall(r"arn:([\w-]+)", str(document))) == {partition}
    assert "amazonaws.com.cn" not in str(document)


@pytest.mark.parametrize(("region", "partition"), PLACES)
def test_mail_of_another_partition(clock, region, partition):
    """The topic of which the inbox tells is of the partition."""
    aws = HostileAws(clock, f"m-{region}", region)
    assert "Nobody" in inbox(aws.target).where
    assert any(f"arn:{partition}:sns:" in text for text in aws.sent)
