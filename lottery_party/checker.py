"""Check the receipts of all draws. `docs/receipts.md` says what they contain."""

import hashlib
import hmac
import itertools
import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from lottery_lib import merkle
from lottery_lib.harmless import INVISIBLE, normalised
from lottery_lib.translation import DAY, timed
from lottery_party.check_words import CLAIMS, COUNTS, HAPPENED, NOTICES, PROBLEMS, TEXT
from lottery_party.public_value import Numbers, weakness
from lottery_party.receipt_form import FORM, Receipt, WrongForm, read_document

_CHAIN, _POOL, _SECRET, _VALUE, _ORDER, _COUNT, _SKIPPED, _LIST = CLAIMS
_LATEST: Final = 4_102_444_800_000  # the year 2100, in milliseconds: zones of later years are guesses
# A time in a receipt: it is in UTC.
_TIME: Final = re.compile(
    r"([1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?(?:Z|\+00:00)"
)
Problem = tuple[str, str]  # a claim, and a sentence that says why it is false
_Row = tuple[str | None, str | None, str | None]  # a winner's draw, prize and status


@dataclass(frozen=True)
class Notice:
    """Something that makes a check amber.

    Attributes:
        kind: A key of `check_words.NOTICES`.
        grade: ``"happened"``, or ``"steered"`` if somebody could have steered the draw with it.
        text: What happened and when, and what it could have been good for.
    """

    kind: str
    grade: str
    text: str


@dataclass(frozen=True)
class Checked:
    """What a check says.

    Attributes:
        claims: Each of `CLAIMS`, and whether it is true; None if a draw must end before anybody can know.
        problems: One sentence for each thing that is wrong.
        notices: What an operator could have done, though all claims are true.
        counts: How many draws were ``announced``, are ``closed``, have ``not ended``, were ``taken back``;
            how many ``prizes added`` and ``prizes not drawn`` there are; how many people were ``withdrawn``,
            called ``absent`` and ``skipped``; how many changes were ``late``; ``resets``, and how often the
            lottery was ``restored``.
        draws: For each draw what a guest compares: ``draw``, ``format``, ``question``, ``value``, ``at``
            (when it was given), ``seconds`` (since the question), ``code``, ``value_code`` and ``end_code``
            (of the photographs), ``root``, ``commitment`` and ``announced_before``. What it lacks is None.
        strange: The ids in the list of winners whose row no receipt names with this draw, prize and status.
    """

    claims: dict[str, bool | None]
    problems: list[str]
    notices: list[Notice]
    counts: dict[str, int]
    draws: list[dict[str, Any]]
    strange: list[str]

    @property
    def verdict(self) -> str:
        """``"red"`` if a claim is false, ``"amber"`` if there is a notice, otherwise ``"green"``."""
        return "red" if self.problems else "amber" if self.notices else "green"

    @property
    def word(self) -> str:
        """A key of `check_words.VERDICTS`: the verdict, and for amber ``"happened"`` or ``"steered"``."""
        grades = {notice.grade for notice in self.notices}
        return self.verdict if self.verdict != "amber" else "steered" if "steered" in grades else "happened"


def check_receipts(document: Mapping[str, Any]) -> Checked:
    """Check every draw of a folder, and repeat those that are closed.

    It never raises. If something does not have the form of `docs/receipts.md`, no claim is true.

    Args:
        document: What the folder's `receipts.json` contains.
    """
    try:
        chain, receipts = read_document(document)
    except WrongForm as error:
        return Checked(dict.fromkeys(CLAIMS, False), [str(error)], [], dict.fromkeys(COUNTS, 0), [], [])
    eras, resets = dict[str, int](), 0
    for each in chain:
        if each.kind == "announced":
            eras.setdefault(each.says["draw"], resets)
        resets += each.kind == "reset"
    draws = [
        _Draw(name, receipts[name], document["draws"][name], eras.get(name, resets)) for name in receipts
    ]
    problems = [*_linked(chain, draws)]
    for draw in draws:
        problems += [*_given(draw), *_replayed(draw)]
    current = [draw for draw in draws if draw.era == resets]
    named, rows = _named(current), _rows(document["winners"])
    problems += [*_skipped(draws), *_listed(named, rows), *_called_otherwise(current, document["winners"])]
    false, counts = {claim for claim, _ in problems}, _counted(chain, draws)
    unknown = (_POOL, _SECRET, _ORDER) if counts["not ended"] else ()
    return Checked(
        {claim: False if claim in false else None if claim in unknown else True for claim in CLAIMS},
        [sentence for _, sentence in problems],
        [
            Notice(kind, "happened" if kind in HAPPENED else "steered", NOTICES[kind].format(**about))
            for kind, about in _noticed(chain, draws)
        ],
        counts,
        [draw.told for draw in draws],
        sorted(one for one in rows if _strange(named[one], rows[one])),
    )


def check_page(document: Mapping[str, Any], evening: str = "") -> str:
    """Write the page on which a guest can check a document, without a network.

    Args:
        document: What the folder's `receipts.json` contains; before the draw what `records.announcement` or
            `records.proofs` returns; or an empty one, for a page on which people open a file.
        evening: What people call it. It stands in the page's title, and proves nothing.
    """
    here = Path(__file__)
    page, sha256 = (here.with_name(name).read_text(encoding="utf-8") for name in ("check.html", "sha256.js"))
    # A text cannot end its own script element.
    title = " · ".join(filter(None, [evening, str(TEXT["title"])]))
    given = {**TEXT, "title": title}, FORM, document or None
    words, form, data = (json.dumps(each).replace("<", "\\u003c") for each in given)
    page = page.replace("/* sha256.js */\n", sha256)
    page = page.replace("const TEXT = null;", f"const TEXT = {words};")
    page = page.replace("const FORM = null;", f"const FORM = {form};")
    return page.replace(">null</script>", f">{data}</script>")


@dataclass
class _Draw:
    """A draw of the folder. `_replayed` fills what has a default."""

    name: str
    receipts: Sequence[Receipt]
    folder: Mapping[str, Any]
    era: int  # how often the table of winners had been emptied before the draw
    pool: Sequence[str] = ()  # its ids, if the draw is closed
    order: Sequence[str] = ()  # of the pool
    people: dict[str, str] = field(default_factory=dict)  # names by ids, if the draw is closed
    prizes: list[Mapping[str, Any]] = field(default_factory=list)
    drawn: set[int] = field(default_factory=set)  # the numbers of the prizes that were drawn
    # For each winner the number of their latest prize, and "absent" or None.
    wins: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    behind: set[str] = field(default_factory=set)  # who was absent and comes after everybody else
    # Who is skipped for each prize; for number 0, who is skipped for all prizes.
    skipped: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def head(self) -> Mapping[str, Any]:
        return self.receipts[0].says

    @property
    def format(self) -> int:
        return int(self.head.get("format", 1))

    @property
    def numbers(self) -> Mapping[str, Any] | None:
        """The numbers that the room was asked for; None if any text is an answer."""
        return self.head.get("numbers") if self.format > 2 else None

    @property
    def closed(self) -> bool:
        return self.receipts[-1].kind == "closed"

    @property
    def taken_back(self) -> bool:
        return self.receipts[-1].kind == "taken back"

    def first(self, kind: str) -> Receipt | None:
        return next((each for each in self.receipts if each.kind == kind), None)

    @cached_property
    def values(self) -> list[Receipt]:
        """The receipts with what the room gave. The last one counts."""
        first = self.first("public value")
        return [each for each in self.receipts if each is first or each.kind == "corrected"]

    @property
    def given(self) -> Receipt | None:
        return self.values[-1] if self.values else None

    @cached_property
    def late(self) -> list[Receipt]:
        """What was changed after the question, or after the value if there is no receipt of the question."""
        begin = self.first("asked") or self.first("public value")
        at = self.receipts.index(begin) if begin else 0 if self.head["question"] == "" else len(self.receipts)
        return [each for each in self.receipts[at:] if each.kind in ("withdrawn", "prize added")]

    @cached_property
    def in_turn(self) -> int:
        """How many prizes are drawn in the order of their numbers: all but those that were added late."""
        added = [each for each in self.receipts if each.kind == "prize added"]
        late = [each for each in self.late if each.kind == "prize added"]
        return len(self.head["prizes"]) + len(added) - len(late)

    @property
    def told(self) -> dict[str, Any]:
        """What a guest compares."""
        given: dict[str, Any] = {"value": None, "at": None, "seconds": None, "value_code": None}
        if self.given:
            says = self.given.says
            given = {"value": says["value"], "at": _time(says["at"]), "seconds": says.get("seconds")}
            given["value_code"] = self.given.hash
        about = {"draw": self.name, "format": self.format, "code": self.receipts[0].hash, **given}
        about["end_code"] = self.receipts[-1].hash if self.closed and self.format > 2 else None
        return about | {
            "question": self.head["question"],
            "root": self.head["pool"],
            "commitment": self.head["commitment"],
            "announced_before": self.head["announced_before"],
        }

    def where(self, receipt: int) -> str:
        return PROBLEMS["drawReceipt"].format(draw=self.name, at=receipt)

    @property
    def skipped_before(self) -> list[str]:
        """Who was skipped because they had won in another draw."""
        drawn = [each.says["passed_over"] for each in self.receipts if each.kind == "drawn"]
        return [*dict.fromkeys([*itertools.chain.from_iterable(drawn), *self.folder.get("won_before", [])])]

    def drawn_for(self, number: int) -> list[str]:
        """Whom the draws of a prize named, the absent among them."""
        draws = [each.says for each in self.receipts if each.kind == "drawn"]
        return [one for says in draws if says["prize"] == number for one in says["winners"]]

    def free(self, number: int) -> int:
        """How many places of a prize are free."""
        count: int = self.prizes[number - 1]["count"]
        return count - [*self.wins.values()].count((number, None))

    def moved_up(self, since: Receipt, gone: Collection[str], *, from_end: bool) -> bool:
        """Whether somebody was drawn after a receipt who would have come behind these people.

        Args:
            since: Draws after it count.
            gone: They had left the order, or had won.
            from_end: Whether the late prizes, which are drawn from the end of the order, count, too.
        """
        places = {one: place for place, one in enumerate(self.order)}
        if not gone:
            return False
        first, last = (way(places.get(one, 0) for one in gone) for way in (min, max))
        met, after = set[str](), False
        for each in self.receipts:
            after = after or each is since
            if each.kind != "drawn":
                continue
            late, winners = each.says["prize"] > self.in_turn, each.says["winners"]
            if after and (from_end or not late):
                for place in (places.get(one, 0) for one in winners):
                    if place < last if late else place > first:
                        return True
                if not met.isdisjoint(winners):  # who was absent came behind everybody
                    return True
            met.update(winners)
        return False

    def next_people(self, number: int) -> Iterator[str]:
        """Who can win a prize, in the order."""
        turn = self.order[::-1] if self.format > 2 and number > self.in_turn else self.order
        for one in sorted(turn, key=self.behind.__contains__) if self.behind else turn:
            present = one in self.wins and self.wins[one][1] is None
            if not (present or one in self.skipped[0] or one in self.skipped[number]):
                yield one


def _linked(chain: Sequence[Receipt], draws: Sequence[_Draw]) -> Iterator[Problem]:
    first, announced = {draw.name: draw.receipts[0].hash for draw in draws}, list[str]()
    for at, receipt in enumerate(chain):
        where, says = PROBLEMS["chainReceipt"].format(at=at), receipt.says
        if says["previous"] != (chain[at - 1].hash if at else ""):
            yield _CHAIN, PROBLEMS["previous"].format(where=where)
        if receipt.kind != "announced":
            if says["number"] != at:
                yield _CHAIN, PROBLEMS["number"].format(where=where, number=says["number"])
            continue
        name, before = says["draw"], says["announced_before"]
        if before != len(announced):
            yield _CHAIN, PROBLEMS["before"].format(where=where, said=before, real=len(announced))
        if first.get(name) != receipt.hash:
            yield _CHAIN, PROBLEMS["noDraw"].format(where=where, draw=name)
        announced.append(name)
    for draw in draws:
        if draw.name not in announced:
            yield _CHAIN, PROBLEMS["notInChain"].format(draw=draw.name)
        yield from _in_a_row(draw, len(announced), sum(each.kind == "restored" for each in chain))
        yield from _ended(draw, chain)


def _in_a_row(draw: _Draw, announced: int, restored: int) -> Iterator[Problem]:
    """Whether the receipts of a draw follow each other. The numbers are those of the lottery's chain."""
    for at, receipt in enumerate(draw.receipts):
        where, says = draw.where(at), receipt.says
        if says["number"] != at:
            yield _CHAIN, PROBLEMS["number"].format(where=where, number=says["number"])
        if at and says["previous"] != draw.receipts[at - 1].hash:
            yield _CHAIN, PROBLEMS["previous"].format(where=where)
        if at and draw.format > 1:
            known = draw.head["announced_before"] < says["announced"] <= announced
            if not known or says["restored"] > restored:
                yield _CHAIN, PROBLEMS["tooMuch"].format(where=where)
        if not _can_stand(draw, at):
            yield _CHAIN, PROBLEMS["kind"].format(where=where, kind=receipt.kind)


def _ended(draw: _Draw, chain: Sequence[Receipt]) -> Iterator[Problem]:
    """Whether the lottery's chain was, at the end of a draw, what its last receipt says."""
    if draw.closed and draw.format > 2:
        says = draw.receipts[-1].says
        at = next((at for at, each in enumerate(chain) if each.hash == says["chain"]), -1)
        then = [each.kind for each in chain[: at + 1]]
        counted = {"announced": then.count("announced"), "restored": then.count("restored")}
        if not counted.items() <= says.items() or draw.receipts[0].hash not in [
            e.hash for e in chain[: at + 1]
        ]:
            yield _CHAIN, PROBLEMS["end"].format(draw=draw.name)


def _can_stand(draw: _Draw, at: int) -> bool:
    """Whether a kind of receipt is possible at this place of a draw."""
    kind, question, last = draw.receipts[at].kind, draw.head["question"] != "", at == len(draw.receipts) - 1
    before = {each.kind for each in draw.receipts[:at]}
    given = "public value" in before
    early = {"announced", "withdrawn", *(("asked", "prize added") if draw.format > 1 else ())}
    drawing = given or not question  # people can be drawn
    places = {
        "announced": at == 0,
        "asked": question and not given and "asked" not in before,
        "public value": question and before <= early,
        "corrected": given and "drawn" not in before,
        "withdrawn": at > 0,
        "prize added": drawing or draw.format > 1,
        "taken back": last and before <= early,
        "closed": last and drawing,
    }
    return places.get(kind, drawing)


def _given(draw: _Draw) -> Iterator[Problem]:
    """Whether everybody reads the public value in the same way. The first kits took any text."""
    if draw.format == 1 or not draw.given:
        return
    asked, numbers = draw.first("asked"), draw.numbers
    for says in (each.says for each in draw.values):
        value = says["value"]
        if not (is_answer(value, numbers) if numbers else value and value == normalised(value)):
            yield _VALUE, PROBLEMS["value"].format(draw=draw.name, value=value)
        if says["question"] != draw.head["question"] or (says["seconds"] is None) != (not asked):
            yield _VALUE, PROBLEMS["question"].format(draw=draw.name)
        elif asked:
            begin, end = _moment(asked.says["at"]), _moment(says["at"])
            if begin is None or end is None or says["seconds"] != max(0, (end - begin) // 1000):
                yield _VALUE, PROBLEMS["seconds"].format(draw=draw.name)


def is_answer(value: str, numbers: Mapping[str, Any]) -> bool:
    """Whether a public value has the only form that its numbers have (`public_value.canonical`)."""
    parts = value.split(" ")
    if len(parts) != numbers["count"] or not all(re.fullmatch("0|[1-9][0-9]{0,6}", each) for each in parts):
        return False
    found = [int(each) for each in parts]
    return found == sorted(found) and numbers["least"] <= found[0] and found[-1] <= int(numbers["most"])


def _moment(at: str) -> int | None:
    """The milliseconds since 1970 of a time as receipts have it; None if it is none."""
    try:
        if found := _TIME.fullmatch(at):
            whole = (datetime.fromisoformat(found[1]) - datetime(1970, 1, 1)) // timedelta(seconds=1)
            return whole * 1000 + int(f"{found[2] or ''}00"[:3])
    except ValueError:  # there is no such day
        pass
    return None


def _replayed(draw: _Draw) -> Iterator[Problem]:
    """Do again what the machine did, and compare each receipt."""
    if draw.closed:
        yield from _opened(draw)
    draw.prizes += draw.head["prizes"]
    short = set[int]()  # prizes with a free place that somebody could take
    for at, receipt in enumerate(draw.receipts):
        says, kind = receipt.says, receipt.kind
        if kind == "prize added":
            draw.prizes.append(says)
        elif kind == "withdrawn":
            draw.skipped[0].add(says["employee_id"])
        elif kind in ("drawn", "roll call"):
            number = says["prize"]
            if not 1 <= number <= len(draw.prizes):
                yield _ORDER, PROBLEMS["noPrize"].format(where=draw.where(at), number=number)
                continue
            # With the rules of format 1, free places of an earlier prize can be drawn later.
            over = draw.format > 1 or (kind == "drawn" and number not in draw.drawn)
            if over and any(number < one <= draw.in_turn for one in draw.drawn):
                yield _ORDER, PROBLEMS["late"].format(where=draw.where(at), number=number)
            yield from _drawn(draw, at, says) if kind == "drawn" else _called(draw, at, says)
            short.discard(number)
            if draw.free(number) < 0:
                yield _COUNT, PROBLEMS["tooMany"].format(where=draw.where(at), number=number)
            elif draw.free(number) and any(True for _ in draw.next_people(number)):
                short.add(number)
    for number in sorted(short & draw.drawn):
        yield _COUNT, PROBLEMS["tooFew"].format(draw=draw.name, number=number)


def _opened(draw: _Draw) -> Iterator[Problem]:
    """Shuffle the pool with the secret and the public value."""
    people, salt = draw.folder["pool"], bytes.fromhex(draw.folder["salt"])
    if draw.format == 1:
        pool = leaves = people
    else:
        pool, leaves = [person[0] for person in people], ["\n".join(person) for person in people]
        draw.people = {person[0]: person[1] for person in people}
        seen = dict[str, str]()
        for one in pool:
            if (other := seen.setdefault(_alike(one), one)) != one:
                yield _POOL, PROBLEMS["alike"].format(draw=draw.name, one=other, other=one)
    secret = bytes.fromhex(draw.receipts[-1].says["secret"])
    if hashlib.sha256(secret).hexdigest() != draw.head["commitment"]:
        yield _SECRET, PROBLEMS["secret"].format(draw=draw.name)
    once = len(pool) == len({*pool}) == draw.head["size"]
    if not (pool and once and merkle.root(leaves, salt) == draw.head["pool"]):
        yield _POOL, PROBLEMS["pool"].format(draw=draw.name)
    public_value = draw.given.says["value"] if draw.given else ""
    key = hmac.digest(secret, public_value.encode(), "sha256")
    draw.pool = pool
    draw.order = [pool[position] for position in shuffled(len(pool), key)]


def _alike(identity: str) -> str:
    """What is the same in ids that look alike."""
    for _again in range(2):  # what disappears leaves neighbours, which can become one letter
        seen = INVISIBLE.sub("", unicodedata.normalize("NFKC", identity))
        identity = "".join(seen.lower().split())
    return identity


def _called(draw: _Draw, at: int, says: Mapping[str, Any]) -> Iterator[Problem]:
    number = says["prize"]
    for one in says["absent"]:
        if draw.wins.get(one) == (number, None):
            draw.wins[one] = (number, "absent")
            draw.skipped[0 if draw.head["absent"] == "out" else number].add(one)
            if draw.format > 2:
                draw.behind.add(one)
        else:
            yield _ORDER, PROBLEMS["absent"].format(where=draw.where(at), one=one, number=number)


def _drawn(draw: _Draw, at: int, says: Mapping[str, Any]) -> Iterator[Problem]:
    number, winners, passed_over, where = says["prize"], says["winners"], says["passed_over"], draw.where(at)
    skipped, met, expected = {*passed_over}, set[str](), list[str]()
    if "unwon" in says:
        skipped.update(draw.folder.get("won_before", []))
    for one in draw.next_people(number):
        if one in skipped:
            met.add(one)
        elif len(expected) < len(winners):
            expected.append(one)
        else:
            break
    if draw.closed:
        if expected != winners:
            yield _ORDER, PROBLEMS["order"].format(where=where, said=_few(winners), real=_few(expected))
        if len(passed_over) != len({*passed_over}) or not met.issuperset(passed_over):
            yield _ORDER, PROBLEMS["passedOver"].format(where=where)
        if "unwon" in says and says["unwon"] != _unwon(draw):
            yield _ORDER, PROBLEMS["unwon"].format(where=where)
    draw.drawn.add(number)
    draw.wins |= dict.fromkeys(winners, (number, None))
    draw.skipped[0] |= skipped


def _unwon(draw: _Draw) -> str:
    won_before = {*draw.folder.get("won_before", [])}
    return hashlib.sha256(bytes(one not in won_before for one in draw.pool)).hexdigest()


def _few(ids: Sequence[str]) -> str:
    return ", ".join([*ids[:5], *(["..."] if len(ids) > 5 else [])]) if ids else PROBLEMS["nobody"]


def shuffled(size: int, key: bytes) -> Iterator[int]:
    """Shuffle the positions of a pool. The key decides the order (Fisher and Yates, from the front).

    The function DrawPrize and the page `check.html` have their own copies, because each of them works alone.
    The known orders in `tests/unit/party/corpus.json` hold the three together.
    """
    positions = list(range(size))
    for step in range(size):
        bound, attempt, number = size - step, 0, 2**256
        while number >= 2**256 - 2**256 % bound:  # larger numbers would make small results more likely
            digest = hmac.digest(key, f"{step}.{attempt}".encode(), "sha256")
            number, attempt = int.from_bytes(digest, "big"), attempt + 1
        other = step + number % bound
        positions[step], positions[other] = positions[other], positions[step]
        yield positions[step]


def _skipped(draws: Sequence[_Draw]) -> Iterator[Problem]:
    won_in = defaultdict[tuple[int, str], set[str]](set)
    for draw in draws:
        for one in draw.wins:
            won_in[draw.era, one].add(draw.name)
    for draw in draws:
        for one in draw.skipped_before:
            if not won_in[draw.era, one] - {draw.name}:
                yield _SKIPPED, PROBLEMS["skipped"].format(draw=draw.name, one=one)


def _noticed(chain: Sequence[Receipt], draws: Sequence[_Draw]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What makes a check amber: the kind of each notice, and the values of its sentence."""
    known, before = {draw.name: draw for draw in draws}, list[_Draw | None]()
    if not draws:
        yield "empty", {}
    for at, receipt in enumerate(chain):
        about = {**receipt.says, "at": _time(receipt.says["at"])}
        if receipt.kind == "restored":
            number = sum(each.kind == "restored" for each in chain[: at + 1])
            crash = receipt.says["lost"] == 0 and all(draw and _was_in_file(draw, number) for draw in before)
            about["saved_at"] = _time(receipt.says["saved_at"])
            yield "restoredAfterValue" if crash else "restored", about
        elif receipt.kind == "reset":
            later = any(each.kind == "announced" for each in chain[at:])
            yield "resetBefore" if later else "reset", about
        else:
            others = [draw for draw in before if not (draw and draw.taken_back)]
            if others:
                ended = all(draw and _had_ended(draw, len(before)) for draw in others)
                fair = _skips_fairly(known.get(receipt.says["draw"]), others)
                yield ("againAfterEnd" if fair else "againOthers") if ended else "again", about
            before.append(known.get(receipt.says["draw"]))
    yield from _backward(chain, lambda at: PROBLEMS["chainReceipt"].format(at=at))
    for draw in draws:
        yield from _backward(draw.receipts, draw.where)
        if draw.format < 3:
            yield "oldRules", {"draw": draw.name}
        if draw.taken_back:
            kind = "takenBack" if draw.first("asked") else "takenBackEarly"
            yield kind, {"draw": draw.name, "at": _time(draw.receipts[-1].says["at"])}
        else:
            yield from _noticed_in(draw)


def _backward(
    receipts: Sequence[Receipt], where: Callable[[int], str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a clock was put back by a second or more. A machine that sets its clock right moves it less."""
    for at, (before, after) in enumerate(itertools.pairwise(each.says["at"] for each in receipts), 1):
        begin, end = _moment(before), _moment(after)
        if begin is not None and end is not None and begin - end >= 1000:
            yield "clockBack", {"where": where(at), "before": _time(before), "at": _time(after)}


def _skips_fairly(draw: _Draw | None, others: Sequence[_Draw | None]) -> bool:
    """Whether a draw skips nobody, or everybody in it could win in the draws before it, too."""
    pools = [{*each.pool} for each in others if each]
    return not draw or not draw.skipped_before or all({*draw.pool} <= pool for pool in pools)


def _was_in_file(draw: _Draw, number: int) -> bool:
    """Whether a draw had its public value, or had ended, before the lottery was restored this time."""
    kinds = ("public value", "taken back", "closed")
    return any(each.kind in kinds and each.says.get("restored", number) < number for each in draw.receipts)


def _had_ended(draw: _Draw, announced: int) -> bool:
    """Whether a draw was closed when so many draws had been announced."""
    return draw.closed and draw.receipts[-1].says.get("announced", announced + 1) <= announced


def _noticed_of(draw: _Draw) -> Iterator[tuple[str, dict[str, Any]]]:
    """What makes a check amber because of the question: somebody could know or try its answers."""
    about, question = {"draw": draw.name}, draw.head["question"]
    if not normalised(question):
        yield "noValue", about
    elif draw.format > 2:
        numbers = Numbers(**draw.numbers) if draw.numbers else None
        if kind := weakness(numbers, question):
            yield kind, {**about, "question": question, "values": numbers.values if numbers else 0}


def _noticed_in(draw: _Draw) -> Iterator[tuple[str, dict[str, Any]]]:
    about = {"draw": draw.name}
    yield from _noticed_of(draw)
    for before, after in itertools.pairwise(draw.values):
        values_of = {"before": before.says["value"], "value": after.says["value"]}
        yield "corrected", {**about, **values_of, "at": _time(after.says["at"])}
    if draw.format > 1 and draw.given and not draw.first("asked"):
        yield "notAsked", about
    number = draw.in_turn  # of the prize that was added last
    for late in draw.late:
        at = _time(late.says["at"])
        if late.kind == "withdrawn":
            one = late.says["employee_id"]
            person = f"{draw.people[one]} ({one})" if one in draw.people else one
            last = draw.closed and not draw.moved_up(late, [one], from_end=True)
            yield "lastWithdrawn" if last else "lateWithdrawn", {**about, "person": person, "at": at}
        else:
            number += 1
            added = {**about, "prize": late.says["prize"], "count": late.says["count"], "at": at}
            calm = draw.format > 2 and number == draw.in_turn + 1
            moved = draw.moved_up(late, draw.drawn_for(number), from_end=False)
            yield "lateFromEnd" if calm and not moved else "lateAdded", added
    if not draw.closed:
        yield "notEnded", about
    for number, each in enumerate(draw.prizes[: draw.in_turn], 1):
        if draw.closed and number not in draw.drawn:
            yield "undrawn", {**about, "prize": each["prize"]}


def _time(at: str) -> str:
    """A time as people read it. No receipt of a draw is older than the kit."""
    if (moment := _moment(at)) is None or not 0 <= moment < _LATEST:
        return f"{at[:19].replace('T', ' ')} UTC"
    return timed(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment), DAY)


def _counted(chain: Sequence[Receipt], draws: Sequence[_Draw]) -> dict[str, int]:
    kinds = Counter(each.kind for draw in draws for each in draw.receipts)
    in_chain = Counter(each.kind for each in chain)
    went_on = [draw for draw in draws if not draw.taken_back]
    counts = {
        "announced": in_chain["announced"],
        "closed": sum(draw.closed for draw in draws),
        "not ended": sum(not draw.closed for draw in went_on),
        "taken back": len(draws) - len(went_on),
        "prizes added": kinds["prize added"],
        "prizes not drawn": sum(len(draw.prizes) - len(draw.drawn) for draw in went_on),
        "withdrawn": kinds["withdrawn"],
        "late": sum(len(draw.late) for draw in went_on),
        "absent": sum(
            len(e.says["absent"]) for draw in draws for e in draw.receipts if e.kind == "roll call"
        ),
        "skipped": sum(len(draw.skipped_before) for draw in draws),
        "resets": in_chain["reset"],
        "restored": in_chain["restored"],
    }
    return {count: counts[count] for count in COUNTS}


def _named(draws: Sequence[_Draw]) -> dict[str, list[_Row]]:
    """For each winner in the receipts of these draws, the row of each of their wins."""
    named = defaultdict[str, list[_Row]](list)
    for draw in draws:
        for one, (number, status) in draw.wins.items():
            named[one].append((draw.name, draw.prizes[number - 1]["prize"], status))
    return named


def _rows(winners: Sequence[Mapping[str, Any]]) -> dict[str, list[_Row]]:
    rows = defaultdict[str, list[_Row]](list)
    for row in winners:
        rows[row["employee_id"]].append((row.get("draw_id"), row.get("prize"), row.get("status")))
    return rows


def _strange(named: Sequence[_Row], rows: Sequence[_Row]) -> bool:
    """Whether somebody has a row that does not fit the receipts. A win counts more than an absence."""
    present = [each for each in named if each[2] is None]
    return not {*rows} <= {*(present or named)}


def _listed(named: Mapping[str, list[_Row]], rows: Mapping[str, list[_Row]]) -> Iterator[Problem]:
    """Compare the list of winners with the receipts."""
    for one in {**named, **rows}:
        if not named[one]:
            yield _LIST, PROBLEMS["noReceipt"].format(one=one)
        elif not rows[one]:
            yield _LIST, PROBLEMS["noRow"].format(one=one, draw=named[one][0][0])
        elif len(rows[one]) > 1 or [status for _, _, status in named[one]].count(None) > 1:
            yield _LIST, PROBLEMS["twice"].format(one=one)
        elif _strange(named[one], rows[one]):
            yield _LIST, PROBLEMS["otherRow"].format(one=one)


def _called_otherwise(draws: Sequence[_Draw], winners: Sequence[Mapping[str, Any]]) -> Iterator[Problem]:
    """Compare the names in the list of winners with those in the pools."""
    people = {draw.name: draw.people for draw in draws}
    for row in winners:
        one, name = row["employee_id"], row.get("employee_name")
        known = people.get(row.get("draw_id") or "", {}).get(one)
        if known is not None and name is not None and name != known:
            yield _LIST, PROBLEMS["otherName"].format(one=one)
