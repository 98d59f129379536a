"""Run draws, and tabulate them and their winners."""

import io
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import dropwhile
from typing import TYPE_CHECKING, Any, Final

from lottery_lib import employees, execution
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import harmless, to_cell, width
from lottery_lib.history import (
    DOLLARS_PER_TRANSITION,
    DrawResult,
    Event,
    ExecutionRecord,
    Progress,
    Reader,
    Winner,
    output,
)
from lottery_lib.mails import inbox
from lottery_lib.resources.contents import empty_winners
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.resources.state_machine import StateMachine
from lottery_lib.target import Target
from lottery_lib.translation import CANCELLED, _, language, name_in_words, punctuated, value_in_words

if TYPE_CHECKING:
    import pandas as pd

# Only what makes a table imports pandas: it takes half of the memory of an evening's pages.
# ruff: noqa: PLC0415

_TOO_NEW: Final = _(
    "(The rights of a role that was made or changed in the last minutes may not hold everywhere yet: "
    "wait a minute and try again. If it stays, deploy again)"
)
_EXECUTION_COLUMNS: Final = [
    *("name", "status", "winners", "started", "duration"),
    *("transitions", "cost", "execution_arn"),
]


class Draws:
    """The calls that a panel makes. Each call may block until AWS answers."""

    def __init__(self, target: Target) -> None:
        self._target = target

    @property
    def definition(self) -> dict[str, Any]:
        """The machine's definition as it is deployed."""
        machine = StateMachine(self._target, self._target.names.machine)
        return dict(json.loads(machine.describe()["definition"]))

    @property
    def may_reset(self) -> bool:
        """Whether a button may delete all winners: not on AWS, where the command asks first."""
        return self._target.kind != "aws"

    def reset(self) -> None:
        """Delete all winners, so that everyone can win again."""
        empty_winners(self._target)

    def execution(self, arn: str | None = None) -> ExecutionRecord:
        """An execution's events, and the definition that it ran with. Without an ARN: the latest execution.

        Raises:
            LotteryError: There is no such execution.
        """
        arn = arn or last_execution(self._target)
        execution.describe(self._target, arn)  # raises if there is none
        machine = execution.machine(self._target, arn)
        return ExecutionRecord(json.loads(machine["definition"]), execution.history(self._target, arn))

    def count_remaining(self) -> int:
        """How many employees have not won yet."""
        return len(remaining(self._target))

    def start(self, wanted: object) -> str:
        """Start a draw with a number of winners or a list of prizes; returns the execution's ARN."""
        return execution.start(self._target, machine_arn(self._target), execution_input(self._target, wanted))

    def progress(
        self, arn: str, seen: Sequence[Event] = (), described: Mapping[str, Any] | None = None
    ) -> Progress:
        """See how far a draw is.

        Args:
            arn: Its execution.
            seen: The events that an earlier look has found; only those that follow are fetched.
            described: What `describe_execution` has just returned, if somebody has asked.
        """
        # Describe it first: if it has ended, the history then has its last event.
        description = described or execution.describe(self._target, arn)
        events = execution.history(self._target, arn, seen)
        ended = description["status"] in execution.ENDED
        return Progress(events, _fresh(_result(description, events)) if ended else None)

    def stop(self, arn: str) -> None:
        """Stop a draw."""
        execution.stop(self._target, arn, error="Cancelled", cause=CANCELLED)

    def mailed(self) -> str:
        """Say in a sentence who gets the mails and where to read them."""
        return inbox(self._target).where


def machine_arn(target: Target) -> str:
    """The ARN of this attendee's state machine."""
    return target.arn("states", f"stateMachine:{target.names.machine}")


def draw(target: Target, wanted: object, *, seconds: float = 120.0, name: str | None = None) -> DrawResult:
    """Draw winners: start an execution with ``{"input": wanted}`` and wait until it ends (tutorial 3).

    Args:
        wanted: How many winners. If this is not a whole number of at least 1, the draw ends as FAILED: the
            machine checks it, not this function. The hardened edition also takes a list of prizes, such as
            ``[{"name": "Car", "count": 1}]``, and draws them in that order.
        seconds: The deadline of the wait.
        name: The name of the execution, if it must have a certain one. AWS remembers a name for 90 days.

    Returns:
        The result, always with all five keys. A draw that has not ended by the deadline is ``RUNNING``, and
        goes on: the tutorial's machine has no time-out.
    """
    return run(target, execution_input(target, wanted), seconds, name)


def run(
    target: Target,
    draw_input: Mapping[str, object],
    seconds: float,
    name: str | None = None,
    meanwhile: Callable[[str], None] = lambda arn: None,
) -> DrawResult:
    """Start an execution with this input and wait until it ends; see `draw`.

    Before it waits, it calls `meanwhile` with the ARN.

    Raises:
        LotteryError: There is an execution of this name already.
    """
    machine = machine_arn(target)
    if name and execution.exists(target, execution.arn_of(machine, name)):
        raise LotteryError(_("draw {name}", name=name), _("exists already"), _("Give another name"))
    arn = execution.start(target, machine, draw_input, name)
    try:
        meanwhile(arn)
        description = execution.wait(target, arn, seconds=seconds)
    except LotteryError as why:  # the draw has started: return its ARN, so that nobody starts another
        cause = _(
            "{why} The draw goes on; look at it with `lottery history {arn}`, or stop it", why=why, arn=arn
        )
        running = _result({"status": "RUNNING", "executionArn": arn}, [])
        return running | {"error": "StillRunning", "cause": cause}
    try:
        return _fresh(_result(description, execution.history(target, arn)))
    except LotteryError as why:  # the status and the winners are known without the history
        ended = _result(description, [])
        unread = _("{why} Then `lottery history {arn}` shows the reason", why=why, arn=arn)
        failed = ended["status"] != "SUCCEEDED"
        return ended | {"error": "HistoryNotRead", "cause": unread} if failed else ended


def result(target: Target, arn: str) -> DrawResult:
    """Return the result of a draw.

    The tutorial's `Failed` state gives no reason. Then the reason comes from the error that a Catch caught.
    """
    return _result(execution.describe(target, arn), execution.history(target, arn))


def last_execution(target: Target) -> str:
    """The ARN of the newest execution.

    Raises:
        LotteryError: There is none.
    """
    machine = StateMachine(target, target.names.machine)
    newest_first = execution.of_machine(target, machine.arn)
    if not newest_first:
        machine.describe()  # raises if there is no machine
        raise LotteryError(machine.titled, _("has no executions yet"), _("Run `lottery draw 2`"))
    return newest_first[0]["executionArn"]


def winner_table(
    target: Target, without_receipt: Callable[[list[Item]], Collection[str]] = lambda rows: ()
) -> "pd.DataFrame":
    """List the winners so far from `Lottery-Winners`, with their data from `Lottery-Employee` (tutorial 4).

    Args:
        without_receipt: Takes the rows of `Lottery-Winners`, and returns the ids of those without a receipt.

    Returns:
        One row for each winner, ordered by ``employee_id``. The columns are ``employee_id``,
        ``employee_name``, ``employee_entry_date``, ``lottery_serial``; ``department`` if a winner has one;
        ``prize`` if there were prizes; ``status`` if a winner was absent at the roll call; and ``receipt`` if
        a row has no receipt: it says so.
    """
    won = _items(target, target.names.winners_table)
    everybody = {item["employee_id"]: item for item in _items(target, target.names.employee_table)}
    receipts = dict.fromkeys(without_receipt(won), "no receipt")
    ids = [item["employee_id"] for item in won]
    rows = [
        everybody.get(employee_id, {}) | item | {"receipt": receipts.get(employee_id)}
        for employee_id, item in zip(ids, won, strict=True)
    ]
    optional = ("department", "prize", "status", "receipt")
    more = [column for column in optional if any(row.get(column) for row in rows)]
    table = _table(rows, [*employees.COLUMNS, *more])
    return _rewritten(table.sort_values("employee_id"), harmless)


def winners_in_words(table: "pd.DataFrame") -> "pd.DataFrame":
    """The table of winners as people read it: with heads and words in their language."""
    if language() == "en":
        return table
    rows = [list(map(value_in_words, table, row)) for row in table.itertuples(index=False, name=None)]
    # `status` is the word for an execution; here, it says who was absent at the roll call.
    heads = [name_in_words("roll_call" if column == "status" else column) for column in table]
    return _table(rows, heads)


def as_csv(table: "pd.DataFrame") -> bytes:
    """Winners as a CSV file. A spreadsheet shows its Chinese names, and runs no cell as a formula."""
    text: str = _rewritten(winners_in_words(table), to_cell).to_csv(index=False)
    return text.encode("utf-8-sig")  # without a byte order mark, a spreadsheet shows Chinese names wrongly


def as_xlsx(table: "pd.DataFrame") -> bytes:
    """Winners as an .xlsx file. Text stays text: 007 keeps its zeros, and no cell is run as a formula."""
    from pandas import ExcelWriter

    file, table = io.BytesIO(), winners_in_words(table)
    as_text = {"strings_to_formulas": False, "strings_to_urls": False}
    with ExcelWriter(file, engine="xlsxwriter", engine_kwargs={"options": as_text}) as writer:
        table.to_excel(writer, index=False)
        (sheet,) = writer.sheets.values()
        sheet.set_row(0, None, writer.book.add_format({"bold": True}))
        for at, column in enumerate(table):
            texts = [column, *table[column].dropna().astype(str)]
            # Excel's own way to fit columns does not know how wide Chinese characters are.
            sheet.set_column(at, at, min(max(map(width, texts)) + 2, 60))
    return file.getvalue()


def _table(rows: Sequence[Any], columns: Iterable[str]) -> "pd.DataFrame":
    """A table of any values. Beside a missing serial, numbers would become 1.0 and 2.0 without `object`."""
    from pandas import DataFrame

    return DataFrame(rows, columns=list(columns), dtype=object)


def _rewritten(table: "pd.DataFrame", rewrite: Callable[[str], str]) -> "pd.DataFrame":
    """The table with each text rewritten. `DataFrame.map` would make 1.0 of a serial beside a missing one."""
    rows = [
        [rewrite(value) if isinstance(value, str) else value for value in row]
        for row in table.itertuples(index=False, name=None)
    ]
    return _table(rows, table.columns)


def remaining(target: Target) -> list[Item]:
    """List the employees who have not won yet."""
    rows = _items(target, target.names.winners_table)
    won = {row["employee_id"] for row in rows if row.get("status") != "absent"}
    everybody = _items(target, target.names.employee_table)
    return [employee for employee in everybody if employee["employee_id"] not in won]


def executions(target: Target, *, newest: int | None = None) -> "pd.DataFrame":
    """Tabulate all draws so far, newest first. Each draw costs one more call, for its history.

    Args:
        newest: The largest number of draws to return; None for all.

    Returns:
        Columns ``name``, ``status``, ``winners`` (their names, joined by commas), ``started`` (UTC),
        ``duration`` (seconds; NaN while running), ``transitions``, ``cost`` (US dollars on AWS, at
        $0.025 for 1,000 transitions, without the free tier), ``execution_arn``.
    """
    rows = []
    for listed in execution.of_machine(target, machine_arn(target))[:newest]:
        events = execution.history(target, listed["executionArn"])
        names = [str(won.get("employee_name") or won["employee_id"]) for won in _winners(output(events))]
        took = (listed["stopDate"] - listed["startDate"]).total_seconds() if "stopDate" in listed else None
        steps = Reader(events).transitions()
        what = (listed["name"], listed["status"], harmless(", ".join(names)), listed["startDate"], took)
        rows.append((*what, steps, steps * DOLLARS_PER_TRANSITION, listed["executionArn"]))
    import pandas as pd

    table = pd.DataFrame(rows, columns=_EXECUTION_COLUMNS)
    table["started"] = pd.to_datetime(table["started"], utc=True)
    return table


def execution_input(target: Target, wanted: object) -> dict[str, object]:
    """The input of an execution that draws a number of winners or, in the hardened edition, prizes."""
    prizes = isinstance(wanted, list) and target.names.edition == "hardened"
    return {"prizes" if prizes else "input": wanted}


def _result(description: Mapping[str, Any], events: Sequence[Event]) -> DrawResult:
    succeeded = description["status"] == "SUCCEEDED"
    drawn = json.loads(description.get("output") or "null") if succeeded else None
    error, cause = Reader(events).failure() or _not_mailed(description, drawn) or (None, None)
    if error and not succeeded and (advice := _how_to_go_on(description, events)):
        cause = punctuated("{cause}. {advice}", cause=str(cause).rstrip(".。"), advice=advice)
    return {
        "status": description["status"],
        "winners": _winners(drawn),
        "execution_arn": description["executionArn"],
        "error": error,
        "cause": cause,
    }


def _fresh(result: DrawResult) -> DrawResult:
    """If the draw failed because a right is missing, add a hint that the right may only be too new."""
    cause = str(result["cause"])
    if "AccessDenied" in cause or "not authorized to perform" in cause:
        result["cause"] = punctuated("{cause}. {advice}", cause=cause.rstrip(".。"), advice=_TOO_NEW)
    return result


def _winners(drawn: Any) -> list[Winner]:
    """Read the winners from an output: from the branch that recorded them (tutorial), or from each prize."""
    winners = []
    for part in drawn if isinstance(drawn, list) else [drawn]:
        body = part.get("body", part) if isinstance(part, dict) else None
        if isinstance(body, dict):
            prize = {"prize": part["prize"]} if part.get("prize") else {}
            winners += [winner | prize for winner in body.get("winners", [])]
    return winners


def _not_mailed(description: Mapping[str, Any], drawn: object) -> tuple[str, str] | None:
    """The error and the cause if a hardened draw recorded its winners but could not mail them.

    The first line of the cause says what to do; AWS's words follow.
    """
    prizes = drawn if isinstance(drawn, list) else []
    missed = [prize for prize in prizes if isinstance(prize, dict) and "error" in prize]
    if not missed:
        return None
    error = missed[0]["error"]
    advice = _(
        "recorded, not mailed: {missed} of {count} prizes; once {error} is repaired, "
        "`{command} --mail` mails all winners of this draw.",
        missed=len(missed),
        count=len(prizes),
        error=error,
        command=_resume(description),
    )
    return "RecordedNotMailed", f"{advice}\n{error}: {missed[0]['cause']}"


def _how_to_go_on(description: Mapping[str, Any], events: Sequence[Event]) -> str:
    """Say how to continue a hardened draw that failed after it recorded winners; empty for other draws."""
    kinds = (event["type"] for event in events)
    if "TaskStateExited" not in dropwhile(lambda kind: kind != "MapIterationStarted", kinds):
        return ""
    entered = (event.get("stateEnteredEventDetails", {}).get("name") for event in events)
    if "Recorded Not Mailed" in entered:
        return _(
            "The recorded winners stay; `{command} --mail` draws the rest, and mails all.",
            command=_resume(description),
        )
    return _("The recorded winners stay; `{command}` draws the rest.", command=_resume(description))


def _resume(description: Mapping[str, Any]) -> str:
    draw_id = json.loads(description["input"]).get("draw_id", description["name"])
    return f"lottery resume {draw_id} --edition hardened"


def _items(target: Target, name: str) -> list[Item]:
    table = Table(target, name)
    table.describe()  # raises if there is no table
    return table.items()
