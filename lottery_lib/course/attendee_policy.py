"""Write what an administrator gives an attendee in a real account: a policy, and a permissions boundary.

The policy allows the kit's calls on the attendee's resources. Nobody can limit what an attendee writes into a
role's policies, or who may assume a role. So the policy allows roles only within the boundary: whatever its
policies say, a role can do no more than use the lottery's own data, functions, logs and topic.

Each name is written in full, never as a pattern. ``Lottery-*-alice`` would also match the names of the
attendee ``x-alice``. Without an attendee, ``Lottery-*`` would match the names of all attendees.
"""

from collections.abc import Mapping
from typing import Final

from lottery_lib import plan
from lottery_lib.names import EDITIONS
from lottery_lib.resources.iam_role import Policy
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target

#: The characters that a managed policy may have, without white space (a user's inline policies: 2,048).
LIMIT: Final = 6144
#: What the lessons of an edition call in addition to the kind's own calls, by the kind of resource.
_LESSONS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "tutorial": {
        "function": ("GetFunctionConfiguration", "InvokeFunction", "PutFunctionConcurrency"),
        "topic": ("Publish",),
        "table": ("DeleteItem", "GetItem", "PutItem", "Query"),
    },
    "hardened": {"table": ("BatchGetItem", "DeleteItem", "UpdateItem")},
}
#: What a role may do at most, by the kind of resource.
_OF_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "function": ("InvokeFunction",),
    "log group": ("CreateLogGroup", "CreateLogStream", "PutLogEvents"),
    "topic": ("Publish",),
    "table": (
        *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "DescribeTable", "GetItem"),
        *("PutItem", "Query", "Scan", "UpdateItem"),
    ),
}
#: What in a resource has an ARN of its own: versions, log streams, indexes.
_INSIDE: Final = {"function": ":*", "log group": ":*", "table": "/index/*"}
_OF_EXECUTIONS: Final = (
    *("DescribeExecution", "DescribeStateMachineForExecution"),
    *("GetExecutionHistory", "StopExecution"),
)
# AWS checks these without a resource. It checks DescribeLogGroups on all groups, whatever the prefix.
_WITHOUT_RESOURCE: Final = {
    "tutorial": (
        *("dynamodb:ListTables", "lambda:ListFunctions", "states:ListStateMachines"),
        "states:SendTask*",  # ...Success, ...Failure and ...Heartbeat: the three names would exceed the limit
    ),
    "hardened": ("states:SendTaskSuccess",),
}


def policy(target: Target) -> Policy:
    """Write the policy for the target's edition. For work with both editions, both policies are needed.

    It allows an attendee to create a role, and to give it rights, only within the attendee's `boundary`.

    Args:
        target: Where the attendee works, and under which names.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    names = target.names
    statements, arns, actions = list[Policy](), dict[str, list[str]](), dict[str, list[str]]()
    for resource, _ in plan.resources(target):
        service = resource.arn.split(":")[2]
        operations = (*resource.actions, *_LESSONS[names.base].get(resource.kind, ()))
        actions[resource.kind] = [f"{service}:{operation}" for operation in operations]
        arns.setdefault(resource.kind, []).extend(resource.policy_arns)
    if names.base == "tutorial":
        arns["table"].append(f"{plan.employee_table(target).arn}/index/{names.serial_index}")
    for name, of_kind in arns.items():
        statements.append(_allow(_sid(name), actions[name], of_kind))
    statements += _on_roles(target, arns["role"])
    executions = [f"{arn.replace(':stateMachine:', ':execution:')}:*" for arn in arns["state machine"]]
    of_executions = [f"states:{each}" for each in _OF_EXECUTIONS]
    statements.append(_allow("Executions", of_executions, executions))
    statements.append(_beside(target))
    without = ["logs:DescribeLogGroups", "sns:Unsubscribe", "states:TestState"]
    statements.append(_allow("Any", [*without, *_WITHOUT_RESOURCE[names.base]], ["*"]))
    return {"Version": "2012-10-17", "Statement": statements}


def boundary(target: Target) -> Policy:
    """Write the permissions boundary of an attendee's roles, the same for both editions.

    An administrator creates it as a managed policy with the name `Names.boundary`. It gives no rights.

    Args:
        target: Where the attendee works, and under which names.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    statements = dict[str, Policy]()
    for edition in EDITIONS:
        for resource, _ in plan.resources(target.named(target.names.in_edition(edition))):
            if operations := _OF_ROLES.get(resource.kind):
                service = resource.arn.split(":")[2]
                actions = [f"{service}:{operation}" for operation in operations]
                statement = statements.setdefault(resource.kind, _allow(_sid(resource.kind), actions, []))
                inside = _INSIDE.get(resource.kind)
                these = [resource.arn, *([resource.arn + inside] if inside else [])]
                statement["Resource"] += [arn for arn in these if arn not in statement["Resource"]]
    return {"Version": "2012-10-17", "Statement": list(statements.values())}


def _on_roles(target: Target, arns: list[str]) -> list[Policy]:
    """Allow an attendee to create roles and give them rights, within the boundary, and to pass them on."""
    services = [f"{service}.amazonaws.com" for service in ("lambda", "states")]
    passed_to = {"StringEquals": {"iam:PassedToService": services}}
    role = plan.lambda_role(target)
    within: dict[str, object] = {"StringEquals": {"iam:PermissionsBoundary": role.boundary_arn}}
    bounded, read, readable = [*role.bounded_actions], ["GetPolicy"], [role.boundary_arn]
    if attached := plan.attachable(target.names.base):
        bounded.append("AttachRolePolicy")  # no other action of these has the key iam:PolicyARN
        within["ArnLikeIfExists"] = {"iam:PolicyARN": [role.policy_arn(path) for path in attached]}
        read.append("GetPolicyVersion")
        readable.append(role.policy_arn("*"))
    return [
        _allow("Pass", ["iam:PassRole"], arns, Condition=passed_to),
        _allow("Bounded", [f"iam:{each}" for each in bounded], arns, Condition=within),
        _allow("Read", [f"iam:{each}" for each in read], readable),
    ]


def _sid(kind: str) -> str:
    return kind.title().replace(" ", "") + "s"


def _allow(sid: str, actions: list[str], resources: list[str], **condition: object) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **condition}


def _beside(target: Target) -> Policy:
    """The calls on the other edition: check for its machine, and write a roster into its pool."""
    actions = ["states:DescribeStateMachine", "states:ListTagsForResource"]
    arns = [StateMachine(target, target.names.other.machine).arn]
    if target.names.base == "tutorial":
        actions += [f"dynamodb:{each}" for each in ("BatchWriteItem", "DescribeTable", "ListTagsOfResource")]
        arns.append(target.arn("dynamodb", f"table/{target.names.pool_table}"))
    return _allow("Beside", actions, arns)
