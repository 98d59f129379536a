"""First state: bind the draw to the pool and to a secret for each prize, before anybody is drawn."""

import hashlib
import json
import secrets
from datetime import UTC, datetime
from functools import cache

import boto3
from botocore.exceptions import ClientError

dynamodb = boto3.resource("dynamodb")
open_table = cache(dynamodb.Table)  # made once, like the line above, and kept for the next calls

MOST_PRIZES = 40  # two items each, in one transaction of at most 100
PASSING = {
    "None",
    "ConditionalCheckFailed",
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
}
MOST_WINNERS = 1000  # of one draw: what a state hands on must fit into 256 KiB


class InvalidInput(Exception):
    """The execution's input does not say what to draw."""


class NoPool(Exception):
    """No roster has been loaded."""


class RecordRefused(Exception):
    """DynamoDB refuses the transaction for what is in it: to ask again would not help."""


class NoSuchDraw(Exception):
    """The draw that is to be gone on with was never begun."""


def lambda_handler(event, context):
    """Receive the name of the execution and its input; return the draw, and the record of each prize.

    What the draw is bound to is written down before it is returned. Who asks again, or goes on with a draw
    that was stopped, gets what was written the first time: a draw is committed to once.
    """
    request = event["request"]
    check(request)
    draws = table("Lottery-Hardened-Draws", context)
    draw_id = request.get("draw_id", event["execution"])
    draw = kept(draws, draw_id)
    if draw is None and "draw_id" in request:
        raise NoSuchDraw(f"There is no draw {draw_id} to go on with.")
    if draw is None:
        pool = pool_head(table("Lottery-Hardened-Pool", context))
        draw = write(draws, records(draw_id, prizes(request), pool))
    print(json.dumps({"message": "committed", "draw_id": draw_id, "records": draw["records"]}))
    return {"draw_id": draw_id, "records": draw["records"], "remail": request.get("remail", False)}


def check(request):
    """Refuse what does not say what to draw, in one sentence."""
    if not isinstance(request, dict) or len({"input", "prizes", "draw_id"} & request.keys()) != 1:
        raise InvalidInput(
            'The input must look like {"input": 2}, or {"prizes": [{"name": "Car", "count": 1}]}, '
            'or, to go on with a draw, {"draw_id": "..."}.'
        )
    if "draw_id" in request and not is_name(request["draw_id"]):
        raise InvalidInput('"draw_id" must be the name of the execution that began the draw.')
    if type(request.get("remail", False)) is not bool:
        raise InvalidInput(f'"remail" must be true or false, not {json.dumps(request["remail"])}.')
    if request.get("remail") and "draw_id" not in request:
        raise InvalidInput('To mail again, say of which draw: {"draw_id": "...", "remail": true}.')


def is_name(text):
    """Tell whether an execution can have that name; those of records have a `#`, which none can."""
    return isinstance(text, str) and 1 <= len(text) <= 80 and "#" not in text


def prizes(request):
    """Return the prizes that are asked for, in order; a plain number is one prize without a name."""
    asked = request["prizes"] if "prizes" in request else [{"count": request["input"]}]
    if not isinstance(asked, list) or not 1 <= len(asked) <= MOST_PRIZES:
        raise InvalidInput(f'"prizes" must be a list of 1 to {MOST_PRIZES} prizes.')
    found = [prize(each) for each in asked]
    if sum(each["count"] for each in found) > MOST_WINNERS:
        raise InvalidInput(f"A draw may have {MOST_WINNERS} winners at most: make several draws.")
    return found


def prize(asked):
    """Return one prize; `true` is no number of winners, though Python counts it as 1."""
    asked = asked if isinstance(asked, dict) else {}
    name, count = asked.get("name", ""), asked.get("count")
    if type(count) is not int or count < 1:
        shown = json.dumps(count, ensure_ascii=False)
        raise InvalidInput(f"How many to draw must be a whole number of at least 1, not {shown}.")
    if not isinstance(name, str) or len(name) > 100:
        raise InvalidInput('The "name" of a prize must be a text of at most 100 characters.')
    return {"prize": name, "count": count}


def pool_head(pools):
    """Return the size and the digest of the pool, made when the roster was loaded."""
    head = pools.get_item(Key={"chunk": "head"}, ConsistentRead=True).get("Item")
    if head is None:
        raise NoPool("No roster has been loaded: run `lottery employees load FILE`.")
    return {"pool_size": head["size"], "pool_digest": head["digest"]}


def records(draw_id, wanted, pool):
    """Return what is to be written: the draw, for each prize a record, and apart from it its secret."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    none = {"winners": [], "excluded": []}
    names = [f"{draw_id}#{number}" for number in range(1, len(wanted) + 1)]
    items = [{"draw_id": draw_id, "committed_at": now, "records": names}]
    for name, each in zip(names, wanted, strict=True):
        secret = secrets.token_bytes(32)
        about = {"algorithm": "hmac-sha256-shuffle", "commitment": hashlib.sha256(secret).hexdigest()}
        items.append({"draw_id": name, "committed_at": now, **each, **pool, **about, **none})
        items.append({"draw_id": f"{name}#sealed", "secret": secret.hex()})
    return items


def write(draws, items):
    """Write all of it or nothing; return the draw as it stands then, which another may have written."""
    condition = {"TableName": draws.name, "ConditionExpression": "attribute_not_exists(draw_id)"}
    try:
        draws.meta.client.transact_write_items(
            TransactItems=[{"Put": {"Item": item, **condition}} for item in items]
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        written = kept(draws, items[0]["draw_id"])
        if written is None:
            reasons = {reason["Code"] for reason in error.response.get("CancellationReasons", [])}
            if reasons - PASSING:
                raise RecordRefused(f"{', '.join(sorted(reasons - PASSING))}: {error}") from error
            raise  # it met another transaction: the state machine tries again
        return written
    return items[0]


def kept(draws, draw_id):
    """Return a draw as it was written down; None if it was not."""
    return draws.get_item(Key={"draw_id": draw_id}, ConsistentRead=True).get("Item")


def table(base_name, context):
    """Return the table of this function's attendee: the suffix of the function's name is the table's."""
    suffix = context.function_name.split("-", 3)[3:]
    return open_table("-".join([base_name, *suffix]))
