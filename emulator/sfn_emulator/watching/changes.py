"""What those learn who watch executions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StatusChange:
    """An execution has begun, ended, or was begun again by a redrive.

    Args:
        execution_arn: The execution.
        machine_arn: Its machine, without a version or an alias.
        names: The ARNs of the version and the alias, if it was started by one, as DescribeExecution has them.
        express: Whether it is an express execution.
        status: Such as ``"RUNNING"``, or how it ended.
        at: The time of the change, in seconds since 1970.
        started: When the execution began.
        describe: Describes the execution as DescribeExecution does. It takes a moment.
        redriven: Whether a redrive began this run of it.
    """

    execution_arn: str
    machine_arn: str
    names: Mapping[str, str]
    express: bool
    status: str
    at: float
    started: float
    describe: Callable[[], Mapping[str, Any]]
    redriven: bool = False


Announce = Callable[[StatusChange], None]
"""Tells those who watch executions of a change. It returns at once."""
