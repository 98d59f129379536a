"""The policy of an attendee says what this attendee needs, and nothing of anybody else's."""

import itertools
import json

import pytest

from lottery_lib.course.attendee_policy import LIMIT, policy
from lottery_lib.emulator.iam.policy import Decision, decide
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from lottery_lib.target import elsewhere

HERE = ("123456789012", "us-east-1")
#: Names of which one begins or ends as another does.
ATTENDEES = ("", "alice", "alice-2", "x-alice", "2")


EDITIONS = ("tutorial", "hardened")
BOTH = pytest.mark.parametrize("edition", EDITIONS)


def document(attendee, edition, place=HERE):
    return policy(elsewhere(*place, Names(attendee, edition)))


def things(attendee, edition):
    """All pairs of action and resource that an attendee's policy names, but for what has no resource."""
    for statement in document(attendee, edition)["Statement"]:
        for action, resource in itertools.product(statement["Action"], statement["Resource"]):
            if resource != "*" and statement["Sid"] not in ("Read", "Beside"):
                yield action, resource.replace("*", "anything")


def allowed(attendee, edition, pairs):
    """Those of the pairs that a policy allows, whatever is attached or passed on."""
    text = (json.dumps(document(attendee, edition)),)
    context = {"iam:policyarn": "arn:aws:iam::aws:policy/AmazonSNSFullAccess"}
    context["iam:passedtoservice"] = "lambda.amazonaws.com"
    return {pair for pair in pairs if decide(text, *pair, context) is Decision.ALLOWED}


@BOTH
@pytest.mark.parametrize(
    ("partition", "region"),
    [
        *(("aws", "ap-southeast-4"), ("aws-cn", "cn-northwest-1"), ("aws-us-gov", "us-gov-west-1")),
        ("aws-iso-f", "us-isof-south-1"),
    ],
)
def test_it_can_be_a_managed_policy(partition, region, edition):
    """With the longest names it is within IAM's limit, in each partition."""
    longest = document("a" * 30, edition, ("123456789012", region))
    assert f"arn:{partition}:" in json.dumps(longest)
    assert len(json.dumps(longest, separators=(",", ":"))) <= LIMIT


@pytest.mark.parametrize(("mine", "theirs"), list(itertools.permutations(ATTENDEES, 2)))
def test_it_is_of_nothing_that_is_anothers(mine, theirs):
    """No action of another attendee's policy is allowed on that one's resources, of whichever edition."""
    for edition, other in itertools.product(EDITIONS, repeat=2):
        assert allowed(mine, edition, things(theirs, other)) == set()


@pytest.mark.parametrize("attendee", ATTENDEES)
@BOTH
def test_of_the_other_edition_it_reaches_what_is_shared(attendee, edition):
    """And besides a look at its machine, and its pool in the tutorial's: nothing of it is removed or run."""
    names = Names(attendee, edition)
    reached = allowed(attendee, edition, things(attendee, names.other.edition))
    shared = {names.topic, names.employee_table, names.winners_table}
    beside = {pair for pair in reached if pair[1].split(":")[-1].removeprefix("table/") not in shared}
    pool = {"dynamodb:BatchWriteItem", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"}
    looks = {"states:DescribeStateMachine", "states:ListTagsForResource"}
    assert {action for action, _ in beside} == looks | (pool if edition == "tutorial" else set())
    assert {resource.split(":", 5)[5] for _, resource in beside} == {
        f"stateMachine:{names.other.machine}",
        *([f"table/{names.pool_table}"] if edition == "tutorial" else []),
    }


@BOTH
def test_it_allows_what_it_names(edition):
    """By the same look, one's own things are allowed: the tests above could fail."""
    found = set(things("alice", edition))
    assert allowed("alice", edition, found) == found
    assert len(found) > 100


def test_nothing_is_attached_to_hardened_roles():
    """Their rights are inline, so no policy of AWS's may be attached."""
    actions = {action for each in document("alice", "hardened")["Statement"] for action in each["Action"]}
    assert "iam:AttachRolePolicy" not in actions
    assert "iam:PutRolePolicy" in actions


@BOTH
def test_wildcards_stand_where_names_end(edition):
    """A `*` is all of it, or stands after a colon or slash behind a whole name."""
    found = {resource for each in document("alice", edition)["Statement"] for resource in each["Resource"]}
    stars = [resource for resource in found if "*" in resource]
    assert stars
    assert all(resource == "*" or resource.endswith((":*", "aws:policy/*")) for resource in stars)


@BOTH
def test_everything_is_of_the_place(edition):
    """Partition, account and region are those that were given."""
    text = json.dumps(document("", edition, ("210987654321", "cn-north-1")))
    assert "arn:aws:" not in text
    assert "us-east-1" not in text
    assert ":210987654321:" in text


@pytest.mark.parametrize(
    "account", ["", "12345678901", "1234567890123", "12345678901x", "１２３４５６７８９０１２"]
)
def test_what_is_no_account(account):
    """An account has twelve digits."""
    with pytest.raises(LotteryError, match="Give its twelve digits"):
        elsewhere(account, "us-east-1", Names())
