"""Find the actions and resources that a request needs, as in AWS's Service Authorization Reference.

An action without resources needs ``*``. In addition to its own action, a request may need the right to pass a
role to a service, and the right to tag what it creates.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sfn_emulator.http.callers import Caller
from sfn_emulator.http.messages import Arn, MalformedRequestError, Request, function_name
from sfn_emulator.http.operations import rest_operation

Find = Callable[[str, str, str, str], str | None]
"""Finds the ARN, with its path, from partition, account, kind and name; None if it does not exist."""
BoundaryOf = Callable[[str], str | None]
"""Finds the ARN of a role's permissions boundary, from the role's ARN; None if it has none."""

# Some services have one name in signatures, and another one in actions.
_PREFIXES: Final = {"email": "ses", "monitoring": "cloudwatch", "tagging": "tag"}
_TAGS: Final = ("Tags", "tags", "Tags.member.1.Key")
_TABLE_ARNS: Final = (
    "ResourceArn", "StreamArn", "BackupArn", "ExportArn", "ImportArn", "TableArn", "SourceBackupArn",
)  # fmt: skip
_TRANSACTION_PARTS: Final = ("Put", "Update", "Delete", "ConditionCheck", "Get")
_STATES_ARNS: Final = (
    "stateMachineArn", "executionArn", "activityArn", "resourceArn", "stateMachineVersionArn",
    "stateMachineAliasArn", "mapRunArn",
)  # fmt: skip
# A role's, user's or group's own policy has a name, too. So the policy is the last.
_IAM_NAMES: Final = {"RoleName": "role", "UserName": "user", "GroupName": "group", "PolicyName": "policy"}
_LISTS: Final = {"ListRoles": "role", "ListUsers": "user", "ListGroups": "group", "ListPolicies": "policy"}
# To conditions, AWS tells the boundary that the first ones give, and the one that the role of the others has.
_GIVES_BOUNDARY: Final = re.compile(r"Create(Role|User)|Put(Role|User)PermissionsBoundary")
_BOUNDED: Final = re.compile(r"(Attach|Detach|Put|Delete)RolePolicy|DeleteRolePermissionsBoundary")
# Without a UserName, these operations are about the caller.
_OF_ONESELF: Final = re.compile(
    r"(Create|Delete|Update|List)AccessKeys?|GetUser|ChangePassword|ListMFADevices"
)


@dataclass(frozen=True)
class Need:
    """One thing that policies must allow.

    Args:
        action: Such as ``"dynamodb:PutItem"``.
        resource: An ARN, or ``"*"``.
        context: The condition keys of this action and their values. The names are in lower case.
    """

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request, as policies describe it.

    Args:
        service: The service's name in actions, such as ``"states"``.
        operation: AWS's name, such as ``"CreateStateMachine"``.
        parameters: The parameters of the request.
        caller: The user or role.
        region: The region.
        find: Finds the ARN of a role, user or group. The ARN may have a path.
        boundary_of: Finds the permissions boundary of a role.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    caller: Caller
    region: str = "us-east-1"
    find: Find = field(default=lambda *_: None)
    boundary_of: BoundaryOf = field(default=lambda _: None)

    def text(self, *names: str) -> str:
        """The first of these parameters that is given; otherwise empty."""
        return next((str(self.parameters[name]) for name in names if self.parameters.get(name)), "")

    def arn(self, resource: str) -> str:
        """The ARN of a resource of this service, region and account. If it is an ARN already, it stays."""
        if resource.startswith("arn:"):
            return resource
        region = "" if self.service == "iam" else self.region
        own = Arn.of(self.caller.principal)
        return str(own._replace(service=self.service, region=region, resource=resource))

    def need(self, resource: str, operation: str = "") -> Need:
        """The right to this operation, or to another one of the same service."""
        return Need(f"{self.service}:{operation or self.operation}", resource)


def asked_of(request: Request, caller: Caller, find: Find, boundary_of: BoundaryOf) -> Asked:
    """Read a request in any of AWS's protocols."""
    scope = request.scope
    operation = request.operation
    parameters: Mapping[str, Any]
    if operation:
        parameters = request.json if "x-amz-target" in request.headers else request.form
    else:
        path = request.target.partition("?")[0]
        operation, labels = rest_operation(scope.service, request.method, path)
        # The body of an Invoke is the function's event.
        is_plain = scope.service == "lambda" and not operation.startswith("Invoke")
        parts = (request.json if is_plain else {}), request.query, labels
        parameters = {name: value for part in parts for name, value in part.items()}
        if scope.service == "lambda" and len(parameters) < sum(map(len, parts)):
            raise MalformedRequestError("a parameter is given twice")
    service = _PREFIXES.get(scope.service, scope.service)
    return Asked(service, operation, parameters, caller, scope.region, find, boundary_of)


def needs_of(asked: Asked) -> list[Need]:
    """The actions and resources, in the order in which AWS checks them.

    If the service is not known here, the action is the operation's name, and the resource is ``*``.
    """
    of_service = _SERVICES.get(asked.service)
    needs = of_service(asked) if of_service else [asked.need("*")]
    if of_service and asked.operation.startswith("Create") and asked.text(*_TAGS):
        kind = asked.operation.removeprefix("Create") if asked.service == "iam" else "Resource"
        needs.append(asked.need(needs[0].resource.removesuffix(":log-stream:"), f"Tag{kind}"))
    is_mocked = asked.operation == "TestState" and asked.text("mock")  # so it does not use its role
    role = asked.text("Role", "roleArn")
    if asked.service in {"lambda", "states"} and role and not is_mocked:
        context = (("iam:passedtoservice", f"{asked.service}.amazonaws.com"),)
        needs.append(Need("iam:PassRole", role, context))
    return needs


def _dynamodb_needs(asked: Asked) -> list[Need]:
    """A batch needs the right to each table. A transaction needs the rights of all its parts."""

    def table(name: str) -> str:
        return asked.arn(name if name.startswith("arn:") else f"table/{name}")

    match asked.operation:
        case "BatchGetItem" | "BatchWriteItem":
            return [asked.need(table(name)) for name in asked.parameters.get("RequestItems") or {}]
        case "TransactWriteItems" | "TransactGetItems":
            parts = [part.items() for part in asked.parameters.get("TransactItems") or []]
            known = [each for part in parts for each in part if each[0] in _TRANSACTION_PARTS]
            needs = [asked.need(table(given.get("TableName", "")), f"{kind}Item") for kind, given in known]
            return list(dict.fromkeys(needs))
    if not (name := asked.text("TableName", "TargetTableName")):
        return [asked.need(asked.text(*_TABLE_ARNS) or "*")]
    index = asked.text("IndexName") if asked.operation in {"Query", "Scan"} else ""
    return [asked.need(table(name) + (f"/index/{index}" if index else ""))]


def _lambda_needs(asked: Asked) -> list[Need]:
    """The function, or one version of it. All kinds of Invoke need InvokeFunction."""
    invokes = asked.operation in {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}
    if tagged := asked.text("Resource"):
        return [asked.need(tagged)]
    if not (name := function_name(asked.text("FunctionName"))):
        return [asked.need("*")]
    qualifier = asked.text("Qualifier")
    arn = asked.arn(f"function:{name}") + (f":{qualifier}" if qualifier else "")
    return [asked.need(arn, "InvokeFunction" if invokes else "")]


def _states_needs(asked: Asked) -> list[Need]:
    """The machine, execution or activity that is named."""
    created = {"CreateStateMachine": "stateMachine", "CreateActivity": "activity"}.get(asked.operation)
    if created:
        return [asked.need(asked.arn(f"{created}:{asked.text('name')}"))]
    if asked.operation == "TestState" and asked.text("revealSecrets"):
        return [asked.need("*"), asked.need("*", "RevealSecrets")]
    return [asked.need(asked.text(*_STATES_ARNS) or "*")]


def _sns_needs(asked: Asked) -> list[Need]:
    """The topic. A batch needs the right to publish."""
    if asked.operation == "CreateTopic":
        return [asked.need(asked.arn(asked.text("Name")))]
    operation = "Publish" if asked.operation == "PublishBatch" else asked.operation
    return [asked.need(asked.text("TopicArn", "TargetArn", "ResourceArn") or "*", operation)]


def _logs_needs(asked: Asked) -> list[Need]:
    """The stream. A group is a stream with an empty name, so ``log-group:NAME:*`` covers the group, too."""
    if tagged := asked.text("resourceArn"):
        return [asked.need(tagged)]
    group = asked.text("logGroupName", "logGroupNamePrefix", "logGroupIdentifier")
    if not group and asked.operation != "DescribeLogGroups":
        return [asked.need("*")]
    # An identifier may be an ARN.
    name = group.partition(":log-group:")[2].removesuffix(":*") or group
    return [asked.need(asked.arn(f"log-group:{name}:log-stream:{asked.text('logStreamName')}"))]


def _iam_needs(asked: Asked) -> list[Need]:
    """The role, user, group or policy."""

    def named(kind: str, name: str) -> str:
        there = asked.find(Arn.of(asked.caller.principal).partition, asked.caller.account, kind, name)
        return there or asked.arn(f"{kind}{asked.text('Path') or '/'}{name}")

    policy, resource = asked.text("PolicyArn"), "*"
    names = [(kind, asked.text(parameter)) for parameter, kind in _IAM_NAMES.items() if asked.text(parameter)]
    if names:
        resource = named(*names[0])
    elif policy:
        resource = policy
    elif asked.operation in _LISTS:
        resource = asked.arn(_LISTS[asked.operation] + (asked.text("PathPrefix") or "/"))
    elif asked.caller.user and _OF_ONESELF.fullmatch(asked.operation):
        resource = named("user", asked.caller.user)
    if _GIVES_BOUNDARY.fullmatch(asked.operation):
        boundary = asked.text("PermissionsBoundary")
    else:
        boundary = (_BOUNDED.fullmatch(asked.operation) and asked.boundary_of(resource)) or ""
    context = {"iam:policyarn": policy, "iam:permissionsboundary": boundary}
    given = tuple((key, value) for key, value in context.items() if value)
    return [Need(f"iam:{asked.operation}", resource, given)]


def _sts_needs(asked: Asked) -> list[Need]:
    """The role. Everybody may ask for their own identity and for a session of their own."""
    if asked.operation in {"GetCallerIdentity", "GetSessionToken"}:
        return []
    return [asked.need(asked.text("RoleArn") or "*")]


_SERVICES: Final[Mapping[str, Callable[[Asked], list[Need]]]] = {
    "dynamodb": _dynamodb_needs,
    "iam": _iam_needs,
    "lambda": _lambda_needs,
    "logs": _logs_needs,
    "sns": _sns_needs,
    "states": _states_needs,
    "sts": _sts_needs,
}
