"""Second state, once for each prize: draw the next people in the draw's order, and record them at once.

After a roll call it comes again, and draws the places of the absent.
"""

import hashlib
import hmac
import json
import zlib
from itertools import islice
from typing import NamedTuple

from shuffle import shuffled
from tables import Tables, WinnerTaken, now, receipt

AT_ONCE = 97  # winners of one transaction, which takes 100 writes: two receipts and the draw are the others
LOOK = 50  # employees looked at together: two keys each, of the 100 that one request takes
MOST_PASSED_OVER = 2000  # one by one: after that, all winners are read at once


class NotEnoughEmployees(Exception):
    """More winners are asked for than there are people who can win."""


def lambda_handler(event, context):
    """Receive a draw, the number of a prize, and a roll call if there was one; return the prize's winners.

    They are recorded before they are returned. A second call, after a lost reply or by another execution,
    returns what the first one recorded.
    """
    tables, number, execution = Tables(context), event["number"], event["execution"]
    draw, secret, _, _ = tables.draw(event["draw_id"])
    end = Ending(execution, secret)
    if "roll_call" in event and event["drawn"]["round"] == prize_of(draw, number)["round"]:
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
    """What is written at the end of a prize and of a draw: who recorded it, and the secret."""

    execution: str
    secret: bytes

    def of(self, draw, number, items):
        """Return a draw whose prize is complete now, and all receipts of this transaction.

        If it was the last prize of a draw that is no evening, the draw is closed: it tells its secret.
        """
        draw = changed(draw, number, execution=self.execution)
        if not draw["evening"] and all("execution" in each for each in draw["prizes"]):
            draw, item = receipt(draw, "closed", secret=self.secret.hex())
            draw, items = {**draw, "closed": True}, [*items, item]
        return changed(draw, number, seal=draw["last"]), items


def call_roll(draw, number, roll_call, tables, end):
    """Record who of a prize's winners is absent; return the draw. Their places are free then."""
    named, by = {*roll_call.get("absent", [])}, "time-out" if "Error" in roll_call else "operator"
    absent = [each for each in prize_of(draw, number)["winners"] if each in named]
    for part, last in parts_of(absent):
        prize = prize_of(draw, number)
        present = [each for each in prize["winners"] if each not in part]
        draw, item = receipt(draw, "roll call", prize=number, absent=part, by=by)
        draw = changed(draw, number, winners=present, absent=[*prize["absent"], *part])
        if last:
            draw = changed(draw, number, round=prize["round"] + 1, called=True)
        draw, items = (draw, [item]) if absent else end.of(draw, number, [item])
        tables.write(draw, items, [row(draw, number, each) | {"status": "absent"} for each in part])
    return draw


def fill(draw, number, tables, end):
    """Draw and record what a prize still lacks; return the draw."""
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
            told["unwon"], draw = hashlib.sha256(flags).hexdigest(), {**draw, "unwon": zlib.compress(flags)}
        draw, item = receipt(draw, "drawn", prize=number, **told)
        draw = {**draw, "excluded": [*draw["excluded"], *passed_over]}
        called = draw["evening"] and not winners  # nobody is new, so nobody must be called
        draw = changed(draw, number, winners=[*prize_of(draw, number)["winners"], *winners], called=called)
        complete = last and (called or not draw["evening"])
        draw, items = end.of(draw, number, [item]) if complete else (draw, [item])
        tables.write(draw, items, [row(draw, number, each) for each in winners])
    return draw


def parts_of(people, weight=lambda each: 1):
    """Yield what fits into one transaction, and whether it is the last part; one empty part for nobody."""
    part, size = [], 0
    for each in people:
        if size == AT_ONCE:
            yield part, False
            part, size = [], 0
        part, size = [*part, each], size + weight(each)
    yield part, True


def row(draw, number, employee_id):
    """Return a winner's row."""
    about = {"draw_id": draw["draw_id"], "prize": prize_of(draw, number)["prize"], "number": number}
    return {"employee_id": employee_id, **about, "drawn_at": now()}


def order_of(draw, secret):
    """Return the positions of the pool in the order that the secret and the public value decide."""
    return shuffled(draw["size"], hmac.digest(secret, draw["public"].encode(), "sha256"))


def select(draw, number, missing, tables, secret):
    """Walk through the pool in the draw's order until enough people are found who can win.

    The draw decides about each person once: its winners, its absent, the withdrawn and the people who were
    passed over stay so, even if it was stopped half-way. What is read does not depend on the size of the pool
    until very many are passed over.

    Returns:
        Pairs of an id and whether this person wins, in the order; who does not has won in another draw. And
        the flags of those who have not won in another draw, if they were read.
    """
    prize, prizes = prize_of(draw, number), draw["prizes"]
    absent = [each["absent"] for each in (prizes if draw["absent"] == "out" else [prize])]
    withdrawn = draw.get("withdrawn", [])
    decided = {*draw["excluded"], *withdrawn}.union(*absent, *(each["winners"] for each in prizes))
    met, chosen, order = [], 0, order_of(draw, secret)
    flags = zlib.decompress(bytes(draw["unwon"])) if "unwon" in draw else b""
    if flags:
        order = (position for position in order if flags[position])
    while chosen < missing:
        if not flags and len(draw["excluded"]) + len(met) - chosen > MOST_PASSED_OVER:
            many = {**draw, "unwon": zlib.compress(bytes(tables.unwon(draw)))}
            return select(many, number, missing, tables, secret)  # from the start, with the flags
        positions = list(islice(order, min(LOOK, 2 * (missing - chosen) + 4 + len(decided))))
        if not positions and prize["round"]:
            break  # nobody is left who could take the place of an absent winner
        if not positions:
            raise not_enough(draw, number, chosen)
        for pair in tables.look(draw, positions, decided):
            if chosen < missing:
                met.append(pair)
                chosen += pair[1]
    return met, flags


def not_enough(draw, number, found):
    """Say what a draw lacks."""
    prize = prize_of(draw, number)
    wanted, size, recorded = prize["count"], draw["size"], len(prize["winners"])
    part = f", {recorded} of whom this draw has recorded" if recorded else ""
    return NotEnoughEmployees(
        f"{wanted} winners were asked for, but only {recorded + found} of {size} employees remain{part}."
    )


def fitting(winners):
    """Return only the ids of the winners if all their data is more than states may hand on (256 KiB)."""
    size = len(json.dumps(winners, ensure_ascii=False).encode())
    much = size > 2_000 + 150 * len(winners)
    return [{"employee_id": each["employee_id"]} for each in winners] if much else winners


def congratulation(prize, winners):
    """Write the mail's text. It has room for a hundred names."""
    names = [winner.get("employee_name", winner["employee_id"]) for winner in winners]
    more = f" and {len(names) - 100} more" if len(names) > 100 else ""
    what = f"for {prize}" if prize else "as the Lucky Champ"
    return f"Congrats! [{', '.join(names[:100])}{more}] You have been selected {what}!"
