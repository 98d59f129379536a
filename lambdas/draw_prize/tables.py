"""Read and write the four tables that a draw needs."""

import time
from functools import cache

import boto3
from botocore.exceptions import ClientError

dynamodb = boto3.resource("dynamodb")
open_table = cache(dynamodb.Table)  # made once, like the line above, and kept for the next calls

CHUNK = 100  # employees in one item of the pool
KEYS = 100  # that one BatchGetItem takes
PASSING = {
    "None",
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}


class WinnerTaken(Exception):
    """A draw at the same time has recorded somebody whom this one had drawn: draw again."""


class RecordRefused(Exception):
    """DynamoDB refuses the transaction for what is in it: to draw again would not help."""


class Tables:
    """The tables of a function's attendee: the suffix of the function's name is theirs."""

    def __init__(self, context):
        suffix = context.function_name.split("-", 3)[3:]
        bases = ("Lottery-Employee", "Lottery-Winners", "Lottery-Hardened-Pool", "Lottery-Hardened-Draws")
        self.employees, self.winners, self.pool, self.draws = (
            open_table("-".join([base, *suffix])) for base in bases
        )

    def record(self, name):
        """Return the record of a prize and its secret."""
        found = self.read({self.draws.name: [{"draw_id": name}, {"draw_id": f"{name}#sealed"}]})
        items = {item["draw_id"]: item for item in found[self.draws.name]}
        record = items[name]
        whole = {key: int(record[key]) for key in ("count", "pool_size")}
        return {**record, **whole}, items[f"{name}#sealed"]["secret"]

    def people(self, employee_ids):
        """Return employees in the order of their ids; of one who has left, the id alone."""
        found = {}
        for start in range(0, len(employee_ids), KEYS):
            keys = [{"employee_id": each} for each in employee_ids[start : start + KEYS]]
            found |= by_id(self.read({self.employees.name: keys})[self.employees.name])
        return [plain(found.get(each, {"employee_id": each})) for each in employee_ids]

    def look(self, record, positions):
        """Return who stands at these positions of the pool, and whether each can win, as pairs."""
        chunks = self.chunks(record, {position // CHUNK for position in positions})
        ids = [chunks[position // CHUNK][position % CHUNK] for position in positions]
        keys = [{"employee_id": each} for each in ids]
        found = self.read({self.employees.name: keys, self.winners.name: keys})
        there, won = by_id(found[self.employees.name]), by_id(found[self.winners.name])
        return [(each, each in there and each not in won) for each in ids]

    def unwon(self, record):
        """Return a byte for each position of the pool: 0 where somebody has won in another draw.

        It reads all winners and the whole pool.
        """
        won = {
            item["employee_id"] for item in self.all(self.winners) if item.get("draw_id") != record["draw_id"]
        }
        flags, last = bytearray(), -(-record["pool_size"] // CHUNK)
        for start in range(0, last, KEYS):
            chunks = self.chunks(record, range(start, min(start + KEYS, last)))
            for number in sorted(chunks):
                flags += bytes(each not in won for each in chunks[number])
        return flags

    def chunks(self, record, numbers):
        """Return the ids in some chunks of the pool that a draw is bound to, by the chunk's number."""
        keys = [{"chunk": f"{record['pool_digest']}#{number}"} for number in numbers]
        items = self.read({self.pool.name: keys})[self.pool.name]
        return {int(item["chunk"].rsplit("#", 1)[1]): item["ids"] for item in items}

    def write(self, record, new, before):
        """Record new winners and the draw's record in one transaction, so that nobody wins without one.

        Args:
            record: As it is to be, the new winners included.
            new: Their ids, at most 99.
            before: How many winners the record had.
        """
        about = {key: record[key] for key in ("draw_id", "prize", "drawn_at")}
        puts = [
            put(self.winners, {"employee_id": each, **about}, "attribute_not_exists(employee_id)")
            for each in new
        ]
        puts.append(put(self.draws, record, "size(winners) = :before", {":before": before}))
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
        """Return the items of these keys by table; what DynamoDB did not get to is asked for again."""
        found, pause = {name: [] for name in keys}, 0.05
        left = {name: {"Keys": some, "ConsistentRead": True} for name, some in keys.items()}
        while left:
            answer = dynamodb.meta.client.batch_get_item(RequestItems=left)
            for name, items in answer["Responses"].items():
                found[name] += items
            if left := answer["UnprocessedKeys"]:
                time.sleep(pause)
                pause *= 2  # the function's time-out ends it at last
        return found

    def all(self, table):
        """Yield the ids of a table and the draws they won in, page after page."""
        start = {}
        while start is not None:
            page = table.scan(ConsistentRead=True, ProjectionExpression="employee_id, draw_id", **start)
            yield from page["Items"]
            last = page.get("LastEvaluatedKey")
            start = {"ExclusiveStartKey": last} if last else None


def put(table, item, condition, values=None):
    """Return the part of a transaction that writes an item under a condition."""
    values = {"ExpressionAttributeValues": values} if values else {}
    return {"Put": {"TableName": table.name, "Item": item, "ConditionExpression": condition, **values}}


def by_id(items):
    """Return employees or winners by their ids."""
    return {item["employee_id"]: item for item in items}


def plain(item):
    """Turn DynamoDB's Decimal serial into an int, which every JSON encoder can carry."""
    return {**item, "lottery_serial": int(item["lottery_serial"])} if "lottery_serial" in item else item
