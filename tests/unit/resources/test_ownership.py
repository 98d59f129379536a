"""Only what carries this attendee's tags is ours."""

from dataclasses import replace

import boto3
import pytest
from botocore.stub import Stubber

from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.resources.base import Report
from lottery_lib.resources.iam_role import Role
from lottery_lib.target import elsewhere

ALICE = Names("alice")
THERE = elsewhere("123456789012", "us-east-1", ALICE)


class Found(Role):
    """A role that AWS describes with these tags."""

    def __init__(self, tags):
        super().__init__(THERE, "role", "lambda.amazonaws.com")
        self.tags = tags

    def describe_or_none(self):
        return {"RoleName": self.name, "Tags": [{"Key": key, "Value": self.tags[key]} for key in self.tags]}


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        ({**ALICE.tags, "more": "tags"}, True),
        (ALICE.other.tags, True),
        (Names("bob").tags, False),
        ({"lottery-attendee": "alice"}, False),
        ({}, False),
    ],
)
def test_both_tags_count(tags, ours):
    """Both of the attendee's tags make a resource ours, those of the other edition too."""
    assert Found(tags).find().ours is ours


@pytest.mark.parametrize("verb", [Found.ensure, Found.delete])
def test_foreign_is_refused(verb):
    """What is not ours is neither changed nor deleted: no call is made, and the sentence says what to do."""
    with pytest.raises(LotteryError, match=r"role role: exists, but .* Delete or rename it yourself"):
        verb(Found({}))


def test_what_is_ours_is_not_refused():
    """The check can pass."""
    Found({}).refuse_foreign(Report("role", "role", "ACTIVE"))


def test_all_pages_of_policies_are_read():
    """A role may have more inline policies than IAM lists on one page."""
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as iam:
        iam.add_response("list_role_policies", {"PolicyNames": ["a"], "IsTruncated": True, "Marker": "more"})
        iam.add_response("list_role_policies", {"PolicyNames": ["b"]}, {"RoleName": "role", "Marker": "more"})
        iam.add_response("list_attached_role_policies", {"AttachedPolicies": []})
        role = Role(replace(THERE, _clients={("iam", True): client}), "role", "lambda.amazonaws.com")
        assert role.other_policies() == ["a", "b"]
