"""Keep a state machine: its definition and its role."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lottery_lib.aws_errors import busy, ignoring, says
from lottery_lib.names import owned
from lottery_lib.resources import Resource, once_tagged, refuse_foreign, still_there, tag_list
from lottery_lib.target import Target
from lottery_lib.waiting import pause, retry_while, wait_until

__all__ = ["delete", "ensure", "find", "machine_arn"]

KIND: Final = "state machine"
_SETTLING: Final = (
    5.0  # seconds after an update in which AWS may still start executions of the old definition
)


def machine_arn(target: Target, name: str) -> str:
    """The ARN of a state machine, which Step Functions makes of its name."""
    return target.arn("states", f"stateMachine:{name}")


def find(target: Target, name: str) -> Resource | None:
    """Look a state machine up."""
    found = _machine(target, name)
    return found and still_there(lambda: _resource(target, found))


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
    found, created = _machine(target, name), None
    if found is not None and found["status"] == "DELETING":
        _gone(target, name)
        found = None
    if found is None:
        created = _create(target, name, definition, role_arn)
        found = _visible(target, name)
    arn = found["stateMachineArn"]
    if not created:
        refuse_foreign(once_tagged(name, lambda: _resource(target, found)))
    if not _is_as_wanted(found, definition, role_arn):
        _update(target, name, definition, role_arn)
        return Resource(KIND, name, "updated", arn)
    return Resource(KIND, name, "created" if created else "unchanged", arn)


def delete(target: Target, name: str) -> Resource:
    """Delete the machine and wait until it is gone; AWS ends its executions with it.

    Raises:
        LotteryError: A machine of that name is not ours.
    """
    found = find(target, name)
    if found is None:
        return Resource(KIND, name, "missing")
    refuse_foreign(found)
    if found.state != "DELETING":
        machines = target.client("stepfunctions")
        ignoring(machines.delete_state_machine, "StateMachineDoesNotExist", stateMachineArn=found.arn)
    _gone(target, name)
    return replace(found, state="deleted")


def _machine(target: Target, name: str) -> Any:
    describe = target.client("stepfunctions").describe_state_machine
    return ignoring(describe, "StateMachineDoesNotExist", stateMachineArn=machine_arn(target, name))


def _resource(target: Target, found: Mapping[str, Any]) -> Resource:
    arn = found["stateMachineArn"]
    tags = target.client("stepfunctions").list_tags_for_resource(resourceArn=arn)["tags"]
    ours = owned({tag["key"]: tag["value"] for tag in tags}, target.names)
    return Resource(KIND, found["name"], found["status"], arn, ours)


def _create(target: Target, name: str, definition: str, role_arn: str) -> Any:
    """Create it; None if there is one: made meanwhile, or by our own first try whose reply was lost."""
    return _send(
        target,
        "create_state_machine",
        name=name,
        definition=definition,
        roleArn=role_arn,
        tags=tag_list(target.names, key="key", value="value"),
    )


def _update(target: Target, name: str, definition: str, role_arn: str) -> None:
    arn = machine_arn(target, name)
    _send(target, "update_state_machine", stateMachineArn=arn, definition=definition, roleArn=role_arn)
    wait_until(
        f"state machine {name} to show its update",
        lambda: _is_as_wanted(_machine(target, name) or {}, definition, role_arn),
        seconds=60,
        passing=busy,
    )
    if target.kind == "aws":
        pause(f"the update of state machine {name} to hold everywhere", _SETTLING)


def _is_as_wanted(found: Mapping[str, Any], definition: str, role_arn: str) -> bool:
    return (found.get("definition"), found.get("roleArn")) == (definition, role_arn)


def _send(target: Target, operation: str, **parameters: Any) -> Any:
    # A role that IAM has just made is not known to Step Functions for some seconds, and a machine that is
    # being deleted holds its name for a while.
    call = getattr(target.client("stepfunctions"), operation)
    return retry_while(
        f"Step Functions to be ready for {operation}",
        lambda: ignoring(call, "StateMachineAlreadyExists", **parameters),
        says("authorized to assume the provided role", "StateMachineDeleting"),
    )


def _visible(target: Target, name: str) -> Any:
    what = f"state machine {name} to be visible"
    return wait_until(what, lambda: _machine(target, name), seconds=60, passing=busy)


def _gone(target: Target, name: str) -> None:
    what = f"state machine {name} to be gone"
    wait_until(what, lambda: _machine(target, name) is None, seconds=300, passing=busy)
