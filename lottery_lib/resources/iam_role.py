"""Keep an IAM role: its trust policy, its managed policies, its inline policies."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lottery_lib.naming import owned
from lottery_lib.resources import Resource, refuse_foreign, tag_list
from lottery_lib.target import ClientError, Target, error_code, ignoring
from lottery_lib.waiting import retry_while

__all__ = [
    "LAMBDA_POLICIES",
    "Role",
    "delete",
    "ensure",
    "find",
    "invoke_policy",
    "lambda_role",
    "machine_role",
    "missing_policies",
    "policy_arn",
    "role_arn",
    "trust_policy",
]

KIND: Final = "role"
#: The four managed policies of tutorial 2.2.1.
LAMBDA_POLICIES: Final = (
    "AmazonDynamoDBFullAccess",
    "service-role/AWSLambdaBasicExecutionRole",
    "AmazonSNSFullAccess",
    "AWSStepFunctionsFullAccess",
)
Policy = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """A role as it should be.

    Attributes:
        name: Its name.
        service: Who may assume it, such as ``"lambda.amazonaws.com"`` (the same in every partition).
        managed: Paths of AWS managed policies, such as ``"AmazonSNSFullAccess"``.
        inline: Policy documents by name.
    """

    name: str
    service: str
    managed: Sequence[str] = ()
    inline: Mapping[str, Policy] = field(default_factory=dict)


def trust_policy(service: str) -> Policy:
    """Write the document that lets a service assume a role."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    }


def invoke_policy(function_arns: Sequence[str]) -> Policy:
    """Write the document that lets a state machine invoke these functions, in any version."""
    resources = [arn + suffix for arn in function_arns for suffix in ("", ":*")]
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": resources}],
    }


def lambda_role(target: Target) -> Role:
    """The role of the four functions (tutorial 2.2.1)."""
    return Role(target.names.lambda_role, "lambda.amazonaws.com", LAMBDA_POLICIES)


def machine_role(target: Target) -> Role:
    """The role of the state machine: invoke the functions, and AmazonSNSFullAccess (tutorial 2.2.5)."""
    arns = [target.arn("lambda", f"function:{name}") for name in target.names.functions.values()]
    inline = {"InvokeLotteryFunctions": invoke_policy(arns)}
    return Role(target.names.machine_role, "states.amazonaws.com", ["AmazonSNSFullAccess"], inline)


def role_arn(target: Target, name: str) -> str:
    """The ARN of a role, which IAM makes of its name."""
    return target.arn("iam", f"role/{name}", region="")


def policy_arn(target: Target, path: str) -> str:
    """The ARN of an AWS managed policy in the caller's partition."""
    return target.arn("iam", f"policy/{path}", region="", account="aws")


def missing_policies(target: Target, role: Role) -> list[str]:
    """Which of a role's managed policies are not attached to it; all of them where there is no role."""
    there = _attached(target, role.name) if _role(target, role.name) else []
    return [path for path in role.managed if policy_arn(target, path) not in there]


def find(target: Target, name: str) -> Resource | None:
    """Look a role up."""
    role = _role(target, name)
    return _resource(target, role, "ACTIVE") if role else None


def ensure(target: Target, role: Role) -> Resource:
    """Create the role or put right what differs: trust, managed policies, inline policies.

    Raises:
        LotteryError: A role of that name is not ours.
    """
    iam, found = target.client("iam"), _role(target, role.name)
    state = "unchanged" if found else "created"
    found = found or _create(target, role)
    if state == "unchanged":
        refuse_foreign(KIND, role.name, _tags(found), target.names)
    writes = [
        *_trust_writes(target, role, found),
        *_managed_writes(target, role, fresh=state == "created"),
        *_inline_writes(target, role, fresh=state == "created"),
    ]
    for operation, parameters in writes:
        _once_visible(role.name, getattr(iam, operation), parameters)
    return _resource(target, found, "updated" if writes and state == "unchanged" else state)


def delete(target: Target, name: str) -> Resource:
    """Take every policy off the role, whoever attached it, and delete the role.

    Raises:
        LotteryError: A role of that name is not ours.
    """
    iam, found = target.client("iam"), _role(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(KIND, name, _tags(found), target.names)
    for arn in _attached(target, name):
        ignoring(iam.detach_role_policy, "NoSuchEntity", RoleName=name, PolicyArn=arn)
    for policy in _inline(target, name):
        ignoring(iam.delete_role_policy, "NoSuchEntity", RoleName=name, PolicyName=policy)
    ignoring(iam.delete_role, "NoSuchEntity", RoleName=name)
    return _resource(target, found, "deleted")


def _role(target: Target, name: str) -> Policy | None:
    try:
        role: Policy = target.client("iam").get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error_code(error) == "NoSuchEntity":
            return None
        raise
    return role


def _create(target: Target, role: Role) -> Policy:
    try:
        created: Policy = target.client("iam").create_role(
            RoleName=role.name,
            AssumeRolePolicyDocument=json.dumps(trust_policy(role.service)),
            Description="Made by the lottery workshop",
            Tags=tag_list(target.names),
        )["Role"]
    except ClientError as error:  # the reply to our own first try may have been lost
        if error_code(error) != "EntityAlreadyExists" or not (found := _role(target, role.name)):
            raise
        refuse_foreign(KIND, role.name, _tags(found), target.names)
        return found
    return created


def _resource(target: Target, role: Policy, state: str) -> Resource:
    # create_role answers without the tags it was given.
    ours = state == "created" or owned(_tags(role), target.names)
    return Resource(KIND, role["RoleName"], state, role["Arn"], ours)


def _tags(role: Policy) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}


def _attached(target: Target, name: str) -> list[str]:
    pages = target.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=name)
    return [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]


def _inline(target: Target, name: str) -> list[str]:
    pages = target.client("iam").get_paginator("list_role_policies").paginate(RoleName=name)
    return [policy for page in pages for policy in page["PolicyNames"]]


def _trust_writes(target: Target, role: Role, found: Policy) -> list[tuple[str, Policy]]:
    wanted = trust_policy(role.service)
    if found.get("AssumeRolePolicyDocument") == wanted:
        return []
    return [
        ("update_assume_role_policy", {"RoleName": role.name, "PolicyDocument": json.dumps(wanted)}),
    ]


def _managed_writes(target: Target, role: Role, *, fresh: bool) -> list[tuple[str, Policy]]:
    there = [] if fresh else _attached(target, role.name)
    wanted = [policy_arn(target, path) for path in role.managed]
    return [
        ("attach_role_policy", {"RoleName": role.name, "PolicyArn": arn})
        for arn in wanted
        if arn not in there
    ]


def _inline_writes(target: Target, role: Role, *, fresh: bool) -> list[tuple[str, Policy]]:
    iam, there = target.client("iam"), [] if fresh else _inline(target, role.name)

    def document(name: str) -> Any:
        return iam.get_role_policy(RoleName=role.name, PolicyName=name)["PolicyDocument"]

    return [
        (
            "put_role_policy",
            {"RoleName": role.name, "PolicyName": name, "PolicyDocument": json.dumps(wanted)},
        )
        for name, wanted in role.inline.items()
        if name not in there or document(name) != wanted
    ]


def _once_visible(name: str, call: Any, parameters: Policy) -> None:
    # IAM itself may not see a role in the second after it was created.
    retry_while(
        f"role {name} to be visible",
        lambda: call(**parameters),
        lambda error: (
            isinstance(error, ClientError)
            and error_code(error) == "NoSuchEntity"
            and "role" in str(error).lower()
        ),
        seconds=30,
    )
