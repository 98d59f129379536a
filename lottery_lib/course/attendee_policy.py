"""Write the policy that an attendee needs in a real account: the kit's calls on the attendee's resources.

Each name is written in full, never as a pattern. ``Lottery-*-alice`` would also match the names of the
attendee ``x-alice``. Without an attendee, ``Lottery-*`` would match the names of all attendees.
"""

from collections.abc import Mapping
from typing import Final

from lottery_lib import plan
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
    "hardened": {"table": ("BatchGetItem",)},
}
_OF_EXECUTIONS: Final = (
    *("DescribeExecution", "DescribeStateMachineForExecution"),
    *("GetExecutionHistory", "StopExecution"),
)
# AWS checks these without a resource. It checks DescribeLogGroups on all groups, whatever the prefix.
_WITHOUT_RESOURCE: Final = {
    "tutorial": ("dynamodb:ListTables", "lambda:ListFunctions", "states:ListStateMachines"),
    "hardened": (),
}


def policy(target: Target) -> Policy:
    """Write the policy for the target's edition. For work with both editions, both policies are needed.

    This is not a security boundary. An attendee can write a role's policies and give the role to a function.
    Such a function can do everything in the account.

    Args:
        target: Where the attendee works, and under which names.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    names = target.names
    statements, arns, actions = list[Policy](), dict[str, list[str]](), dict[str, list[str]]()
    for resource, _ in plan.resources(target):
        service = resource.arn.split(":")[2]
        operations = (*resource.actions, *_LESSONS[names.edition].get(resource.kind, ()))
        actions[resource.kind] = [f"{service}:{operation}" for operation in operations]
        arns.setdefault(resource.kind, []).extend(resource.policy_arns)
    if names.edition == "tutorial":
        arns["table"].append(f"{plan.employee_table(target).arn}/index/{names.serial_index}")
    for name, of_kind in arns.items():
        statements.append(_allow(name.title().replace(" ", "") + "s", actions[name], of_kind))

    services = [f"{service}.amazonaws.com" for service in ("lambda", "states")]
    passed_to = {"StringEquals": {"iam:PassedToService": services}}
    statements.append(_allow("Pass", ["iam:PassRole"], arns["role"], Condition=passed_to))
    if attached := [plan.lambda_role(target).policy_arn(path) for path in plan.attachable(names.edition)]:
        these = {"ArnEquals": {"iam:PolicyARN": attached}}
        statements.append(_allow("Attach", ["iam:AttachRolePolicy"], arns["role"], Condition=these))
        public = plan.lambda_role(target).policy_arn("*")
        statements.append(_allow("Read", ["iam:GetPolicy", "iam:GetPolicyVersion"], [public]))
    executions = [f"{arn.replace(':stateMachine:', ':execution:')}:*" for arn in arns["state machine"]]
    of_executions = [f"states:{each}" for each in _OF_EXECUTIONS]
    statements.append(_allow("Executions", of_executions, executions))
    statements.append(_beside(target))
    without = ["logs:DescribeLogGroups", "sns:Unsubscribe", *_WITHOUT_RESOURCE[names.edition]]
    statements.append(_allow("Lists", without, ["*"]))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(sid: str, actions: list[str], resources: list[str], **condition: object) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources, **condition}


def _beside(target: Target) -> Policy:
    """The calls on the other edition: check for its machine, and write a roster into its pool."""
    actions = ["states:DescribeStateMachine", "states:ListTagsForResource"]
    arns = [StateMachine(target, target.names.other.machine).arn]
    if target.names.edition == "tutorial":
        actions += [f"dynamodb:{each}" for each in ("BatchWriteItem", "DescribeTable", "ListTagsOfResource")]
        arns.append(target.arn("dynamodb", f"table/{target.names.pool_table}"))
    return _allow("Beside", actions, arns)
