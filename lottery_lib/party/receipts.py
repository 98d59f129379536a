"""Go on with a hardened draw, and read what it wrote down."""

from typing import Any

from lottery_lib.draws import run
from lottery_lib.errors import LotteryError
from lottery_lib.history import DrawResult
from lottery_lib.party import fairness
from lottery_lib.resources.contents import Pool, draws_table
from lottery_lib.target import Target

__all__ = ["receipts", "resume"]


def resume(target: Target, draw_id: str, *, remail: bool = False, seconds: float = 120.0) -> DrawResult:
    """Go on with a hardened draw that stopped half-way. What it has recorded stays.

    This starts a new execution: AWS refuses the name of an execution that has ended for 90 days.

    Args:
        target: Where.
        draw_id: The name of the execution that began the draw.
        remail: Mail what is recorded, even if an earlier execution already mailed it.
        seconds: As for `lottery_lib.draw`.

    Returns:
        What `lottery_lib.draw` returns.
    """
    return run(target, {"draw_id": draw_id, "remail": remail}, seconds)


def receipts(target: Target, draw_id: str) -> list[dict[str, Any]]:
    """Fetch what a hardened draw has written down, prize by prize, as `verify_draw` takes it.

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
    table = draws_table(target)
    head = table.item(draw_id)
    if head is None:
        raise LotteryError(f"draw {draw_id}", "is not written down", "Give the name of a hardened execution")
    found = sorted(table.get(head["records"]), key=lambda record: head["records"].index(record["draw_id"]))
    pool = Pool(target).ids(found[0]["pool_digest"], found[0]["pool_size"])
    return [fairness.receipt(record, pool) for record in found]
