"""Draw in the hardened edition in public, continue such a draw, and list its winners with their receipts."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lottery_lib import execution
from lottery_lib.aws_errors import call_or_none
from lottery_lib.draws import execution_input, run, winner_table
from lottery_lib.errors import LotteryError
from lottery_lib.harmless import normalised
from lottery_lib.resources.contents import draws_table
from lottery_lib.translation import _

if TYPE_CHECKING:
    import pandas as pd

    from lottery_lib.history import DrawResult
    from lottery_lib.resources.dynamodb_table import Item
    from lottery_lib.target import Target

_ASKS_SECONDS: Final = 60.0
#: The draw, the prize and the status of a win, as a row of winners has them.
_Win = tuple[str | None, str | None, str | None]


def check_edition(target: "Target", draw_id: str) -> None:
    """Refuse a target whose draws keep no records.

    Raises:
        LotteryError: The target is not the hardened edition.
    """
    edition = target.names.edition
    if edition != "hardened":
        raise LotteryError(
            _("draw {name}", name=draw_id),
            _(
                "only draws of the hardened edition have records, and this is the {edition} edition",
                edition=edition,
            ),
            _('Add `--edition hardened`, or in Python use `connect(edition="hardened")`'),
        )


def resume(target: "Target", draw_id: str, *, remail: bool = False, seconds: float = 120.0) -> "DrawResult":
    """Continue a hardened draw that stopped before its end. What it has recorded stays.

    This starts a new execution: for 90 days after the end of an execution, AWS refuses its name.

    Args:
        draw_id: The name of the execution that began the draw.
        remail: Send the mail, even if an earlier execution has already sent it.
        seconds: As for `lottery_lib.draw`.

    Returns:
        What `lottery_lib.draw` returns.

    Raises:
        LotteryError: The target is not the hardened edition.
    """
    check_edition(target, draw_id)
    return run(target, {"draw_id": draw_id, "remail": remail}, seconds)


def winners(target: "Target") -> "pd.DataFrame":
    """List the winners so far (tutorial 4). In the hardened edition, a row without a receipt is marked.

    Returns:
        What `draws.winner_table` returns.
    """
    if target.names.edition != "hardened":  # it has no receipts
        return winner_table(target)
    table = winner_table(target, partial(without_receipt, target))
    if "receipt" in table:  # a draw may have written something between the two tables
        table = winner_table(target, partial(without_receipt, target))
    return table


def without_receipt(target: "Target", rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Compare rows of winners with the receipts of a hardened lottery.

    It reads the table of draws once, and believes the receipts. `lottery_party.verify_draw` checks whether
    the receipts are right.

    Args:
        target: Where; the hardened edition.
        rows: Rows of the table of winners.

    Returns:
        The ids in the rows that no receipt names with this draw, prize and status, such as those of winners
        of the tutorial edition, which keeps no receipts. If the receipts cannot be read, all ids.
    """
    draws = call_or_none(draws_table(target).items, "ResourceNotFound") or []
    in_rows = defaultdict[str, set[_Win]](set)
    for row in rows:
        in_rows[row["employee_id"]].add((row.get("draw_id"), row.get("prize"), row.get("status")))
    named = defaultdict[str, set[_Win]](set)
    try:
        for employee_id, win in _wins(receipt_texts({item["draw_id"]: item for item in draws})):
            named[employee_id].add(win)
    except (AttributeError, LookupError, TypeError, ValueError):
        return {*in_rows}
    # A win counts more than an absence.
    present = {person: {win for win in wins if win[2] is None} for person, wins in named.items()}
    return {person for person, wins in in_rows.items() if not wins <= (present.get(person) or named[person])}


def _wins(document: Mapping[str, Any]) -> Iterator[tuple[str, _Win]]:
    """Each win that the receipts name since the last reset, with the winner's id."""
    chain = [json.loads(text) for text in document["chain"]]
    resets = [at for at, receipt in enumerate(chain) if receipt["kind"] == "reset"]
    before = {receipt.get("draw") for receipt in chain[: max(resets, default=0)]}
    for name in document["draws"].keys() - before:
        prizes, wins = list[Mapping[str, Any]](), dict[str, _Win]()
        for receipt in map(json.loads, document["draws"][name]["receipts"]):
            match receipt["kind"]:
                case "announced":
                    prizes += receipt["prizes"]
                case "prize added":
                    prizes.append(receipt)
                case "drawn":
                    prize = prizes[receipt["prize"] - 1]["prize"]
                    wins |= dict.fromkeys(receipt["winners"], (name, prize, None))
                case "roll call":
                    absent = wins.keys() & set(receipt["absent"])
                    wins |= {person: (*wins[person][:2], "absent") for person in absent}
        yield from wins.items()


def receipt_texts(items: "Mapping[str, Item]") -> dict[str, Any]:
    """The receipts among the items of the table of draws. One that somebody has removed is an empty text."""

    def texts(name: str, first: int, end: int) -> list[str]:
        return [items.get(f"{name}#{number}", {}).get("text", "") for number in range(first, end)]

    draws = {
        name: texts("#chain", draw["chain"], draw["chain"] + 1) + texts(name, 1, draw["receipts"])
        for name, draw in items.items()
        if "chain" in draw
    }
    chain = texts("#chain", 0, items.get("#chain", {}).get("receipts", 0))
    return {"chain": chain, "draws": {name: {"receipts": receipts} for name, receipts in draws.items()}}


def draw_in_public(
    target: "Target", wanted: object, public: str, *, name: str | None = None, seconds: float = 120.0
) -> "DrawResult":
    """Draw like `lottery_lib.draw`, with a public value. The machine first commits to its own value.

    Args:
        target: Where; the hardened edition.
        wanted: How many winners, or a list of prizes.
        public: The public value.
        name: The name of the execution; by default a new one.
        seconds: The deadline of the wait.

    Raises:
        LotteryError: The target is not the hardened edition.
    """
    name = name or execution.new_name()
    check_edition(target, name)
    check_public_value(public)

    def answer(arn: str) -> None:
        def answered() -> bool:
            if waiting := draws_table(target).item(f"{name}#waiting"):
                return send_answer(target, waiting, {"public": public})
            return execution.describe(target, arn)["status"] in execution.ENDED

        what = _("the machine to ask for the public value")
        target.waiter.until(what, answered, seconds=_ASKS_SECONDS, every=0.1)

    with_question = {**execution_input(target, wanted), "question": "What is the public value?"}
    return run(target, with_question, seconds, name, answer)


def check_public_value(value: str) -> None:
    """Refuse a public value that is not written as everybody reads it (docs/receipts.md).

    Raises:
        LotteryError: It is empty, or normalising changes it.
    """
    if not (right := normalised(value)):
        next_step = _("Type what the room has said: letters and digits")
        raise LotteryError(_("public value"), _("it is empty"), next_step)
    if right != value:
        what = _("it must be written as everybody reads it")
        raise LotteryError(_("public value"), what, _("Type: {value}", value=right))


def send_answer(target: "Target", waiting: "Item", output: object) -> bool:
    """Answer the question of a hardened machine in the table of draws, and remove the question.

    Args:
        waiting: The item with the question.
        output: The answer: a value that JSON can hold.

    Returns:
        False if the machine no longer waits for this answer.
    """
    token, draws = waiting["token"], draws_table(target)
    send = target.kit_client("stepfunctions").send_task_success
    gone = ("TaskTimedOut", "InvalidToken", "TaskDoesNotExist")
    sent = call_or_none(send, *gone, taskToken=token, output=json.dumps(output))
    call_or_none(
        target.plain_dynamodb().delete_item,
        "ConditionalCheckFailed",  # the next question is there already
        TableName=draws.name,
        Key={"draw_id": waiting["draw_id"]},
        ConditionExpression="#token = :token",
        ExpressionAttributeNames={"#token": "token"},
        ExpressionAttributeValues={":token": token},
    )
    return sent is not None
