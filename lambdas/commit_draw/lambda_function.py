"""First state: commit to the pool, the prizes and a secret, before anybody is drawn.

Later executions of the same draw begin here, too. They ask the room, bring the public value, correct it, add
a prize, take a person out of the draw, take the announcement back, or close the draw.
"""

import hashlib
import json
import re
import secrets
import unicodedata
from datetime import datetime

from tables import NEW, Tables, WinnerTaken, following, now, put, receipt, sealed

FORMAT = 3  # of the receipts: see docs/receipts.md
ALGORITHM = "hmac-sha256-shuffle-2"
MOST_PRIZES = 40
MOST_WINNERS = 1000  # of one draw, because the output of a state can have 256 KiB at most
TRIES = 5  # because another draw may write to the same chain at the same time
KEYS = ({"input"}, {"prizes"}, {"evening", "prizes"}, {"evening", "prizes", "draw_id"}, {"draw_id"})
# What an execution can do with an open draw
STEPS = ("prize", "add", "withdraw", "ask", "public", "correct", "take_back", "close")
ALONE = {
    "withdraw",
    "ask",
    "correct",
    "take_back",
}  # after these, the execution that waits for people goes on waiting
NUMBERS = ("count", "least", "most")
# Characters that nobody can see: Unicode's Default_Ignorable_Code_Point, and the blank of Braille
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


class InvalidInput(Exception):
    """The execution's input does not say what to draw."""


class NoPool(Exception):
    """No roster has been loaded."""


class NoSuchDraw(Exception):
    """No draw has this name."""


class OldDraw(Exception):
    """A kit with other rules announced the draw."""


class DrawClosed(Exception):
    """The draw has ended, and everybody can know its secret."""


class TooLate(Exception):
    """The room has given its public value."""


class TooEarly(Exception):
    """Something else comes first: the public value, a roll call, or an earlier prize."""


def lambda_handler(event, context):
    """Receive the name and the input of the execution; return the draw and the numbers of the prizes to draw.

    The function returns after it has written everything that the draw commits to. It may be called again
    because a reply was lost, or to continue a stopped draw. Then it returns what the first call wrote.
    """
    request, execution = event["request"], event["execution"]
    check(request)
    for attempt in range(TRIES):
        try:
            draw, numbers = proceed(request, execution, Tables(context))
            break
        except WinnerTaken:
            if attempt == TRIES - 1:
                raise
    print(json.dumps({"message": "committed", "draw_id": draw["draw_id"], "prizes": numbers}))
    return {
        "draw_id": draw["draw_id"],
        "prizes": numbers if "public" in draw else [],
        "remail": request.get("remail", False),
        "awaits": "nothing" if "public" in draw or ALONE & request.keys() else "public value",
    }


def proceed(request, execution, tables):
    """Do what the input asks for; return the draw and the numbers of the prizes to draw."""
    draw_id = request.get("draw_id", execution)
    draw, secret, chain, pool = tables.draw(draw_id)
    if draw is None and "draw_id" in request and "prizes" not in request:
        raise NoSuchDraw(f"There is no draw {draw_id} to go on with.")
    if draw is None:
        draw = announce(draw_id, request, chain, pool, tables)
    if draw.get("format") != FORMAT and "closed" not in draw:
        raise OldDraw(
            f"An older kit announced the draw {draw_id}. End it with that kit, or announce a new one."
        )
    if "public" in request and "public" not in draw:
        draw = give(draw, request["public"], tables)
    if "add" in request:
        return add(draw, request["add"], execution, tables)
    for step, change in (
        ("ask", ask),
        ("correct", correct),
        ("withdraw", withdraw),
        ("take_back", take_back),
    ):
        if step in request:
            return change(draw, request[step], tables), []
    if "close" in request:
        return close(draw, secret, tables), []
    numbers = range(1, len(draw["prizes"]) + 1)
    if "prize" in request:
        if request["prize"] not in numbers:
            raise InvalidInput(f"There is no prize {request['prize']}: {draw_id} has {len(draw['prizes'])}.")
        refuse_step(draw, request["prize"])
        return draw, [request["prize"]]
    begun = [number for number in numbers if not draw["evening"] or draw["prizes"][number - 1]["winners"]]
    return draw, begun


def announce(draw_id, request, chain, pool, tables):
    """Write what the draw commits to into the lottery's chain; return the draw."""
    if pool is None:
        raise NoPool("No roster has been loaded: run `lottery employees load FILE`.")
    secret, evening = secrets.token_bytes(32), request.get("evening")
    number = chain["receipts"] if chain else 0
    open_prizes = [
        {**each, "winners": [], "absent": [], "round": 0, "called": False} for each in prizes(request)
    ]
    about = {
        "format": FORMAT,
        "draw": draw_id,
        "announced_before": chain["draws"] if chain else 0,
        "algorithm": ALGORITHM,
        "pool": pool["root"],
        "size": int(pool["size"]),
        "prizes": [{"prize": each["prize"], "count": each["count"]} for each in open_prizes],
        "absent": (evening or {}).get("absent", "out"),
        "commitment": hashlib.sha256(secret).hexdigest(),
        "question": request.get("question", ""),
        "numbers": request.get("numbers"),
    }
    text, last = sealed(0, "announced", chain["last"] if chain else "", about)
    draw = {
        "draw_id": draw_id,
        "format": FORMAT,
        "receipts": 1,
        "last": last,
        "code": last,
        "announced": about["announced_before"] + 1,
        "restored": chain.get("restored", 0) if chain else 0,
        "head": last,
        "chain": number,
        "evening": evening is not None,
        "pool": about["pool"],
        "size": about["size"],
        "absent": about["absent"],
        "question": about["question"],
        "numbers": about["numbers"],
        "prizes": open_prizes,
        "excluded": [],
    }
    if not about["question"]:
        draw["public"] = ""  # nobody is asked for a public value
    kept = {
        **(chain or {}),
        "draw_id": "#chain",
        "receipts": number + 1,
        "draws": draw["announced"],
        "last": last,
    }
    new = [
        draw,
        {"draw_id": f"#chain#{number}", "text": text},
        {"draw_id": f"{draw_id}#sealed", "secret": secret.hex()},
    ]
    condition = following(number) if chain else (NEW,)
    tables.transact([put(tables.draws, item, NEW) for item in new] + [put(tables.draws, kept, *condition)])
    return draw


def ask(draw, _, tables):
    """Write down when the room is asked for the public value; return the draw. Later changes are late."""
    if "public" in draw or "asked" in draw:
        return draw
    refuse_closed(draw)
    told, item = receipt(draw, "asked")
    draw = {**told, "asked": json.loads(item["text"])["at"]}
    tables.write(draw, [item])
    return draw


def give(draw, value, tables):
    """Mix the public value into the order; return the draw."""
    return answered(draw, "public value", value, tables)


def correct(draw, value, tables):
    """Replace the public value before anybody is drawn, and leave a receipt of it; return the draw."""
    if draw.get("public") == value:
        return draw
    if not draw.get("public"):
        raise TooEarly(f"The draw {draw['draw_id']} has no public value to correct.")
    if any(each["winners"] or each["absent"] or each["called"] for each in draw["prizes"]):
        raise TooLate(
            f"The draw {draw['draw_id']} has drawn somebody, so nobody can correct its public value."
        )
    return answered(draw, "corrected", value, tables)


def answered(draw, kind, value, tables):
    """Write a receipt with what the room has given; return the draw."""
    refuse_closed(draw)
    if not value or value != (right := in_form(value, draw["numbers"])):
        raise InvalidInput(
            f'The public value must be written as "{right}".' if value and right else "It is empty."
        )
    at, seconds = now(), None
    if "asked" in draw:
        waited = datetime.fromisoformat(at) - datetime.fromisoformat(draw["asked"])
        seconds = max(0, int(waited.total_seconds()))
    about = {"at": at, "question": draw["question"], "value": value, "seconds": seconds}
    told, item = receipt(draw, kind, **about)
    given = {"value": value, "at": at, "seconds": seconds, "code": told["last"]}
    draw = {**told, "public": value, "given": given}
    tables.write(draw, [item])
    return draw


def in_form(value, numbers):
    """Return a public value in its only form. For numbers, these are digits in ascending order."""
    if not numbers:
        return normalised(value)
    found = sorted(int(each) for each in re.findall("[0-9]{1,9}", value))
    right = len(found) == numbers["count"] and numbers["least"] <= found[0] and found[-1] <= numbers["most"]
    if not right:
        raise InvalidInput(
            "The public value must be {count} numbers from {least} to {most}.".format(**numbers)
        )
    return " ".join(map(str, found))


def normalised(text):
    """Return a public value as everybody reads it. The kit and the check page have copies of this rule."""
    seen = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).lower()
    kept = "".join(each if unicodedata.category(each)[0] in "LMN" else " " for each in seen)
    after = " ".join(kept.split())
    return text if after == text else normalised(after)


def take_back(draw, _, tables):
    """Take the announcement back, before the room has given its value; return the draw."""
    if "closed" in draw:
        return draw
    if "public" in draw:
        raise TooLate(f"The draw {draw['draw_id']} has its public value, so nobody can take it back.")
    told, item = receipt(draw, "taken back")
    draw = {**told, "closed": True, "taken_back": True}
    tables.write(draw, [item])
    return draw


def add(draw, asked, execution, tables):
    """Add a prize to an evening; return the draw and the prize's number.

    If the same execution calls again, the prize is not added twice.
    """
    refuse_closed(draw)
    for number, each in enumerate(draw["prizes"], 1):
        if each.get("added_by") == execution:
            return draw, [number]
    if len(draw["prizes"]) == MOST_PRIZES:
        raise InvalidInput(f"A draw may have {MOST_PRIZES} prizes at most.")
    wanted = prize(asked)
    refuse_many([*draw["prizes"], wanted])
    told, item = receipt(draw, "prize added", **wanted)
    new = {**wanted, "winners": [], "absent": [], "round": 0, "called": False, "added_by": execution}
    new["late"] = "asked" in draw or "public" in draw
    draw = {**told, "prizes": [*draw["prizes"], new]}
    tables.write(draw, [item])
    return draw, [len(draw["prizes"])]


def withdraw(draw, employee_id, tables):
    """Take a person out of the draw; return the draw. The person keeps what they have won."""
    refuse_closed(draw)
    withdrawn = draw.get("withdrawn", [])
    if employee_id in withdrawn:
        return draw
    told, item = receipt(draw, "withdrawn", employee_id=employee_id)
    draw = {**told, "withdrawn": [*withdrawn, employee_id]}
    tables.write(draw, [item])
    return draw


def close(draw, secret, tables):
    """Write the secret into a receipt, so that everybody can repeat the draw; return the draw."""
    if "closed" in draw:
        return draw
    if "public" not in draw:
        raise TooEarly(f"The draw {draw['draw_id']} still waits for its public value.")
    for each in draw["prizes"]:
        if each["winners"] and "execution" not in each:
            raise TooEarly(f"The prize {each['prize']} still waits for its roll call.")
    told, item = receipt(draw, "closed", secret=secret.hex(), chain=draw["head"])
    draw = {**told, "closed": True}
    tables.write(draw, [item])
    return draw


def refuse_step(draw, number):
    """Raise an error if the draw has ended, or if a prize before this one must be drawn to its end first.

    A late prize has no turn: it can be drawn at any time.
    """
    wanted = draw["prizes"][number - 1]
    if "execution" in wanted:
        return
    refuse_closed(draw)
    for before, each in enumerate(draw["prizes"][: number - 1], 1):
        if not ("execution" in each or each.get("late") or wanted.get("late")):
            raise TooEarly(
                f"Draw the prizes in their order: {each['prize']} ({before}) comes before "
                f"{wanted['prize']} ({number})."
            )


def refuse_closed(draw):
    """Raise an error if the draw has ended: anybody who knows its secret could choose a winner."""
    if "closed" in draw:
        raise DrawClosed(f"The draw {draw['draw_id']} is closed. Announce a new one.")


def check(request):
    """Raise InvalidInput if the input does not say what to draw."""
    known = set().union(*KEYS)
    asked = request.keys() & known if isinstance(request, dict) else None
    if asked not in KEYS:
        raise InvalidInput(
            'The input must look like {"input": 2}, or {"prizes": [{"name": "Car", "count": 1}]}, '
            'or, to go on with a draw, {"draw_id": "..."}.'
        )
    if "draw_id" in request and not is_name(request["draw_id"]):
        raise InvalidInput('"draw_id" must be the name of the execution that began the draw.')
    if type(request.get("remail", False)) is not bool:
        raise InvalidInput(f'"remail" must be true or false, not {json.dumps(request["remail"])}.')
    steps = [key for key in (*STEPS, "remail") if request.get(key)]
    if steps and "draw_id" not in request:
        raise InvalidInput(f'To use "{steps[0]}", say of which draw: {{"draw_id": "...", ...}}.')
    for key in ("question", "public", "correct"):
        if not isinstance(request.get(key, ""), str) or len(request.get(key, "")) > 200:
            raise InvalidInput(f'"{key}" must be a text of at most 200 characters.')
    if type(request.get("prize", 1)) is not int:
        raise InvalidInput(f'"prize" must be the number of a prize, not {json.dumps(request["prize"])}.')
    if not isinstance(request.get("withdraw", "id"), str) or request.get("withdraw") == "":
        raise InvalidInput(
            f'"withdraw" must be the id of an employee, not {json.dumps(request["withdraw"])}.'
        )
    check_numbers(request.get("numbers"))
    evening = request.get("evening", {})
    if not isinstance(evening, dict) or evening.get("absent", "out") not in ("out", "may win later"):
        raise InvalidInput('"evening" must look like {"absent": "out"} or {"absent": "may win later"}.')
    if "evening" in request and not normalised(request.get("question", "")):
        raise InvalidInput(
            'An evening needs a "question" to the room: without it, nobody can trust the order.'
        )


def check_numbers(numbers):
    """Raise InvalidInput if the room cannot be asked for such numbers."""
    if numbers is None:
        return
    count, least, most = (numbers.get(key) if isinstance(numbers, dict) else None for key in NUMBERS)
    whole = all(type(each) is int for each in (count, least, most))
    if not whole or len(numbers) != 3 or not (1 <= count <= 20 and 0 <= least < most <= 1_000_000):
        raise InvalidInput(
            '"numbers" must look like {"count": 5, "least": 1, "most": 99}: 1 to 20 numbers, 0 to 1000000.'
        )


def is_name(text):
    """Return whether an execution can have this name. Names have no `#`: it marks the keys of other items."""
    return isinstance(text, str) and 1 <= len(text) <= 80 and "#" not in text


def prizes(request):
    """Return the prizes in their order. The input `{"input": 2}` means one prize without a name."""
    asked = request["prizes"] if "prizes" in request else [{"count": request["input"]}]
    fewest = 0 if "evening" in request else 1
    if not isinstance(asked, list) or not fewest <= len(asked) <= MOST_PRIZES:
        raise InvalidInput(f'"prizes" must be a list of {fewest} to {MOST_PRIZES} prizes.')
    found = [prize(each) for each in asked]
    refuse_many(found)
    return found


def refuse_many(found):
    """Raise InvalidInput if the prizes have more winners than a draw may have."""
    if sum(each["count"] for each in found) > MOST_WINNERS:
        raise InvalidInput(f"A draw may have {MOST_WINNERS} winners at most: make several draws.")


def prize(asked):
    """Return one prize: its name, and how many people win it."""
    asked = asked if isinstance(asked, dict) else {}
    name, count = asked.get("name", ""), asked.get("count")
    # `type`, because for `isinstance` the value `True` is a number, too.
    if type(count) is not int or count < 1:
        shown = json.dumps(count, ensure_ascii=False)
        raise InvalidInput(f"How many to draw must be a whole number of at least 1, not {shown}.")
    if not isinstance(name, str) or len(name) > 100:
        raise InvalidInput('The "name" of a prize must be a text of at most 100 characters.')
    return {"prize": name, "count": count}
