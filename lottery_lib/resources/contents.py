"""Fill the lottery's tables: with the employees, and with the pool of the hardened edition.

The pool is the sorted list of all employees' ids. It is stored in chunks. Their keys contain the root of its
Merkle tree. A hardened draw commits to this root before it draws.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Final

from lottery_lib import merkle
from lottery_lib.aws_errors import call_or_none, says
from lottery_lib.employees import Roster, tutorial_roster
from lottery_lib.resources import Planned, Report
from lottery_lib.resources.dynamodb_table import Table
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

CHUNK: Final = 100  # ids in one item, which then stays far below DynamoDB's limit of 400 KB


def pool_table(target: Target) -> Table:
    """The table of the pool, in chunks."""
    return Table(target, target.names.pool_table, "chunk")


def draws_table(target: Target) -> Table:
    """The table with the receipts of the hardened draws (`lambdas/hardened/tables.py` says how)."""
    return Table(target, target.names.draws_table, "draw_id")


def empty_winners(target: Target) -> int:
    """Empty the table of winners; returns how many there were.

    The lottery's chain gets a receipt first, so that nobody can forget winners unnoticed. A lottery without
    the hardened edition has no chain.
    """
    table = Table(target, target.names.winners_table)
    table.check_ours()
    won = list(table.all_keys())
    if pool_table(target).find():
        what = _("the receipt of a reset")
        add = partial(_add_reset, target, len(won))
        target.waiter.retry(what, add, says("TransactionCanceled"), seconds=60)
    table.remove(won)
    return len(won)


def _add_reset(target: Target, removed: int) -> None:
    """Add the receipt of a reset to the chain. DynamoDB refuses it if another receipt was added meanwhile."""
    draws = draws_table(target)
    # With the rights of the tutorial's edition, nobody can read the chain. A check then finds missing rows.
    chain = call_or_none(draws.item, "ResourceNotFound", "AccessDenied", key="#chain")
    if chain is None:
        return
    number, at = chain["receipts"], datetime.now(UTC).isoformat(timespec="milliseconds")
    told = {"number": number, "kind": "reset", "at": at, "previous": chain["last"], "removed": removed}
    text = json.dumps(told)
    receipt = {
        "Key": {"draw_id": f"#chain#{number}"},
        "UpdateExpression": "SET #text = :text",
        "ExpressionAttributeNames": {"#text": "text"},
        "ExpressionAttributeValues": {":text": text},
    }
    last = hashlib.sha256(text.encode()).hexdigest()
    head = {
        "Key": {"draw_id": "#chain"},
        "UpdateExpression": "SET receipts = :after, #last = :last",
        "ConditionExpression": "receipts = :before",
        "ExpressionAttributeNames": {"#last": "last"},
        "ExpressionAttributeValues": {":before": number, ":after": number + 1, ":last": last},
    }
    updates: Any = [{"Update": {"TableName": draws.name, **part}} for part in (receipt, head)]
    target.plain_dynamodb().transact_write_items(TransactItems=updates)


class Employees(Planned):
    """The tutorial's ten employees. They are written only if the table is empty."""

    kind: ClassVar = N_("employees")

    def __init__(self, target: Target) -> None:
        super().__init__(target, target.names.employee_table)
        self._table = Table(target, self.name)

    def find(self) -> Report | None:
        """Check whether there is any employee."""
        return Report(self.kind, self.name, N_("loaded")) if self._table.has_content() else None

    def ensure(self) -> Report:
        """Load the ten employees if the table is empty."""
        if self._table.has_content():
            return Report(self.kind, self.name, "unchanged")
        if self.target.names.base == "tutorial":
            load_employees(self.target, tutorial_roster())  # a pool of the other edition follows
        else:
            self._table.put(tutorial_roster().employees)  # the pool is the next in the plan
        return Report(self.kind, self.name, "created")


class Pool(Planned):
    """The pool: the ids of the employees who are in their table now."""

    kind: ClassVar = N_("pool")

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
        if head and ids and head["root"] == merkle.root(ids, bytes.fromhex(head["salt"])):
            return Report(self.kind, self.name, "unchanged")
        self.write(ids)
        return Report(self.kind, self.name, "updated" if head else "created")

    def write(self, ids: list[str]) -> None:
        """Write a pool of these ids, in this order."""
        salt, starts = secrets.token_bytes(32), range(0, len(ids), CHUNK)
        root = merkle.root(ids, salt)
        head = {"root": root, "size": len(ids), "salt": salt.hex()}
        self.table.put({"chunk": f"{root}#{at // CHUNK}", "ids": ids[at : at + CHUNK]} for at in starts)
        # Write the head last: a draw that runs meanwhile needs the whole old pool, and so do its receipts.
        self.table.put([{"chunk": f"{root}#head", **head}, {"chunk": "head", **head}])

    def of(self, root: str) -> tuple[list[str], str]:
        """The ids of the pool with this root, in order, and its salt in hexadecimal."""
        (head,) = self.table.get([f"{root}#head"])
        names = [f"{root}#{number}" for number in range(-(-head["size"] // CHUNK))]
        chunks = {item["chunk"]: item["ids"] for item in self.table.get(names)}
        return [each for name in names for each in chunks[name]], head["salt"]


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
