"""Continue a hardened draw, and read or save what it recorded."""

from typing import Any

from lottery_lib.aws_errors import all_pages, call_or_none
from lottery_lib.draws import run
from lottery_lib.errors import LotteryError
from lottery_lib.history import DrawResult
from lottery_lib.names import Names
from lottery_lib.party import fairness
from lottery_lib.resources.contents import Pool, draws_table
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target


def resume(target: Target, draw_id: str, *, remail: bool = False, seconds: float = 120.0) -> DrawResult:
    """Continue a hardened draw that stopped before its end. What it has recorded stays.

    This starts a new execution: AWS refuses the name of an execution that has ended for 90 days.

    Args:
        target: Where.
        draw_id: The name of the execution that began the draw.
        remail: Send the mail, even if an earlier execution has already sent it.
        seconds: As for `lottery_lib.draw`.

    Returns:
        What `lottery_lib.draw` returns.
    """
    return run(target, {"draw_id": draw_id, "remail": remail}, seconds)


def receipts(target: Target, draw_id: str) -> list[dict[str, Any]]:
    """Fetch the records of a hardened draw, prize by prize, in the form that `verify_draw` takes.

    Args:
        target: Where.
        draw_id: The name of the execution that began the draw.

    Returns:
        One record for each prize: ``prize``, ``count``, ``committed_at``, ``algorithm``, ``commitment``,
        ``pool``, ``pool_digest``, ``winners``, ``excluded``, ``won_before``. When the prize is recorded, also
        ``recorded_at``, ``secret`` and ``seal``.

    Raises:
        LotteryError: There is no such draw.
    """
    table = draws_table(target)
    head = table.item(draw_id)
    if head is None:
        raise LotteryError(f"draw {draw_id}", "has no record", "Give the name of a hardened execution")
    found = sorted(table.get(head["records"]), key=lambda record: head["records"].index(record["draw_id"]))
    pool = Pool(target).ids(found[0]["pool_digest"], found[0]["pool_size"])
    return [fairness.receipt(record, pool) for record in found]


def unsaved(target: Target) -> list[str]:
    """Say what an emulator's end destroys: one sentence for each hardened lottery that has winners.

    A sentence says how to save the winners and the receipts. Whether somebody has done so is not known.
    """
    base = Names(edition="hardened").draws_table
    tables = all_pages(target.client("dynamodb"), "list_tables", "TableNames")
    attendees = [name.removeprefix(base)[1:] for name in tables if f"{name}-".startswith(f"{base}-")]
    lotteries = [target.named(Names(attendee, "hardened")) for attendee in attendees]
    return [sentence for each in lotteries if (sentence := _unsaved(each))]


def _unsaved(target: Target) -> str:
    winners = Table(target, target.names.winners_table)
    count = len(call_or_none(lambda: list(winners.all_keys()), "ResourceNotFound") or [])
    who = target.names.attendee
    command = f"LOTTERY_ATTENDEE={who} lottery" if who else "lottery"
    draws = sorted(key for key in draws_table(target).all_keys() if "#" not in key)
    receipts = [f", `{command} receipts {each} --edition hardened --json`" for each in draws]
    if not count:
        return ""
    return (
        f"Winners in {winners.name}: {count}. The emulator forgets them when it ends. To save them: "
        f"`{command} winners --csv winners.csv`{''.join(receipts)}"
    )
