"""Write what an administrator gives an attendee in a real account: a policy, and a permissions boundary.

The policy allows the kit's calls on the attendee's resources. Nobody can limit what an attendee writes into a
role's policies, or who may assume a role. So the policy allows roles only within the boundary: whatever its
policies say, a role can do no more than use the lottery's own data, functions, logs and topic.

Each name is written in full, never as a pattern. ``Lottery-*-alice`` would also match the names of the
attendee ``x-alice``. Without an attendee, ``Lottery-*`` would match the names of all attendees.
"""

import itertools
from collections.abc import Iterable
from typing import Any, Final

from lottery_lib import plan
from lottery_lib.names import EDITIONS
from lottery_lib.resources.base import Removable
from lottery_lib.resources.iam_role import Policy, Role
from lottery_lib.resources.lesson_resources import LESSONS_CALL
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target

#: The characters that a managed policy may have, without white space (a user's inline policies: 2,048).
LIMIT: Final = 6144


def policy(target: Target) -> Policy:
    """Write the policy for the target's edition. For work with both editions, both policies are needed.

    It allows an attendee to create a role, and to give it rights, only within the attendee's `boundary`.

    Args:
        target: Where the attendee works, and under which names.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    *own, account_wide = _on_resources([each for each, _ in plan.resources(target)], target.names.base)
    roles = next(each for each in own if each["Sid"] == _sid(Role.kind))
    others = [*_on_roles(target, roles["Resource"]), _beside(target), account_wide]
    return {"Version": "2012-10-17", "Statement": [*own, *others]}


def policy_by_hand(target: Target) -> Policy:
    """Write the policy for what lessons make by hand, beside the policy for the tutorial's edition.

    Args:
        target: Where the attendee works, and under which names.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    made = [each for each, _ in plan.made_by_hand(target.named(target.names.in_edition("tutorial")))]
    return {"Version": "2012-10-17", "Statement": _on_resources(made, LESSONS_CALL)}


def boundary(target: Target, *, by_hand: bool = False) -> Policy:
    """Write the permissions boundary of an attendee's roles, the same for both editions.

    An administrator creates it as a managed policy with the name `Names.boundary`. It gives no rights.

    Args:
        target: Where the attendee works, and under which names.
        by_hand: Whether the lessons that make something by hand can give a role what they need. AWS wants the
            rights to deliver logs on all resources, so this boundary is wider.

    Returns:
        A policy document of at most `LIMIT` characters.
    """
    statements = dict[str, Policy]()
    planned = [plan.resources(target.named(target.names.in_edition(edition))) for edition in EDITIONS]
    for resource, _ in itertools.chain(*planned, plan.made_by_hand(target) if by_hand else []):
        if resource.role_actions:
            new = _allow(_sid(resource.kind), _actions(resource, resource.role_actions), [])
            arns = statements.setdefault(resource.kind, new)["Resource"]
            arns += [arn for arn in resource.role_arns if arn not in arns]
    return {"Version": "2012-10-17", "Statement": list(statements.values())}


def _on_resources(resources: Iterable[Removable[Any]], key: str) -> list[Policy]:
    """Allow the calls on resources: a statement for each kind, and one for what AWS checks on the account.

    Args:
        resources: Which.
        key: Which of their `lesson_actions`.
    """
    account_wide = list[str]()
    statements = dict[str, Policy]()  # by kind
    for resource in resources:
        if resource.kind not in statements:
            operations = (*resource.actions, *resource.lesson_actions.get(key, ()))
            own = [each for each in operations if each not in resource.account_actions]
            statements[resource.kind] = _allow(_sid(resource.kind), _actions(resource, own), [])
            account_wide += _actions(resource, set(operations) - set(own))
        statements[resource.kind]["Resource"] += resource.policy_arns
    return [*statements.values(), _allow("Any", sorted(account_wide), ["*"])]


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


def _actions(resource: Removable[Any], operations: Iterable[str]) -> list[str]:
    service = resource.arn.split(":")[2]
    return [f"{service}:{operation}" for operation in operations]


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
