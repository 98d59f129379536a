"""Keep a state machine: its definition and its role."""

from collections.abc import Callable
from typing import Any, Final

from lottery_lib.naming import owned
from lottery_lib.resources import Resource, refuse_foreign, tag_list
from lottery_lib.target import ClientError, Target, error_code, error_message
from lottery_lib.waiting import retry_while, wait_until

__all__ = ["delete", "ensure", "find", "machine_arn"]

KIND: Final = "state machine"


def machine_arn(target: Target, name: str) -> str:
    """The ARN of a state machine, which Step Functions makes of its name."""
    return target.arn("states", f"stateMachine:{name}")


def find(target: Target, name: str) -> Resource | None:
    """Look a state machine up."""
    found = _machine(target, name)
    if found is None:
        return None
    arn = found["stateMachineArn"]
    return Resource(KIND, name, found["status"], arn, owned(_tags(target, arn), target.names))


def ensure(target: Target, name: str, definition: str, role_arn: str) -> Resource:
    """Create the machine (a Standard one), or bring its definition and role up to date.

    Args:
        target: Where.
        name: The machine's name.
        definition: Text in the Amazon States Language, placeholders filled in.
        role_arn: The role that executions run as.

    Raises:
        LotteryError: A machine of that name is not ours.
    """
    found = _machine(target, name)
    if found is not None and found["status"] == "DELETING":
        _gone(target, name)
        found = None
    if found is None:
        created = _once_assumable(name, lambda: _create(target, name, definition, role_arn))
        if created:
            return Resource(KIND, name, "created", machine_arn(target, name))
        found = _machine(target, name) or {}
    arn = found["stateMachineArn"]
    refuse_foreign(KIND, name, _tags(target, arn), target.names)
    if (found["definition"], found["roleArn"]) == (definition, role_arn):
        return Resource(KIND, name, "unchanged", arn)
    update = target.client("stepfunctions").update_state_machine
    _once_assumable(name, lambda: update(stateMachineArn=arn, definition=definition, roleArn=role_arn))
    return Resource(KIND, name, "updated", arn)


def delete(target: Target, name: str) -> Resource:
    """Delete the machine and wait until it is gone; AWS ends its executions with it.

    Raises:
        LotteryError: A machine of that name is not ours.
    """
    found = _machine(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    arn = found["stateMachineArn"]
    if found["status"] != "DELETING":
        refuse_foreign(KIND, name, _tags(target, arn), target.names)
        target.client("stepfunctions").delete_state_machine(stateMachineArn=arn)
    _gone(target, name)
    return Resource(KIND, name, "deleted", arn)


def _machine(target: Target, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = target.client("stepfunctions").describe_state_machine(
            stateMachineArn=machine_arn(target, name)
        )
    except ClientError as error:
        if error_code(error) == "StateMachineDoesNotExist":
            return None
        raise
    return found


def _tags(target: Target, arn: str) -> dict[str, str]:
    tags = target.client("stepfunctions").list_tags_for_resource(resourceArn=arn)["tags"]
    return {tag["key"]: tag["value"] for tag in tags}


def _create(target: Target, name: str, definition: str, role_arn: str) -> bool:
    try:
        target.client("stepfunctions").create_state_machine(
            name=name,
            definition=definition,
            roleArn=role_arn,
            tags=tag_list(target.names, key="key", value="value"),
        )
    except ClientError as error:  # made in the meantime, or by our own first try whose reply was lost
        if error_code(error) != "StateMachineAlreadyExists":
            raise
        return False
    return True


def _once_assumable(name: str, call: Callable[[], Any]) -> Any:
    # A role that IAM has just made is not known to Step Functions for some seconds, and a machine
    # that is being deleted holds its name for a while.
    def refused(error: Exception) -> bool:
        return isinstance(error, ClientError) and (
            "authorized to assume the provided role" in error_message(error)
            or error_code(error) == "StateMachineDeleting"
        )

    return retry_while(f"Step Functions to be able to assume the role of {name}", call, refused)


def _gone(target: Target, name: str) -> None:
    wait_until(f"state machine {name} to be gone", lambda: _machine(target, name) is None, seconds=300)
