"""Read and write the four tables that a draw needs. Both functions of the hardened edition have this file.

An item of the table of draws is

- ``NAME``: a draw. ``last`` is the hash of its latest receipt, and ``receipts`` says how many there are.
- ``NAME#1``, ``NAME#2``, ...: its receipts, each a text. docs/receipts.md says what they contain.
- ``NAME#sealed``: its secret.
- ``NAME#waiting``: what an execution of the draw waits for, with the task token.
- ``#chain``: the lottery's own chain, ``#chain#0``, ``#chain#1``, ...: its receipts. Among them is receipt
  number 0 of each draw.
"""

import hashlib
import json
import math
import time
from datetime import UTC, datetime
from functools import cache

import boto3
from botocore.exceptions import ClientError

dynamodb = boto3.resource("dynamodb")
open_table = cache(dynamodb.Table)  # it returns the same object for the same name, also in the next calls

CHUNK = 100  # employees in one item of the pool
KEYS = 100  # in one BatchGetItem
# Why DynamoDB cancels a transaction that may succeed later.
PASSING = {
    "None",
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}


class WinnerTaken(Exception):
    """Another execution has written at the same time, for example the same winner. Read and draw again."""


class RecordRefused(Exception):
    """DynamoDB refuses what the transaction contains. It would refuse it again."""


class Tables:
    """The tables of an attendee. Their names have the same ending as the name of the function."""

    def __init__(self, context):
        suffix = context.function_name.split("-", 3)[3:]
        bases = ("Lottery-Employee", "Lottery-Winners", "Lottery-Hardened-Pool", "Lottery-Hardened-Draws")
        self.employees, self.winners, self.pool, self.draws = (
            open_table("-".join([base, *suffix])) for base in bases
        )
        self.staff = {}  # the employees who were read, by id

    def draw(self, draw_id):
        """Return a draw, its secret, the lottery's chain and the pool's head. What does not exist is None."""
        names = [draw_id, f"{draw_id}#sealed", "#chain"]
        keys = {
            self.draws.name: [{"draw_id": name} for name in names],
            self.pool.name: [{"chunk": "head"}],
        }
        found = self.read(keys)
        items = {item["draw_id"]: item for item in found[self.draws.name]}
        draw, sealed, chain = (items.get(name) for name in names)
        secret = bytes.fromhex(sealed["secret"]) if sealed else None
        if draw:  # its next receipt says what the lottery's chain has now
            now_in_chain = {"announced": chain["draws"], "head": chain["last"]}
            draw = {**draw, **now_in_chain, "restored": chain.get("restored", 0)}
        heads = found[self.pool.name]
        return whole(draw), secret, whole(chain), heads[0] if heads else None

    def people(self, employee_ids):
        """Return employees in the order of these ids. If one is not in the table, return only the id."""
        unread = [each for each in employee_ids if each not in self.staff]
        for start in range(0, len(unread), KEYS):
            keys = [{"employee_id": each} for each in unread[start : start + KEYS]]
            self.staff |= by_id(self.read({self.employees.name: keys})[self.employees.name])
        return [whole(self.staff.get(each, {"employee_id": each})) for each in employee_ids]

    def look(self, draw, positions, decided):
        """Return who is at these positions of the pool, and whether each can win.

        Args:
            draw: The draw.
            positions: Positions in its pool, at most 50.
            decided: The ids to skip, because the draw has decided about them.

        Returns:
            Pairs of an id and whether this person can win.
        """
        chunks = self.chunks(draw, {position // CHUNK for position in positions})
        ids = [chunks[position // CHUNK][position % CHUNK] for position in positions]
        keys = [{"employee_id": each} for each in ids if each not in decided]
        found = self.read({self.employees.name: keys, self.winners.name: keys} if keys else {})
        self.staff |= by_id(found.get(self.employees.name, []))
        won = {row["employee_id"] for row in found.get(self.winners.name, []) if is_win(row)}
        return [(key["employee_id"], key["employee_id"] not in won) for key in keys]

    def unwon(self, draw):
        """Return a byte for each position of the pool: 0 if this person has won in another draw.

        It reads all winners and the whole pool.
        """
        won = {
            row["employee_id"]
            for row in self.all(self.winners)
            if is_win(row) and row.get("draw_id") != draw["draw_id"]
        }
        flags = bytearray()
        last = math.ceil(draw["size"] / CHUNK)
        for start in range(0, last, KEYS):
            chunks = self.chunks(draw, range(start, min(start + KEYS, last)))
            for number in sorted(chunks):
                flags += bytes(each not in won for each in chunks[number])
        return flags

    def chunks(self, draw, numbers):
        """Return the ids in some chunks of a draw's pool, by the chunk's number."""
        keys = [{"chunk": f"{draw['pool']}#{number}"} for number in numbers]
        items = self.read({self.pool.name: keys})[self.pool.name]
        return {int(item["chunk"].rsplit("#", 1)[1]): item["ids"] for item in items}

    def write(self, draw, items, rows=()):
        """Write a draw, its new receipts and rows of winners in one transaction.

        Args:
            draw: The draw as it will be.
            items: The items of its new receipts, at least one.
            rows: Rows of the table of winners. A new winner must not have a row, or was absent before.

        Raises:
            WinnerTaken: Somebody else wrote a receipt or a winner at the same time.
            RecordRefused: DynamoDB refuses what they contain.
        """
        puts = [put(self.winners, row, *(WINNER if is_win(row) else ())) for row in rows]
        puts += [put(self.draws, item, NEW) for item in items]
        self.transact([*puts, put(self.draws, draw, *following(draw["receipts"] - len(items)))])

    def transact(self, puts):
        """Write all of it or nothing; see `write`."""
        try:
            dynamodb.meta.client.transact_write_items(TransactItems=puts)
        except ClientError as error:
            reasons = {reason["Code"] for reason in error.response.get("CancellationReasons", [])}
            if not reasons:
                raise
            if reasons - PASSING:
                raise RecordRefused(f"{', '.join(sorted(reasons - PASSING))}: {error}") from error
            raise WinnerTaken(
                f"Another draw wrote at the same time ({', '.join(sorted(reasons - {'None'}))})."
            ) from error

    def read(self, keys):
        """Return the items of these keys, by table. If DynamoDB leaves some out, ask for them again."""
        found = {name: [] for name in keys}
        pause = 0.05
        left = {name: {"Keys": some, "ConsistentRead": True} for name, some in keys.items()}
        while left:
            answer = dynamodb.meta.client.batch_get_item(RequestItems=left)
            for name, items in answer["Responses"].items():
                found[name] += items
            if left := answer["UnprocessedKeys"]:
                time.sleep(pause)
                pause *= 2  # if DynamoDB stays busy, the function's time-out ends the loop
        return found

    def all(self, table):
        """Yield the items of a table, page after page: who won, in which draw, and the status."""
        start, names = {}, {"#status": "status"}
        while start is not None:
            page = table.scan(
                ConsistentRead=True,
                ProjectionExpression="employee_id, draw_id, #status",
                ExpressionAttributeNames=names,
                **start,
            )
            yield from page["Items"]
            last = page.get("LastEvaluatedKey")
            start = {"ExclusiveStartKey": last} if last else None


NEW = "attribute_not_exists(draw_id)"
WINNER = (
    "attribute_not_exists(employee_id) OR #status = :absent",
    {"#status": "status"},
    {":absent": "absent"},
)


def following(receipts):
    """Return the condition that there are still so many receipts, so that nobody has written another one."""
    return "receipts = :before", None, {":before": receipts}


def put(table, item, condition=None, names=None, values=None):
    """Return the part of a transaction that writes an item, with a condition if there is one."""
    about = {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return {
        "Put": {"TableName": table.name, "Item": item, **{key: each for key, each in about.items() if each}}
    }


def receipt(draw, kind, **about):
    """Return a draw with one more receipt, and the item of this receipt."""
    about = {"announced": draw["announced"], "restored": draw["restored"], **about}
    text, last = sealed(draw["receipts"], kind, draw["last"], about)
    item = {"draw_id": f"{draw['draw_id']}#{draw['receipts']}", "text": text}
    return {**draw, "receipts": draw["receipts"] + 1, "last": last}, item


def sealed(number, kind, previous, about):
    """Return a receipt's text and its hash."""
    text = json.dumps({"number": number, "kind": kind, "at": now(), "previous": previous, **about})
    return text, hashlib.sha256(text.encode()).hexdigest()


def now():
    """Return the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def is_win(row):
    """Return whether an item of the table of winners is a win. That of an absent winner is not."""
    return row.get("status") != "absent"


def by_id(items):
    """Return employees by their ids."""
    return {item["employee_id"]: item for item in items}


def whole(item):
    """Return the same value with int for each Decimal of DynamoDB, because `json` cannot write a Decimal."""
    if isinstance(item, dict):
        return {key: whole(value) for key, value in item.items()}
    if isinstance(item, list):
        return [whole(value) for value in item]
    return int(item) if type(item).__name__ == "Decimal" else item
