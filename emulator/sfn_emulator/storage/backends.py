"""Read users, policies, functions and rules from moto's backends, and write logs there.

Through moto's API, this would be too slow: one call of a function would need a dozen calls of IAM. Nothing is
stored here, so a policy counts as soon as it is attached.
"""

import sys
import traceback
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sfn_emulator.http.authentication import Caller, name_of
from sfn_emulator.http.messages import ACCOUNT, Arn


class EventRule(NamedTuple):
    """A rule of EventBridge. Its pattern is JSON; None if it has a schedule."""

    arn: str
    name: str
    enabled: bool
    pattern: str | None
    targets: Sequence[dict[str, Any]]


def caller_of_key(access_key: str) -> Caller | None:
    """The user or role with this access key of IAM or STS; None if neither of them issued the key."""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    for account in list(iam_backends.values()):
        for partition, backend in list(account.items()):
            if (key := backend.access_keys.get(access_key)) is None:
                continue
            if key.role_arn:
                roles = list(sts_backends[Arn.of(key.role_arn).account][partition].assumed_roles)
                sessions = (str(role.session_name) for role in roles if role.access_key_id == access_key)
                return Caller(key.role_arn, next(sessions, "unknown"))
            user = _named(backend.users.values(), key.user_name)
            return Caller(user.arn) if user else None
    return None


def documents_of(caller: Caller) -> tuple[str, ...]:
    """The caller's inline and attached policies, and those of a user's groups. Empty if it was deleted."""
    if (identity := _identity(caller)) is None:
        return ()
    groups = list(_backend(caller.principal).groups.values()) if caller.user else []
    identities = [identity, *(group for group in groups if identity in group.users)]
    inline = [document for it in identities for document in list(it.policies.values())]
    attached = [policy for it in identities for policy in list(it.managed_policies.values())]
    return (*inline, *_default_versions(attached))


def boundary_of(role_arn: str) -> str | None:
    """The ARN of a role's permissions boundary; None if it has none. moto stores none for users."""
    role = _identity(Caller(role_arn, "any"))
    return (role.permissions_boundary_arn or None) if role else None


def boundary_documents_of(caller: Caller) -> tuple[str, ...] | None:
    """The caller's permissions boundary; None if there is none. Empty if its policy was deleted."""
    arn = boundary_of(caller.principal) if caller.session else None
    if arn is None:
        return None
    policy = _backend(caller.principal).managed_policies.get(arn)
    return _default_versions([policy] if policy else [])


def trust_of(role_arn: str) -> str | None:
    """A role's trust policy; None if there is no such role."""
    try:
        role = _identity(Caller(role_arn, "any"))
    except KeyError:  # there is no such partition
        return None
    return str(role.assume_role_policy_document) if role else None


def find_arn(partition: str, account: str, kind: str, name: str) -> str | None:
    """The ARN, with its path, of a ``"role"``, ``"user"`` or ``"group"``; None if there is none."""
    backend = _backend(str(Arn(partition, "iam", "", account, "")))
    identities = {"role": backend.roles, "user": backend.users, "group": backend.groups}
    identity = _named(identities.get(kind, {}).values(), name)
    return str(identity.arn) if identity else None


def rules_of(region: str, bus: str) -> list[EventRule]:
    """The rules of an event bus. Before the first call of EventBridge, there are none."""
    # While the module is imported, it may lack this name. Other services of moto import it, too.
    backends = getattr(sys.modules.get("moto.events.models"), "events_backends", {})
    if (account := backends.get(ACCOUNT)) is None:
        return []
    found = account[region].event_buses.get(bus)
    return [
        EventRule(rule.arn, rule.name, rule.state == "ENABLED", rule.event_pattern.dump(), [*rule.targets])
        for rule in (list(found.rules.values()) if found else [])
    ]


def change_function(region: str, name: str) -> str:
    """Store that a function was changed now, which moto forgets; returns the time as moto writes it."""
    from moto.awslambda_simple.models import lambda_simple_backends

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    lambda_simple_backends[ACCOUNT][region].get_function(name).last_modified = now
    return now


def put_log_events(
    region: str, group: str, stream: str, events: list[dict[str, Any]], *, new_stream: bool
) -> bool:
    """Write to a log stream, which is made if it is new. False if there is no such group or stream."""
    from moto.logs.models import logs_backends

    try:
        backend = logs_backends[ACCOUNT][region]
        if (found := backend.groups.get(group)) is None or not (new_stream or stream in found.streams):
            return False
        backend.ensure_log_stream(group, stream)
        backend.put_log_events(group, stream, events)
    except Exception:  # such as those of a subscription filter; the other logs are written
        traceback.print_exc()
    return True


def codes() -> set[str]:
    """The CodeSha256 of every version of every function."""
    from moto.awslambda_simple.models import lambda_simple_backends

    return {
        version.code_sha_256
        for account in list(lambda_simple_backends.values())
        for backend in list(account.values())
        for function in list(backend._lambdas._functions.values())
        for version in [function["latest"], *function["versions"]]
        if version is not None
    }


def _identity(caller: Caller) -> Any:
    """The object of a user or role in moto; None if there is none. Its whole ARN must be the same."""
    backend = _backend(caller.principal)
    identities = backend.roles if caller.session else backend.users
    identity = _named(identities.values(), name_of(caller.principal))
    return identity if identity and identity.arn == caller.principal else None


def _default_versions(policies: Iterable[Any]) -> tuple[str, ...]:
    versions = [(version, policy) for policy in policies for version in list(policy.versions)]
    return tuple(it.document for it, policy in versions if it.version_id == policy.default_version_id)


def _named(identities: Iterable[Any], name: str) -> Any:
    return next((identity for identity in list(identities) if identity.name == name), None)


def _backend(arn: str) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[Arn.of(arn).account][Arn.of(arn).partition]
