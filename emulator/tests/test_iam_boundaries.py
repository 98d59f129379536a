"""A role may do only what its policies and its permissions boundary both allow."""

import json

import pytest
from helpers import Caller, policy, refused

ALL = {"Action": "*", "Resource": "*"}
TOPICS = {"Action": "sns:*", "Resource": "*"}
NOBODYS = "arn:aws:iam::123456789012:policy/nobodys"


@pytest.fixture
def boundary(aws):
    """`boundary(statement, ...)`: the ARN of a policy that allows that, for use as a boundary."""

    def make(*statements):
        name = f"b-{len(aws('iam').list_policies(Scope='Local')['Policies'])}"
        made = aws("iam").create_policy(PolicyName=name, PolicyDocument=json.dumps(policy(*statements)))
        return made["Policy"]["Arn"]

    return make


def bound(it, arn):
    """Put a boundary on a role."""
    it.iam.put_role_permissions_boundary(RoleName=it.name, PermissionsBoundary=arn)
    return it


@pytest.fixture
def session(aws, emulator):
    """`session(role)("sns")`: a client of somebody who has assumed the role."""

    def begin(it):
        key = aws("sts").assume_role(RoleArn=it.arn, RoleSessionName="me")["Credentials"]
        return Caller(emulator["endpoint"], "me", key)

    return begin


def why(call, **parameters):
    """The end of the sentence in which a call is denied."""
    message = refused(call, **parameters).message
    assert "is not authorized to perform" in message
    return message.split(" on resource: ")[1].split(" ", 1)[1]


def test_what_both_allow_is_done(role, boundary, session):
    """The boundary alone allows nothing, and neither does the policy alone."""
    me = session(bound(role(ALL), boundary(TOPICS)))
    assert "Topics" in me("sns").list_topics()
    assert why(me("iam").list_users) == ("because no permissions boundary allows the iam:ListUsers action")
    only_bound = session(bound(role(), boundary(TOPICS)))
    assert why(only_bound("sns").list_topics) == (
        "because no identity-based policy allows the SNS:ListTopics action"
    )


def test_a_boundary_may_deny(role, boundary, session):
    """AWS's sentence names the boundary, also where no policy of the role allows the action."""
    no_list = {"Effect": "Deny", "Action": "sns:List*", "Resource": "*"}
    for mine in (role(ALL), role()):
        me = session(bound(mine, boundary(ALL, no_list)))
        assert why(me("sns").list_topics) == "with an explicit deny in a permissions boundary"


def test_a_boundary_counts_at_once(role, boundary, session):
    """A boundary counts while it is on the role."""
    mine = role(ALL)
    me = session(mine)
    assert "Users" in me("iam").list_users()
    bound(mine, boundary(TOPICS))
    assert "no permissions boundary" in why(me("iam").list_users)
    mine.iam.delete_role_permissions_boundary(RoleName=mine.name)
    assert "Users" in me("iam").list_users()


def test_a_boundary_that_is_gone_allows_nothing(role, session):
    """The emulator fails closed."""
    me = session(bound(role(ALL), NOBODYS))
    assert "no permissions boundary" in why(me("sns").list_topics)


def test_a_role_may_be_created_with_a_boundary(aws, boundary, session, role):
    """GetRole shows the boundary of a new role, and the default version of its policy counts."""
    arn, iam = boundary(TOPICS), aws("iam")
    mine = role(ALL)
    made = iam.create_role(RoleName=f"{mine.name}-2", AssumeRolePolicyDocument="{}", PermissionsBoundary=arn)
    shown = iam.get_role(RoleName=made["Role"]["RoleName"])["Role"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == arn
    me = session(bound(mine, arn))
    nothing = json.dumps(policy({"Action": "sqs:*", "Resource": "*"}))
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=nothing, SetAsDefault=True)
    assert "no permissions boundary" in why(me("sns").list_topics)


def test_a_boundary_of_another_is_asked_for(user, aws, boundary, role):
    """`iam:PermissionsBoundary` is the boundary of the new role, or of the role that is changed."""
    arn = boundary(TOPICS)
    actions = [f"iam:{each}" for each in ("CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary")]
    condition = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    ann = user({"Action": actions, "Resource": "*", "Condition": condition})("iam")
    new, inline = f"r-of-{arn.rpartition('/')[2]}", {"PolicyName": "p", "PolicyDocument": "{}"}
    asked = {"RoleName": new, "AssumeRolePolicyDocument": "{}"}
    assert "iam:CreateRole" in why(ann.create_role, **asked)
    assert "iam:CreateRole" in why(ann.create_role, **asked, PermissionsBoundary=NOBODYS)
    ann.create_role(**asked, PermissionsBoundary=arn)
    ann.put_role_policy(RoleName=new, **inline | {"PolicyDocument": json.dumps(policy(ALL))})
    free = role()
    assert "iam:PutRolePolicy" in why(ann.put_role_policy, RoleName=free.name, **inline)
    put = {"RoleName": free.name, "PermissionsBoundary": NOBODYS}
    assert "iam:PutRolePermissionsBoundary" in why(ann.put_role_permissions_boundary, **put)
    ann.put_role_permissions_boundary(**put | {"PermissionsBoundary": arn})
