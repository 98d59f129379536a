"""Check the receipts of all draws. `docs/receipts.md` says what they contain."""

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lottery_lib import merkle
from lottery_party.check_words import CLAIMS, PROBLEMS, TEXT
from lottery_party.receipt_form import FORM, Receipt, WrongForm, read_document

_CHAIN, _POOL, _SECRET, _ORDER, _COUNT, _SKIPPED, _LIST = CLAIMS
_CODES: Final = {"root": "pool", "commitment": "commitment", "announced_before": "announced_before"}
Problem = tuple[str, str]  # a claim, and a sentence that says why it is false
_Row = tuple[str | None, str | None, str | None]  # a winner's draw, prize and status


@dataclass(frozen=True)
class Checked:
    """What a check says.

    Attributes:
        claims: Each of `CLAIMS`, and whether it is true.
        problems: One sentence for each thing that is wrong.
        counts: How many draws were ``announced``, are ``closed``, have ``not ended``; how many ``prizes not
            drawn``, people who were ``withdrawn``, and ``resets`` there are.
        codes: What to compare with the photograph, for each draw: ``draw``, ``root``, ``commitment``, and
            ``announced_before``.
        strange: The ids in the list of winners whose row no receipt names with this draw, prize and status.
    """

    claims: dict[str, bool]
    problems: list[str]
    counts: dict[str, int]
    codes: list[dict[str, Any]]
    strange: list[str]


def check_receipts(document: Mapping[str, Any]) -> Checked:
    """Check every draw of a folder, and repeat those that are closed.

    It never raises. If something does not have the form of `docs/receipts.md`, no claim is true.

    Args:
        document: What the folder's `receipts.json` contains.
    """
    kinds = ("announced", "closed", "not ended", "prizes not drawn", "withdrawn", "resets")
    counts = dict.fromkeys(kinds, 0)
    try:
        chain, receipts = read_document(document)
    except WrongForm as error:
        return Checked(dict.fromkeys(CLAIMS, False), [str(error)], counts, [], [])
    eras, resets = dict[str, int](), 0
    for each in chain:
        if each.kind == "reset":
            resets += 1
        else:
            eras.setdefault(each.says["draw"], resets)
    draws = [
        _Draw(name, receipts[name], document["draws"][name], eras.get(name, resets)) for name in receipts
    ]
    problems = [*_linked(chain, draws)]
    for draw in draws:
        problems += _replayed(draw)
    named, rows = _named([draw for draw in draws if draw.era == resets]), _rows(document["winners"])
    problems += [*_skipped(draws), *_listed(named, rows)]
    false = {claim for claim, _ in problems}
    counts |= {
        "announced": len(chain) - resets,
        "closed": sum(draw.closed for draw in draws),
        "resets": resets,
    }
    counts["not ended"] = len(draws) - counts["closed"]
    counts["prizes not drawn"] = sum(len(draw.prizes) - len(draw.drawn) for draw in draws)
    counts["withdrawn"] = sum(each.kind == "withdrawn" for draw in draws for each in draw.receipts)
    return Checked(
        {claim: claim not in false for claim in CLAIMS},
        [sentence for _, sentence in problems],
        counts,
        [{"draw": draw.name, **{code: draw.head[key] for code, key in _CODES.items()}} for draw in draws],
        sorted(one for one in rows if _strange(named[one], rows[one])),
    )


def check_page(document: Mapping[str, Any]) -> str:
    """Write the page on which a guest can check a document, without a network.

    Args:
        document: What the folder's `receipts.json` contains; before the draw ``{"announced": text}``, with
            the text of the draw's first receipt; or an empty one, for a page on which people open a file.
    """
    page = Path(__file__).with_name("check.html").read_text(encoding="utf-8")
    # A text cannot end its own script element.
    words, form, data = (json.dumps(each).replace("<", "\\u003c") for each in (TEXT, FORM, document or None))
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
    order: Sequence[str] = ()  # of the pool; nobody knows it before the draw is closed
    prizes: list[Mapping[str, Any]] = field(default_factory=list)
    drawn: set[int] = field(default_factory=set)  # the numbers of the prizes that were drawn
    # For each winner the number of their latest prize, and "absent" or None.
    wins: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    # Who is skipped for each prize; for number 0, who is skipped for all prizes.
    skipped: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    @property
    def head(self) -> Mapping[str, Any]:
        return self.receipts[0].says

    @property
    def closed(self) -> bool:
        return self.receipts[-1].kind == "closed"

    def where(self, receipt: int) -> str:
        return PROBLEMS["drawReceipt"].format(draw=self.name, at=receipt)

    def free(self, number: int) -> int:
        """How many places of a prize are free."""
        count: int = self.prizes[number - 1]["count"]
        return count - [*self.wins.values()].count((number, None))

    def next_people(self, number: int) -> Iterator[str]:
        """Who can win a prize, in the order."""
        for one in self.order:
            present = one in self.wins and self.wins[one][1] is None
            if not (present or one in self.skipped[0] or one in self.skipped[number]):
                yield one


def _linked(chain: Sequence[Receipt], draws: Sequence[_Draw]) -> Iterator[Problem]:
    first, announced = {draw.name: draw.receipts[0].hash for draw in draws}, list[str]()
    for at, receipt in enumerate(chain):
        where, says = PROBLEMS["chainReceipt"].format(at=at), receipt.says
        if says["previous"] != (chain[at - 1].hash if at else ""):
            yield _CHAIN, PROBLEMS["previous"].format(where=where)
        if receipt.kind == "reset":
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
        asked, last = draw.head["question"] != "", len(draw.receipts) - 1
        # Somebody can be withdrawn at any time, also before the public value.
        begins = next(
            (at for at, each in enumerate(draw.receipts) if at and each.kind != "withdrawn"), last + 1
        )
        others = range(begins + asked, last + 1)  # where the other kinds may stand
        places = {"announced": [0], "withdrawn": range(1, last + 1), "closed": others[-1:]}
        places["public value"] = [begins] if asked else []
        for at, receipt in enumerate(draw.receipts):
            where = draw.where(at)
            if receipt.says["number"] != at:
                yield _CHAIN, PROBLEMS["number"].format(where=where, number=receipt.says["number"])
            if at and receipt.says["previous"] != draw.receipts[at - 1].hash:
                yield _CHAIN, PROBLEMS["previous"].format(where=where)
            if at not in places.get(receipt.kind, others):
                yield _CHAIN, PROBLEMS["kind"].format(where=where, kind=receipt.kind)


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
    pool, salt = draw.folder["pool"], bytes.fromhex(draw.folder["salt"])
    secret = bytes.fromhex(draw.receipts[-1].says["secret"])
    if hashlib.sha256(secret).hexdigest() != draw.head["commitment"]:
        yield _SECRET, PROBLEMS["secret"].format(draw=draw.name)
    once = len(pool) == len({*pool}) == draw.head["size"]
    if not (pool and once and merkle.root(pool, salt) == draw.head["pool"]):
        yield _POOL, PROBLEMS["pool"].format(draw=draw.name)
    public_value = next((each.says["value"] for each in draw.receipts if each.kind == "public value"), "")
    key = hmac.digest(secret, public_value.encode(), "sha256")
    draw.order = [pool[position] for position in shuffled(len(pool), key)]


def _called(draw: _Draw, at: int, says: Mapping[str, Any]) -> Iterator[Problem]:
    number = says["prize"]
    for one in says["absent"]:
        if draw.wins.get(one) == (number, None):
            draw.wins[one] = (number, "absent")
            draw.skipped[0 if draw.head["absent"] == "out" else number].add(one)
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
    announced = len(draw.head["prizes"])  # a prize that was added may come at any time
    if number not in draw.drawn and any(number < one <= announced for one in draw.drawn):
        yield _ORDER, PROBLEMS["late"].format(where=where, number=number)
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
    return hashlib.sha256(bytes(one not in won_before for one in draw.folder["pool"])).hexdigest()


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
        passed_over = [
            one for each in draw.receipts if each.kind == "drawn" for one in each.says["passed_over"]
        ]
        for one in dict.fromkeys([*passed_over, *draw.folder.get("won_before", [])]):
            if not won_in[draw.era, one] - {draw.name}:
                yield _SKIPPED, PROBLEMS["skipped"].format(draw=draw.name, one=one)


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
