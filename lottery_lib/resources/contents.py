"""Keep what the lottery's tables hold from the start: the employees, and the pool of the hardened edition.

A hardened draw binds itself to the pool: the ids of all employees, in order, in chunks, under their digest.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

from lottery_lib.aws_errors import call_or_none
from lottery_lib.employees import Roster, digest, tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources import Content, Resource
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target

__all__ = ["CHUNK", "Employees", "Pool", "draws_table", "load_employees", "pool_table"]

CHUNK: Final = 100  # ids in one item: it stays far below the 400 KB that an item may have


def pool_table(target: Target) -> Table:
    """The table of the pool, in chunks."""
    return Table(target, target.names.pool_table, "chunk")


def draws_table(target: Target) -> Table:
    """The table with the records of the hardened draws."""
    return Table(target, target.names.draws_table, "draw_id")


class Employees(Content):
    """The tutorial's ten employees, in a table that is empty."""

    kind: ClassVar = "employees"

    def __init__(self, target: Target) -> None:
        super().__init__(target, target.names.employee_table)
        self._table = Table(target, self.name)

    def find(self) -> Resource | None:
        """Look whether there is any employee."""
        empty = call_or_none(self._table.is_empty, "ResourceNotFound")
        return Resource(self.kind, self.name, "loaded") if empty is False else None

    def ensure(self) -> Resource:
        """Load the ten, unless there is any employee."""
        empty = self._table.is_empty()
        if empty:
            if self.target.names.edition == "tutorial":
                load_employees(self.target, tutorial_roster())  # a pool of the other edition follows
            else:
                self._table.put(tutorial_roster().employees)  # the pool is the next in the plan
        return Resource(self.kind, self.name, "created" if empty else "unchanged")


class Pool(Content):
    """The pool as the table of employees makes it, however they got there."""

    kind: ClassVar = "pool"

    def __init__(self, target: Target) -> None:
        super().__init__(target, target.names.pool_table)
        self.table = pool_table(target)

    def find(self) -> Resource | None:
        """Look whether there is a pool."""
        head = call_or_none(self.table.item, "ResourceNotFound", key="head")
        return Resource(self.kind, self.name, "loaded") if head else None

    def ensure(self) -> Resource:
        """Write the pool if it is not that of the table of employees."""
        employees = Table(self.target, self.target.names.employee_table)
        ids = sorted(call_or_none(lambda: list(employees.all_keys()), "ResourceNotFound") or [])
        head = self.table.item("head")
        if head and head["digest"] == digest(ids):
            return Resource(self.kind, self.name, "unchanged")
        self.write(ids)
        return Resource(self.kind, self.name, "updated" if head else "created")

    def write(self, ids: list[str]) -> None:
        """Write a pool of these ids, in this order."""
        name, starts = digest(ids), range(0, len(ids), CHUNK)
        self.table.put({"chunk": f"{name}#{at // CHUNK}", "ids": ids[at : at + CHUNK]} for at in starts)
        # The head last: a draw that runs meanwhile finds the former pool whole, and its receipts need it.
        self.table.put([{"chunk": "head", "digest": name, "size": len(ids)}])

    def ids(self, pool_digest: str, size: int) -> list[str]:
        """The ids of the pool with this digest and size, in order."""
        names = [f"{pool_digest}#{number}" for number in range(-(-size // CHUNK))]
        chunks = {item["chunk"]: item["ids"] for item in self.table.get(names)}
        return [each for name in names for each in chunks[name]]


def load_employees(
    target: Target, employees: Roster, progress: Callable[[Sequence[Any]], Iterable[Any]] = iter
) -> int:
    """Make a roster the content of the table of employees. Employees who are not in it leave the lottery.

    Args:
        target: Where.
        employees: The roster.
        progress: Wraps the employees while they are written, as `tqdm` does.

    Returns:
        How many employees there are now.

    Raises:
        LotteryError: The roster is empty, which would leave nobody to draw from; or there is no table.
    """
    if not employees.employees:
        raise LotteryError("roster", "has no valid employee", "Correct the rows that were rejected")
    table, pool = Table(target, target.names.employee_table), Pool(target)
    table.check_ours()
    pool_table = pool.table.find()
    pool.table.refuse_foreign(pool_table)
    wanted = {employee["employee_id"] for employee in employees.employees}
    table.remove(sorted(set(table.all_keys()) - wanted))
    table.put(progress(employees.employees))
    if pool_table:
        pool.write(sorted(wanted))
    return len(wanted)
