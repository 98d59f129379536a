"""Start an execution, wait for it, stop it, and fetch its whole history."""

import json
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeVar

from lottery_lib.aws_errors import AwsError, all_pages, busy, call_or_none, says
from lottery_lib.definition import function_of
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.target import Target
from lottery_lib.translation import STOPPED, TORN_DOWN, _

if TYPE_CHECKING:
    from types_boto3_stepfunctions.literals import ExecutionStatusType
    from types_boto3_stepfunctions.type_defs import (
        DescribeExecutionOutputTypeDef,
        DescribeStateMachineForExecutionOutputTypeDef,
        ExecutionListItemTypeDef,
    )

    from lottery_lib.definition import State
    from lottery_lib.history import Event

T = TypeVar("T")
#: The statuses of an execution that has ended.
ENDED: Final = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
_FUNCTION: Final = re.compile(r"(?:arn:[^:]*:lambda:[^:]*:[^:]*:function:)?([\w-]+)(?::[\w$-]+)?")
_SHOWN: Final = re.compile(  # what has a page in the console
    r"arn:[\w-]+:(?:states|lambda):(?P<region>[a-z]+(?:-[a-z]+)+-\d):\d{12}:"
    r"(?:execution:.+|function:(?P<function>[\w-]+)(?::[\w$-]+)?)"
)
_CONSOLES: Final = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
_ABSENT: Final = ("ExecutionDoesNotExist", "StateMachineDoesNotExist")
_BUSY_SECONDS: Final = 60.0  # for which a throttled read is repeated, while the draw goes on
_NEW_SECONDS: Final = 5.0  # in which AWS may not show a new execution yet


def new_name(now: datetime | None = None) -> str:
    """Make an execution name that sorts by time, is unique, and has only legal characters."""
    return f"draw-{now or datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def console_page(target: Target, arn: str) -> str:
    """The address in AWS's console of an execution's page, or of the log group of a function.

    The emulator has none: then, and for any other text, it is empty.
    """
    match = _SHOWN.fullmatch(arn)
    if target.kind != "aws" or target.partition not in _CONSOLES or not match:
        return ""
    region, function = match["region"], match["function"]
    console = f"https://{region}.{_CONSOLES[target.partition]}"
    if function:
        group = f"$252Faws$252Flambda$252F{function}"  # the console encodes a slash twice
        return f"{console}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}"
    return f"{console}/states/home?region={region}#/v2/executions/details/{arn}"


def function_log(target: Target, state: "State", begin: datetime, end: datetime) -> str:
    """Read what the function of a state has written to its log, from one time to another.

    Args:
        state: A Task of a definition, with the ARN or the name of its function.
        begin: From when on.
        end: Until when. A second more is read, because a function may still write when its state has ended.

    Returns:
        The messages, oldest first. Other executions that ran at this time may have written some of them.

    Raises:
        LotteryError: The definition does not name the function, or it has no log group.
    """
    match = _FUNCTION.fullmatch(function_of(state))
    where = _("log")
    if not match:
        raise LotteryError(
            where, _("the definition does not name the function"), _("Look into its log group")
        )
    group, times = f"/aws/lambda/{match[1]}", [int(time.timestamp() * 1000) for time in (begin, end)]
    read = partial(all_pages, target.kit_client("logs"), "filter_log_events", "events")
    written = call_or_none(
        read, "ResourceNotFound", logGroupName=group, startTime=times[0] - 1, endTime=times[1] + 1000
    )
    if written is None:
        raise LotteryError(where, _("there is no log group {name}", name=group), _("Run the function once"))
    return "".join(f"{event['message'].rstrip()}\n" for event in written)


def start(target: Target, machine_arn: str, execution_input: object, name: str | None = None) -> str:
    """Start an execution. It has a name, so a repeated call after a lost reply starts no second draw.

    Args:
        machine_arn: The state machine.
        execution_input: Anything that JSON can carry, such as ``{"input": 2}``.
        name: Its name, if it must have a certain one; we choose one otherwise.

    Returns:
        The execution's ARN.

    Raises:
        LotteryError: There is no such machine, or an execution of this name that has another input.
    """
    client, name = target.kit_client("stepfunctions"), name or new_name()
    machine_name = machine_arn.rsplit(":", 1)[-1]

    def started() -> None:
        # Usually, "already exists" means that our first try got through, and that it has ended.
        text, known = json.dumps(execution_input, allow_nan=False), "ExecutionAlreadyExists"
        arguments = {"stateMachineArn": machine_arn, "name": name, "input": text}
        begun = call_or_none(client.start_execution, known, **arguments)
        if begun is None and describe(target, arn_of(machine_arn, name))["input"] != text:
            raise LotteryError(_("draw {name}", name=name), _("exists already"), _("Give another name"))

    def too_new(error: BaseException) -> bool:
        describe = client.describe_state_machine
        return says("StateMachineDoesNotExist")(error) and (
            call_or_none(describe, "StateMachineDoesNotExist", stateMachineArn=machine_arn) is not None
        )

    try:
        what = _("machine {name} to be visible", name=machine_name)
        target.waiter.retry(what, started, too_new, seconds=60)
    except AwsError as error:
        if not says("StateMachineDoesNotExist")(error):
            raise
        where = _("state machine {name}", name=machine_name)
        raise LotteryError(where, _("does not exist"), DEPLOY) from error
    return arn_of(machine_arn, name)


def arn_of(machine_arn: str, name: str) -> str:
    """The ARN of a machine's execution of this name, which may not have started yet."""
    return f"{machine_arn.replace(':stateMachine:', ':execution:')}:{name}"


def exists(target: Target, arn: str) -> bool:
    """Whether there is an execution with this ARN. It may have ended."""
    describe = target.kit_client("stepfunctions").describe_execution
    return call_or_none(describe, *_ABSENT, executionArn=arn) is not None


def describe(target: Target, arn: str) -> "DescribeExecutionOutputTypeDef":
    """Describe an execution. If it is so new that AWS does not show it yet, wait for it.

    Raises:
        LotteryError: There is no such execution.
    """
    return _read(target, target.kit_client("stepfunctions").describe_execution, arn)


def machine(target: Target, arn: str) -> "DescribeStateMachineForExecutionOutputTypeDef":
    """Describe the machine as it was when an execution started; it may have changed since.

    Raises:
        LotteryError: There is no such execution.
    """
    return _read(target, target.kit_client("stepfunctions").describe_state_machine_for_execution, arn)


def history(target: Target, arn: str, seen: "Sequence[Event]" = ()) -> "list[Event]":
    """Every event of an execution so far, however many pages that takes.

    Args:
        arn: The execution.
        seen: Its first events, which were fetched before. Only those that follow are fetched.

    Raises:
        LotteryError: There is no such execution.
    """
    pages = target.kit_client("stepfunctions").get_paginator("get_execution_history").paginate
    latest, size = (seen[-1]["id"], 50) if seen else (0, 1000)

    def fetched(executionArn: str) -> "list[Event]":
        # AWS has no way to ask for later events, but gives the newest ones first if it is asked.
        answers = pages(
            executionArn=executionArn, reverseOrder=bool(seen), PaginationConfig={"PageSize": size}
        )
        events = (event for page in answers for event in page["events"])
        return sorted(takewhile(lambda event: event["id"] > latest, events), key=lambda event: event["id"])

    return [*seen, *_read(target, fetched, arn)]


def _read(target: Target, call: Callable[..., T], arn: str) -> T:
    """Read something of an execution. Repeat the call if AWS is busy, or does not show the execution yet."""
    begun = target.waiter.clock()

    def passing(error: BaseException) -> bool:
        is_new = target.waiter.clock() - begun < _NEW_SECONDS
        return busy(error) or (is_new and says("ExecutionDoesNotExist")(error))

    what = _("execution {name} to be visible", name=arn.rsplit(":", 1)[-1])
    try:
        return target.waiter.retry(what, lambda: call(executionArn=arn), passing, seconds=_BUSY_SECONDS)
    except AwsError as error:
        if not says(*_ABSENT, "InvalidArn")(error):
            raise
        next_step = _("Take the ARN that `lottery draw` prints")
        raise LotteryError(_("execution {arn}", arn=arn), _("does not exist"), next_step) from error


def wait(target: Target, arn: str, *, seconds: float = 120.0) -> "DescribeExecutionOutputTypeDef":
    """Wait until an execution has ended.

    Args:
        arn: The execution.
        seconds: The deadline; the execution itself goes on after it.

    Returns:
        Its description: ``status``, and ``output`` or ``error`` and ``cause`` if there are any.

    Raises:
        LotteryError: It has not ended by the deadline, or does not exist.
    """

    def ended() -> "DescribeExecutionOutputTypeDef | None":
        description = describe(target, arn)
        return description if description["status"] in ENDED else None

    what = _("execution {name} to end", name=arn.rsplit(":", 1)[-1])
    return target.waiter.until(what, ended, seconds=seconds, every=1)


def stop(target: Target, arn: str, *, error: str = "Stopped", cause: str = STOPPED) -> None:
    """Stop an execution; nothing happens if it has ended already."""
    if describe(target, arn)["status"] not in ENDED:
        _stop(target, arn, error, cause)


def _stop(target: Target, arn: str, error: str, cause: str) -> None:
    """Stop an execution that was running a moment ago; it may have ended, or be gone."""
    call = target.kit_client("stepfunctions").stop_execution
    call_or_none(call, *_ABSENT, executionArn=arn, error=error, cause=cause)


def of_machine(
    target: Target, machine_arn: str, *, status: "ExecutionStatusType | None" = None
) -> list["ExecutionListItemTypeDef"]:
    """List a machine's executions, newest first. If the machine does not exist, the list is empty."""
    pages = partial(all_pages, target.kit_client("stepfunctions"), "list_executions", "executions")
    status_filter = {"statusFilter": status} if status else {}
    executions = call_or_none(pages, *_ABSENT, stateMachineArn=machine_arn, **status_filter) or []
    return sorted(executions, key=lambda execution: execution["startDate"], reverse=True)


def stop_running(target: Target, machine_arn: str) -> int:
    """Stop every running execution of a machine; returns how many there were."""
    running = of_machine(target, machine_arn, status="RUNNING")
    for execution in running:
        _stop(target, execution["executionArn"], "Stopped", TORN_DOWN)
    return len(running)
