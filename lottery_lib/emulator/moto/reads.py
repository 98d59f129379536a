"""Read moto's users, roles and policies, as they are at this moment.

They are read where moto keeps them, not by its wire: a call of a function would take a dozen calls of IAM's.
So nothing has to be remembered, and what is attached or detached counts at once, as IAM says it should.
"""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from lottery_lib.emulator.iam.callers import Caller, name_of

__all__ = ["caller_of_key", "documents_of", "find_arn", "trust_of"]


def caller_of_key(access_key: str) -> Caller | None:
    """Who got this access key from IAM or STS; None when neither gave it to anybody."""
    for partition, backend in _backends():
        if key := backend.access_keys.get(access_key):
            if key.role_arn:
                return Caller(key.role_arn, _session_of(access_key, key.role_arn, partition))
            with contextlib.suppress(LookupError):
                return Caller(_one(backend.users.values(), key.user_name).arn)
    return None


def documents_of(caller: Caller) -> tuple[str, ...]:
    """The caller's policies: inline and attached ones, and those of a user's groups; none of whom is gone."""
    try:
        holder = _holder(caller)
    except LookupError:
        return ()
    holders = [holder]
    if caller.user:
        groups = list(_backend(caller.principal).groups.values())
        holders += [group for group in groups if holder in group.users]
    return tuple(document for each in holders for document in _documents(each))


def trust_of(role_arn: str) -> str | None:
    """A role's trust policy; None when there is no such role."""
    try:
        return str(_holder(Caller(role_arn, "any")).assume_role_policy_document)
    except LookupError:
        return None


def find_arn(partition: str, account: str, kind: str, name: str) -> str | None:
    """The ARN of a role, user, group, policy or instance profile of that name, with its path."""
    backend = _backend(f"arn:{partition}:iam::{account}:")
    books = {
        "role": backend.roles,
        "user": backend.users,
        "group": backend.groups,
        "instance-profile": backend.instance_profiles,
    }
    with contextlib.suppress(LookupError):
        return str(_one(list(books.get(kind, {}).values()), name).arn)
    return None


def _holder(caller: Caller) -> Any:
    """The user or role as moto has it; the ARN must be right to the letter."""
    backend = _backend(caller.principal)
    found = _one(
        list((backend.roles if caller.session else backend.users).values()), name_of(caller.principal)
    )
    if found.arn != caller.principal:
        raise LookupError(caller.principal)
    return found


def _one(holders: Iterable[Any], name: str) -> Any:
    for holder in holders:
        if holder.name == name:
            return holder
    raise LookupError(name)


def _documents(holder: Any) -> Iterator[str]:
    yield from list(holder.policies.values())
    for policy in list(holder.managed_policies.values()):
        for version in list(policy.versions):
            if version.version_id == policy.default_version_id:
                yield version.document


def _session_of(access_key: str, role_arn: str, partition: str) -> str:
    from moto.sts.models import sts_backends  # noqa: PLC0415 (moto is loaded when the emulator is set up)

    sessions = sts_backends[role_arn.split(":")[4]][partition].assumed_roles
    return next((str(it.session_name) for it in list(sessions) if it.access_key_id == access_key), "unknown")


def _backends() -> Iterator[tuple[str, Any]]:
    from moto.iam.models import iam_backends  # noqa: PLC0415

    for account in list(iam_backends.values()):
        yield from list(account.items())


def _backend(arn: str) -> Any:
    from moto.iam.models import iam_backends  # noqa: PLC0415

    return iam_backends[arn.split(":")[4]][arn.split(":")[1]]
