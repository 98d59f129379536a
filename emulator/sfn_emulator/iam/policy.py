"""Decide what identity-based policies, boundaries and trust policies allow, as IAM does.

moto has its own code for this (``moto.iam.access_control``), but it differs from IAM. It reads a pattern as a
regular expression, in which ``?`` and ``.`` mean something else. Upper and lower case in an action are
different for it. It does not compare the resource with a NotResource. If a condition is not met, it denies
the request. The packages on PyPI only check or expand policies, or ask AWS.

This module knows some condition operators and keys. It cannot decide whether a condition with another one is
met. Then the decision is against the caller: an Allow does not count, and a Deny counts. A statement does not
count at all if another condition of it is not met.

See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

Context = Mapping[str, str]
"""The values of condition keys, with lower-case names."""
Statement = Mapping[str, Any]

#: The keys whose values the emulator knows. If a context lacks one of them, AWS has no value either.
KEYS: Final = frozenset((
    "aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:requestedregion",
    "aws:securetransport", "aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:username",
    "cloudwatch:namespace", "iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn",
    "states:statemachinequalifier",
))  # fmt: skip
# IAM refuses a longer document, and AWS has no longer names. So no decision takes long.
_LONGEST_DOCUMENT: Final = 131_072
_LONGEST_NAME: Final = 2_048
_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}")
_TOKEN: Final = re.compile(r"\$\{(?P<name>[^{}]*)\}|(?P<stars>\*+)|(?P<one>\?)|(?P<text>[^*?$]+|\$)")


class Decision(StrEnum):
    """The decision about a request, in the words of IAM's policy simulator."""

    ALLOWED = "allowed"
    IMPLICIT_DENY = "implicitDeny"
    EXPLICIT_DENY = "explicitDeny"


def decide(documents: Sequence[str], action: str, resource: str, context: Context) -> Decision:
    """Decide whether policies allow an action.

    Args:
        documents: All policies of the caller, or the caller's permissions boundary, as JSON.
        action: Such as ``"dynamodb:Scan"``, in upper or lower case.
        resource: The ARN, or ``"*"`` for an action without resources.
        context: The values of condition keys.
    """
    statements = _about(action, documents, context)
    return _decision([it for it in statements if _covers(it, "Resource", resource, context)], context)


def trusts(
    document: str, kind: str, names: Collection[str], context: Context, action: str = "sts:AssumeRole"
) -> bool:
    """Whether a role's trust policy lets somebody assume the role.

    Args:
        document: The trust policy, as JSON.
        kind: ``"Service"`` or ``"AWS"``.
        names: The principals that include them, such as ``"lambda.amazonaws.com"`` or an ARN.
        context: The values of condition keys.
        action: The operation that assumes the role.
    """
    return _grants(_about(action, [document], context), {kind: names}, context)


def lets_in(document: str, service: str, action: str, resource: str, context: Context) -> bool:
    """Whether the policy of a resource lets a service act on the resource.

    Args:
        document: The policy, as JSON.
        service: Such as ``"events"``.
        action: Such as ``"sns:Publish"``.
        resource: The ARN of the resource.
        context: The values of condition keys.
    """
    principals = {"Service": [f"{service}.amazonaws.com"], "AWS": ["*"]}
    statements = _about(action, [document], context)
    covering = [it for it in statements if _covers(it, "Resource", resource, context)]
    return _grants(covering, principals, context)


def _grants(
    statements: Sequence[Statement], principals: Mapping[str, Collection[str]], context: Context
) -> bool:
    """Whether these statements allow what they are about to one of these principals."""

    def is_named(principal: Any) -> bool:
        if isinstance(principal, dict):
            pairs = [(kind, name) for kind in principals for name in _texts(principal.get(kind))]
            return any(name in principals[kind] for kind, name in pairs)
        return bool(principal == "*")

    named = [it for it in statements if is_named(it.get("Principal"))]
    return _decision(named, context) is Decision.ALLOWED


def holds(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool | None:
    """Whether all conditions of a statement are met; None if we cannot decide it."""
    tests = [(operator, *test) for operator, keys in conditions.items() for test in keys.items()]
    answers = {_answer(operator, key.lower(), _texts(wanted), context) for operator, key, wanted in tests}
    if False in answers:
        return False
    return None if None in answers else True


def glob(pattern: str, text: str, context: Context, *, any_case: bool = False) -> bool:
    """Whether a policy's pattern matches a text.

    It may have ``*``, ``?`` and variables such as ``${aws:username}``. If a variable has no value, it
    matches nothing.
    """
    names = _VARIABLE.findall(pattern) if "${" in pattern else []
    values = tuple((name, value) for name in names if (value := _value(name, context)) is not None)
    if len(values) < len(names) or len(text) > _LONGEST_NAME:
        return False
    return _compiled(pattern, any_case, values).fullmatch(text) is not None


def _about(action: str, documents: Sequence[str], context: Context) -> list[Statement]:
    """The statements about an action."""
    statements = [statement for document in documents for statement in _statements(document)]
    return [it for it in statements if _covers(it, "Action", action, context, any_case=True)]


def _decision(statements: Sequence[Statement], context: Context) -> Decision:
    effects = set()
    for statement in statements:
        is_met = holds(statement.get("Condition") or {}, context)
        # If we cannot decide a condition, an Allow does not count, and a Deny does.
        if is_met or (is_met is None and statement["Effect"] == "Deny"):
            effects.add(statement["Effect"])
    if "Deny" in effects:
        return Decision.EXPLICIT_DENY
    return Decision.ALLOWED if effects else Decision.IMPLICIT_DENY


def _covers(
    statement: Statement, element: str, value: str, context: Context, *, any_case: bool = False
) -> bool:
    """Whether a statement's Action or NotAction (Resource or NotResource) covers the value."""
    for name, wanted in ((element, True), (f"Not{element}", False)):
        if name in statement:
            patterns = _texts(statement[name])
            return any(glob(it, value, context, any_case=any_case) for it in patterns) is wanted
    return False


@lru_cache(4096)
def _statements(document: str) -> tuple[Statement, ...]:
    """The valid statements of a document; empty if it is not a policy."""
    if len(document) > _LONGEST_DOCUMENT:
        return ()
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(
        statement
        for statement in (statements if isinstance(statements, list) else [statements])
        if isinstance(statement, dict)
        and statement.get("Effect") in ["Allow", "Deny"]
        and isinstance(conditions := statement.get("Condition") or {}, dict)
        and all(isinstance(keys, dict) for keys in conditions.values())
    )


def _texts(value: Any) -> list[str]:
    """The texts of an element, which is one text or a list of texts."""
    texts = value if isinstance(value, list) else [] if value is None else [value]
    return [str(text).lower() if isinstance(text, bool) else str(text) for text in texts]


def _answer(operator: str, key: str, wanted: list[str], context: Context) -> bool | None:
    base = operator.removesuffix("IfExists")
    positive = base.replace("Not", "", 1)
    if key not in KEYS or (positive not in _TESTS and base != "Null"):
        return None
    value = context.get(key)
    if base == "Null":
        return ("true" if value is None else "false") in [text.lower() for text in wanted]
    negated = positive != base
    if value is None:
        return negated or base != operator
    if any(_value(name, context) is None for text in wanted for name in _VARIABLE.findall(text)):
        return None
    return any(_TESTS[positive](text, value, context) for text in wanted) != negated


def _equals(wanted: str, value: str, context: Context) -> bool:
    return _VARIABLE.sub(lambda match: str(_value(match[1], context)), wanted) == value


def _equals_any_case(wanted: str, value: str, context: Context) -> bool:
    return _equals(wanted.lower(), value.lower(), {name: text.lower() for name, text in context.items()})


def _arn_like(wanted: str, value: str, context: Context) -> bool:
    if "${" in wanted:  # a colon inside a variable is not a separator
        return glob(wanted, value, context)
    patterns, parts = wanted.split(":", 5), value.split(":", 5)
    pairs = zip(patterns, parts, strict=False)
    return len(patterns) == len(parts) == 6 and all(glob(*pair, context) for pair in pairs)


_TESTS: Final[Mapping[str, Callable[[str, str, Context], bool]]] = {
    "StringEquals": _equals,
    "StringEqualsIgnoreCase": _equals_any_case,
    "StringLike": glob,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _equals_any_case,
}


def _value(name: str, context: Context) -> str | None:
    return name if name in {"*", "?", "$"} else context.get(name.lower())


@lru_cache(16384)
def _compiled(pattern: str, any_case: bool, values: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    texts, parts = dict(values), [""]
    for match in _TOKEN.finditer(pattern):
        if match["stars"]:
            parts.append("")
        else:
            parts[-1] += "." if match["one"] else re.escape(match["text"] or texts[match["name"]])
    return in_order(parts, re.IGNORECASE if any_case else re.NOFLAG)


def in_order(parts: Sequence[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """A pattern for texts that have these parts in this order, with anything between them.

    To match it takes linear time.
    """
    first, *middle = parts
    last = [f".*{middle.pop()}"] if middle else []
    # A part may take the first place where it fits. So a part and the star before it are an atomic group. If
    # a later part does not fit, no other place is tried for this one.
    searched = [f"(?>.*?{part})" for part in middle]
    return re.compile("".join([first, *searched, *last]), re.DOTALL | flags)
