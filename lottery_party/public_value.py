"""Bring what the room answers into its only form, and say how well a question protects a draw."""

import math
import re
import unicodedata
from dataclasses import asdict, dataclass
from typing import Final

from lottery_lib.errors import LotteryError
from lottery_lib.harmless import INVISIBLE, normalised
from lottery_lib.translation import N_, _, languages, translated

MOST_NUMBERS: Final = 20
LARGEST: Final = 1_000_000
FEW: Final = 1_000_000  # an operator can try so many answers
#: Questions whose answer is nothing but numbers. With any other, the operator may know which ones will come.
_PLAIN: Final = (N_("Call {count} numbers from {least} to {most}"), N_("Call five numbers"))
#: The same in all languages of the kit, with names in braces for values.
PLAIN_QUESTIONS: Final = [translated(each, plain) for each in ("en", *languages()) for plain in _PLAIN]


@dataclass(frozen=True)
class Numbers:
    """The room calls so many numbers, each from `least` to `most`. A number may be called again.

    Raises:
        LotteryError: They are not 1 to 20 numbers, or `least` and `most` are not from 0 to 1,000,000.
    """

    count: int
    least: int = 1
    most: int = 99

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST_NUMBERS:
            what = _("{count} numbers cannot be called", count=self.count)
            raise LotteryError(_("question to the room"), what, _("Ask for 1 to {most}", most=MOST_NUMBERS))
        if not 0 <= self.least < self.most <= LARGEST:
            what = _("the numbers cannot go from {least} to {most}", least=self.least, most=self.most)
            next_step = _("Choose a smaller and a larger number, both from 0 to {largest}", largest=LARGEST)
            raise LotteryError(_("question to the room"), what, next_step)

    @property
    def values(self) -> int:
        """How many different answers there are. Their order does not matter."""
        return math.comb(self.most - self.least + self.count, self.count)

    @property
    def question(self) -> str:
        """A question that asks for them."""
        return _("Call {count} numbers from {least} to {most}", **asdict(self))

    def is_plain(self, question: str) -> bool:
        """Whether a question asks for them and for nothing else, in a language of the kit."""
        return question in [plain.format(**asdict(self)) for plain in PLAIN_QUESTIONS]


def parts_of(text: str) -> list[str]:
    """What people write in one answer, without what stands between: ``"08，21、33"`` has three parts."""
    seen = INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return [part for part in re.split(r"[\s,、;]+", seen) if part]


def canonical(text: str, numbers: Numbers | None) -> str:
    """Write an answer in its only form (docs/receipts.md).

    Args:
        text: What people write, such as ``"08，21，33"``.
        numbers: The numbers that were announced; None if any text is an answer.

    Returns:
        Numbers in ascending order, such as ``"8 21 33"``; of a text, what `normalised` returns.

    Raises:
        LotteryError: The text is empty, or does not have the numbers that were announced.
    """
    if numbers is None:
        if found := normalised(text):
            return found
        next_step = _("Type what the room has said: letters and digits")
        raise LotteryError(_("public value"), _("it is empty"), next_step)
    parts = parts_of(text)
    for part in parts:
        if not re.fullmatch("[0-9]+", part):
            what, next_step = _("{part} is not a number", part=part), _("Use only digits, spaces and commas")
            raise LotteryError(_("public value"), what, next_step)
        digits = part.lstrip("0") or "0"
        if len(digits) > len(str(LARGEST)) or not numbers.least <= int(digits) <= numbers.most:
            what = _(
                "{part} is not from {least} to {most}", part=part, least=numbers.least, most=numbers.most
            )
            raise LotteryError(_("public value"), what, _("Correct it, or ask the room again for it"))
    if len(parts) != numbers.count:
        what = _("it has {count} numbers instead of {wanted}", count=len(parts), wanted=numbers.count)
        raise LotteryError(_("public value"), what, _("Type each number once for each time it was called"))
    return " ".join(map(str, sorted(map(int, parts))))


def weakness(numbers: Numbers | None, question: str) -> str:
    """Why somebody could know or try the answers to a question: a key of `check_words.NOTICES`, or empty."""
    if numbers is None:
        return "text"
    if numbers.values < FEW:
        return "few"
    if not numbers.is_plain(question):
        return "ownQuestion"
    return "oneNumber" if numbers.count == 1 else ""


def why_amber(numbers: Numbers | None, question: str = "") -> str:
    """Say why the check of a draw will be amber because of its question; empty if it will not.

    Args:
        numbers: The numbers that will be announced; None if any text is an answer.
        question: What the room is asked; empty for the question of the numbers.
    """
    found = weakness(numbers, question or (numbers.question if numbers else ""))
    return {
        "": "",
        "text": _("A text can be guessed, so the check will say that somebody could have steered the draw."),
        "few": _(
            "There are only {values} different answers, so the check will say that somebody could have "
            "steered the draw. Ask for more numbers.",
            values=numbers.values if numbers else 0,
        ),
        "ownQuestion": _(
            "The question is your own, so the check will say that somebody could have steered the draw. "
            "Leave it out: the kit asks for the numbers."
        ),
        "oneNumber": _(
            "One person gives the whole answer, so the check will say that somebody could have steered the "
            "draw. Ask for more numbers."
        ),
    }[found]
