"""Write the policy that an attendee needs in a real account: the kit's calls, on this attendee's things.

Names are written out, never as ``Lottery-*-alice``: that would be ``x-alice``'s, too, and without an
attendee ``Lottery-*`` would be everybody's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lottery_lib.errors import LotteryError
from lottery_lib.naming import Names

__all__ = ["LIMIT", "Place", "policy"]

#: How many characters a managed policy may have, white space not counted (a user's inline ones: 2,048).
LIMIT: Final = 6144
Document = dict[str, Any]

# Only what the kit or a lesson calls; a test compares. Besides, what creating asks for: to pass a role on, to
# tag. And lambda:ListTags, without which GetFunction tells no tags.
_ROLES: Final = (
    *("CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "GetRole"),
    *("ListAttachedRolePolicies", "ListRolePolicies", "TagRole", "UpdateAssumeRolePolicy"),
)
_FUNCTIONS: Final = (
    *("CreateFunction", "DeleteFunction", "DeleteFunctionConcurrency", "GetFunction"),
    *("GetFunctionConfiguration", "InvokeFunction", "ListTags", "PutFunctionConcurrency"),
    *("TagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration"),
)
_TOPIC: Final = (
    *("CreateTopic", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic"),
    *("ListTagsForResource", "Publish", "SetTopicAttributes", "Subscribe", "TagResource"),
)
_TABLES: Final = (
    *("BatchWriteItem", "CreateTable", "DeleteItem", "DeleteTable", "DescribeTable", "GetItem"),
    *("ListTagsOfResource", "PutItem", "Query", "Scan", "TagResource", "UpdateTable"),
)
_MACHINE: Final = (
    *("CreateStateMachine", "DeleteStateMachine", "DescribeStateMachine", "ListExecutions"),
    *("ListTagsForResource", "StartExecution", "TagResource", "UpdateStateMachine"),
)
_EXECUTIONS: Final = (
    *("DescribeExecution", "DescribeStateMachineForExecution", "GetExecutionHistory", "StopExecution"),
)
_GROUPS: Final = ("CreateLogGroup", "DeleteLogGroup", "ListTagsForResource", "TagResource")
# AWS knows no resources of these. DescribeLogGroups is asked for on all groups, whatever prefix is given.
_WITHOUT_RESOURCE: Final = (
    *("dynamodb:ListTables", "lambda:ListFunctions", "logs:DescribeLogGroups"),
    *("sns:Unsubscribe", "states:ListStateMachines"),
)


@dataclass(frozen=True)
class Place:
    """Where: a partition such as ``"aws"``, an account of twelve digits, a region such as ``"us-east-1"``.

    Raises:
        LotteryError: The account is none.
    """

    partition: str
    account: str
    region: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[0-9]{12}", self.account):
            raise LotteryError("account", f"{self.account!r} is no account", "Give its twelve digits")

    def arn(self, service: str, resource: str) -> str:
        """Write an ARN; IAM's have no region."""
        region = "" if service == "iam" else self.region
        return f"arn:{self.partition}:{service}:{region}:{self.account}:{resource}"

    def managed(self, path: str) -> str:
        """Write the ARN of a managed policy of AWS's own."""
        return f"arn:{self.partition}:iam::aws:policy/{path}"


def policy(place: Place, names: Names, managed: Iterable[str]) -> Document:
    """Write the policy.

    It does not keep an attendee who means harm from anything: who may write a role's policies and pass the
    role on can let a function do all that the account can.

    Args:
        place: Where the attendee works.
        names: The attendee's names.
        managed: The paths of the managed policies that the kit attaches to its roles.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    attached = sorted(place.managed(path) for path in managed)
    statements = [
        *_roles(place, names, attached),
        *_passing(place, names),
        *_compute(place, names),
        *_data(place, names),
        *_machine(place, names),
        _allow("Lists", _WITHOUT_RESOURCE, ["*"]),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(
    sid: str, actions: Iterable[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> Document:
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _of(service: str, operations: Iterable[str]) -> list[str]:
    return [f"{service}:{operation}" for operation in operations]


def _roles(place: Place, names: Names, attached: list[str]) -> list[Document]:
    both = [place.arn("iam", f"role/{name}") for name in (names.lambda_role, names.machine_role)]
    only_these = {"ArnEquals": {"iam:PolicyARN": attached}}
    return [
        _allow("Roles", _of("iam", _ROLES), both),
        _allow("Attach", ["iam:AttachRolePolicy"], both, only_these),
        _allow("Inline", _of("iam", ("GetRolePolicy", "PutRolePolicy")), both[1:]),
        # What they say is public.
        _allow("Read", _of("iam", ("GetPolicy", "GetPolicyVersion")), [place.managed("*")]),
    ]


def _passing(place: Place, names: Names) -> list[Document]:
    passed = {"Lambda": ("lambda", names.lambda_role), "Machine": ("states", names.machine_role)}
    return [
        _allow(
            f"Pass{whose}",
            ["iam:PassRole"],
            [place.arn("iam", f"role/{role}")],
            # The same in every partition.
            {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}},
        )
        for whose, (service, role) in passed.items()
    ]


def _compute(place: Place, names: Names) -> list[Document]:
    functions = [place.arn("lambda", f"function:{name}") for name in names.functions.values()]
    old = place.arn("lambda", "function:Too-Old")
    groups = [place.arn("logs", f"log-group:{names.log_group(name)}") for name in names.functions.values()]
    # Tags are asked for on the group itself, the rest on the group with something after its name.
    either = [arn + end for arn in groups for end in ("", ":*")]
    return [
        _allow("Functions", _of("lambda", _FUNCTIONS), functions),
        # Lesson 02 makes it in a runtime that is too old: Lambda, not IAM, is to refuse that.
        _allow("Refused", _of("lambda", ("CreateFunction", "TagResource")), [old]),
        _allow("LogGroups", _of("logs", _GROUPS), either),
    ]


def _data(place: Place, names: Names) -> list[Document]:
    employees, winners = (f"table/{name}" for name in (names.employee_table, names.winners_table))
    tables = [employees, f"{employees}/index/{names.serial_index}", winners]
    return [
        _allow("Topic", _of("sns", _TOPIC), [place.arn("sns", names.topic)]),
        _allow("Tables", _of("dynamodb", _TABLES), [place.arn("dynamodb", table) for table in tables]),
    ]


def _machine(place: Place, names: Names) -> list[Document]:
    executions = place.arn("states", f"execution:{names.machine}:*")
    return [
        _allow("Machine", _of("states", _MACHINE), [place.arn("states", f"stateMachine:{names.machine}")]),
        _allow("Executions", _of("states", _EXECUTIONS), [executions]),
    ]
