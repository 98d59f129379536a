"""The policy of an attendee says what this attendee needs, and nothing of anybody else's."""

import itertools
import json

import pytest

from lottery_lib.deployer import LIMIT, Place, policy
from lottery_lib.emulator.iam_policy import Decision, decide
from lottery_lib.errors import LotteryError
from lottery_lib.naming import Names
from lottery_lib.resources import iam_role

HERE = Place("aws", "123456789012", "us-east-1")
#: Names of which one begins or ends as another does.
ATTENDEES = ("", "alice", "alice-2", "x-alice", "2")


def document(attendee, place=HERE):
    return policy(place, Names(attendee), iam_role.attachable())


def things(attendee):
    """All pairs of action and resource that an attendee's policy names, but for what has no resource."""
    for statement in document(attendee)["Statement"]:
        for action, resource in itertools.product(statement["Action"], statement["Resource"]):
            if resource != "*" and statement["Sid"] not in ("Read", "Refused"):
                yield action, resource.replace("*", "anything")


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "ap-southeast-4"), ("aws-cn", "cn-northwest-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_it_can_be_a_managed_policy(partition, region):
    """With the longest names it is within IAM's limit, in each partition."""
    longest = document("a" * 30, Place(partition, "123456789012", region))
    assert len(json.dumps(longest, separators=(",", ":"))) <= LIMIT


@pytest.mark.parametrize(("mine", "theirs"), list(itertools.permutations(ATTENDEES, 2)))
def test_it_is_of_nothing_that_is_anothers(mine, theirs):
    """No action of another attendee's policy is allowed on that one's resources."""
    text = (json.dumps(document(mine)),)
    context = {"iam:policyarn": "arn:aws:iam::aws:policy/AmazonSNSFullAccess"}
    context["iam:passedtoservice"] = "lambda.amazonaws.com"
    reached = [pair for pair in things(theirs) if decide(text, *pair, context) is Decision.ALLOWED]
    assert reached == []


def test_it_allows_what_it_names():
    """By the same look, one's own things are allowed: the test above could fail."""
    text, context = (json.dumps(document("alice")),), {"iam:passedtoservice": "states.amazonaws.com"}
    allowed = [pair for pair in things("alice") if decide(text, *pair, context) is Decision.ALLOWED]
    assert len(allowed) > 150


def test_wildcards_stand_where_names_end():
    """A `*` is all of it, or stands after a colon or slash behind a whole name."""
    found = {resource for each in document("alice")["Statement"] for resource in each["Resource"]}
    stars = [resource for resource in found if "*" in resource]
    assert stars
    assert all(resource == "*" or resource.endswith((":*", "aws:policy/*")) for resource in stars)


def test_everything_is_of_the_place():
    """Partition, account and region are those that were given."""
    text = json.dumps(document("", Place("aws-cn", "210987654321", "cn-north-1")))
    assert "arn:aws:" not in text
    assert "us-east-1" not in text
    assert ":210987654321:" in text


@pytest.mark.parametrize(
    "account", ["", "12345678901", "1234567890123", "12345678901x", "１２３４５６７８９０１２"]
)
def test_what_is_no_account(account):
    """An account has twelve digits."""
    with pytest.raises(LotteryError, match="Give its twelve digits"):
        Place("aws", account, "us-east-1")
