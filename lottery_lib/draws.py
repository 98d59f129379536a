"""Run draws, and tabulate them and their winners."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile
from typing import Any, Final

import pandas as pd

from lottery_lib import execution
from lottery_lib import history as events_of
from lottery_lib.aws_errors import explain, explained, ignoring
from lottery_lib.errors import DEPLOY, LotteryError
from lottery_lib.history import ExecutionRecord
from lottery_lib.mails import inbox
from lottery_lib.party import fairness, pool
from lottery_lib.resources import dynamodb_table, state_machine
from lottery_lib.target import Target

__all__ = [
    "Draws",
    "Progress",
    "draw",
    "executions",
    "forget_winners",
    "last_execution",
    "machine_arn",
    "receipts",
    "remaining",
    "result",
    "resume",
    "winners",
]

_TOO_NEW: Final = (
    "(The rights of a role that was made or changed in the last minutes may not hold everywhere yet: "
    "wait a minute and try again. If it stays, deploy again)"
)
#: Of a standard workflow, in most regions; China has its own price list.
DOLLARS_PER_TRANSITION: Final = 0.025 / 1000
EXECUTION_COLUMNS: Final = (
    *("name", "status", "winners", "started", "duration"),
    *("transitions", "cost", "execution_arn"),
)
WINNER_COLUMNS: Final = ("employee_id", "employee_name", "employee_entry_date", "lottery_serial")


@dataclass(frozen=True)
class Progress:
    """How far a draw is.

    Attributes:
        events: Its history so far.
        result: What `result` returns, once the draw has ended.
    """

    events: Sequence[dict[str, Any]]
    result: dict[str, Any] | None = None


class Draws:
    """What a panel needs of the lottery: each of its calls may block for the time of an AWS call."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    @explained()
    def definition(self) -> dict[str, Any]:
        """The machine's definition as it is deployed."""
        describe = self._target.client("stepfunctions").describe_state_machine
        arn = machine_arn(self._target)
        machine = ignoring(describe, "StateMachineDoesNotExist", stateMachineArn=arn)
        if machine is None:
            raise _no_machine(self._target)
        return _definition(machine)

    @property
    def takes_prizes(self) -> bool:
        """Whether a draw may be of a list of prizes, as in the hardened edition."""
        return self._target.names.edition == "hardened"

    @explained()
    def execution(self, arn: str | None = None) -> ExecutionRecord:
        """An execution, by default the latest, with the definition that it ran with.

        Raises:
            LotteryError: There is no such execution.
        """
        arn = arn or last_execution(self._target)
        execution.describe(self._target, arn)  # says it if there is none
        machine = execution.machine(self._target, arn)
        return ExecutionRecord(_definition(machine), execution.history(self._target, arn))

    def remaining(self) -> int:
        """How many employees have not won yet."""
        return len(remaining(self._target))

    def winners(self) -> pd.DataFrame:
        """Who has won so far."""
        return winners(self._target)

    @explained()
    def start(self, wanted: Any) -> str:
        """Start a draw of so many winners, or of so many of each prize; returns the execution's ARN."""
        return execution.start(self._target, machine_arn(self._target), _input(self._target, wanted))

    @explained()
    def look(self, arn: str) -> Progress:
        """See how far a draw is."""
        description = execution.describe(self._target, arn)  # first: the history is then as new at least
        events = execution.history(self._target, arn)
        ended = description["status"] in execution.ENDED
        return Progress(events, _with_advice(_result(description, events)) if ended else None)

    @explained()
    def stop(self, arn: str) -> None:
        """Stop a draw."""
        execution.stop(self._target, arn, error="Cancelled", cause="The draw was cancelled by hand")

    @explained()
    def mailed(self) -> str:
        """Who gets the mails and where they can be read, in a sentence."""
        return inbox(self._target).where


def _no_machine(target: Target) -> LotteryError:
    return LotteryError(f"state machine {target.names.machine}", "does not exist", DEPLOY)


def _definition(machine: Mapping[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(machine["definition"])
    return definition


def machine_arn(target: Target) -> str:
    """The ARN of this attendee's state machine."""
    return state_machine.machine_arn(target, target.names.machine)


@explained()
def draw(target: Target, wanted: Any, *, seconds: float = 120.0) -> dict[str, Any]:
    """Draw winners: start an execution with ``{"input": wanted}`` and wait for its end (tutorial 3).

    Args:
        target: Where.
        wanted: How many; what is not a whole number of at least 1 ends in a FAILED draw, as it would from
            any other client. The hardened edition takes a list of prizes too, such as
            ``[{"name": "Car", "count": 1}]``, and draws them in that order.
        seconds: The deadline of the wait.

    Returns:
        ``status``, ``winners``, ``execution_arn``, ``error`` and ``cause``, always all five. A draw that has
        not ended by then is ``RUNNING``, and goes on: the tutorial's machine has no time-out.
    """
    return _run(target, _input(target, wanted), seconds)


@explained()
def resume(target: Target, draw_id: str, *, remail: bool = False, seconds: float = 120.0) -> dict[str, Any]:
    """Go on with a hardened draw that was stopped half-way: what it has recorded stays.

    It is a new execution: the name of one that has ended is refused, by AWS for 90 days, by the emulator too.

    Args:
        target: Where.
        draw_id: The name of the execution that began it.
        remail: Mail what is recorded, also where an earlier execution did or should have done so.
        seconds: As for `draw`.

    Returns:
        What `draw` returns.
    """
    return _run(target, {"draw_id": draw_id, "remail": remail}, seconds)


def _input(target: Target, wanted: Any) -> dict[str, Any]:
    prizes = isinstance(wanted, list) and target.names.edition == "hardened"
    return {"prizes" if prizes else "input": wanted}


def _run(target: Target, execution_input: dict[str, Any], seconds: float) -> dict[str, Any]:
    arn = execution.start(target, machine_arn(target), execution_input)
    try:
        execution.wait(target, arn, seconds=seconds)
        return _with_advice(result(target, arn))
    except Exception as error:  # it has been started: who is not told its ARN would start another
        if explain(error) is None:
            raise
        return _still_running(arn, str(explain(error)))


def _still_running(arn: str, why: str) -> dict[str, Any]:
    cause = f"{why} The draw goes on; look at it with `python -m lottery_lib history {arn}`, or stop it"
    nothing: dict[str, Any] = {"status": "RUNNING", "winners": []}
    return nothing | {"execution_arn": arn, "error": "StillRunning", "cause": cause}


def _with_advice(told: dict[str, Any]) -> dict[str, Any]:
    """Say of a right that was missing that it may only be too new: IAM takes a while to make it hold."""
    cause = str(told["cause"])
    if "AccessDenied" in cause or "not authorized to perform" in cause:
        return told | {"cause": f"{cause.rstrip('.')}. {_TOO_NEW}"}
    return told


@explained()
def result(target: Target, arn: str) -> dict[str, Any]:
    """What became of a draw.

    Returns:
        ``status``; ``winners``, a list of employees; ``execution_arn``; ``error`` and ``cause``, which are
        None where the draw succeeded or still runs. The tutorial's `Failed` state tells no reason: it is
        read from the failure that was caught.
    """
    return _result(execution.describe(target, arn), execution.history(target, arn))


def _result(description: Mapping[str, Any], events: list[dict[str, Any]]) -> dict[str, Any]:
    output = _output(description)
    error, cause = events_of.failure(events) or _not_mailed(description, output) or (None, None)
    if error and description["status"] != "SUCCEEDED" and (advice := _recorded(description, events)):
        cause = f"{str(cause).rstrip('.')}. {advice}"
    return {
        "status": description["status"],
        "winners": _winners(output),
        "execution_arn": description["executionArn"],
        "error": error,
        "cause": cause,
    }


def _output(description: Mapping[str, Any]) -> Any:
    return json.loads(description.get("output") or "null") if description["status"] == "SUCCEEDED" else None


def _winners(output: Any) -> list[dict[str, Any]]:
    """Read the winners from an output: from the tutorial's branch that recorded them, or from each prize."""
    parts = [part for part in (output if isinstance(output, list) else [output]) if isinstance(part, dict)]
    return [winner for part in parts for winner in _winners_of(part)]


def _winners_of(part: Mapping[str, Any]) -> list[dict[str, Any]]:
    body = part.get("body", part)
    prize = {"prize": part["prize"]} if part.get("prize") else {}
    return [winner | prize for winner in body.get("winners", [])] if isinstance(body, dict) else []


def _not_mailed(description: Mapping[str, Any], output: Any) -> tuple[str, str] | None:
    """The error and the cause where a hardened draw recorded its winners and could not mail them.

    The cause's first line says what to do; AWS's words follow.
    """
    prizes = output if isinstance(output, list) else []
    missed = [prize for prize in prizes if isinstance(prize, dict) and "error" in prize]
    if not missed:
        return None
    error = missed[0]["error"]
    return "RecordedNotMailed", (
        f"recorded, not mailed: {len(missed)} of {len(prizes)} prizes; once {error} is mended, "
        f"`{_resume(description)} --mail` mails all winners of this draw.\n{error}: {missed[0]['cause']}"
    )


def _recorded(description: Mapping[str, Any], events: list[dict[str, Any]]) -> str:
    """How to go on with a hardened draw that failed after winners were recorded; empty for any other."""
    kinds = (event["type"] for event in events)
    if "TaskStateExited" not in dropwhile(lambda kind: kind != "MapIterationStarted", kinds):
        return ""
    entered = (event.get("stateEnteredEventDetails", {}).get("name") for event in events)
    if "Recorded Not Mailed" in entered:
        return f"Who is recorded has won; `{_resume(description)} --mail` draws the rest, and mails all."
    return f"Who is recorded has won; `{_resume(description)}` draws the rest."


def _resume(description: Mapping[str, Any]) -> str:
    draw_id = json.loads(description["input"]).get("draw_id", description["name"])
    return f"python -m lottery_lib resume {draw_id} --edition hardened"


@explained()
def receipts(target: Target, draw_id: str) -> list[dict[str, Any]]:
    """Fetch what a hardened draw has written down, prize by prize, in the form that `verify_draw` takes.

    Args:
        target: Where.
        draw_id: The name of its execution.

    Returns:
        One record a prize: ``prize``, ``count``, ``committed_at``, ``algorithm``, ``commitment``, ``pool``,
        ``pool_digest``, ``winners``, ``excluded``, ``won_before``, and once it is recorded ``recorded_at``,
        ``secret`` and ``seal``.

    Raises:
        LotteryError: There is no such draw.
    """
    table = target.names.draws_table
    head = dynamodb_table.item(target, table, {"draw_id": draw_id})
    if head is None:
        raise LotteryError(f"draw {draw_id}", "is not written down", "Give the name of a hardened execution")
    found = dynamodb_table.get(target, table, [{"draw_id": name} for name in head["records"]])
    records = sorted(found, key=lambda record: head["records"].index(record["draw_id"]))
    drawn_from = pool.pool_ids(target, records[0]["pool_digest"], records[0]["pool_size"])
    return [fairness.receipt(record, drawn_from) for record in records]


@explained()
def last_execution(target: Target) -> str:
    """The ARN of the newest execution.

    Raises:
        LotteryError: There is none.
    """
    found = execution.executions(target, machine_arn(target))
    if not found and state_machine.find(target, target.names.machine) is None:
        raise _no_machine(target)
    if not found:
        raise LotteryError(
            f"state machine {target.names.machine}",
            "has no executions yet",
            "Run `python -m lottery_lib draw 2`",
        )
    arn: str = found[0]["executionArn"]
    return arn


@explained()
def winners(target: Target) -> pd.DataFrame:
    """Who has won so far, from `Lottery-Winners`, with what `Lottery-Employee` knows of them (tutorial 4).

    Returns:
        One row a winner, ordered by ``employee_id``; columns ``employee_id``, ``employee_name``,
        ``employee_entry_date``, ``lottery_serial``, and ``prize`` where there were prizes.
    """
    won = _items(target, target.names.winners_table)
    known = {item["employee_id"]: item for item in _items(target, target.names.employee_table)}
    rows = [known.get(item["employee_id"], {}) | item for item in won]
    # Objects, or one winner who is no employee any more would make the others' serials 1.0, 2.0.
    prize = ["prize"] if any(row.get("prize") for row in rows) else []
    table = pd.DataFrame(rows, columns=[*WINNER_COLUMNS, *prize], dtype=object)
    return table.sort_values("employee_id", ignore_index=True)


@explained()
def remaining(target: Target) -> list[dict[str, Any]]:
    """Who has not won yet."""
    won = {item["employee_id"] for item in _items(target, target.names.winners_table)}
    employees = _items(target, target.names.employee_table)
    return [employee for employee in employees if employee["employee_id"] not in won]


@explained()
def forget_winners(target: Target) -> int:
    """Empty the table of winners, so that everyone can win again; returns how many there were."""
    dynamodb_table.check_ours(target, target.names.winners_table)
    won = [item["employee_id"] for item in _items(target, target.names.winners_table)]
    dynamodb_table.remove(target, target.names.winners_table, won)
    return len(won)


@explained()
def executions(target: Target, *, newest: int | None = None) -> pd.DataFrame:
    """All draws so far, newest first. Each costs one call more, as only its history tells what it did.

    Args:
        target: Where.
        newest: Only so many.

    Returns:
        Columns ``name``, ``status``, ``winners`` (their names, joined by commas), ``started`` (UTC),
        ``duration`` (seconds; NaN while running), ``transitions``, ``cost`` (US dollars on AWS, at
        $0.025 for 1,000 transitions, without the free tier), ``execution_arn``.
    """
    found = execution.executions(target, machine_arn(target))[:newest]
    table = pd.DataFrame([_row(target, each) for each in found], columns=list(EXECUTION_COLUMNS))
    table["started"] = pd.to_datetime(table["started"], utc=True)
    return table


def _row(target: Target, each: Mapping[str, Any]) -> dict[str, Any]:
    events = execution.history(target, each["executionArn"])
    steps = events_of.transitions(events)
    took = (each["stopDate"] - each["startDate"]).total_seconds() if "stopDate" in each else None
    return {
        "name": each["name"],
        "status": each["status"],
        "winners": ", ".join(_name(winner) for winner in _winners(events_of.output(events))),
        "started": each["startDate"],
        "duration": took,
        "transitions": steps,
        "cost": steps * DOLLARS_PER_TRANSITION,
        "execution_arn": each["executionArn"],
    }


def _name(winner: Mapping[str, Any]) -> str:
    return str(winner.get("employee_name") or winner["employee_id"])


def _items(target: Target, table: str) -> list[dict[str, Any]]:
    if dynamodb_table.find(target, table) is None:
        raise LotteryError(f"table {table}", "does not exist", DEPLOY)
    return dynamodb_table.items(target, table)
