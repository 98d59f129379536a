"""Load who can be drawn; and write the pool, to which a hardened draw binds itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from lottery_lib.aws_errors import explained
from lottery_lib.employees import Roster
from lottery_lib.errors import LotteryError
from lottery_lib.party.fairness import digest
from lottery_lib.resources import Resource, dynamodb_table, refuse_foreign
from lottery_lib.target import Target

__all__ = ["ensure_pool", "load_employees", "pool_ids"]

CHUNK: Final = 100  # employees in one item: it stays far below the 400 KB that an item may have
Progress = Callable[[Sequence[Any]], Iterable[Any]]


@explained()
def load_employees(target: Target, employees: Roster, progress: Progress = iter) -> int:
    """Make a roster the content of the table of employees: those who are not in it leave the pool.

    Args:
        target: Where.
        employees: The roster.
        progress: Wraps what is gone through, as `tqdm` does.

    Returns:
        How many employees there are now.

    Raises:
        LotteryError: The roster is empty, which would leave nobody to draw from; or there is no table.
    """
    table = target.names.employee_table
    if not employees.employees:
        raise LotteryError("roster", "has no valid employee", "Mend the rows that were rejected")
    dynamodb_table.check_ours(target, table)
    drawn_from = dynamodb_table.find(target, target.names.pool_table)
    if drawn_from:
        refuse_foreign(drawn_from)
    wanted = {employee["employee_id"] for employee in employees.employees}
    there = set(dynamodb_table.ids(target, table))
    dynamodb_table.remove(target, table, sorted(there - wanted))
    dynamodb_table.put(target, table, progress(employees.employees))
    if drawn_from:
        _write(target, sorted(wanted))
    return len(wanted)


def ensure_pool(target: Target) -> Resource:
    """Make the pool that of the table of employees, whoever put them there."""
    ids = sorted(dynamodb_table.ids(target, target.names.employee_table))
    head = dynamodb_table.item(target, target.names.pool_table, {"chunk": "head"})
    if head and head["digest"] == digest(ids):
        return Resource("pool", target.names.pool_table, "unchanged")
    _write(target, ids)
    return Resource("pool", target.names.pool_table, "updated" if head else "created")


def pool_ids(target: Target, pool_digest: str, size: int) -> list[str]:
    """The ids of the pool of that digest, in its order."""
    numbers = range(-(-size // CHUNK))
    keys = [{"chunk": f"{pool_digest}#{number}"} for number in numbers]
    found = {item["chunk"]: item["ids"] for item in dynamodb_table.get(target, target.names.pool_table, keys)}
    return [each for key in keys for each in found[key["chunk"]]]


def _write(target: Target, ids: list[str]) -> None:
    # The head last: who draws meanwhile finds the former pool whole. That one stays, for its receipts.
    name = digest(ids)
    dynamodb_table.put(target, target.names.pool_table, _chunks(name, ids))
    head = {"chunk": "head", "digest": name, "size": len(ids)}
    dynamodb_table.put(target, target.names.pool_table, [head])


def _chunks(name: str, ids: list[str]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(ids), CHUNK):
        yield {"chunk": f"{name}#{start // CHUNK}", "ids": ids[start : start + CHUNK]}
