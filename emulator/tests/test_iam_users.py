"""Whoever has an access key of IAM's or STS's may do what policies say."""

import json
import uuid
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError
from helpers import Caller, policy, refused
from test_same_origin import Wire

STATES = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
ALL_TOPICS = {"Action": "sns:*", "Resource": "*"}


def test_a_user_without_policies_may_nothing(user):
    """AWS's sentence names the user."""
    ann = user()
    told = refused(ann("dynamodb").scan, TableName="T")
    assert (told.code, told.status) == ("AccessDeniedException", 400)
    assert told.message.startswith(
        f"User: arn:aws:iam::123456789012:user/{ann.name} is not authorized to perform: dynamodb:Scan on "
    )


def test_a_users_inline_policy_counts(user):
    """An inline policy of a user allows what it says."""
    ann = user(ALL_TOPICS)
    assert "Topics" in ann("sns").list_topics()
    assert refused(ann("lambda").list_functions)[0] == "AccessDeniedException"


def test_a_users_attached_policy_counts(user, aws):
    """As a role's does."""
    ann = user()
    aws("iam").attach_user_policy(
        UserName=ann.name, PolicyArn="arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess"
    )
    assert "Topics" in ann("sns").list_topics()
    assert refused(ann("sns").create_topic, Name="T")[0] == "AuthorizationError"


@pytest.mark.parametrize("how", ["inline", "attached"])
def test_the_policies_of_a_users_group_count(user, aws, how):
    """The policies of a group count while the user is in it."""
    ann, iam, name = user(), aws("iam"), f"g-{uuid.uuid4().hex[:12]}"
    iam.create_group(GroupName=name)
    if how == "inline":
        document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | ALL_TOPICS]})
        iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=document)
    else:
        iam.attach_group_policy(GroupName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonSNSFullAccess")
    assert refused(ann("sns").list_topics)[0] == "AuthorizationError"
    iam.add_user_to_group(GroupName=name, UserName=ann.name)
    assert "Topics" in ann("sns").list_topics()
    iam.remove_user_from_group(GroupName=name, UserName=ann.name)
    assert refused(ann("sns").list_topics)[0] == "AuthorizationError"


def test_a_user_may_do_what_its_name_allows(user):
    """A policy with `${aws:username}` allows each user another resource."""
    ann = user({"Action": "iam:GetUser", "Resource": "arn:aws:iam::*:user/${aws:username}"})
    assert ann("iam").get_user(UserName=ann.name)["User"]["UserName"] == ann.name
    assert refused(ann("iam").get_user, UserName=user().name)[0] == "AccessDenied"


def test_who_assumed_a_role_may_what_the_role_may(role, aws, emulator):
    """A session has the rights of its role. AWS's sentence and STS name the session."""
    mine = role(ALL_TOPICS)
    key = aws("sts").assume_role(RoleArn=mine.arn, RoleSessionName="me")["Credentials"]
    me = Caller(emulator["endpoint"], "me", key)
    assert "Topics" in me("sns").list_topics()
    _, message = refused(me("lambda").list_functions)
    arn = f"arn:aws:sts::123456789012:assumed-role/{mine.name}/me"
    assert message.startswith(f"User: {arn} is not authorized to perform: lambda:ListFunctions")
    assert me("sts").get_caller_identity()["Arn"] == arn


def new_function(zipped, role, **options):
    code = {"ZipFile": zipped(f="")}
    name = f"f-{uuid.uuid4().hex[:12]}"
    return {
        "FunctionName": name,
        "Runtime": "python3.12",
        "Role": role,
        "Handler": "f.h",
        "Code": code,
    } | options


def test_who_makes_a_function_must_be_allowed_to_pass_its_role(user, role, zipped):
    """CreateFunction needs `iam:PassRole` on the function's role."""
    mine = role()
    ann = user({"Action": "lambda:*", "Resource": "*"})
    told = refused(ann("lambda").create_function, **new_function(zipped, mine.arn))
    assert (told.code, told.status) == ("AccessDeniedException", 403)
    assert told.message == (
        f"User: arn:aws:iam::123456789012:user/{ann.name} is not authorized to perform: iam:PassRole on "
        f"resource: {mine.arn} because no identity-based policy allows the iam:PassRole action"
    )


def test_a_function_keeps_its_role_unless_another_may_be_passed(user, function, role):
    """UpdateFunctionConfiguration needs `iam:PassRole` only if it has a role."""
    it, ann = function("def lambda_handler(e, c): pass"), user({"Action": "lambda:*", "Resource": "*"})
    ann("lambda").update_function_configuration(FunctionName=it.name, Timeout=9)
    told = refused(ann("lambda").update_function_configuration, FunctionName=it.name, Role=role().arn)
    assert "iam:PassRole" in told[1]


def test_who_makes_a_machine_must_be_allowed_to_pass_its_role(user, role, machine):
    """CreateStateMachine and UpdateStateMachine need `iam:PassRole` on the role."""
    ann, mine = user({"Action": "states:*", "Resource": "*"}), role()
    asked = {"name": "m", "definition": STATES, "roleArn": mine.arn}
    told = refused(ann("stepfunctions").create_state_machine, **asked)
    assert (told.code, told.status) == ("AccessDeniedException", 400)
    assert f"iam:PassRole on resource: {mine.arn} because" in told.message
    arn = machine(STATES).arn
    told = refused(ann("stepfunctions").update_state_machine, stateMachineArn=arn, roleArn=mine.arn)
    assert "iam:PassRole" in told[1]


@pytest.mark.parametrize(("service", "works"), [("lambda", True), ("states", False)])
def test_a_role_may_be_passable_to_one_service_only(user, role, zipped, service, works):
    """The condition key `iam:PassedToService` limits to which service a role may be passed."""
    passed = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    pass_role = {"Action": "iam:PassRole", "Resource": "*", "Condition": passed}
    ann, asked = user({"Action": "lambda:*", "Resource": "*"}, pass_role), new_function(zipped, role().arn)
    if works:
        ann("lambda").create_function(**asked)
        ann("lambda").delete_function(FunctionName=asked["FunctionName"])
    else:
        assert "iam:PassRole" in refused(ann("lambda").create_function, **asked)[1]


NOT_BY_LAMBDA = (
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
    400,
)
NOT_BY_STATES = (
    "AccessDeniedException",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume "
    "the provided role.",
    400,
)


def whole(refusal):
    return *refusal, refusal.status


@pytest.fixture
def strange(role):
    """ARNs that neither service can assume: it trusts another, is not there (or elsewhere), is broken."""
    ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trusted = {"Version": "2012-10-17", "Statement": [ec2]}
    gone = "arn:aws:iam::123456789012:role/nobody"
    elsewhere = role().arn.replace("role/", "role/path/")
    return [role(trusted=trusted).arn, gone, elsewhere, role(trusted={"Version": "2012-10-17"}).arn]


def test_lambda_must_be_trusted(strange, aws, zipped, function):
    """A role that does not trust Lambda cannot be given to a function."""
    it = function("def lambda_handler(e, c): pass")
    for arn in strange:
        assert whole(refused(aws("lambda").create_function, **new_function(zipped, arn))) == NOT_BY_LAMBDA
        update = aws("lambda").update_function_configuration
        assert whole(refused(update, FunctionName=it.name, Role=arn)) == NOT_BY_LAMBDA


def test_step_functions_must_be_trusted(strange, aws, machine):
    """A role that does not trust Step Functions cannot be given to a machine."""
    it, states = machine(STATES), aws("stepfunctions")
    for arn in strange:
        asked = {"name": "never", "definition": STATES, "roleArn": arn}
        assert whole(refused(states.create_state_machine, **asked)) == NOT_BY_STATES
        assert (
            whole(refused(states.update_state_machine, stateMachineArn=it.arn, roleArn=arn)) == NOT_BY_STATES
        )


def test_trusting_one_is_not_trusting_the_other(role, aws, zipped):
    """A role for machines is none for functions."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    arn = role(trusted={"Version": "2012-10-17", "Statement": [statement]}).arn
    assert whole(refused(aws("lambda").create_function, **new_function(zipped, arn))) == NOT_BY_LAMBDA
    asked = {"name": f"m-{uuid.uuid4().hex[:12]}", "definition": STATES, "roleArn": arn}
    made = aws("stepfunctions").create_state_machine(**asked)["stateMachineArn"]
    aws("stepfunctions").delete_state_machine(stateMachineArn=made)


def test_a_trust_policy_counts_at_once(role, aws, zipped):
    """There is no propagation to wait for."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    it, asked = role(trusted={"Version": "2012-10-17", "Statement": []}), {}
    asked = new_function(zipped, it.arn)
    assert whole(refused(aws("lambda").create_function, **asked)) == NOT_BY_LAMBDA
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws("iam").update_assume_role_policy(RoleName=it.name, PolicyDocument=document)
    aws("lambda").create_function(**asked)
    aws("lambda").delete_function(FunctionName=asked["FunctionName"])


ASSUME = {"Action": "sts:Assume*", "Resource": "*"}
ACCOUNT = "123456789012"


@pytest.mark.parametrize(
    "principal",
    [{"AWS": ACCOUNT}, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, {"AWS": "OWN"}, {"AWS": "*"}, "*"],
)
def test_a_role_is_assumed_by_those_whom_it_trusts(role, user, principal):
    """A user may assume a role that trusts the user, the account or everybody, if a policy allows it."""
    ann = user(ASSUME)
    own = f"arn:aws:iam::{ACCOUNT}:user/{ann.name}"
    named = json.loads(json.dumps(principal).replace("OWN", own))
    mine = role(trusted=policy({"Principal": named, "Action": "sts:AssumeRole"}))
    assert ann("sts").assume_role(RoleArn=mine.arn, RoleSessionName="ann")["Credentials"]


@pytest.mark.parametrize(
    "principal",
    [
        {"AWS": "111122223333"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"},
        {"Service": "lambda.amazonaws.com"},
    ],
)
def test_nobody_else_assumes_a_role(role, user, principal):
    """A policy that allows sts:AssumeRole is not enough."""
    mine = role(trusted=policy({"Principal": principal, "Action": "sts:AssumeRole"}))
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole on resource"):
        user(ASSUME)("sts").assume_role(RoleArn=mine.arn, RoleSessionName="ann")


@pytest.mark.parametrize("action", ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"])
def test_another_way_to_assume_needs_a_trust_of_its_own(emulator, role, user, action):
    """For moto, it is the same as AssumeRole."""
    ann, mine = (
        user(ASSUME),
        role(trusted=policy({"Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})),
    )
    asked = {"Action": action, "RoleArn": mine.arn, "RoleSessionName": "ann", "WebIdentityToken": "x"}
    form = "application/x-www-form-urlencoded"
    status, text, _ = Wire(emulator)(
        "POST",
        "/",
        key=ann.key["AccessKeyId"],
        service="sts",
        body=urlencode(asked).encode(),
        Content_Type=form,
    )
    assert (status, "AccessDenied" in text) == (403, True)


@pytest.mark.parametrize(
    "arn", ["*" * 20, f"arn:aws:iam::{ACCOUNT}:role/missing", "arn:x:iam::1:role/missing"]
)
def test_a_role_that_does_not_exist_trusts_nobody(user, arn):
    """AWS does not tell whether it exists."""
    told = refused(user(ASSUME)("sts").assume_role, RoleArn=arn, RoleSessionName="ann")
    assert (told.code, told.status) == ("AccessDenied", 403)


def test_a_new_role_is_described_as_by_aws(aws):
    """CreateRole says nothing of sessions and of the last use; GetRole does. Times are whole seconds."""
    iam = aws("iam")
    new = iam.create_role(RoleName="described", AssumeRolePolicyDocument="{}")["Role"]
    seen = iam.get_role(RoleName="described")["Role"]
    iam.delete_role(RoleName="described")
    assert seen.keys() - new.keys() == {"MaxSessionDuration", "RoleLastUsed"}
    assert new["CreateDate"].microsecond == 0


def test_a_parameter_of_another_operation_names_no_resource(emulator, user):
    """Whoever may use one machine cannot reach another's execution by naming both."""
    start = "arn:aws:states:us-east-1:123456789012:"
    mine, other = f"{start}stateMachine:mine", f"{start}execution:other:e"
    ann = user({"Action": "states:*", "Resource": mine})
    status, text, _ = Wire(emulator)(
        "POST",
        "/",
        key=ann.key["AccessKeyId"],
        service="states",
        body=json.dumps({"executionArn": other, "stateMachineArn": mine}).encode(),
        X_Amz_Target="AWSStepFunctions.StopExecution",
    )
    assert (status, f"states:StopExecution on resource: {other}" in text) == (400, True)
