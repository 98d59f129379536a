"""Start an execution, wait for it, stop it, and fetch its whole history."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from lottery_lib.aws_errors import ClientError, busy, ignoring, says
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.target import Target
from lottery_lib.waiting import retry_while, wait_until

__all__ = [
    "ENDED",
    "describe",
    "executions",
    "history",
    "machine",
    "new_name",
    "start",
    "stop",
    "stop_running",
    "wait",
]

#: The statuses after which nothing happens any more.
ENDED: Final = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_ABSENT: Final = ("ExecutionDoesNotExist", "StateMachineDoesNotExist")
_PATIENCE: Final = 60.0  # seconds that AWS may throttle a look at a draw, which goes on meanwhile


def new_name(now: datetime | None = None) -> str:
    """Make an execution name that sorts by time, is unique, and is of legal characters."""
    return f"draw-{now or datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def start(target: Target, machine_arn: str, execution_input: Any) -> str:
    """Start an execution; always under a name, so that a start sent again after a lost reply is one draw.

    Args:
        target: Where.
        machine_arn: The state machine.
        execution_input: Anything that JSON can carry, such as ``{"input": 2}``.

    Returns:
        The execution's ARN.

    Raises:
        LotteryError: There is no such machine.
    """
    client, name = target.client("stepfunctions"), new_name()

    def started() -> Any:
        # Of a name that nobody else makes up: if there is one, it is ours, and has even ended by now.
        return ignoring(
            client.start_execution,
            "ExecutionAlreadyExists",
            stateMachineArn=machine_arn,
            name=name,
            input=json.dumps(execution_input, allow_nan=False),
        )

    def too_new(error: Exception) -> bool:
        return says("StateMachineDoesNotExist")(error) and _exists(target, machine_arn)

    try:
        retry_while(f"machine {machine_arn.rsplit(':', 1)[-1]} to be visible", started, too_new, seconds=60)
    except ClientError as error:
        if not says("StateMachineDoesNotExist")(error):
            raise
        raise LotteryError(
            f"state machine {machine_arn.rsplit(':', 1)[-1]}", "does not exist", DEPLOY
        ) from error
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def _exists(target: Target, machine_arn: str) -> bool:
    describe = target.client("stepfunctions").describe_state_machine
    return ignoring(describe, "StateMachineDoesNotExist", stateMachineArn=machine_arn) is not None


def describe(target: Target, arn: str) -> dict[str, Any]:
    """Describe an execution; one just started may not be visible at once, and is waited for.

    Raises:
        LotteryError: There is no such execution.
    """
    return _look(target.client("stepfunctions").describe_execution, arn)


def machine(target: Target, arn: str) -> dict[str, Any]:
    """Describe the machine as an execution started with it, which may have been updated since.

    Raises:
        LotteryError: There is no such execution.
    """
    return _look(target.client("stepfunctions").describe_state_machine_for_execution, arn)


def _look(look: Callable[..., Any], arn: str) -> dict[str, Any]:
    what = f"execution {arn.rsplit(':', 1)[-1]} to be visible"

    def seen() -> Any:
        return retry_while(what, lambda: look(executionArn=arn), busy, seconds=_PATIENCE)

    try:
        description: dict[str, Any] = retry_while(what, seen, says("ExecutionDoesNotExist"), seconds=5)
    except ClientError as error:
        if not says(*_ABSENT, "InvalidArn")(error):
            raise
        raise LotteryError(
            f"execution {arn}",
            "does not exist",
            "Take the ARN that `python -m lottery_lib draw` tells",
        ) from error
    return description


def wait(target: Target, arn: str, *, seconds: float = 120.0) -> dict[str, Any]:
    """Wait until an execution has ended.

    Args:
        target: Where.
        arn: The execution.
        seconds: The deadline; the execution itself goes on after it.

    Returns:
        Its description: ``status``, and ``output`` or ``error`` and ``cause`` where there are any.

    Raises:
        LotteryError: It has not ended by the deadline, or does not exist.
    """

    def ended() -> dict[str, Any] | None:
        description = describe(target, arn)
        return description if description["status"] in ENDED else None

    return wait_until(f"execution {arn.rsplit(':', 1)[-1]} to end", ended, seconds=seconds, every=1)


def stop(target: Target, arn: str, *, error: str = "Stopped", cause: str = "Stopped by hand") -> None:
    """Stop an execution; one that has ended already is left as it is."""
    if describe(target, arn)["status"] not in ENDED:
        _stop(target, arn, error, cause)


def _stop(target: Target, arn: str, error: str, cause: str) -> None:
    call = target.client("stepfunctions").stop_execution
    ignoring(call, *_ABSENT, executionArn=arn, error=error, cause=cause)


def history(target: Target, arn: str) -> list[dict[str, Any]]:
    """Fetch every event of an execution so far, however many pages that takes."""
    events = partial(target.listed, "stepfunctions", "get_execution_history", "events", executionArn=arn)
    try:
        return retry_while(
            f"the history of {arn.rsplit(':', 1)[-1]}",
            lambda: events(PaginationConfig={"PageSize": 1000}),
            busy,
            seconds=_PATIENCE,
        )
    except ClientError as error:
        if not says(*_ABSENT, "InvalidArn")(error):
            raise
        describe(target, arn)  # says that it does not exist
        return []


def executions(target: Target, machine_arn: str, *, status: str | None = None) -> list[dict[str, Any]]:
    """List a machine's executions, newest first; none without the machine."""
    wanted = {"stateMachineArn": machine_arn} | ({"statusFilter": status} if status else {})
    what = ("list_executions", "executions")
    found = ignoring(lambda: target.listed("stepfunctions", *what, **wanted), *_ABSENT) or []
    return sorted(found, key=lambda execution: execution["startDate"], reverse=True)


def stop_running(target: Target, machine_arn: str) -> int:
    """Stop every running execution of a machine, and say how many there were."""
    running = executions(target, machine_arn, status="RUNNING")
    for execution in running:
        _stop(target, execution["executionArn"], "Stopped", "Stopped by the teardown of the lottery")
    return len(running)
