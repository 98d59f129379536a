"""Fill the lottery's tables: with the employees, and with the pool of the hardened edition.

The pool is the sorted list of all employees' ids. It is stored in chunks. Their keys contain the digest of
the list. A hardened draw commits to this digest before it draws.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Final

from lottery_lib.aws_errors import call_or_none
from lottery_lib.employees import Roster, digest, tutorial_roster
from lottery_lib.resources import Planned, Report
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target

CHUNK: Final = 100  # ids in one item, which then stays far below DynamoDB's limit of 400 KB


def pool_table(target: Target) -> Table:
    """The table of the pool, in chunks."""
    return Table(target, target.names.pool_table, "chunk")


def draws_table(target: Target) -> Table:
    """The table with the records of the hardened draws."""
    return Table(target, target.names.draws_table, "draw_id")


class Employees(Planned):
    """The tutorial's ten employees. They are written only if the table is empty."""

    kind: ClassVar = "employees"

    def __init__(self, target: Target) -> None:
        super().__init__(target, target.names.employee_table)
        self._table = Table(target, self.name)

    def find(self) -> Report | None:
        """Check whether there is any employee."""
        empty = call_or_none(self._table.is_empty, "ResourceNotFound")
        return Report(self.kind, self.name, "loaded") if empty is False else None

    def ensure(self) -> Report:
        """Load the ten employees if the table is empty."""
        empty = self._table.is_empty()
        if empty:
            if self.target.names.base == "tutorial":
                load_employees(self.target, tutorial_roster())  # a pool of the other edition follows
            else:
                self._table.put(tutorial_roster().employees)  # the pool is the next in the plan
        return Report(self.kind, self.name, "created" if empty else "unchanged")


class Pool(Planned):
    """The pool: the ids of the employees who are in their table now."""

    kind: ClassVar = "pool"

    def __init__(self, target: Target) -> None:
        super().__init__(target, target.names.pool_table)
        self.table = pool_table(target)

    def find(self) -> Report | None:
        """Check whether there is a pool."""
        head = call_or_none(self.table.item, "ResourceNotFound", key="head")
        return Report(self.kind, self.name, "loaded") if head else None

    def ensure(self) -> Report:
        """Write the pool if it is not that of the table of employees."""
        employees = Table(self.target, self.target.names.employee_table)
        ids = sorted(call_or_none(lambda: list(employees.all_keys()), "ResourceNotFound") or [])
        head = self.table.item("head")
        if head and head["digest"] == digest(ids):
            return Report(self.kind, self.name, "unchanged")
        self.write(ids)
        return Report(self.kind, self.name, "updated" if head else "created")

    def write(self, ids: list[str]) -> None:
        """Write a pool of these ids, in this order."""
        name, starts = digest(ids), range(0, len(ids), CHUNK)
        self.table.put({"chunk": f"{name}#{at // CHUNK}", "ids": ids[at : at + CHUNK]} for at in starts)
        # Write the head last: a draw that runs meanwhile needs the whole old pool, and so do its receipts.
        self.table.put([{"chunk": "head", "digest": name, "size": len(ids)}])

    def ids(self, pool_digest: str, size: int) -> list[str]:
        """The ids of the pool with this digest and size, in order."""
        names = [f"{pool_digest}#{number}" for number in range(-(-size // CHUNK))]
        chunks = {item["chunk"]: item["ids"] for item in self.table.get(names)}
        return [each for name in names for each in chunks[name]]


def load_employees(
    target: Target,
    employees: Roster,
    progress: Callable[[Sequence[Any]], Iterable[Any]] = iter,
    *,
    skip_bad_rows: bool = False,
) -> int:
    """Replace the employees in the table with a roster. Employees who are not in the roster are removed.

    If rows of the roster were rejected, nothing changes.

    Args:
        target: Where.
        employees: The roster.
        progress: Wraps the employees while they are written, as `tqdm` does.
        skip_bad_rows: Load the other rows even if some were rejected.

    Returns:
        How many employees there are now.

    Raises:
        LotteryError: Rows were rejected; or the roster is empty; or there is no table.
    """
    employees.check(skip_bad_rows=skip_bad_rows)
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
