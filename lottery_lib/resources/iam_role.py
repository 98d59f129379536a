"""Keep an IAM role: its trust policy, its managed policies, its inline policies."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from lottery_lib.aws_errors import ignoring, says
from lottery_lib.names import owned
from lottery_lib.resources import Resource, refuse_foreign, tag_list
from lottery_lib.target import Target
from lottery_lib.waiting import retry_while, wait_until

__all__ = [
    "LAMBDA_POLICIES",
    "Role",
    "allowing",
    "attachable",
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
T = TypeVar("T")
#: The four managed policies of tutorial 2.2.1.
LAMBDA_POLICIES: Final = (
    "AmazonDynamoDBFullAccess",
    "service-role/AWSLambdaBasicExecutionRole",
    "AmazonSNSFullAccess",
    "AWSStepFunctionsFullAccess",
)
#: The one of tutorial 2.2.5.
_MACHINE_POLICIES: Final = ("AmazonSNSFullAccess",)
#: What AWS appends to the name of a managed policy that replaces one it has retired.
_SUCCESSOR: Final = "_v2"
Policy = dict[str, Any]
Write = tuple[str, Policy]
"""An operation of IAM and its parameters."""


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


def allowing(*rights: tuple[str | list[str], list[str]]) -> Policy:
    """Write the document that allows actions on resources, a statement for each pair."""
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in rights
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def invoke_policy(function_arns: Sequence[str]) -> Policy:
    """Write the document that lets a state machine invoke these functions, in any version."""
    resources = [arn + suffix for arn in function_arns for suffix in ("", ":*")]
    return allowing(("lambda:InvokeFunction", resources))


def lambda_role(target: Target) -> Role:
    """The role of the functions: the tutorial's four policies (2.2.1), or hardened no more than they use."""
    name, service = target.names.lambda_role, "lambda.amazonaws.com"
    if target.names.edition == "tutorial":
        return Role(name, service, LAMBDA_POLICIES)
    return Role(name, service, inline={"DrawAndRecord": _draw_policy(target)})


def machine_role(target: Target) -> Role:
    """The role of the machine: invoke its functions, and AmazonSNSFullAccess (tutorial 2.2.5), or publish."""
    arns = [target.arn("lambda", f"function:{name}") for name in target.names.functions.values()]
    name, service = target.names.machine_role, "states.amazonaws.com"
    inline = {"InvokeLotteryFunctions": invoke_policy(arns)}
    if target.names.edition == "tutorial":
        return Role(name, service, list(_MACHINE_POLICIES), inline)
    topic = target.arn("sns", target.names.topic)
    return Role(name, service, inline=inline | {"NotifyWinners": allowing(("sns:Publish", [topic]))})


def _draw_policy(target: Target) -> Policy:
    names = target.names
    employees, winners, pool, draws = (
        target.arn("dynamodb", f"table/{table}")
        for table in (names.employee_table, names.winners_table, names.pool_table, names.draws_table)
    )
    groups = [target.arn("logs", f"log-group:{names.log_group(each)}:*") for each in names.functions.values()]
    return allowing(
        (["logs:CreateLogStream", "logs:PutLogEvents"], groups),
        ("dynamodb:BatchGetItem", [employees, winners, pool, draws]),
        ("dynamodb:GetItem", [pool, draws]),
        ("dynamodb:Scan", [winners]),
        ("dynamodb:PutItem", [winners, draws]),
    )


def attachable(edition: str) -> list[str]:
    """The paths of all managed policies that `ensure` may attach: the roles' own and their successors."""
    own = {*LAMBDA_POLICIES, *_MACHINE_POLICIES} if edition == "tutorial" else set[str]()
    return sorted(own | {path + _SUCCESSOR for path in own})


def role_arn(target: Target, name: str) -> str:
    """The ARN of a role, which IAM makes of its name."""
    return target.arn("iam", f"role/{name}", region="")


def policy_arn(target: Target, path: str) -> str:
    """The ARN of an AWS managed policy in the caller's partition."""
    return target.arn("iam", f"policy/{path}", region="", account="aws")


def missing_policies(target: Target, role: Role) -> list[str]:
    """Which of a role's managed policies are not attached to it; all of them where there is no role.

    The successor of a policy that AWS has retired does as well.
    """
    there = _attached(target, role.name) if _role(target, role.name) else []
    return [path for path in role.managed if not _is_attached(policy_arn(target, path), there)]


def find(target: Target, name: str) -> Resource | None:
    """Look a role up."""
    role = _role(target, name)
    return role and _resource(target, role, "ACTIVE")


def ensure(target: Target, role: Role) -> Resource:
    """Create the role or put right what differs: trust, managed policies, inline policies.

    Raises:
        LotteryError: A role of that name is not ours.
    """
    found = _role(target, role.name)
    state = "unchanged" if found else "created"
    found = found or _create(target, role)
    refuse_foreign(_resource(target, found, state))
    writes = [*_trust_writes(role, found), *_managed_writes(target, role), *_inline_writes(target, role)]
    for write in writes:
        _send(target, role.name, write)
    return _resource(target, found, "updated" if writes and state == "unchanged" else state)


def delete(target: Target, name: str) -> Resource:
    """Take every policy off the role, whoever attached it, and delete the role.

    Raises:
        LotteryError: A role of that name is not ours.
    """
    found = find(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(found)
    # IAM may still see for a while what has just been taken off, or somebody puts one on meanwhile.
    retry_while(f"role {name} to be empty", lambda: _empty_and_delete(target, name), says("DeleteConflict"))
    return replace(found, state="deleted")


def _empty_and_delete(target: Target, name: str) -> None:
    iam = target.client("iam")
    for arn in _attached(target, name):
        ignoring(iam.detach_role_policy, "NoSuchEntity", RoleName=name, PolicyArn=arn)
    for policy in _inline(target, name):
        ignoring(iam.delete_role_policy, "NoSuchEntity", RoleName=name, PolicyName=policy)
    ignoring(iam.delete_role, "NoSuchEntity", RoleName=name)


def _role(target: Target, name: str) -> Any:
    found = ignoring(target.client("iam").get_role, "NoSuchEntity", RoleName=name)
    return found and found["Role"]


def _create(target: Target, role: Role) -> Any:
    created = ignoring(
        target.client("iam").create_role,
        "EntityAlreadyExists",
        RoleName=role.name,
        AssumeRolePolicyDocument=json.dumps(trust_policy(role.service)),
        Description="Made by the lottery workshop",
        Tags=tag_list(target.names),
    )
    if created:
        return created["Role"] | {"Tags": tag_list(target.names)}  # an emulator may leave them out
    # The reply to our own first try was lost, or IAM does not show everywhere yet what it has.
    return wait_until(f"role {role.name} to be visible", lambda: _role(target, role.name), seconds=30)


def _resource(target: Target, role: Policy, state: str) -> Resource:
    tags = {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}
    return Resource(KIND, role["RoleName"], state, role["Arn"], owned(tags, target.names))


def _attached(target: Target, name: str) -> list[str]:
    found = _listed(target, "list_attached_role_policies", "AttachedPolicies", name)
    return [policy["PolicyArn"] for policy in found]


def _inline(target: Target, name: str) -> list[str]:
    return _listed(target, "list_role_policies", "PolicyNames", name)


def _listed(target: Target, operation: str, key: str, name: str) -> list[Any]:
    return _once_visible(name, lambda: target.listed("iam", operation, key, RoleName=name))


def _is_attached(arn: str, there: Sequence[str]) -> bool:
    return arn in there or arn + _SUCCESSOR in there


def _trust_writes(role: Role, found: Policy) -> list[Write]:
    wanted = trust_policy(role.service)
    if found.get("AssumeRolePolicyDocument") == wanted:
        return []
    return [
        ("update_assume_role_policy", {"RoleName": role.name, "PolicyDocument": json.dumps(wanted)}),
    ]


def _managed_writes(target: Target, role: Role) -> list[Write]:
    there = _attached(target, role.name)
    wanted = [policy_arn(target, path) for path in role.managed]
    return [
        ("attach_role_policy", {"RoleName": role.name, "PolicyArn": arn})
        for arn in wanted
        if not _is_attached(arn, there)
    ]


def _inline_writes(target: Target, role: Role) -> list[Write]:
    get = target.client("iam").get_role_policy
    there = {
        name: ignoring(get, "NoSuchEntity", RoleName=role.name, PolicyName=name) or {} for name in role.inline
    }
    return [
        (
            "put_role_policy",
            {"RoleName": role.name, "PolicyName": name, "PolicyDocument": json.dumps(wanted)},
        )
        for name, wanted in role.inline.items()
        if there[name].get("PolicyDocument") != wanted
    ]


def _send(target: Target, name: str, write: Write) -> None:
    operation, parameters = write
    call = getattr(target.client("iam"), operation)

    def sent() -> None:
        if ignoring(call, "is not attachable", **parameters) is None:
            call(**parameters | {"PolicyArn": parameters["PolicyArn"] + _SUCCESSOR})

    _once_visible(name, sent)


def _once_visible(name: str, call: Callable[[], T]) -> T:
    # IAM itself may not see a role in the seconds after it was created.
    return retry_while(f"role {name} to be visible", call, says("cannot be found"), seconds=30)
