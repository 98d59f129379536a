"""Say which resources the requests of each service are about; pure.

As in AWS's Service Authorization Reference: an action that knows no resources needs ``*``.
"""

import re
from typing import Final

from lottery_lib.emulator.iam.asked import Asked, Need
from lottery_lib.emulator.lambda_.function import name_of

__all__ = ["iam_needs", "lambda_needs", "logs_needs", "sns_needs", "states_needs", "sts_needs"]

_STATES_ARNS: Final = (
    "stateMachineArn", "executionArn", "activityArn", "resourceArn", "stateMachineVersionArn",
    "stateMachineAliasArn", "mapRunArn",
)  # fmt: skip
_IAM_NAMES: Final = {
    "RoleName": "role",
    "UserName": "user",
    "GroupName": "group",
    "InstanceProfileName": "instance-profile",
}
_IAM_LISTS: Final = {
    "ListRoles": "role",
    "ListUsers": "user",
    "ListGroups": "group",
    "ListPolicies": "policy",
}
# Without a UserName these are about the user who calls.
_OF_ONESELF: Final = re.compile(
    r"(Create|Delete|Update|List)AccessKeys?|GetUser|ChangePassword|ListMFADevices"
)


def lambda_needs(asked: Asked) -> list[Need]:
    """InvokeFunction and all others, of a function, perhaps of one version."""
    action = (
        "InvokeFunction" if asked.operation in {"Invoke", "InvokeAsync", "InvokeWithResponseStream"} else ""
    )
    if tagged := asked.text("Resource"):
        return [asked.need(tagged)]
    if not (name := name_of(asked.text("FunctionName"))):
        return [asked.need("*")]
    qualifier = asked.text("Qualifier")
    return [asked.need(asked.arn(f"function:{name}") + (f":{qualifier}" if qualifier else ""), action)]


def states_needs(asked: Asked) -> list[Need]:
    """Of the machine, execution or activity that is named."""
    if asked.operation == "CreateStateMachine":
        return [asked.need(asked.arn(f"stateMachine:{asked.text('name')}"))]
    if asked.operation == "CreateActivity":
        return [asked.need(asked.arn(f"activity:{asked.text('name')}"))]
    return [asked.need(asked.text(*_STATES_ARNS) or "*")]


def sns_needs(asked: Asked) -> list[Need]:
    """Of the topic; a batch is published by the right to publish."""
    if asked.operation == "CreateTopic":
        return [asked.need(asked.arn(asked.text("Name")))]
    operation = "Publish" if asked.operation == "PublishBatch" else asked.operation
    return [asked.need(asked.text("TopicArn", "TargetArn", "ResourceArn") or "*", operation)]


def logs_needs(asked: Asked) -> list[Need]:
    """Of the stream; of the group, it is the stream without a name, so ``log-group:NAME:*`` means it, too."""
    if tagged := asked.text("resourceArn"):
        return [asked.need(tagged)]
    group = asked.text("logGroupName", "logGroupNamePrefix", "logGroupIdentifier")
    if not group and asked.operation != "DescribeLogGroups":
        return [asked.need("*")]
    # An identifier may be an ARN.
    name = group.partition(":log-group:")[2].removesuffix(":*") or group
    return [asked.need(asked.arn(f"log-group:{name}:log-stream:{asked.text('logStreamName')}"))]


def iam_needs(asked: Asked) -> list[Need]:
    """Of the role, user, group or policy."""
    policy = asked.text("PolicyArn")
    context = (("iam:policyarn", policy),) if policy else ()
    return [Need(f"iam:{asked.operation}", _iam_resource(asked), context)]


def _iam_resource(asked: Asked) -> str:
    for parameter, kind in _IAM_NAMES.items():
        if name := asked.text(parameter):
            return _named(asked, kind, name)
    if policy := asked.text("PolicyArn"):
        return policy
    if asked.operation == "CreatePolicy":
        return _named(asked, "policy", asked.text("PolicyName"))
    if asked.operation in _IAM_LISTS:
        return asked.arn(_IAM_LISTS[asked.operation] + (asked.text("PathPrefix") or "/"))
    if asked.user and _OF_ONESELF.fullmatch(asked.operation):
        return _named(asked, "user", asked.user)
    return "*"


def _named(asked: Asked, kind: str, name: str) -> str:
    return asked.find(kind, name) or asked.arn(f"{kind}{asked.text('Path') or '/'}{name}")


def sts_needs(asked: Asked) -> list[Need]:
    """Of the role; who one is may be asked always, and a session be had of oneself."""
    if asked.operation in {"GetCallerIdentity", "GetSessionToken"}:
        return []
    return [asked.need(asked.text("RoleArn") or "*")]
