"""Start executions in moto's engine, without moto's API: by a description of a machine, and with a log."""

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Protocol

from sfn_emulator.engine import redrives
from sfn_emulator.engine.internals import engine_module
from sfn_emulator.engine.payloads import sparing
from sfn_emulator.http.messages import Arn

_LONGEST: Final = 300  # seconds that an execution of an express machine may take


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


class Log(Protocol):
    """Where moto's engine writes the events of an execution, as soon as they happen."""

    configuration: Any
    execution_arn: str

    def log_level_filter(self, history_event_type: str) -> bool:
        """Whether events of this type are written."""

    def of_child(self, execution_arn: str) -> "Log":
        """The log of a child execution of a Distributed Map."""

    def publish_history_log(self, history_log: Mapping[str, Any]) -> None:
        """Write an event."""


def prepared(
    machine: Mapping[str, Any],
    arn: str,
    name: str,
    given: str,
    log: Log | None,
    *,
    sync: bool,
    ended: Callable[[], None],
) -> Any:
    """An execution whose method ``start`` begins it.

    Args:
        machine: What it runs, as DescribeStateMachine returns it.
        arn: The ARN of the execution.
        name: Its name.
        given: Its input, as JSON.
        log: Where its events go, besides its history.
        sync: Whether ``start`` returns at the end of the execution. Else it has a thread of its own.
        ended: Called when the execution has ended and its status is known.
    """
    execution = engine_module("backend.execution")
    definition = machine["definition"]
    if machine["type"] == "EXPRESS":
        parsed = json.loads(definition)
        seconds = min(parsed.get("TimeoutSeconds", _LONGEST), _LONGEST)
        definition = json.dumps(parsed | {"TimeoutSeconds": seconds})
    where, kind = Arn.of(arn), engine_module("api").StateMachineType(machine["type"])
    make = sparing(execution.SyncExecution if sync else execution.Execution)
    made = make(
        name=name,
        sm_type=kind,
        role_arn=machine["roleArn"],
        exec_arn=arn,
        account_id=where.account,
        region_name=where.region,
        state_machine=SimpleNamespace(
            arn=machine["stateMachineArn"],
            name=machine["name"],
            sm_type=kind,
            definition=definition,
        ),
        start_date=datetime.datetime.now(tz=datetime.UTC),
        cloud_watch_logging_session=log,
        activity_store={},
        input_data=given,
    )
    made.when_ended = ended  # `failures.ended` calls it
    # `payloads.began` gives each of these the environment in which the execution runs.
    made.changes = [redrives.note_progress] if machine["type"] == "STANDARD" else []
    if sync:
        made.changes.append(_count_no_redrives)
    return made


def _count_no_redrives(env: Any) -> None:
    """In an execution that somebody waits for, the context object counts no redrives."""
    env.states.context_object.context_object_data["Execution"].pop("RedriveCount", None)


def is_logged(level: str, event_type: str) -> bool:
    """Whether a level of logs, such as ``"ERROR"``, has events of a type."""
    logging = engine_module("asl.eval.event.logging")
    return bool(logging.is_logging_enabled_for(level, event_type))
