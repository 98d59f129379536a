"""The policy of an attendee says what this attendee needs, and nothing of anybody else's."""

import itertools
import json
import re
from functools import cache

import pytest

from lottery_course.attendee_policy import LIMIT, boundary, policy, policy_by_hand
from lottery_lib import plan, target
from lottery_lib.errors import LotteryError
from lottery_lib.names import Names
from sfn_emulator.iam.policy import Decision, decide

elsewhere = cache(target.elsewhere)  # each has a session of boto3
HERE = ("123456789012", "us-east-1")
#: Names of which one begins or ends as another does.
ATTENDEES = ("", "alice", "alice-2", "x-alice", "2")


EDITIONS = ("tutorial", "hardened")
BOTH = pytest.mark.parametrize("edition", EDITIONS)
#: Besides those of the editions, there is one for what lessons make by hand.
POLICIES = (*EDITIONS, "by hand")
ALL = pytest.mark.parametrize("edition", POLICIES)


@cache
def document(attendee, edition, place=HERE):
    if edition == "by hand":
        return policy_by_hand(elsewhere(*place, Names(attendee)))
    return policy(elsewhere(*place, Names(attendee, edition)))


@cache
def things(attendee, edition):
    """All pairs of action and resource that an attendee's policy names, but for what has no resource."""
    return {
        (action, resource.replace("*", "anything"))
        for statement in document(attendee, edition)["Statement"]
        for action, resource in itertools.product(statement["Action"], statement["Resource"])
        if resource != "*" and statement["Sid"] not in ("Read", "Beside")
    }


def allowed(attendee, edition, pairs):
    """Those of the pairs that a policy allows, whatever is attached or passed, on roles with the boundary."""
    text = (json.dumps(document(attendee, edition)),)
    context = {"iam:policyarn": "arn:aws:iam::aws:policy/AmazonSNSFullAccess"}
    context["iam:passedtoservice"] = "lambda.amazonaws.com"
    context["iam:permissionsboundary"] = plan.lambda_role(elsewhere(*HERE, Names(attendee))).boundary_arn
    return {pair for pair in pairs if decide(text, *pair, context) is Decision.ALLOWED}


@ALL
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
    for edition, other in itertools.product(POLICIES, repeat=2):
        assert allowed(mine, edition, things(theirs, other)) == set()


@pytest.mark.parametrize("attendee", ATTENDEES)
@BOTH
def test_of_the_other_edition_it_reaches_what_is_shared(attendee, edition):
    """And besides a look at its machine, and its pool in the tutorial's: nothing of it is removed or run."""
    names = Names(attendee, edition)
    reached = allowed(attendee, edition, things(attendee, names.other.edition))
    shared = {names.topic, names.employee_table, names.winners_table}
    beside = {pair for pair in reached if not shared & {*re.split("[:/]", pair[1])}}
    pool = {"dynamodb:BatchWriteItem", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"}
    looks = {"states:DescribeStateMachine", "states:ListTagsForResource"}
    assert {action for action, _ in beside} == looks | (pool if edition == "tutorial" else set())
    assert {resource.split(":", 5)[5] for _, resource in beside} == {
        f"stateMachine:{names.other.machine}",
        *([f"table/{names.pool_table}"] if edition == "tutorial" else []),
    }


@ALL
def test_it_allows_what_it_names(edition):
    """By the same look, one's own things are allowed: the tests above could fail."""
    found = things("alice", edition)
    assert allowed("alice", edition, found) == found
    assert len(found) > 60


def test_nothing_is_attached_to_hardened_roles():
    """Their rights are inline, so no policy of AWS's may be attached."""
    actions = {action for each in document("alice", "hardened")["Statement"] for action in each["Action"]}
    assert "iam:AttachRolePolicy" not in actions
    assert "iam:PutRolePolicy" in actions


@ALL
def test_wildcards_stand_where_names_end(edition):
    """A `*` is all of it, or stands after a colon or slash behind a whole name."""
    found = {resource for each in document("alice", edition)["Statement"] for resource in each["Resource"]}
    stars = [resource for resource in found if "*" in resource]
    assert stars
    assert all(
        resource == "*" or resource.endswith((":*", "aws:policy/*", "-alice/*", "-alice/index/*"))
        for resource in stars
    )


@ALL
@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_everything_is_of_the_place(edition, region, partition):
    """Partition, account and region are those that were given. Service principals are those of everywhere."""
    place = ("210987654321", region)
    here = elsewhere(*place, Names())
    for each in (document("", edition, place), boundary(here), boundary(here, by_hand=True)):
        assert set(re.findall(r"arn:([\w-]+)", str(each))) == {partition}
        assert "us-east-1" not in str(each)
        assert "amazonaws.com.cn" not in str(each)
        assert ":210987654321:" in str(each)


@pytest.mark.parametrize(
    "account", ["", "12345678901", "1234567890123", "12345678901x", "１２３４５６７８９０１２"]
)
def test_what_is_no_account(account):
    """An account has twelve digits."""
    with pytest.raises(LotteryError, match="Give its twelve digits"):
        elsewhere(account, "us-east-1", Names())


def limit(attendee, edition="tutorial", place=HERE, **options):
    return boundary(elsewhere(*place, Names(attendee, edition)), **options)


def within(attendee, pairs, **options):
    """Those of the pairs that an attendee's boundary allows."""
    text = (json.dumps(limit(attendee, **options)),)
    return {pair for pair in pairs if decide(text, *pair, {}) is Decision.ALLOWED}


def rights_of_roles(attendee):
    """All pairs of action and resource that the inline policies of an attendee's roles name."""
    for edition in EDITIONS:
        target = elsewhere(*HERE, Names(attendee, edition))
        for role in (plan.lambda_role(target), plan.machine_role(target)):
            for document in role.inline.values():
                for each in document["Statement"]:
                    actions = [each["Action"]] if isinstance(each["Action"], str) else each["Action"]
                    resources = (arn.replace("*", "anything") for arn in each["Resource"])
                    yield from itertools.product(actions, resources)


@pytest.mark.parametrize("attendee", ATTENDEES)
def test_the_boundary_leaves_the_roles_what_they_need(attendee):
    """All that the plan gives the roles of both editions."""
    needed = set(rights_of_roles(attendee))
    assert len(needed) > 20
    assert within(attendee, needed) == needed


@pytest.mark.parametrize(("mine", "theirs"), list(itertools.permutations(ATTENDEES, 2)))
def test_the_boundary_is_of_nothing_that_is_anothers(mine, theirs):
    """What another attendee's roles may do, mine may not, whatever policies I write."""
    assert within(mine, rights_of_roles(theirs)) == set()


def rights_by_hand(attendee):
    """All pairs of action and resource by which the boundary for the lessons is wider."""
    before = {each["Sid"] for each in limit(attendee)["Statement"]}
    for statement in limit(attendee, by_hand=True)["Statement"]:
        if statement["Sid"] not in before:
            yield from itertools.product(statement["Action"], statement["Resource"])


@pytest.mark.parametrize(("mine", "theirs"), list(itertools.permutations(ATTENDEES, 2)))
def test_by_hand_it_is_wider_by_ones_own_things_and_what_has_no_owner(mine, theirs):
    """AWS wants the rights to deliver logs on all resources; the rule of `.sync:2` is the account's."""
    wider = {(action, resource.replace("*", "anything")) for action, resource in rights_by_hand(theirs)}
    owned = {pair for pair in wider if pair[0].split(":")[0] not in ("logs", "events")}
    assert within(theirs, owned, by_hand=True) == owned
    assert len(owned) > 10
    assert within(mine, owned, by_hand=True) == set()
    shared = {action for action, resource in rights_by_hand(mine) if resource == "*"}
    assert shared == {f"logs:{each}" for each in plan.execution_log(elsewhere(*HERE, Names())).role_actions}


def test_the_boundary_is_of_the_lotterys_data_alone():
    """No IAM, no STS, no other service; nothing is created but log groups and items."""
    actions = {action for each in limit("alice")["Statement"] for action in each["Action"]}
    data = {resource.arn.split(":")[2] for resource, _ in plan.resources(elsewhere(*HERE, Names()))}
    assert {action.split(":")[0] for action in actions} <= data - {"iam", "states"}
    assert not {action for action in actions if "*" in action}
    made = {"logs:CreateLogGroup", "logs:CreateLogStream"}
    assert {action for action in actions if ":Create" in action or ":Tag" in action} == made


@pytest.mark.parametrize("region", ["ap-southeast-4", "cn-northwest-1"])
def test_the_boundary_can_be_a_managed_policy(region):
    """With the longest names it is within IAM's limit; it is the same for both editions."""
    place = ("123456789012", region)
    longest = limit("a" * 30, place=place)
    assert len(json.dumps(longest, separators=(",", ":"))) <= LIMIT
    assert longest == limit("a" * 30, "hardened", place)
    wider = limit("a" * 30, place=place, by_hand=True)
    assert len(json.dumps(wider, separators=(",", ":"))) <= LIMIT


GUARDED = ("CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary", "AttachRolePolicy")


@BOTH
@pytest.mark.parametrize("action", GUARDED)
def test_roles_get_rights_within_the_boundary_only(edition, action):
    """Each way to give a role rights asks for the attendee's own boundary; nothing takes it off."""
    role = plan.lambda_role(elsewhere(*HERE, Names("alice", edition)))
    text = (json.dumps(document("alice", edition)),)
    attached = {"iam:policyarn": "arn:aws:iam::aws:policy/AmazonSNSFullAccess"}
    bounds = {"": False, "-alice": edition == "tutorial" or action != "AttachRolePolicy", "-x-alice": False}
    for suffix, expected in bounds.items():
        context = attached | {"iam:permissionsboundary": role.boundary_arn.replace("-alice", suffix)}
        allowed = decide(text, f"iam:{action}", role.arn, context) is Decision.ALLOWED
        assert allowed is expected
    assert decide(text, f"iam:{action}", role.arn, attached) is not Decision.ALLOWED
    assert decide(text, "iam:DeleteRolePermissionsBoundary", role.arn, context) is not Decision.ALLOWED
