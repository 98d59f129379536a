"""Random evenings, which a small machine plays; and ways to cheat, or to break a folder."""

import copy
import hashlib
import hmac
import json
import random
from collections.abc import Iterator
from functools import cached_property

from hypothesis import strategies as st

from lottery_lib.merkle import root
from lottery_party.checker import shuffled

RULES = ("out", "may win later")
VALUES = ("3 17 44 8 29", "六 6", "3 17")  # as everybody reads them
THREE = {"count": 3, "least": 1, "most": 99}
ANSWERS = ("3 17 44", "8 8 29", "1 2 99")
OLD_VALUES = ("3 17 44 8 29", "六 6 🎲", "")  # format 1 has any text
IDS = [f"{number:03}" for number in range(1, 56)] + ["é1", "工号7", "工号8", "🎈", "x y", "'</script>"]


def sha(text):
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def leaves(pool):
    """The texts of the leaves: of people, or of ids in format 1."""
    return [one if isinstance(one, str) else "\n".join(one) for one in pool]


class Lottery:
    """What a lottery keeps: its own chain, its draws, and the table of winners."""

    def __init__(self):
        self.chain, self.draws, self.rows, self.restored = [], {}, {}, 0

    def receipt(self, texts, number, kind, **says):
        """Write a receipt that names the latest of these texts, at the same time if none is given."""
        previous = sha(texts[-1]) if texts else ""
        at = json.loads(texts[-1])["at"] if texts else "2026-11-26T20:00:00Z"
        says = {"number": number, "kind": kind, "at": at, "previous": previous, **says}
        return json.dumps(says)

    def reset(self):
        self.chain.append(self.receipt(self.chain, len(self.chain), "reset", removed=len(self.rows)))
        self.rows.clear()

    def restore(self):
        about = {"evening": "party", "saved_at": "2026-11-26T19:00:00+00:00", "lost": self.restored}
        self.chain.append(self.receipt(self.chain, len(self.chain), "restored", **about))
        self.restored += 1

    def document(self):
        """What `receipts.json` contains."""
        draws = {name: draw.published() for name, draw in self.draws.items()}
        told = {"chain": self.chain, "draws": draws, "winners": list(self.rows.values())}
        return {"format": 3, **copy.deepcopy(told)}


class Draw:
    """A draw that has been announced, by the rules of a format."""

    def __init__(
        self, lottery, name, pool, prizes, *, rule, secret, salt, question="", format_=3, numbers=None
    ):
        self.lottery, self.name, self.pool, self.prizes, self.rule = lottery, name, pool, prizes, rule
        self.secret, self.salt, self.value, self.format, self.question = secret, salt, "", format_, question
        self.numbers, self.late = numbers, set()  # the numbers of late prizes
        people = [[one, f"Name of {one}", "Sales" if "1" in one else ""] for one in pool]
        self.shown = pool if format_ == 1 else people
        self.present, self.absent, self.known, self.won_before = {}, [], set(), []
        self.told = False  # whether a receipt has `unwon`
        self.withdrawn = set()
        announced = lottery.receipt(
            lottery.chain,
            0,
            "announced",
            draw=name,
            announced_before=len(lottery.draws),
            algorithm="hmac-sha256-shuffle-2",
            pool=root(leaves(self.shown), salt),
            size=len(pool),
            **({} if format_ == 1 else {"format": format_}),
            prizes=[{"prize": prize, "count": count} for prize, count in prizes],
            absent=rule,
            commitment=sha(secret),
            question=question,
            **({} if format_ < 3 else {"numbers": numbers}),
        )
        lottery.chain.append(announced)
        lottery.draws[name] = self
        self.texts, self.closed = [announced], False

    def add(self, kind, **says):
        if self.format > 1:
            says = {"announced": len(self.lottery.draws), "restored": self.lottery.restored, **says}
        self.texts.append(self.lottery.receipt(self.texts, len(self.texts), kind, **says))

    @cached_property
    def order(self):
        """The pool in its order; nobody asks before the public value is there."""
        key = hmac.digest(self.secret, self.value.encode(), "sha256")
        return [self.pool[at] for at in shuffled(len(self.pool), key)]

    def give(self, value, seconds=None, kind="public value"):
        self.value = value
        self.__dict__.pop("order", None)
        about = {} if self.format == 1 else {"question": self.question, "seconds": seconds}
        if seconds is not None:
            about["at"] = f"2026-11-26T20:{seconds // 60:02}:{seconds % 60:02}.900Z"
        self.add(kind, value=value, **about)

    def elsewhere(self, one):
        """Whether a person has won in another draw."""
        return one in self.lottery.rows and self.lottery.rows[one]["draw_id"] != self.name

    def free(self, number):
        return self.prizes[number - 1][1] - sum(prize == number for prize in self.present.values())

    def draw(self, number, places, *, unwon=False):
        """Draw so many places of a prize; returns whether all found a winner."""
        winners, passed_over, flags = [], [], {}
        if unwon and not self.told:
            self.told = True
            self.won_before = [one for one in self.pool if self.elsewhere(one)]
            flags = {"unwon": sha(bytes(not self.elsewhere(one) for one in self.pool))}
            self.known.update(self.won_before)
        order, away = self.order, {who for who, _ in self.absent}
        if self.format > 2:
            order = order[::-1] if number in self.late else order
            order = [one for one in order if one not in away] + [one for one in order if one in away]
        for one in order:
            out = any(one == who and (self.rule == "out" or at == number) for who, at in self.absent)
            if len(winners) == places:
                break
            if one in self.present or out or one in self.known or one in self.withdrawn:
                continue
            (passed_over if self.elsewhere(one) else winners).append(one)
        self.known.update(passed_over)
        self.add("drawn", prize=number, winners=winners, passed_over=passed_over, **flags)
        for one in winners:
            self.present[one] = number
            row = {
                "employee_name": f"Name of {one}",
                "draw_id": self.name,
                "prize": self.prizes[number - 1][0],
            }
            self.lottery.rows[one] = {"employee_id": one, **row}
        return len(winners) == places

    def roll_call(self, number, absent, by="operator"):
        self.add("roll call", prize=number, absent=absent, by=by)
        for one in absent:
            del self.present[one]
            self.absent.append((one, number))
            self.lottery.rows[one]["status"] = "absent"

    def withdraw(self, one):
        self.add("withdrawn", employee_id=one)
        self.withdrawn.add(one)

    def prize(self, prize, count):
        self.add("prize added", prize=prize, count=count)
        self.prizes = [*self.prizes, (prize, count)]
        kinds = [json.loads(text)["kind"] for text in self.texts]
        if not self.question or "asked" in kinds or "public value" in kinds:
            self.late.add(len(self.prizes))

    def close(self):
        chain = {"chain": sha(self.lottery.chain[-1])} if self.format > 2 else {}
        self.add("closed", secret=self.secret.hex(), **chain)
        self.closed = True

    def published(self):
        folder = {"receipts": self.texts, "won_before": self.won_before}
        return folder | {"pool": self.shown, "salt": self.salt.hex()} if self.closed else folder


def played(draw, chance) -> Iterator[None]:
    """Play a draw, one receipt at a time."""
    yield from left(draw, chance)
    if draw.question:
        asked = draw.format > 1 and chance.randrange(4)
        if asked:
            draw.add("asked")
            yield
            yield from left(draw, chance)
        if draw.format > 1 and chance.randrange(4) == 0:
            draw.add("taken back")
            return
        values = OLD_VALUES if draw.format == 1 else ANSWERS if draw.numbers else VALUES
        draw.give(chance.choice(values), chance.randrange(99) if asked else None)
        yield
        if draw.format > 2 and chance.randrange(2):
            draw.give(chance.choice(values), chance.randrange(99) if asked else None, "corrected")
            yield
    numbers = [*range(1, len(draw.prizes) + 1)]
    while numbers and chance.randrange(8):
        number = numbers.pop(0)
        yield from left(draw, chance)
        yield from filled(draw, number, chance)
        if chance.randrange(5) == 0:
            late = number if draw.format > 1 else chance.choice([number, *draw.present.values()])
            here = [one for one, prize in draw.present.items() if prize == late]
            draw.roll_call(late, here[: chance.randrange(3)], "time-out")
            yield from filled(draw, late, chance)
        if chance.randrange(5) == 0:
            draw.prize("Surprise", chance.randint(1, 3))
            numbers.insert(chance.choice([0, len(numbers)]), len(draw.prizes))  # it can be drawn at any time
            yield
    draw.close()


def left(draw, chance) -> Iterator[None]:
    """Perhaps somebody leaves: of the pool, or not; before they win, or after that."""
    if chance.randrange(4) == 0:
        draw.withdraw(chance.choice([*draw.pool, "nobody"]))
        yield


def filled(draw, number, chance) -> Iterator[None]:
    """Draw a prize, with roll calls, until all places have winners or nobody is left."""
    going_on = True
    while going_on and draw.free(number):
        unwon = chance.randrange(6) == 0
        going_on = draw.draw(number, chance.randint(1, draw.free(number)), unwon=unwon)
        yield
        yield from left(draw, chance)
        here = [one for one, prize in draw.present.items() if prize == number]
        if going_on and chance.randrange(2) and (draw.free(number) == 0 or chance.randrange(3) == 0):
            draw.roll_call(number, [one for one in here if chance.randrange(4) == 0])
            yield


def evening(chance):
    """The folder of a random evening, on which nobody cheated.

    Draws take turns, some are given up, and sometimes the table of winners is emptied.
    """
    lottery, playing = Lottery(), []
    people = sorted(chance.sample(IDS, chance.choice([1, 2, 3, 5, 8, 8, 13, 30, 60])))
    for number in range(chance.randint(1, 4)):
        pool = sorted(chance.sample(people, chance.randint((len(people) + 1) // 2, len(people))))
        prizes = [
            (chance.choice(["Bicycle", "Mug", "杯子"]), chance.randint(1, 4))
            for _ in range(chance.randint(1, 3))
        ]
        question, rule = chance.choice(["", "Call five numbers"]), chance.choice(RULES)
        secret, salt = chance.randbytes(32), chance.randbytes(32)
        about = {"rule": rule, "secret": secret, "salt": salt, "question": question}
        format_ = chance.choice([1, 2, 3, 3])
        about["numbers"] = chance.choice([None, THREE]) if question and format_ > 2 else None
        draw = Draw(lottery, f"draw-{number}", pool, prizes, **about, format_=format_)
        playing.append(played(draw, chance))
        for _ in range(chance.choice([0, 3, 50])):
            if playing and next(which := chance.choice(playing), "ended"):
                playing.remove(which)
        if chance.randrange(6) == 0:
            lottery.restore()
        if chance.randrange(6) == 0:
            lottery.reset()
            playing.clear()
    while playing and chance.randrange(40):
        if next(which := chance.choice(playing), "ended"):
            playing.remove(which)
    return lottery.document()


#: `st.randoms` remembers each number, and so is much slower.
CHANCES = st.builds(random.Random, st.integers(0, 2**32))
EVENINGS = CHANCES.map(evening)


# Ways to cheat. Each takes a folder and chance, changes the folder, and may find nothing to change.


def texts_of(document):
    """Each list of receipts: the chain's, then those of the draws."""
    return [document["chain"], *(draw["receipts"] for draw in document["draws"].values())]


def relink(document):
    """Calculate the hashes again, as somebody does who can write everything."""
    for texts in texts_of(document):
        for at, text in enumerate(texts):
            says = json.loads(text)
            if says["kind"] == "announced" and texts is not document["chain"]:
                continue
            before = sha(texts[at - 1]) if at else ""
            texts[at] = json.dumps(says | {"previous": before})
            if says["kind"] == "announced" and says["draw"] in document["draws"]:
                document["draws"][says["draw"]]["receipts"][0] = texts[at]


def rewrite(document, chance, kind, change, *, link=True):
    """Change what one receipt of a kind says; ``change`` is given what it says."""
    places = [
        (texts, at)
        for texts in texts_of(document)
        for at, text in enumerate(texts)
        if json.loads(text)["kind"] == kind
    ]
    if places:
        texts, at = chance.choice(places)
        says = json.loads(texts[at])
        change(says)
        old, texts[at] = texts[at], json.dumps(says)
        for others in texts_of(document):
            others[:] = [texts[at] if text == old else text for text in others]
        if link:
            relink(document)


def announce_again(document, draw, **new):
    """Change what a draw announced, in both places, and calculate the hashes again."""
    old, text = draw["receipts"][0], json.dumps(json.loads(draw["receipts"][0]) | new)
    document["chain"][:] = [text if each == old else each for each in document["chain"]]
    draw["receipts"][0] = text
    relink(document)


def a_draw(document, chance):
    return chance.choice([*document["draws"].values()])


def other_winner(document, chance):
    def change(says):
        if says["winners"]:
            says["winners"][chance.randrange(len(says["winners"]))] = chance.choice(IDS)

    rewrite(document, chance, "drawn", change)


def other_order(document, chance):
    rewrite(document, chance, "drawn", lambda says: says["winners"].reverse())


def fewer_winners(document, chance):
    rewrite(document, chance, "drawn", lambda says: says["winners"].clear())


def other_prize(document, chance):
    kind = chance.choice(["drawn", "roll call"])
    rewrite(document, chance, kind, lambda says: says.update(prize=chance.randint(0, 5)))


def rival_passed_over(document, chance):
    rewrite(document, chance, "drawn", lambda says: says["passed_over"].append(chance.choice(IDS)))


def nobody_passed_over(document, chance):
    rewrite(document, chance, "drawn", lambda says: says["passed_over"].clear())


def other_unwon(document, chance):
    rewrite(document, chance, "drawn", lambda says: says.update(unwon=sha(b"\1" * chance.randint(1, 9))))


def other_won_before(document, chance):
    ids = a_draw(document, chance)["won_before"]
    ids[:] = ids[1:] if chance.randrange(2) else [*ids, chance.choice(IDS)]


def rival_absent(document, chance):
    rewrite(document, chance, "roll call", lambda says: says["absent"].append(chance.choice(IDS)))


def nobody_absent(document, chance):
    rewrite(document, chance, "roll call", lambda says: says["absent"].clear())


def rival_withdrawn(document, chance):
    rewrite(document, chance, "withdrawn", lambda says: says.update(employee_id=chance.choice(IDS)))


def withdrawn_by_hand(document, chance):
    """Write a withdrawal between two receipts."""
    texts = a_draw(document, chance)["receipts"]
    says = {"kind": "withdrawn", "at": "", "previous": "", "employee_id": chance.choice(IDS)}
    texts.insert(chance.randint(1, len(texts)), json.dumps(says))
    renumber(document, texts)


def other_rule(document, chance):
    rewrite(document, chance, "announced", lambda says: says.update(absent=chance.choice(RULES)))


def other_secret(document, chance):
    rewrite(document, chance, "closed", lambda says: says.update(secret=chance.randbytes(32).hex()))


def other_commitment(document, chance):
    rewrite(document, chance, "announced", lambda says: says.update(commitment=sha(chance.randbytes(32))))


def secret_by_hand(document, chance):
    """Change both, the secret and the commitment to it."""
    for draw in document["draws"].values():
        last = json.loads(draw["receipts"][-1])
        if last["kind"] == "closed":
            secret = chance.randbytes(32)
            draw["receipts"][-1] = json.dumps(last | {"secret": secret.hex()})
            announce_again(document, draw, commitment=sha(secret))


def other_value(document, chance):
    values = [*VALUES, *OLD_VALUES, "3  17", "３ 17", "3\u200b17", "A b"]
    rewrite(document, chance, "public value", lambda says: says.update(value=chance.choice(values)))


def other_question(document, chance):
    rewrite(
        document, chance, "announced", lambda says: says.update(question=chance.choice(["", "Roll a die"]))
    )


def other_numbers(document, chance):
    kind = chance.choice(["announced", "drawn", "roll call", "closed", "reset", "prize added", "restored"])

    def change(says):
        key = chance.choice([key for key, value in says.items() if isinstance(value, int)])
        says[key] = max(0, says[key] + chance.choice([-1, 1, 2]))

    rewrite(document, chance, kind, change)


def other_count(document, chance):
    def change(says):
        prize = chance.choice(says["prizes"])
        prize["count"] = max(0, prize["count"] + chance.choice([-1, 1]))

    rewrite(document, chance, "announced", change)


def other_text(document, chance):
    """Edit a receipt, and leave the hash of the next as it is."""
    kind = chance.choice(["announced", "public value", "drawn", "closed", "reset"])
    rewrite(document, chance, kind, lambda says: says.update(at="2026-11-26T21:00:00Z"), link=False)


def other_pool(document, chance):
    pool = a_draw(document, chance).get("pool")
    if pool:
        at = chance.randrange(len(pool))
        pool[at : at + chance.randrange(2)] = chance.choice([[], [pool[-1]], [chance.choice(IDS)]])


def other_salt(document, chance):
    draw = a_draw(document, chance)
    if "salt" in draw:
        draw["salt"] = chance.randbytes(32).hex()


def pool_by_hand(document, chance):
    """Change the pool, and announce the root of the new one."""
    draw = a_draw(document, chance)
    if len(draw.get("pool", [])) > 1:
        draw["pool"].pop(chance.randrange(len(draw["pool"])))
        new = root(leaves(draw["pool"]), bytes.fromhex(draw["salt"]))
        announce_again(document, draw, pool=new, size=len(draw["pool"]))


def name_by_hand(document, chance):
    """Give somebody in the pool another name, and perhaps announce the root of the new one."""
    draw = a_draw(document, chance)
    if people := [one for one in draw.get("pool", []) if isinstance(one, list)]:
        chance.choice(people)[chance.choice([1, 2])] = chance.choice(["Cousin", "", "a\nb"])
        if chance.randrange(2):
            new = root(leaves(draw["pool"]), bytes.fromhex(draw["salt"]))
            announce_again(document, draw, pool=new)


def friend_twice(document, chance):
    """Let somebody be in the pool a second time, with an id that looks like the first."""
    draw = a_draw(document, chance)
    if people := [one for one in draw.get("pool", []) if isinstance(one, list)]:
        (one, *rest) = chance.choice(people)
        draw["pool"].append([chance.choice([f"{one}\u200b", f" {one}", one.upper()]), *rest])
        new = root(leaves(draw["pool"]), bytes.fromhex(draw["salt"]))
        announce_again(document, draw, pool=new, size=len(draw["pool"]))


def not_asked(document, chance):
    """Remove the receipt that says when the room was asked."""
    draw = a_draw(document, chance)
    draw["receipts"][:] = [text for text in draw["receipts"] if json.loads(text)["kind"] != "asked"]
    renumber(document, draw["receipts"])


def asked_later(document, chance):
    """Move the receipt that says when the room was asked."""
    texts = a_draw(document, chance)["receipts"]
    kinds = [json.loads(text)["kind"] for text in texts]
    if "asked" in kinds:
        text = texts.pop(kinds.index("asked"))
        texts.insert(chance.randint(1, len(texts)), text)
        renumber(document, texts)


def restoration_hidden(document, chance):
    document["chain"][:] = [text for text in document["chain"] if json.loads(text)["kind"] != "restored"]
    relink(document)


def receipt_removed(document, chance):
    texts = chance.choice(texts_of(document))
    if len(texts) > 1:
        del texts[chance.randrange(len(texts))]
        if json.loads(texts[0])["kind"] in ("announced", "reset") and chance.randrange(2):
            relink(document)


def receipts_renumbered(document, chance):
    """Remove one, and change all numbers and hashes."""
    texts = a_draw(document, chance)["receipts"]
    if len(texts) > 1:
        del texts[chance.randrange(1, len(texts))]
        renumber(document, texts)


def renumber(document, texts):
    texts[:] = [json.dumps(json.loads(text) | {"number": at}) for at, text in enumerate(texts)]
    relink(document)


def receipts_moved(document, chance):
    texts = chance.choice(texts_of(document))
    at, to = (chance.randrange(len(texts)) for _ in "12")
    texts[at], texts[to] = texts[to], texts[at]


def receipt_twice(document, chance):
    texts = chance.choice(texts_of(document))
    texts.insert(chance.randint(1, len(texts)), chance.choice(texts))
    if json.loads(texts[0])["kind"] in ("announced", "reset") and chance.randrange(2):
        relink(document)


def draw_removed(document, chance):
    document["draws"].pop(chance.choice([*document["draws"]]))


def draw_renamed(document, chance):
    name = chance.choice([*document["draws"]])
    document["draws"]["__proto__" if chance.randrange(2) else "7"] = document["draws"].pop(name)


def reset_hidden(document, chance):
    document["chain"][:] = [text for text in document["chain"] if json.loads(text)["kind"] != "reset"]
    relink(document)


def reset_added(document, chance):
    text = Lottery().receipt(document["chain"], len(document["chain"]), "reset", removed=0)
    document["chain"].append(text)


def row_by_hand(document, chance):
    one = {"employee_id": chance.choice(IDS), "employee_name": "Cousin"}
    draw = {"draw_id": chance.choice([*document["draws"], "other"]), "prize": "Bicycle"}
    document["winners"].append(one | chance.choice([{}, draw, {"status": None}]))


def row_removed(document, chance):
    if document["winners"]:
        document["winners"].pop(chance.randrange(len(document["winners"])))


def row_changed(document, chance):
    if document["winners"]:
        key = chance.choice(["employee_id", "employee_name", "draw_id", "prize", "status"])
        value = chance.choice(["Mug", "absent", "draw-1", "001"])
        document["winners"][chance.randrange(len(document["winners"]))][key] = value


CHEATS = [
    *(other_winner, other_order, fewer_winners, other_prize, rival_passed_over, nobody_passed_over),
    *(other_unwon, other_won_before, rival_absent, nobody_absent, other_rule, other_secret),
    *(other_commitment, secret_by_hand, other_value, other_question, other_numbers, other_count),
    *(other_text, other_pool, other_salt, pool_by_hand, receipt_removed, receipts_renumbered),
    *(receipts_moved, receipt_twice, draw_removed, draw_renamed, reset_hidden, reset_added),
    *(row_by_hand, row_removed, row_changed, rival_withdrawn, withdrawn_by_hand),
    *(name_by_hand, friend_twice, not_asked, asked_later, restoration_hidden),
]

JUNK = [
    *(None, True, -1, 0, 1, 1.0, 1.5, 2**31, 10**40, 1e300, "", "1", "abc", "ABCD", "[[", "null", "out"),
    *("é", "\ud800", '{"kind": "closed"}', "[" * 100_000, [], [1], ["a"], [None], {}, {"a": 1}),
]
#: How a number may be written. Not all of them are JSON.
NUMBERS = ["1.0", "1e0", "10e-1", "-0", "0.0", "01", "NaN", "Infinity", "1e999", "1.5", "9" * 5000]


def broken(document, chance):
    """Put something into a folder that does not belong there; returns the folder, or what is left of it."""
    where, within = document, []
    while isinstance(where, dict | list) and where and chance.randrange(5):
        key = chance.choice([*where]) if isinstance(where, dict) else chance.randrange(len(where))
        within.append((where, key))
        where = where[key]
    if not within:
        return chance.choice(JUNK)
    holder, key = within[-1]
    if isinstance(where, str) and where.startswith("{") and chance.randrange(4):
        says = json.loads(where)
        changed = chance.choice([*says, "unwon", "x"])
        if chance.randrange(3) == 0:
            holder[key] = json.dumps(says | {changed: 77}).replace(": 77", f": {chance.choice(NUMBERS)}")
        elif chance.randrange(3) == 0:
            says.pop(changed, None)
            holder[key] = json.dumps(says)
        elif chance.randrange(3) == 0:
            at = chance.randrange(len(where))
            holder[key] = where[:at] + chance.choice(["", " ", "é", "\\ud800", '"', "\0"]) + where[at + 1 :]
        else:
            holder[key] = json.dumps(says | {changed: chance.choice(JUNK)})
    elif chance.randrange(3):
        holder[key] = chance.choice(JUNK)
    else:
        del holder[key]
    return document
