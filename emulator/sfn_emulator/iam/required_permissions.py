"""List the permissions that a request needs, as in AWS's Service Authorization Reference.

A permission is an action on a resource. An action without resources needs ``*``. In addition to its own
action, a request may need ``iam:PassRole`` for a role that it gives to a service, and the permission to tag
what it creates.

See https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sfn_emulator.http.authentication import Caller
from sfn_emulator.http.messages import Arn, MalformedRequestError, Request, function_name
from sfn_emulator.http.operations import rest_operation, s3_call
from sfn_emulator.http.replies import unknown_operation
from sfn_emulator.http.service_models import is_misspelt, parameters_of

FindArn = Callable[[str, str, str, str], str | None]
"""Finds an ARN with its path from partition, account, kind and name. None if nothing has this name."""
BoundaryOf = Callable[[str], str | None]
"""Finds the ARN of a role's permissions boundary, from the role's ARN. None if the role has no boundary."""
MachineOf = Callable[[str], str]
"""Finds the ARN of the machine whose task has a token. Empty if no task waits with it."""

# Some services have one name in signatures, and another one in actions.
_PREFIXES: Final = {"email": "ses", "monitoring": "cloudwatch", "tagging": "tag"}
_OF_ONE_ALARM: Final = ("PutMetricAlarm", "PutCompositeAlarm", "SetAlarmState", "DescribeAlarmHistory")
_OF_ALARMS: Final = ("DeleteAlarms", "DescribeAlarms", "EnableAlarmActions", "DisableAlarmActions")
#: Operations on a rule of EventBridge, and the parameters with its name.
_OF_RULES: Final = {
    **dict.fromkeys(("PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule"), "Name"),
    **dict.fromkeys(("PutTargets", "RemoveTargets", "ListTargetsByRule"), "Rule"),
}
_TAGGING: Final = ("TagResource", "UntagResource", "ListTagsForResource")
_TABLE_ARNS: Final = (
    "ResourceArn", "StreamArn", "BackupArn", "ExportArn", "ImportArn", "TableArn", "SourceBackupArn",
)  # fmt: skip
_TRANSACTION_PARTS: Final = ("Put", "Update", "Delete", "ConditionCheck", "Get")
_STATES_ARNS: Final = (
    "stateMachineArn", "executionArn", "activityArn", "resourceArn", "stateMachineVersionArn",
    "stateMachineAliasArn", "mapRunArn",
)  # fmt: skip
_QUALIFIED: Final = re.compile(r"(arn:[^:]*:states:[^:]*:[^:]*:stateMachine:[^:]+):([^:]+)")
# A role's, user's or group's own policy has a name, too. So the policy is the last.
_IAM_NAMES: Final = {"RoleName": "role", "UserName": "user", "GroupName": "group", "PolicyName": "policy"}
# These have a user and a group, and the group counts.
_OF_MEMBERS: Final = ("AddUserToGroup", "RemoveUserFromGroup")
_LISTS: Final = {"ListRoles": "role", "ListUsers": "user", "ListGroups": "group", "ListPolicies": "policy"}
# The parameter with the role that a service gets.
_ROLES: Final = {"cloudformation": "RoleARN", "lambda": "Role", "states": "roleArn"}
# The condition key iam:PermissionsBoundary has the boundary that these operations set.
_SETS_BOUNDARY: Final = re.compile(r"Create(Role|User)|Put(Role|User)PermissionsBoundary")
# For these operations, it has the boundary that the role has already.
_HAS_BOUNDARY: Final = re.compile(r"(Attach|Detach|Put|Delete)RolePolicy|DeleteRolePermissionsBoundary")
# Actions of S3 that are not called like their operations.
_S3_ACTIONS: Final = json.loads(Path(__file__).with_name("s3_actions.json").read_text("utf-8"))
# With a version, these actions have another name.
_OF_VERSIONS: Final = re.compile(r"^(?!PutObject$)((?:Get|Put|Delete)Object)(|Acl|Attributes|Tagging)$")
# Without a UserName, these operations are about the caller.
_OF_ONESELF: Final = re.compile(
    "(Create|Delete|Update|List)AccessKeys?|GetUser|ChangePassword|ListMFADevices"
)


@dataclass(frozen=True)
class Permission:
    """An action on a resource, which policies must allow.

    Args:
        action: Such as ``"dynamodb:PutItem"``.
        resource: An ARN, or ``"*"``.
        context: The condition keys of this action, in lower case, and their values.
    """

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ApiCall:
    """A call of AWS's API, with what is needed to know its permissions.

    Args:
        service: The service's name in actions, such as ``"states"``.
        operation: AWS's name, such as ``"CreateStateMachine"``.
        parameters: The parameters of the call.
        caller: The user or role.
        region: The region.
        find_arn: Finds the ARN of a role, user or group. The ARN may have a path.
        boundary_of: Finds the permissions boundary of a role.
        machine_of: Finds the machine of a token.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    caller: Caller
    region: str = "us-east-1"
    find_arn: FindArn = field(default=lambda *_: None)
    boundary_of: BoundaryOf = field(default=lambda _: None)
    machine_of: MachineOf = field(default=lambda _: "")

    def text(self, *names: str) -> str:
        """The first of these parameters that the call has. Empty if it has none of them."""
        return next((str(self.parameters[name]) for name in names if self.parameters.get(name)), "")

    def arn(self, resource: str) -> str:
        """The ARN of a resource of this service, region and account. An ARN is returned unchanged."""
        if resource.startswith("arn:"):
            return resource
        region = "" if self.service == "iam" else self.region
        own = Arn.of(self.caller.principal)
        return str(own._replace(service=self.service, region=region, resource=resource))

    def permission(self, resource: str, operation: str = "") -> Permission:
        """The permission for this operation, or for another operation of the same service."""
        return Permission(f"{self.service}:{operation or self.operation}", resource)


def api_call(
    request: Request, caller: Caller, find_arn: FindArn, boundary_of: BoundaryOf, machine_of: MachineOf
) -> ApiCall:
    """Read the call from a request in any of AWS's protocols.

    Raises:
        RefusalError: The service does not have the operation.
        MalformedRequestError: A parameter is given twice, or cannot be read.
    """
    scope = request.scope
    operation = request.operation
    parameters: Mapping[str, Any]
    if scope.service == "s3":
        operation, parameters = s3_call(request)
    elif operation:
        if is_misspelt(scope.service, operation):
            raise unknown_operation(request)
        given = request.json if "x-amz-target" in request.headers else request.form
        parameters = _known(scope.service, operation, given)
    else:
        path = request.target.partition("?")[0]
        operation, labels = rest_operation(scope.service, request.method, path)
        if scope.service == "lambda" and not operation:
            raise unknown_operation(request)
        # The body of an Invoke is the function's event.
        is_plain = scope.service == "lambda" and not operation.startswith("Invoke")
        parts = (request.json if is_plain else {}), request.query, labels
        given = {name: value for part in parts for name, value in part.items()}
        if scope.service == "lambda" and len(given) < sum(map(len, parts)):
            raise MalformedRequestError("a parameter is given twice")
        parameters = {**_known(scope.service, operation, given), **labels}
    service = _PREFIXES.get(scope.service, scope.service)
    return ApiCall(service, operation, parameters, caller, scope.region, find_arn, boundary_of, machine_of)


def _known(service: str, operation: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters that the operation has. Another one must not name the resource."""
    known = parameters_of(service, operation)
    return {name: value for name, value in given.items() if name.partition(".")[0] in known}


def required_permissions(call: ApiCall) -> list[Permission]:
    """The permissions that a call needs, in the order in which AWS checks them.

    For a service that is not in the table `_SERVICES`, the action is the operation's name, and the resource
    is ``*``.
    """
    of_service = _SERVICES.get(call.service)
    permissions = of_service(call) if of_service else [call.permission("*")]
    creates = call.operation.startswith("Create") or call.operation in {"PutMetricAlarm", "PutRule"}
    tags = call.text("Tags", "tags") or any(name.startswith("Tags.") for name in call.parameters)
    if of_service and creates and tags:
        kind = call.operation.removeprefix("Create") if call.service in {"iam", "sqs"} else "Resource"
        resource = permissions[0].resource.removesuffix(":log-stream:")
        permissions.append(call.permission(resource, f"Tag{kind}"))
    is_mocked = call.operation == "TestState" and call.text("mock")  # then it uses no role
    role = call.text(_ROLES.get(call.service, ""))
    if role and not is_mocked:
        context = (("iam:passedtoservice", f"{call.service}.amazonaws.com"),)
        permissions.append(Permission("iam:PassRole", role, context))
    return permissions


def _dynamodb_permissions(call: ApiCall) -> list[Permission]:
    """A batch needs a permission for each table. A transaction needs the permissions of all its parts."""

    def table(name: str) -> str:
        return call.arn(name if name.startswith("arn:") else f"table/{name}")

    match call.operation:
        case "BatchGetItem" | "BatchWriteItem":
            return [call.permission(table(name)) for name in call.parameters.get("RequestItems") or {}]
        case "TransactWriteItems" | "TransactGetItems":
            items = [item for part in call.parameters.get("TransactItems") or [] for item in part.items()]
            parts = [(kind, item.get("TableName", "")) for kind, item in items if kind in _TRANSACTION_PARTS]
            return list(dict.fromkeys(call.permission(table(name), f"{kind}Item") for kind, name in parts))
    if not (name := call.text("TableName", "TargetTableName")):
        return [call.permission(call.text(*_TABLE_ARNS) or "*")]
    index = call.text("IndexName") if call.operation in {"Query", "Scan"} else ""
    return [call.permission(table(name) + (f"/index/{index}" if index else ""))]


def _lambda_permissions(call: ApiCall) -> list[Permission]:
    """The function, or one version of it. All kinds of Invoke need InvokeFunction."""
    invokes = call.operation in {"Invoke", "InvokeAsync", "InvokeWithResponseStream"}
    if tagged := call.text("Resource"):
        return [call.permission(tagged)]
    if not (name := function_name(call.text("FunctionName"))):
        return [call.permission("*")]
    qualifier = call.text("Qualifier")
    arn = call.arn(f"function:{name}") + (f":{qualifier}" if qualifier else "")
    return [call.permission(arn, "InvokeFunction" if invokes else "")]


def _states_permissions(call: ApiCall) -> list[Permission]:
    """The machine, execution or activity that the parameters name. Of a token, it is the machine.

    For a version or an alias, AWS checks the machine. The rest of the ARN is a condition key.
    See https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html
    """
    created = {"CreateStateMachine": "stateMachine", "CreateActivity": "activity"}.get(call.operation)
    if created:
        return [call.permission(call.arn(f"{created}:{call.text('name')}"))]
    if call.operation == "TestState" and call.text("revealSecrets"):
        return [call.permission("*"), call.permission("*", "RevealSecrets")]
    routes = call.parameters.get("routingConfiguration") or [{}]
    arn = call.text(*_STATES_ARNS) or routes[0].get("stateMachineVersionArn")
    arn = arn or call.machine_of(call.text("taskToken")) or "*"
    arn = arn.partition("#")[0]  # a test case is no part of it
    if qualified := _QUALIFIED.fullmatch(arn):
        context = (("states:statemachinequalifier", qualified[2]),)
        return [Permission(f"states:{call.operation}", qualified[1], context)]
    return [call.permission(arn)]


def _sns_permissions(call: ApiCall) -> list[Permission]:
    """The topic. A batch needs the permission to publish."""
    if call.operation == "CreateTopic":
        return [call.permission(call.arn(call.text("Name")))]
    operation = "Publish" if call.operation == "PublishBatch" else call.operation
    return [call.permission(call.text("TopicArn", "TargetArn", "ResourceArn") or "*", operation)]


def _sqs_permissions(call: ApiCall) -> list[Permission]:
    """The queue. A batch needs the permission to do the single operation."""
    name = call.text("QueueName") or call.text("QueueUrl").rpartition("/")[2]
    return [call.permission(call.arn(name) if name else "*", call.operation.removesuffix("Batch"))]


def _cloudwatch_permissions(call: ApiCall) -> list[Permission]:
    """The alarm. Metrics have no ARNs, but the name of their group is a condition key."""
    if call.operation in _TAGGING:
        return [call.permission(call.text("ResourceARN"))]
    if call.operation == "PutMetricData":
        context = (("cloudwatch:namespace", call.text("Namespace")),)
        return [Permission("cloudwatch:PutMetricData", "*", context)]
    if call.operation in _OF_ONE_ALARM:
        return [call.permission(call.arn(f"alarm:{call.text('AlarmName') or '*'}"))]
    if call.operation in _OF_ALARMS:
        names = call.parameters.get("AlarmNames") or ["*"]
        return [call.permission(call.arn(f"alarm:{name}")) for name in names]
    name = call.text("DashboardName")
    dashboard = str(Arn.of(call.arn(f"dashboard/{name}"))._replace(region=""))
    return [call.permission(dashboard if name else "*")]


def _events_permissions(call: ApiCall) -> list[Permission]:
    """The rule, or the event buses to which events are sent. Who gives a role to a target passes it."""
    if call.operation in _TAGGING:
        return [call.permission(call.text("ResourceARN"))]
    if call.operation == "PutEvents":
        entries = call.parameters.get("Entries") or [{}]
        # An ARN counts as the name at its end, in the region of the call.
        names = [(entry.get("EventBusName") or "default").rpartition("/")[2] for entry in entries]
        return [call.permission(call.arn(f"event-bus/{name}")) for name in dict.fromkeys(names)]
    if (parameter := _OF_RULES.get(call.operation)) is None:
        return [call.permission("*")]
    bus = call.text("EventBusName").rpartition("/")[2]
    path = f"{bus}/" if bus not in {"", "default"} else ""
    rule = call.permission(call.arn(f"rule/{path}{call.text(parameter)}"))
    targets = call.parameters.get("Targets") or []
    roles = [target["RoleArn"] for target in targets if target.get("RoleArn")]
    context = (("iam:passedtoservice", "events.amazonaws.com"),)
    return [rule, *(Permission("iam:PassRole", role, context) for role in roles)]


def _logs_permissions(call: ApiCall) -> list[Permission]:
    """The stream. A group is a stream with an empty name, so ``log-group:NAME:*`` covers the group, too."""
    if tagged := call.text("resourceArn"):
        return [call.permission(tagged)]
    group = call.text("logGroupName", "logGroupNamePrefix", "logGroupIdentifier")
    if not group and call.operation != "DescribeLogGroups":
        return [call.permission("*")]
    # An identifier may be an ARN.
    name = group.partition(":log-group:")[2].removesuffix(":*") or group
    return [call.permission(call.arn(f"log-group:{name}:log-stream:{call.text('logStreamName')}"))]


def _s3_permissions(call: ApiCall) -> list[Permission]:
    """The bucket or the object. Many actions of S3 have other names than their operations."""
    arn = f"arn:{Arn.of(call.caller.principal).partition}:s3:::"
    bucket, key = call.text("Bucket"), call.text("Key")
    action = _S3_ACTIONS.get(call.operation, call.operation)
    objects = call.parameters.get("Objects") or [(key, call.text("VersionId"))]
    permissions = [
        call.permission(
            f"{arn}{bucket}/{key}" if key else f"{arn}{bucket}" if bucket else "*",
            _OF_VERSIONS.sub(r"\1Version\2", action) if version else action,
        )
        for key, version in objects
    ]
    if source := call.text("CopySource"):
        action = "GetObjectVersion" if call.text("CopyVersionId") else "GetObject"
        permissions.append(call.permission(f"{arn}{source}", action))
    return permissions


def _cloudformation_permissions(call: ApiCall) -> list[Permission]:
    """The stack. Its ARN ends with an id, and a change set is a part of its stack."""
    name = call.text("StackName") or call.text("ChangeSetName")
    if not name or call.operation in {"ListStacks", "ValidateTemplate", "ListExports"}:
        return [call.permission("*")]
    return [call.permission(call.arn(name if name.startswith("arn:") else f"stack/{name}/*"))]


def _iam_permissions(call: ApiCall) -> list[Permission]:
    """The role, user, group or policy."""

    def named(kind: str, name: str) -> str:
        arn = call.find_arn(Arn.of(call.caller.principal).partition, call.caller.account, kind, name)
        return arn or call.arn(f"{kind}{call.text('Path') or '/'}{name}")

    policy, resource = call.text("PolicyArn"), "*"
    order = {"GroupName": "group", **_IAM_NAMES} if call.operation in _OF_MEMBERS else _IAM_NAMES
    names = [(kind, call.text(parameter)) for parameter, kind in order.items() if call.text(parameter)]
    if names:
        resource = named(*names[0])
    elif policy:
        resource = policy
    elif call.operation in _LISTS:
        resource = call.arn(_LISTS[call.operation] + (call.text("PathPrefix") or "/"))
    elif call.caller.user and _OF_ONESELF.fullmatch(call.operation):
        resource = named("user", call.caller.user)
    if _SETS_BOUNDARY.fullmatch(call.operation):
        boundary = call.text("PermissionsBoundary")
    else:
        boundary = (_HAS_BOUNDARY.fullmatch(call.operation) and call.boundary_of(resource)) or ""
    context = {"iam:policyarn": policy, "iam:permissionsboundary": boundary}
    values = tuple((key, value) for key, value in context.items() if value)
    return [Permission(f"iam:{call.operation}", resource, values)]


def _sts_permissions(call: ApiCall) -> list[Permission]:
    """The role. Everybody may get their own identity and a session of their own."""
    if call.operation in {"GetCallerIdentity", "GetSessionToken"}:
        return []
    return [call.permission(call.text("RoleArn") or "*")]


_SERVICES: Final[Mapping[str, Callable[[ApiCall], list[Permission]]]] = {
    "cloudformation": _cloudformation_permissions,
    "cloudwatch": _cloudwatch_permissions,
    "dynamodb": _dynamodb_permissions,
    "events": _events_permissions,
    "iam": _iam_permissions,
    "lambda": _lambda_permissions,
    "logs": _logs_permissions,
    "s3": _s3_permissions,
    "sns": _sns_permissions,
    "sqs": _sqs_permissions,
    "states": _states_permissions,
    "sts": _sts_permissions,
}
