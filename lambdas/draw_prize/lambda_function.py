"""Second state, once for each prize: draw among those who have not won, and record them at once."""

import json
from datetime import UTC, datetime
from itertools import islice

from shuffle import shuffled
from tables import Tables

AT_ONCE = 99  # winners of one transaction, which takes 100 writes: the last is the draw's record
LOOK = 50  # employees looked at together: two keys each, of the 100 that one request takes


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
        "winners": winners,
        "message": congratulation(record["prize"], winners),
        "mail": "due" if due else "left to the run that recorded",
    }


def draw(record, secret, tables):
    """Draw and record what a record still lacks; return it whole."""
    winners, passed_over = select(record, bytes.fromhex(secret), tables)
    new = [winner for winner in winners if winner not in record["winners"]]
    for start in range(0, len(new), AT_ONCE):
        part, before = new[start : start + AT_ONCE], len(record["winners"])
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        record = {**record, "winners": record["winners"] + part, "drawn_at": now}
        if start + AT_ONCE >= len(new):  # the last part: only now is the secret told
            record |= {"recorded_at": now, "secret": secret, **passed_over}
        tables.write(record, part, before)
    return record


def select(record, secret, tables):
    """Walk through the pool in the secret's order until enough are found who can win.

    Returns the winners' ids, and who was passed over on the way: who has won before, or has left. What it
    reads does not depend on the size of the pool until so many are passed over that few can be left.
    """
    size, count = record["pool_size"], record["count"]
    order, winners, excluded = shuffled(size, secret), [], []
    while len(winners) < count:
        positions = list(islice(order, min(LOOK, 2 * (count - len(winners)) + 4)))
        if not positions:
            raise not_enough(record, len(winners))
        if len(excluded) > 1000 + 5 * count:
            return select_among(tables.remaining(record), record, secret)
        for employee_id, can_win in tables.look(record, positions):
            if len(winners) < count:
                (winners if can_win else excluded).append(employee_id)
    return winners, {"excluded": excluded}


def select_among(remaining, record, secret):
    """Do the same with a list of all who can still win; of those passed over only the number is kept."""
    size, count = record["pool_size"], record["count"]
    if len(remaining) < count:
        raise not_enough(record, len(remaining))
    order = (remaining[position] for position in shuffled(size, secret) if position in remaining)
    return list(islice(order, count)), {"remaining": len(remaining)}


def not_enough(record, remaining):
    """Say what a draw lacks."""
    wanted, size = record["count"], record["pool_size"]
    return NotEnoughEmployees(
        f"{wanted} winners were asked for, but only {remaining} of {size} employees remain."
    )


def congratulation(prize, winners):
    """Write the mail's text, which has room for so many names."""
    names = [winner.get("employee_name", winner["employee_id"]) for winner in winners]
    more = f" and {len(names) - 100} more" if len(names) > 100 else ""
    what = f"for {prize}" if prize else "as the Lucky Champ"
    return f"Congrats! [{', '.join(names[:100])}{more}] You have been selected {what}!"
