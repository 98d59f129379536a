"""IAM is eventually consistent, and its services learn of a role later still."""

import json
from functools import partial

import pytest

from lottery_lib import plan
from lottery_lib.errors import LotteryError
from lottery_lib.resources.iam_role import Role, trust_policy
from lottery_lib.resources.state_machine import StateMachine

LAMBDA = ("InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
STATES = (
    "AccessDeniedException",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to "
    "assume the provided role.",
)
INVISIBLE = ("NoSuchEntity", "The role with name {name} cannot be found.")
ANYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
GONE = "does not exist or is not attachable."


FUNCTION = partial(plan.function, purpose="InputWinners")
#: What needs a role: how AWS refuses it without, its role, and what makes it.
USERS = {
    "CreateFunction": (LAMBDA, plan.lambda_role, FUNCTION),
    "CreateStateMachine": (STATES, plan.machine_role, plan.machine),
}


def ensure_role(aws):
    return plan.lambda_role(aws.target).ensure()


@pytest.mark.parametrize("operation", USERS)
def test_new_role_is_waited_for(aws, operation):
    """A role that IAM has just made cannot be assumed for up to a minute; measured up to 48 s and more."""
    refusal, role, user = USERS[operation]
    name = role(aws.target).name
    aws.refuse(operation, *refusal, when=lambda ask: aws.age("CreateRole", name) < 118)
    role(aws.target).ensure()
    assert user(aws.target).ensure().state == "created"
    assert aws.attempts.count(operation) > 40
    assert user(aws.target).ensure().state == "unchanged"


def test_progress_is_told(aws, stack):
    """While a deploy waits for IAM, its progress says for what."""
    name = aws.target.names.lambda_role
    aws.refuse("CreateFunction", *LAMBDA, when=lambda ask: aws.age("CreateRole", name) < 30)
    stack.deploy()
    waits = [each for each in stack.told if each.state.startswith("waiting for AWS to be ready")]
    assert 2 <= len(waits) <= 4
    assert waits[0].name == aws.target.names.function("InputWinners")


@pytest.mark.parametrize(
    ("operation", "service"),
    [("CreateFunction", "lambda.amazonaws.com"), ("CreateStateMachine", "states.amazonaws.com")],
)
def test_wrong_trust_policy_is_shown(aws, operation, service):
    """After two minutes it is no new role but a wrong one: the trust policy that is needed is said."""
    refusal, role, user = USERS[operation]
    role(aws.target).ensure()
    aws.refuse(operation, *refusal)
    with pytest.raises(LotteryError) as caught:
        user(aws.target).ensure()
    document = caught.value.next_step.split("must allow ")[1].split(": correct it")[0]
    assert json.loads(document) == trust_policy(service)["Statement"][0]
    assert aws.attempts.count(operation) > 50


@pytest.mark.parametrize("operation", USERS)
def test_missing_pass_role_fails_at_once(aws, operation):
    """Without iam:PassRole AWS refuses for good, with the code of a refusal that passes."""
    _, role, user = USERS[operation]
    role(aws.target).ensure()
    message = "User: ann is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/x"
    aws.refuse(operation, "AccessDeniedException", message)
    with pytest.raises(LotteryError, match=r"administrator .* for this right"):
        user(aws.target).ensure()
    assert aws.attempts.count(operation) == 1


def test_update_waits_for_the_role_too(aws):
    """A function or a machine that gets a new role waits for it as a new one does."""
    for _, role, user in USERS.values():
        role(aws.target).ensure()
        user(aws.target).ensure()
    aws.target.client("lambda").update_function_configuration(
        FunctionName=aws.target.names.function("InputWinners"), Timeout=3
    )
    machine = StateMachine(aws.target, aws.target.names.machine).arn
    definition = '{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}'
    aws.target.client("stepfunctions").update_state_machine(stateMachineArn=machine, definition=definition)
    aws.refuse("UpdateFunctionConfiguration", *LAMBDA, times=5)
    aws.refuse("UpdateStateMachine", *STATES, times=5)
    assert {user(aws.target).ensure().state for *_, user in USERS.values()} == {"updated"}


def test_role_not_yet_visible_to_iam(aws):
    """IAM itself may not find a role in the seconds after it was created, nor list what it has."""
    name = aws.target.names.lambda_role
    operations = "AttachRolePolicy ListAttachedRolePolicies GetRolePolicy"
    aws.refuse(operations, *INVISIBLE, status=404, when=lambda ask: aws.age("CreateRole", name) < 8)
    assert ensure_role(aws).state == "created"
    assert plan.lambda_role(aws.target).missing_policies() == []


def test_lost_reply_of_an_invisible_role(aws):
    """A role that was made though the reply was lost, and that IAM does not show yet, is recognised."""
    name = aws.target.names.lambda_role
    aws.lose("CreateRole")
    aws.refuse("GetRole", *INVISIBLE, status=404, when=lambda ask: aws.age("CreateRole", name) < 8)
    assert ensure_role(aws).state == "updated"
    assert aws.attempts.count("CreateRole") == 2


def bounded(aws):
    """Create the boundary, as an administrator does."""
    name = aws.target.names.boundary
    aws.target.client("iam").create_policy(PolicyName=name, PolicyDocument=ANYTHING)


def test_lost_replies_of_a_role_with_a_boundary(aws):
    """However a role was made, it ends within the boundary; a further run writes nothing."""
    bounded(aws)
    aws.lose("CreateRole PutRolePermissionsBoundary AttachRolePolicy")
    role = plan.lambda_role(aws.target)
    assert "within the permissions boundary" in role.ensure().note
    assert role.describe_or_none()["PermissionsBoundary"]["PermissionsBoundaryArn"] == role.boundary_arn
    aws.forget()
    assert ensure_role(aws).state == "unchanged"
    assert aws.writes == []


def test_a_boundary_that_comes_later_is_planned(aws, stack):
    """A dry run says that the roles would be updated; the boundary comes before any other right."""
    ensure_role(aws)
    plan.machine_role(aws.target).ensure()
    bounded(aws)
    names = {aws.target.names.lambda_role, aws.target.names.machine_role}
    assert {each.name for each in stack.plan() if each.state == "would be updated"} == names
    aws.target.client("iam").delete_role_policy(
        RoleName=aws.target.names.machine_role, PolicyName="InvokeLotteryFunctions"
    )
    aws.forget()
    assert plan.machine_role(aws.target).ensure().state == "updated"
    assert aws.writes == ["PutRolePermissionsBoundary", "PutRolePolicy"]


def test_an_old_policy_is_printed_again(aws):
    """Without the right to look for the boundary, no role is made; it says which policies to print."""
    aws.refuse(
        "GetPolicy", "AccessDenied", "User: ann is not authorized to perform: iam:GetPolicy", status=403
    )
    with pytest.raises(LotteryError, match=r"`lottery policy` prints .* `lottery policy --boundary` prints"):
        ensure_role(aws)
    assert aws.writes == []


def test_foreign_role_behind_a_stale_look(aws):
    """A role of our name that is not ours is refused, also when IAM does not show it at first."""
    client = aws.target.client("iam")
    client.create_role(RoleName=aws.target.names.lambda_role, AssumeRolePolicyDocument="{}")
    aws.refuse("GetRole", *INVISIBLE, status=404, times=2)
    with pytest.raises(LotteryError, match="was not made by this kit"):
        ensure_role(aws)
    assert "AttachRolePolicy" not in aws.attempts


def retire(aws):
    """Let AWS have retired AmazonDynamoDBFullAccess: the emulator's successor stands in by its old name."""
    arn = plan.lambda_role(aws.target).policy_arn("AmazonDynamoDBFullAccess")
    attached = []

    def answer(ask):
        if ask.params["PolicyArn"] == arn:
            return ask.refusal("NoSuchEntity", f"Policy {arn} {GONE}", 404)
        if ask.params["PolicyArn"] == f"{arn}_v2":
            attached.append(True)
            return ask.answer(200, "<AttachRolePolicyResponse/>", "text/xml")
        return None

    def list_it(ask, reply):
        reply["AttachedPolicies"] += [{"PolicyArn": f"{arn}_v2"}] * len(attached)

    aws.rule("AttachRolePolicy", answer)
    aws.edit("ListAttachedRolePolicies", list_it)


def test_retired_policy_gives_way_to_its_successor(aws, clock):
    """A managed policy that AWS has deprecated cannot be attached any more; its successor ends in _v2."""
    retire(aws)
    begun = clock.now
    assert ensure_role(aws).state == "created"
    assert clock.now == begun
    assert plan.lambda_role(aws.target).missing_policies() == []
    assert ensure_role(aws).state == "unchanged"


def test_policy_without_a_successor_fails_at_once(aws, clock):
    """A managed policy that is not there in any version is AWS's sentence, without a wait."""
    begun = clock.now
    aws.refuse("AttachRolePolicy", "NoSuchEntity", f"Policy arn:aws:iam::aws:policy/X {GONE}", status=404)
    with pytest.raises(Exception, match="is not attachable"):
        ensure_role(aws)
    assert clock.now == begun


@pytest.mark.parametrize("operation", ["CreateRole", "AttachRolePolicy", "DetachRolePolicy", "DeleteRole"])
def test_concurrent_modification(aws, operation):
    """IAM refuses a change while another is under way; botocore does not ask again by itself."""
    aws.refuse(operation, "ConcurrentModification", "Try again", status=409, times=2)
    ensure_role(aws)
    assert Role(aws.target, aws.target.names.lambda_role, "").delete().state == "deleted"


def test_delete_conflict(aws):
    """IAM may refuse to delete a role whose policies have just been taken off."""
    ensure_role(aws)
    message = "Cannot delete entity, must detach all policies first."
    aws.refuse("DeleteRole", "DeleteConflict", message, status=409, times=3)
    Role(aws.target, aws.target.names.lambda_role, "").delete()
    assert Role(aws.target, aws.target.names.lambda_role, "").find() is None


@pytest.mark.usefixtures("slow")
def test_role_that_iam_still_shows(aws, stack):
    """A role that is deleted but still shown for some seconds is not said to be left."""
    ensure_role(aws)
    shown = {}
    aws.edit("GetRole", lambda ask, reply: shown.update({ask.resource: dict(reply["Role"])}))

    def stale(ask):
        if aws.age("DeleteRole", ask.resource) < 20:
            tags = "".join(
                f"<member><Key>{tag['Key']}</Key><Value>{tag['Value']}</Value></member>"
                for tag in shown[ask.resource]["Tags"]
            )
            arn = shown[ask.resource]["Arn"]
            role = f"<RoleName>{ask.resource}</RoleName><Arn>{arn}</Arn><Tags>{tags}</Tags>"
            body = f"<GetRoleResponse><GetRoleResult><Role>{role}</Role></GetRoleResult></GetRoleResponse>"
            return ask.answer(200, body, "text/xml")
        return None

    aws.rule("GetRole", stale)
    assert stack.teardown().left == []


def test_quota_fails_at_once(aws):
    """A quota of IAM does not pass by waiting: it is said at once what to do."""
    aws.refuse("CreateRole", "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", status=409)

    with pytest.raises(LotteryError, match=r"quota .* Service Quotas"):
        ensure_role(aws)
    assert aws.attempts.count("CreateRole") == 1


@pytest.mark.parametrize(
    ("operation", "key"),
    [("ListAttachedRolePolicies", "AttachedPolicies"), ("ListRolePolicies", "PolicyNames")],
)
def test_policies_in_pages(aws, operation, key):
    """A role's policies are listed in pages, and its deletion takes off those of the last one too."""
    ensure_role(aws)
    role = aws.target.names.lambda_role
    for name in ("a", "b", "c"):
        aws.target.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=ANYTHING)
    aws.page(operation, key, "Marker", "Marker")
    assert ensure_role(aws).state == "unchanged"
    assert Role(aws.target, role, "").delete().state == "deleted"
    assert Role(aws.target, role, "").find() is None
