"""Fill the lottery's tables: with the employees, and with the pool of the hardened edition.

The pool is the list of all employees with id, name and department, sorted by id. It is stored in chunks.
Their keys contain the root of its Merkle tree. A hardened draw commits to this root before it draws.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from lottery_lib import merkle
from lottery_lib.aws_errors import call_or_none, says
from lottery_lib.employees import Roster, tutorial_roster
from lottery_lib.errors import LotteryError
from lottery_lib.resources.base import Planned, Report
from lottery_lib.resources.dynamodb_table import Item, Table
from lottery_lib.target import Target
from lottery_lib.translation import N_, _

CHUNK: Final = 100  # people in one item. With the limits of a list, it stays below DynamoDB's 400 KB
Person = tuple[str, ...]
"""The id, the name and the department (or ``""``) of somebody in a pool; in an old pool only the id."""


def pool_table(target: Target) -> Table:
    """The table of the pool, in chunks."""
    return Table(target, target.names.pool_table, "chunk")


def draws_table(target: Target) -> Table:
    """The table with the receipts of the hardened draws (`lambdas/hardened/tables.py` says how)."""
    return Table(target, target.names.draws_table, "draw_id")


def open_draws(target: Target) -> list[str]:
    """The names of the draws that are announced and have not ended, as they were announced."""
    # An attendee who may not read this table has announced nothing.
    return open_in(call_or_none(draws_table(target).items, "ResourceNotFound", "AccessDenied") or [])


def open_in(items: Sequence[Item]) -> list[str]:
    """The same as `open_draws`, from the items of the table of draws. Numbers may be texts.

    A reset ends the draws that were announced before it.
    """
    chain = [item for item in items if item["draw_id"].startswith("#chain#")]  # and its number
    numbers = {int(item["draw_id"].removeprefix("#chain#")): json.loads(item["text"]) for item in chain}
    resets = [number for number, receipt in numbers.items() if receipt["kind"] == "reset"]
    now = [
        item
        for item in items
        if item.get("evening") and "closed" not in item and int(item["chain"]) > max(resets, default=-1)
    ]
    return [item["draw_id"] for item in sorted(now, key=lambda item: int(item["chain"]))]


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
        add_to_chain(target, what, "reset", removed=len(won))
    table.remove(won)
    return len(won)


def add_to_chain(target: Target, what: str, kind: str, **about: object) -> None:
    """Add a receipt of a reset or of a restoration to the lottery's chain, if it has one.

    DynamoDB refuses it if another receipt was added meanwhile. Then it is tried again.

    Args:
        what: What it is, for the error of a wait that ends.
        kind: ``"reset"`` or ``"restored"`` (docs/receipts.md).
        about: What the receipt says besides.
    """
    draws = draws_table(target)

    def add() -> None:
        # With the rights of the tutorial's edition, nobody can read the chain: a check finds missing rows.
        chain = call_or_none(draws.item, "ResourceNotFound", "AccessDenied", key="#chain")
        if chain is None:
            return
        number, at = chain["receipts"], datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json.dumps({"number": number, "kind": kind, "at": at, "previous": chain["last"], **about})
        receipt = {
            "Key": {"draw_id": f"#chain#{number}"},
            "UpdateExpression": "SET #text = :text",
            "ExpressionAttributeNames": {"#text": "text"},
            "ExpressionAttributeValues": {":text": text},
        }
        last = hashlib.sha256(text.encode()).hexdigest()
        head = {
            "Key": {"draw_id": "#chain"},
            "UpdateExpression": "SET receipts = :after, #last = :last ADD #kind :one",
            "ConditionExpression": "receipts = :before",
            "ExpressionAttributeNames": {"#last": "last", "#kind": kind},
            "ExpressionAttributeValues": {":before": number, ":after": number + 1, ":last": last, ":one": 1},
        }
        updates: Any = [{"Update": {"TableName": draws.name, **part}} for part in (receipt, head)]
        target.plain_dynamodb().transact_write_items(TransactItems=updates)

    target.waiter.retry(what, add, says("TransactionCanceled"), seconds=60)


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
    """The pool: the employees who are in their table now."""

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
        people = in_pool(call_or_none(employees.items, "ResourceNotFound") or [])
        head = self.table.item("head")
        if head and people and head["root"] == merkle.root(leaves(people), bytes.fromhex(head["salt"])):
            return Report(self.kind, self.name, "unchanged")
        self.write(people)
        return Report(self.kind, self.name, "updated" if head else "created")

    def write(self, people: Sequence[Person]) -> None:
        """Write a pool of these people, in this order."""
        salt = secrets.token_bytes(32)
        root = merkle.root(leaves(people), salt)
        head = {"root": root, "size": len(people), "salt": salt.hex()}
        parts = (people[at : at + CHUNK] for at in range(0, len(people), CHUNK))
        self.table.put(
            {
                "chunk": f"{root}#{number}",
                **dict(zip(_LISTS, map(list, zip(*part, strict=True)), strict=True)),
            }
            for number, part in enumerate(parts)
        )
        # Write the head last: a draw that runs meanwhile needs the whole old pool, and so do its receipts.
        self.table.put([{"chunk": f"{root}#head", **head}, {"chunk": "head", **head}])

    def of(self, root: str) -> tuple[list[Person], str]:
        """The people of the pool with this root, in order, and its salt in hexadecimal."""
        (head,) = self.table.get([f"{root}#head"])
        names = [f"{root}#{number}" for number in range(-(-head["size"] // CHUNK))]
        chunks = {item["chunk"]: item for item in self.table.get(names)}
        # A chunk that an older kit has written has only ids.
        lists = ([chunks[name][kind] for kind in _LISTS if kind in chunks[name]] for name in names)
        return [person for part in lists for person in zip(*part, strict=True)], head["salt"]


_LISTS: Final = ("ids", "names", "departments")  # what a chunk has


def in_pool(employees: Iterable[Mapping[str, Any]]) -> list[Person]:
    """The pool of these employees."""
    keys = ("employee_id", "employee_name", "department")
    return sorted(tuple(str(each.get(key, "")) for key in keys) for each in employees)


def leaves(pool: Sequence[Person]) -> list[str]:
    """The texts of a pool's leaves (docs/receipts.md)."""
    return ["\n".join(person) for person in pool]


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
        employees: The roster.
        progress: Wraps the employees while they are written, as `tqdm` does.
        skip_bad_rows: Load the other rows even if some were rejected.

    Returns:
        How many employees there are now.

    Raises:
        LotteryError: Rows were rejected; the roster is empty; there is no table; an announced draw is open.
    """
    employees.check(skip_bad_rows=skip_bad_rows)
    table, pool = Table(target, target.names.employee_table), Pool(target)
    table.check_ours()
    pool_table = pool.table.find()
    pool.table.refuse_foreign(pool_table)
    if pool_table and (announced := open_draws(target)):
        raise LotteryError(
            _("employees"),
            _("the announced draw {name} is open, so nobody can change who can win", name=announced[-1]),
            _("End this draw first, or give it up with `lottery reset`"),
        )
    wanted = {employee["employee_id"] for employee in employees.employees}
    table.remove(sorted(set(table.all_keys()) - wanted))
    table.put(progress(employees.employees))
    if pool_table:
        pool.write(in_pool(employees.employees))
    return len(wanted)
