"""Start an execution, wait for it, stop it, and fetch its whole history."""

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.target import ClientError, Target, error_code
from lottery_lib.waiting import retry_while, wait_until

__all__ = ["ENDED", "describe", "executions", "history", "new_name", "start", "stop", "stop_running", "wait"]

#: The statuses after which nothing happens any more.
ENDED: Final = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_ABSENT: Final = ("ExecutionDoesNotExist", "StateMachineDoesNotExist")


def new_name(now: datetime | None = None) -> str:
    """Make an execution name that sorts by time, is unique, and is of legal characters."""
    return f"draw-{now or datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def start(target: Target, machine_arn: str, execution_input: Any, name: str | None = None) -> str:
    """Start an execution; always under a name, so that a start sent again after a lost reply is one draw.

    Args:
        target: Where.
        machine_arn: The state machine.
        execution_input: Anything that JSON can carry, such as ``{"input": 2}``.
        name: By default a new one.

    Returns:
        The execution's ARN.

    Raises:
        LotteryError: There is no such machine.
    """
    try:
        started = target.client("stepfunctions").start_execution(
            stateMachineArn=machine_arn,
            name=name or new_name(),
            input=json.dumps(execution_input, allow_nan=False),
        )
    except ClientError as error:
        if error_code(error) != "StateMachineDoesNotExist":
            raise
        raise LotteryError(
            f"state machine {machine_arn.rsplit(':', 1)[-1]}",
            "does not exist",
            DEPLOY,
        ) from error
    arn: str = started["executionArn"]
    return arn


def describe(target: Target, arn: str) -> dict[str, Any]:
    """Describe an execution; one just started may not be visible at once, and is waited for.

    Raises:
        LotteryError: There is no such execution.
    """
    try:
        description: dict[str, Any] = retry_while(
            f"execution {arn.rsplit(':', 1)[-1]} to be visible",
            lambda: target.client("stepfunctions").describe_execution(executionArn=arn),
            lambda error: isinstance(error, ClientError) and error_code(error) == "ExecutionDoesNotExist",
            seconds=5,
        )
    except ClientError as error:
        if error_code(error) not in (*_ABSENT, "InvalidArn"):
            raise
        raise LotteryError(
            f"execution {arn}",
            "does not exist",
            "Take the ARN that `python -m lottery_lib draw` tells",
        ) from error
    return description


def wait(
    target: Target,
    arn: str,
    *,
    seconds: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Wait until an execution has ended.

    Args:
        target: Where.
        arn: The execution.
        seconds: The deadline; the execution itself goes on after it.
        sleep: Pauses.
        clock: Tells the time in seconds.

    Returns:
        Its description: ``status``, and ``output`` or ``error`` and ``cause`` where there are any.

    Raises:
        LotteryError: It has not ended by the deadline, or does not exist.
    """

    def ended() -> dict[str, Any] | None:
        description = describe(target, arn)
        return description if description["status"] in ENDED else None

    name = arn.rsplit(":", 1)[-1]
    return wait_until(f"execution {name} to end", ended, seconds=seconds, sleep=sleep, clock=clock)


def stop(target: Target, arn: str, *, error: str = "Stopped", cause: str = "Stopped by hand") -> None:
    """Stop an execution; one that has ended already is left as it is."""
    if describe(target, arn)["status"] not in ENDED:
        target.client("stepfunctions").stop_execution(executionArn=arn, error=error, cause=cause)


def history(target: Target, arn: str) -> list[dict[str, Any]]:
    """Fetch every event of an execution so far, however many pages that takes."""
    pages = target.client("stepfunctions").get_paginator("get_execution_history")
    try:
        found = pages.paginate(executionArn=arn, PaginationConfig={"PageSize": 1000})
        return [event for page in found for event in page["events"]]
    except ClientError as error:
        if error_code(error) not in (*_ABSENT, "InvalidArn"):
            raise
        describe(target, arn)  # says that it does not exist
        return []


def executions(target: Target, machine_arn: str, *, status: str | None = None) -> list[dict[str, Any]]:
    """List a machine's executions, newest first; none without the machine."""
    pages = target.client("stepfunctions").get_paginator("list_executions")
    wanted = {"statusFilter": status} if status else {}
    try:
        found = [
            execution
            for page in pages.paginate(stateMachineArn=machine_arn, **wanted)
            for execution in page["executions"]
        ]
    except ClientError as error:
        if error_code(error) in _ABSENT:
            return []
        raise
    return sorted(found, key=lambda execution: execution["startDate"], reverse=True)


def stop_running(target: Target, machine_arn: str) -> int:
    """Stop every running execution of a machine, and say how many there were."""
    running = executions(target, machine_arn, status="RUNNING")
    for execution in running:
        stop(target, execution["executionArn"], cause="Stopped by the teardown of the lottery")
    return len(running)
