"""Decide what identity-based policies and trust policies allow, as IAM does; pure.

moto has an evaluator (``moto.iam.access_control``), and it cannot be used: to it a pattern is a regular
expression, in which ``?`` and ``.`` mean something else; actions must be spelled in the policy's own case; a
statement with NotResource allows (or is passed over) whatever the resource; a condition that does not hold
denies. What PyPI has lints and expands policies, or asks AWS.
"""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from lottery_lib.emulator.iam.conditions import Context, glob, holds, texts

__all__ = ["Decision", "decide", "trusts"]

_ASSUME: Final = "sts:AssumeRole"
Statement = Mapping[str, Any]


class Decision(StrEnum):
    """What policies say to a request, in the words of IAM's policy simulator."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


def decide(documents: Sequence[str], action: str, resource: str, context: Context) -> Decision:
    """What a caller's policies say.

    Args:
        documents: All of them, as JSON.
        action: Such as ``"dynamodb:Scan"``; its case does not matter.
        resource: The ARN, or ``"*"`` where an action knows no resources.
        context: The values of condition keys.
    """
    return _decision(
        [
            statement
            for document in documents
            for statement in _statements(document)
            if _names(statement, "Action", action, context, any_case=True)
            and _names(statement, "Resource", resource, context)
        ],
        context,
    )


def trusts(document: str, service: str, context: Context) -> bool:
    """Whether a role's trust policy lets a service, such as ``"lambda.amazonaws.com"``, assume the role."""
    concerned = [
        statement
        for statement in _statements(document)
        if _names(statement, "Action", _ASSUME, context, any_case=True) and _is_principal(statement, service)
    ]
    return _decision(concerned, context) is Decision.ALLOWED


def _decision(concerned: Sequence[Statement], context: Context) -> Decision:
    effects = {each["Effect"] for each in concerned if _applies(each, context)}
    if "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if "Allow" in effects else Decision.IMPLICIT_DENY


def _applies(statement: Statement, context: Context) -> bool:
    held = holds(statement.get("Condition") or {}, context)
    # What cannot be decided is decided against the caller: it neither allows nor keeps from denying.
    return statement["Effect"] == "Deny" if held is None else held


def _names(
    statement: Statement, element: str, value: str, context: Context, *, any_case: bool = False
) -> bool:
    """Whether a statement's Action or NotAction (Resource or NotResource) means the value."""
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in statement:
            patterns = texts(statement[name])
            return any(glob(each, value, context, any_case=any_case) for each in patterns) is wanted
    return False


def _is_principal(statement: Statement, service: str) -> bool:
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return service in texts(principal.get("Service"))
    return principal == "*"


@lru_cache(4096)
def _statements(document: str) -> tuple[Statement, ...]:
    """The statements of a document; of what is no policy, none."""
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    each = statements if isinstance(statements, list) else [statements]
    return tuple(it for it in each if _is_statement(it))


def _is_statement(it: Any) -> bool:
    if not isinstance(it, dict) or it.get("Effect") not in ["Allow", "Deny"]:
        return False
    conditions = it.get("Condition") or {}
    return isinstance(conditions, dict) and all(isinstance(keys, dict) for keys in conditions.values())
