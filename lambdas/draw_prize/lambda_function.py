"""Second state, once for each prize: draw the next people in the draw's order, and record them at once.

After a roll call the state runs again. It then draws other people in place of those who are absent.
"""

import hashlib
import hmac
import json
import zlib
from itertools import islice
from typing import NamedTuple

from shuffle import shuffled
from tables import Tables, WinnerTaken, now, receipt

AT_ONCE = 97  # winners in one transaction. It can have 100 writes: two receipts and the draw are the others
LOOK = 50  # employees in one request. It can have 100 keys, and each employee needs two
MOST_PASSED_OVER = 2000  # if more people are passed over, read all winners at once


class NotEnoughEmployees(Exception):
    """Fewer people can still win than there are winners to draw."""


def lambda_handler(event, context):
    """Receive a draw, the number of a prize, and perhaps a roll call; return the prize's winners.

    The function returns the winners after it has recorded them. It may be called again, because a reply was
    lost or by another execution. Then it returns what the first call recorded.
    """
    tables, number, execution = Tables(context), event["number"], event["execution"]
    draw, secret, _, _ = tables.draw(event["draw_id"])
    end = Ending(execution, secret)
    if "roll_call" in event and event["drawn"]["Payload"]["round"] == prize_of(draw, number)["round"]:
        draw = call_roll(draw, number, event["roll_call"], tables, end)
    draw = fill(draw, number, tables, end)
    prize = prize_of(draw, number)
    winners = tables.people(prize["winners"])
    print(json.dumps({"message": "recorded", "draw_id": draw["draw_id"], "winners": prize["winners"]}))
    due = "due" if event["remail"] or prize.get("execution") == execution else "not due"
    return {
        "prize": prize["prize"],
        "winners": fitting(winners),
        "round": prize["round"],
        "message": f"{congratulation(prize['prize'], winners)}\nSeal of this draw: {prize.get('seal', '')}",
        "mail": due if "execution" in prize else "after the roll call",
    }


def prize_of(draw, number):
    """Return a prize of a draw by its number, counted from 1."""
    return draw["prizes"][number - 1]


def changed(draw, number, **changes):
    """Return a draw in which one prize has changed."""
    found = [{**each, **changes} if at == number else each for at, each in enumerate(draw["prizes"], 1)]
    return {**draw, "prizes": found}


class Ending(NamedTuple):
    """What the end of a prize and of a draw needs: the name of this execution, and the secret."""

    execution: str
    secret: bytes

    def of(self, draw, number, items):
        """Mark a prize as complete; return the draw and all receipts of this transaction.

        After the last prize, the draw is closed, and a receipt tells its secret. An evening stays open.
        """
        draw = changed(draw, number, execution=self.execution)
        if not draw["evening"] and all("execution" in each for each in draw["prizes"]):
            draw, item = receipt(draw, "closed", secret=self.secret.hex(), chain=draw["head"])
            draw = {**draw, "closed": True}
            items = [*items, item]
        return changed(draw, number, seal=draw["last"]), items


def call_roll(draw, number, roll_call, tables, end):
    """Record which winners of a prize are absent, so that others can win instead; return the draw."""
    named = set(roll_call.get("absent", []))
    by = "time-out" if "Error" in roll_call else "operator"
    absent = [each for each in prize_of(draw, number)["winners"] if each in named]
    for part, last in parts_of(absent):
        prize = prize_of(draw, number)
        present = [each for each in prize["winners"] if each not in part]
        draw, item = receipt(draw, "roll call", prize=number, absent=part, by=by)
        draw = changed(draw, number, winners=present, absent=[*prize["absent"], *part])
        if last:
            draw = changed(draw, number, round=prize["round"] + 1, called=True)
        items = [item]
        if not absent:
            draw, items = end.of(draw, number, items)
        tables.write(draw, items, [row(draw, number, each) | {"status": "absent"} for each in part])
    return draw


def fill(draw, number, tables, end):
    """Draw and record the winners that a prize still lacks; return the draw."""
    prize = prize_of(draw, number)
    missing = prize["count"] - len(prize["winners"])
    if "execution" in prize or not missing:
        return draw
    try:
        met, flags = select(draw, number, missing, tables, end.secret)
    except NotEnoughEmployees as error:
        if tables.draw(draw["draw_id"])[0]["receipts"] != draw["receipts"]:
            raise WinnerTaken("Another execution of this draw has gone on with it meanwhile.") from error
        raise
    for part, last in parts_of(met, weight=lambda each: each[1]):
        winners = [each for each, can_win in part if can_win]
        passed_over = [each for each, can_win in part if not can_win]
        told = {"winners": winners, "passed_over": passed_over}
        if flags and "unwon" not in draw:
            told["unwon"] = hashlib.sha256(flags).hexdigest()
            draw = {**draw, "unwon": zlib.compress(flags)}
        draw, item = receipt(draw, "drawn", prize=number, **told)
        draw = {**draw, "excluded": [*draw["excluded"], *passed_over]}
        called = draw["evening"] and not winners  # without new winners, no roll call is needed
        draw = changed(draw, number, winners=[*prize_of(draw, number)["winners"], *winners], called=called)
        complete = last and (called or not draw["evening"])
        items = [item]
        if complete:
            draw, items = end.of(draw, number, items)
        tables.write(draw, items, [row(draw, number, each) for each in winners])
    return draw


def parts_of(people, weight=lambda each: 1):
    """Yield as many people as fit into one transaction, and whether they are the last. Nobody is one part."""
    part, size = [], 0
    for each in people:
        if size == AT_ONCE:
            yield part, False
            part, size = [], 0
        part, size = [*part, each], size + weight(each)
    yield part, True


def row(draw, number, employee_id):
    """Return the item of a winner."""
    about = {"draw_id": draw["draw_id"], "prize": prize_of(draw, number)["prize"], "number": number}
    return {"employee_id": employee_id, **about, "drawn_at": now()}


def order_of(draw, secret):
    """Return the positions of the pool in the draw's order. The secret and the public value decide it."""
    return shuffled(draw["size"], hmac.digest(secret, draw["public"].encode(), "sha256"))


def turns(draw, prize, secret, flags):
    """Yield the positions of the pool as a prize meets them: a late prize begins at the end of the order.

    So a late prize changes nothing for the others, until they meet in the middle.
    """
    order = order_of(draw, secret)
    for position in reversed(list(order)) if prize.get("late") else order:
        if not flags or flags[position]:
            yield position


def select(draw, number, missing, tables, secret):
    """Go through the pool in the draw's order until enough people are found who can win.

    The draw decides about each person once, even if it was stopped and goes on later. So it skips its
    winners, the absent, the withdrawn, and the people it has passed over: these have won in another draw. The
    size of the pool does not change how much is read, until very many people are passed over. Who was absent
    and may win later comes after everybody else, so that nobody gains by an absence.

    Returns:
        Pairs of an id and whether this person wins, in the draw's order. And a flag for each position of the
        pool, as `Tables.unwon` returns them; empty if they were not needed.
    """
    prize, prizes = prize_of(draw, number), draw["prizes"]
    out = {*draw["excluded"], *draw.get("withdrawn", []), *prize["absent"]}
    out.update(*(each["winners"] for each in prizes))
    absent = set().union(*(each["absent"] for each in prizes))
    decided, behind = out | absent, absent - out if draw["absent"] == "may win later" else set()
    flags = zlib.decompress(bytes(draw["unwon"])) if "unwon" in draw else b""
    met, chosen, order = [], 0, turns(draw, prize, secret, flags)
    while chosen < missing:
        if not flags and len(draw["excluded"]) + len(met) - chosen > MOST_PASSED_OVER:
            many = {**draw, "unwon": zlib.compress(bytes(tables.unwon(draw)))}
            return select(many, number, missing, tables, secret)  # start again, with the flags
        positions = list(islice(order, min(LOOK, 2 * (missing - chosen) + 4 + len(decided))))
        if not positions and behind:
            decided, behind = (decided | {one for one, _ in met}) - behind, set()
            order = turns(draw, prize, secret, flags)
            continue
        if not positions and prize["round"]:
            break  # nobody is left who could win instead of an absent winner
        if not positions:
            raise not_enough(draw, number, chosen)
        for pair in tables.look(draw, positions, decided):
            if chosen < missing:
                met.append(pair)
                chosen += pair[1]
    return met, flags


def not_enough(draw, number, found):
    """Return the error that says how many people can still win."""
    prize = prize_of(draw, number)
    wanted, size, recorded = prize["count"], draw["size"], len(prize["winners"])
    part = f", {recorded} of whom this draw has recorded" if recorded else ""
    return NotEnoughEmployees(
        f"{wanted} winners were asked for, but only {recorded + found} of {size} employees remain{part}."
    )


def fitting(winners):
    """Return the winners, or only their ids if all their data would be too large for a state (256 KiB)."""
    size = len(json.dumps(winners, ensure_ascii=False).encode())
    much = size > 2_000 + 150 * len(winners)
    return [{"employee_id": each["employee_id"]} for each in winners] if much else winners


def congratulation(prize, winners):
    """Return the text of the mail. It has a hundred names at most."""
    names = [winner.get("employee_name", winner["employee_id"]) for winner in winners]
    more = f" and {len(names) - 100} more" if len(names) > 100 else ""
    what = f"for {prize}" if prize else "as the Lucky Champ"
    return f"Congrats! [{', '.join(names[:100])}{more}] You have been selected {what}!"
