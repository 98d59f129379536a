"""Read users, policies, histories and functions directly from moto's objects, and ask its parser.

Through moto's API, one call of a function would need a dozen calls of IAM. One page of a history would copy
all events. Only a new machine's definition would be parsed. Nothing is stored here, so a policy counts as
soon as it is attached or detached.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sfn_emulator.http.callers import Caller, name_of
from sfn_emulator.http.messages import Arn


def caller_of_key(access_key: str) -> Caller | None:
    """The user or role to which IAM or STS gave this access key; None if neither of them issued it."""
    from moto.iam.models import iam_backends
    from moto.sts.models import sts_backends

    for account in list(iam_backends.values()):
        for partition, backend in list(account.items()):
            if (key := backend.access_keys.get(access_key)) is None:
                continue
            if key.role_arn:
                sessions = list(sts_backends[Arn.of(key.role_arn).account][partition].assumed_roles)
                names = (str(it.session_name) for it in sessions if it.access_key_id == access_key)
                return Caller(key.role_arn, next(names, "unknown"))
            user = _named(backend.users.values(), key.user_name)
            return Caller(user.arn) if user else None
    return None


def documents_of(caller: Caller) -> tuple[str, ...]:
    """The caller's inline and attached policies, and those of a user's groups. Empty if it was deleted."""
    if (holder := _holder(caller)) is None:
        return ()
    groups = list(_backend(caller.principal).groups.values()) if caller.user else []
    holders = [holder, *(group for group in groups if holder in group.users)]
    inline = [document for each in holders for document in list(each.policies.values())]
    attached = [policy for each in holders for policy in list(each.managed_policies.values())]
    return (*inline, *_default_versions(attached))


def boundary_of(role_arn: str) -> str | None:
    """The ARN of a role's permissions boundary; None if it has none. moto keeps none for users."""
    role = _holder(Caller(role_arn, "any"))
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
        role = _holder(Caller(role_arn, "any"))
    except KeyError:  # there is no such partition
        return None
    return str(role.assume_role_policy_document) if role else None


def find_arn(partition: str, account: str, kind: str, name: str) -> str | None:
    """The ARN, with its path, of a ``"role"``, ``"user"`` or ``"group"`` of that name."""
    backend = _backend(str(Arn(partition, "iam", "", account, "")))
    books = {"role": backend.roles, "user": backend.users, "group": backend.groups}
    found = _named(books.get(kind, {}).values(), name)
    return str(found.arn) if found else None


def events_of(execution_arn: str) -> Sequence[dict[str, Any]]:
    """An execution's events so far, in the form of moto's engine. Do not change them.

    Args:
        execution_arn: The ARN of an execution that exists or was just deleted.

    Returns:
        The events; an empty list before the execution has begun.
    """
    execution = _execution(execution_arn)
    environment = execution and execution.exec_worker and execution.exec_worker.env
    return environment.event_manager._history_event_list if environment else []


def running(execution_arn: str) -> object | None:
    """The object that moto has for an execution that runs; None if it does not run."""
    execution = _execution(execution_arn)
    return execution if execution and execution.exec_status == "RUNNING" else None


def parse_error(definition: str) -> str | None:
    """Why moto's parser refuses a definition; None if it accepts it."""
    from moto.core.exceptions import JsonRESTError
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    try:
        StepFunctionsParserBackend._validate_definition(definition)
    except JsonRESTError as error:
        return str(error.message)
    return None


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


def _execution(arn: str) -> Any:
    """The object that moto has for an execution; None if its machine was deleted."""
    from moto.core.exceptions import JsonRESTError
    from moto.stepfunctions.parser.models import stepfunctions_parser_backends

    try:
        return stepfunctions_parser_backends[Arn.of(arn).account][Arn.of(arn).region].describe_execution(arn)
    except JsonRESTError:
        return None


def _holder(caller: Caller) -> Any:
    """The object that moto has for the user or role; None if there is none. The ARN must match exactly."""
    backend = _backend(caller.principal)
    found = _named((backend.roles if caller.session else backend.users).values(), name_of(caller.principal))
    return found if found and found.arn == caller.principal else None


def _default_versions(policies: Iterable[Any]) -> tuple[str, ...]:
    return tuple(
        version.document
        for policy in policies
        for version in list(policy.versions)
        if version.version_id == policy.default_version_id
    )


def _named(holders: Iterable[Any], name: str) -> Any:
    return next((holder for holder in list(holders) if holder.name == name), None)


def _backend(arn: str) -> Any:
    from moto.iam.models import iam_backends

    return iam_backends[Arn.of(arn).account][Arn.of(arn).partition]
