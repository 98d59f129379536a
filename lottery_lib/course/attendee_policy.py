"""Write the policy that an attendee needs in a real account: the kit's calls, on this attendee's things.

Names are written out, never as ``Lottery-*-alice``: that would be ``x-alice``'s, too, and without an
attendee ``Lottery-*`` would be everybody's.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lottery_lib.errors import LotteryError
from lottery_lib.names import Names

__all__ = ["LIMIT", "Place", "policy"]

#: How many characters a managed policy may have, white space not counted (a user's inline ones: 2,048).
LIMIT: Final = 6144
Document = dict[str, Any]

# Only what the kit or a lesson calls; a test compares. Besides, what creating asks for: to pass a role on, to
# tag. And lambda:ListTags, without which GetFunction tells no tags.
_ROLES: Final = (
    *("CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "GetRole", "GetRolePolicy"),
    *("ListAttachedRolePolicies", "ListRolePolicies", "PutRolePolicy", "TagRole", "UpdateAssumeRolePolicy"),
)
_FUNCTIONS: Final = (
    *("CreateFunction", "DeleteFunction", "DeleteFunctionConcurrency", "GetFunction", "ListTags"),
    *("TagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration"),
)
_GROUPS: Final = ("CreateLogGroup", "DeleteLogGroup", "ListTagsForResource", "TagResource")
_TOPIC: Final = (
    *("CreateTopic", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic"),
    *("ListTagsForResource", "SetTopicAttributes", "Subscribe", "TagResource"),
)
_TABLES: Final = (
    *("BatchWriteItem", "CreateTable", "DeleteTable", "DescribeTable", "ListTagsOfResource"),
    *("Scan", "TagResource", "UpdateTable"),
)
_MACHINE: Final = (
    *("CreateStateMachine", "DeleteStateMachine", "DescribeStateMachine", "ListExecutions"),
    *("ListTagsForResource", "StartExecution", "TagResource", "UpdateStateMachine"),
)
_EXECUTIONS: Final = (
    *("DescribeExecution", "DescribeStateMachineForExecution", "GetExecutionHistory", "StopExecution"),
)
# AWS knows no resources of these. DescribeLogGroups is asked for on all groups, whatever prefix is given.
_WITHOUT_RESOURCE: Final = ("logs:DescribeLogGroups", "sns:Unsubscribe")
#: What one edition asks for and the other does not, by statement.
_MORE: Final[Mapping[str, Mapping[str, Sequence[str]]]] = {
    "tutorial": {
        "Functions": ("GetFunctionConfiguration", "InvokeFunction", "PutFunctionConcurrency"),
        "Topic": ("Publish",),
        "Tables": ("DeleteItem", "GetItem", "PutItem", "Query"),
        "Lists": ("dynamodb:ListTables", "lambda:ListFunctions", "states:ListStateMachines"),
    },
    "hardened": {"Tables": ("BatchGetItem",)},
}


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
    """Write the policy for the edition of the names; who works with both editions needs both policies.

    It does not keep an attendee who means harm from anything: who may write a role's policies and pass the
    role on can let a function do all that the account can.

    Args:
        place: Where the attendee works.
        names: The attendee's names.
        managed: The paths of the managed policies that the kit attaches to the roles of this edition.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    attached = sorted(place.managed(path) for path in managed)
    statements = [
        *_roles(place, names),
        *(_attaching(place, names, attached) if attached else []),
        *_compute(place, names),
        *_data(place, names),
        *_machine(place, names),
        _beside(place, names),
        _allow("Lists", [*_WITHOUT_RESOURCE, *_more(names, "Lists")], ["*"]),
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(
    sid: str, actions: Iterable[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> Document:
    statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return statement | ({"Condition": condition} if condition else {})


def _of(service: str, operations: Iterable[str]) -> list[str]:
    return [f"{service}:{operation}" for operation in operations]


def _more(names: Names, sid: str) -> Sequence[str]:
    return _MORE[names.edition].get(sid, ())


def _both(place: Place, names: Names) -> list[str]:
    return [place.arn("iam", f"role/{name}") for name in (names.lambda_role, names.machine_role)]


def _roles(place: Place, names: Names) -> list[Document]:
    # One statement for both roles and services: which service a role is for is in its trust policy, and that
    # is the attendee's to write. The services' names are the same in every partition.
    services = [f"{service}.amazonaws.com" for service in ("lambda", "states")]
    condition = {"StringEquals": {"iam:PassedToService": services}}
    both = _both(place, names)
    return [_allow("Roles", _of("iam", _ROLES), both), _allow("Pass", ["iam:PassRole"], both, condition)]


def _attaching(place: Place, names: Names, attached: list[str]) -> list[Document]:
    only_these = {"ArnEquals": {"iam:PolicyARN": attached}}
    return [
        _allow("Attach", ["iam:AttachRolePolicy"], _both(place, names), only_these),
        # What they say is public.
        _allow("Read", _of("iam", ("GetPolicy", "GetPolicyVersion")), [place.managed("*")]),
    ]


def _compute(place: Place, names: Names) -> list[Document]:
    functions = [place.arn("lambda", f"function:{name}") for name in names.functions.values()]
    groups = [place.arn("logs", f"log-group:{names.log_group(name)}") for name in names.functions.values()]
    # Tags are asked for on the group itself, the rest on the group with something after its name.
    either = [arn + end for arn in groups for end in ("", ":*")]
    return [
        _allow("Functions", _of("lambda", [*_FUNCTIONS, *_more(names, "Functions")]), functions),
        _allow("LogGroups", _of("logs", _GROUPS), either),
    ]


def _data(place: Place, names: Names) -> list[Document]:
    own = {
        "tutorial": [f"{names.employee_table}/index/{names.serial_index}"],
        "hardened": [names.pool_table, names.draws_table],
    }
    tables = [names.employee_table, names.winners_table, *own[names.edition]]
    arns = [place.arn("dynamodb", f"table/{table}") for table in tables]
    return [
        _allow("Topic", _of("sns", [*_TOPIC, *_more(names, "Topic")]), [place.arn("sns", names.topic)]),
        _allow("Tables", _of("dynamodb", [*_TABLES, *_more(names, "Tables")]), arns),
    ]


def _machine(place: Place, names: Names) -> list[Document]:
    executions = place.arn("states", f"execution:{names.machine}:*")
    return [
        _allow("Machine", _of("states", _MACHINE), [place.arn("states", f"stateMachine:{names.machine}")]),
        _allow("Executions", _of("states", _EXECUTIONS), [executions]),
    ]


def _beside(place: Place, names: Names) -> Document:
    """What is asked of the other edition: whether its machine stands; and a roster is put into its pool."""
    actions = _of("states", ("DescribeStateMachine", "ListTagsForResource"))
    arns = [place.arn("states", f"stateMachine:{names.other.machine}")]
    if names.edition == "tutorial":
        actions += _of("dynamodb", ("BatchWriteItem", "DescribeTable", "ListTagsOfResource"))
        arns += [place.arn("dynamodb", f"table/{names.pool_table}")]
    return _allow("Beside", actions, arns)
