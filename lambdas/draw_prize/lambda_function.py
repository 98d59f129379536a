"""Second state, once for each prize: draw among those who have not won, and record them at once."""

import hashlib
import json
import zlib
from datetime import UTC, datetime
from itertools import islice

from shuffle import shuffled
from tables import Tables, WinnerTaken

AT_ONCE = 99  # winners of one transaction, which takes 100 writes: the last is the draw's record
LOOK = 50  # employees looked at together: two keys each, of the 100 that one request takes
MOST_PASSED_OVER = 2000  # one by one: after that, all who have won are read at once
SEALED = (
    *("draw_id", "prize", "count", "pool_size", "pool_digest", "algorithm", "commitment", "committed_at"),
    *("execution", "winners", "excluded", "drawn_at", "recorded_at"),
)


class NotEnoughEmployees(Exception):
    """More winners are asked for than there are employees who have not won yet."""


def lambda_handler(event, context):
    """Receive the name of a prize's record; return its winners, who are recorded by then.

    Asked again, after a lost reply or by a second execution, it returns what was recorded the first time.
    """
    tables = Tables(context)
    record, secret = tables.record(event["record"])
    if "recorded_at" not in record:
        record = draw(record | {"execution": event["execution"]}, secret, tables)
    winners = tables.people(record["winners"])
    print(json.dumps({"message": "recorded", "draw_id": record["draw_id"], "winners": record["winners"]}))
    due = event["remail"] or record["execution"] == event["execution"]
    return {
        "record": record["draw_id"],
        "prize": record["prize"],
        "winners": fitting(winners),
        "message": f"{congratulation(record['prize'], winners)}\nSeal of this draw: {record['seal']}",
        "mail": "due" if due else "left to the run that recorded",
    }


def draw(record, secret, tables):
    """Draw and record what a record still lacks; return it whole."""
    try:
        chosen, passed_over = select(record, bytes.fromhex(secret), tables)
    except NotEnoughEmployees as error:
        if tables.record(record["draw_id"])[0]["winners"] != record["winners"]:
            raise WinnerTaken("Another execution of this draw has gone on with it meanwhile.") from error
        raise
    for start in range(0, len(chosen), AT_ONCE):
        part, before = chosen[start : start + AT_ONCE], len(record["winners"])
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {**record, "winners": record["winners"] + part, "drawn_at": now, **passed_over}
        if len(record["winners"]) == record["count"]:  # only now is the secret told
            record |= {"recorded_at": now, "secret": secret}
            record |= {"seal": seal(record)}
        tables.write(record, part, before)
    return record


def select(record, secret, tables):
    """Walk through the pool in the secret's order until enough are found who can win.

    Who is recorded already, or was passed over by then, stays so: the draw may have been stopped half-way.
    What is read does not depend on the size of the pool until so many are passed over that few can be left.

    Returns:
        The ids of those to be recorded, and who was passed over: who has won before, or has left.
    """
    missing = record["count"] - len(record["winners"])
    decided = {*record["winners"], *record["excluded"]}
    chosen, passed_over = [], {"excluded": list(record["excluded"])}
    order = shuffled(record["pool_size"], secret)
    while len(chosen) < missing:
        if len(passed_over["excluded"]) > MOST_PASSED_OVER and "unwon" not in passed_over:
            passed_over["unwon"] = record.get("unwon") or zlib.compress(tables.unwon(record))
            order = flagged(order, zlib.decompress(bytes(passed_over["unwon"])))
        positions = list(islice(order, min(LOOK, 2 * (missing - len(chosen)) + 4)))
        if not positions:
            raise not_enough(record, len(chosen))
        for employee_id, can_win in tables.look(record, positions):
            if employee_id not in decided and len(chosen) < missing:
                (chosen if can_win else passed_over["excluded"]).append(employee_id)
    return chosen, passed_over


def flagged(order, flags):
    """Go on with an order, but leave out the positions that have no flag."""
    return (position for position in order if flags[position])


def not_enough(record, found):
    """Say what a draw lacks."""
    wanted, size, recorded = record["count"], record["pool_size"], len(record["winners"])
    part = f", {recorded} of whom this draw has recorded" if recorded else ""
    return NotEnoughEmployees(
        f"{wanted} winners were asked for, but only {recorded + found} of {size} employees remain{part}."
    )


def seal(record):
    """Digest what was drawn; it is in the mail, so whoever changes the record afterwards is found out."""
    parts = [record[key] for key in SEALED]
    flags = zlib.decompress(bytes(record["unwon"])) if "unwon" in record else b""
    parts.append(hashlib.sha256(flags.rstrip(b"\x01")).hexdigest())
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def fitting(winners):
    """Return of each winner the id alone where all is more than the states may hand on, which is 256 KiB."""
    size = len(json.dumps(winners, ensure_ascii=False).encode())
    much = size > 2_000 + 150 * len(winners)
    return [{"employee_id": each["employee_id"]} for each in winners] if much else winners


def congratulation(prize, winners):
    """Write the mail's text, which has room for so many names."""
    names = [winner.get("employee_name", winner["employee_id"]) for winner in winners]
    more = f" and {len(names) - 100} more" if len(names) > 100 else ""
    what = f"for {prize}" if prize else "as the Lucky Champ"
    return f"Congrats! [{', '.join(names[:100])}{more}] You have been selected {what}!"
