"""Continue a hardened draw, and read what it recorded."""

from typing import Any

from lottery_lib.draws import run
from lottery_lib.errors import LotteryError
from lottery_lib.history import DrawResult
from lottery_lib.party import fairness
from lottery_lib.resources.contents import Pool, draws_table
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
