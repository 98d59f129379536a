"""Read the prizes of a draw as a host writes them: one on each line."""

import json
import re
from typing import Final, TypedDict
from unicodedata import category

from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, read_limited, reason_of
from lottery_lib.harmless import CONTROLS
from lottery_lib.translation import _

# The patterns read a line with narrow characters in place of wide ones, and one sign of multiplication.
_NARROW: Final = {0xFF01 + each: 0x21 + each for each in range(94)} | dict.fromkeys(map(ord, "*＊✕✖"), "×")
_BULLET: Final = re.compile(
    r"(?:[-–—•·●○◆★×](?: |(?![\d ]))|[①-⑳]|\(\d\d?\)|\d\d?(?:\)|、|\.(?!\d)))(?: |(?=[^ ]))"
)
_N: Final = r"(\d{1,6})(?!\d)"  # how many; the lottery refuses a number that is too large
_THINGS: Final = "(?:[个個台臺份部张張套件只支本盒瓶箱辆輛条條双雙枚袋包把顶頂])(?![月人曲套装裝湾灣]|小时)"
_WORDS: Final = rf"(?:{_THINGS}|[位人]|(?:pcs?|units?|winners?)(?: of)?(?![a-z]))"
# A number in front of one of these is a sum or a size, also after a space
_UNIT: Final = (
    r"(?:元(?![宵旦])|英?寸|厘米|(?:块|万元?|天|日|年)(?!\w)"
    r"|(?:cm|mm|kg|ml|gb|tb|mah|inch(?:es)?|yuan|rmb|cny|usd|dollars?|euros?|pro)(?![a-z]))"
)
# The number after one of these may be its model
_MODELS: Final = (
    *("iPhone", "iPad", "Mate", "Pura", "Switch", "PlayStation", "PS", "Xbox", "Galaxy", "Pixel", "RTX"),
    *("Watch", "小米", "荣耀"),
)
_NO_MODEL: Final = "".join(rf"(?<!\b{model} )" for model in _MODELS)
#: What is how many in a line, and which of them counts: the first kind that the line has.
_KINDS: Final = [
    [re.compile(each, re.IGNORECASE) for each in kind]
    for kind in (
        (  # with a sign: "3 x Bicycle", "Bicycle x3", but not the sides of "50 x 60 cm" or "10x15"
            rf"^{_N} ?(?:×|x(?![a-z]))(?!\d)",
            rf"(?<!\d)(?:×|(?<![a-z])x) ?{_N}(?: ?{_WORDS})?(?=[)\]】]?$)",
            rf"(?<!\d)(?<!\d )(?:×|(?<![a-z])x) ?{_N}(?: ?{_WORDS})?(?=[ :)\]】]|$)",
        ),
        (  # with a word that counts: "3台电视", "手机 3 台", "一等奖3名手机", but not "第3名" or "2人游"
            rf"(?<![\d.,第各-])[共前]?{_N} ?{_WORDS}(?!\w)",
            rf"(?<![\d.,第各-])[共前]?{_N} ?名(?![片牌])",
            rf"^{_N}{_THINGS}",
        ),
        (  # by itself: "3 Bicycle", "Bicycle 3", but not "200 元红包" or "iPhone 16"
            rf"^{_N} (?!{_UNIT})",
            rf"{_NO_MODEL}(?<![¥$€£] )(?<!\d,)(?<=[ :,(\[【]){_N}(?=[)\]】]?$)",
        ),
    )
]
_MAY_COUNT: Final = re.compile(rf"(?:(?<=\d)[x×]|(?!{_NO_MODEL})){_N}$", re.IGNORECASE)
# A number that is no count: 3 without a name, -1, 2.5, 1,000, 1234567, 3Car; and the colon of a heading
_UNCLEAR: Final = re.compile(
    rf"^[-+]\d|^\d+[.,:;]|^\d{{7}}|^\d+$|^\d+(?!{_UNIT})[a-z]{{3}}|[ :][-+$¥€£]* ?\d[\d.,]*$|:$",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"(?<!\d),|,(?= )|[;、]")
_EACH: Final = re.compile(r"各 ?\d")
# Rather a file that is not there than one prize
_FILE: Final = re.compile(r"\S*[/\\]\S*|\S(?:.*\S)?\.[A-Za-z]{2,4}")
_EMPTY: Final = re.compile(r"[(（\[【] ?[)）\]】]")
_ENDS: Final = " :：,，、;；-–—|=＝"
_NEXT: Final = _('Write one prize on each line: how many, then the name, such as "3 Bicycle"')
_ONE: Final = _(
    'Write one prize on each line: how many, then the name, such as "3 Bicycle". If it is one prize, write '
    '"and" in place of the comma'
)


class Prize(TypedDict):
    """A prize: its name, and how many winners get it."""

    name: str
    count: int


def read_prizes(text: str) -> list[Prize]:
    """Read prizes, in the order in which they will be drawn.

    Args:
        text: One prize on each line: its name, and how many, before or after it. A number with ``x`` or ``×``
            counts, else one with a word such as 名 or pcs, else one that stands alone at an end of the line.
            Without any, it is one prize. A bullet or the line's number may stand in front. Empty lines are
            skipped.

    Returns:
        What `draw` takes, such as ``[{"name": "Bicycle", "count": 3}]``.

    Raises:
        LotteryError: A line is not a prize, or may be several prizes or numbers. Or there is no line.
    """
    found: list[Prize] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not (line := " ".join(line.split())):
            continue
        bullet = _BULLET.match(line.translate(_NARROW))
        entry = line[bullet.end() :] if bullet else line
        readings = _readings(entry)
        where = _("line {number}", number=number)
        if _is_several(entry):
            raise LotteryError(where, _('"{line}" may be several prizes', line=line), _ONE)
        ways = [f"{each['count']} x {each['name']}" for each in readings]
        clear = len(ways) == 1 or [_readings(way) for way in ways] == [[each] for each in readings]
        if not readings or not clear or not all(map(_is_prize, readings)):
            raise LotteryError(where, _('"{line}" is not a prize', line=line), _NEXT)
        if len(readings) > 1:
            next_step = _('Write "{one}" or "{other}"', one=ways[0], other=ways[1])
            raise LotteryError(where, _('"{line}" can mean two numbers', line=line), next_step)
        found += readings
    if not found:
        raise LotteryError(_("prizes"), _("there are none yet"), _NEXT)
    return found


def _readings(line: str) -> list[Prize]:
    """What a line can mean; nothing if its number is unclear."""
    plain = line.translate(_NARROW)
    if counted := _counted(line, plain):
        return counted
    if maybe := _MAY_COUNT.search(plain):
        return [{"name": line, "count": 1}, _without(line, maybe)]
    return [] if _UNCLEAR.search(plain) else [{"name": line.strip(_ENDS), "count": 1}]


def _counted(line: str, plain: str) -> list[Prize]:
    """What a line means with the number that counts, or the first two that do; nothing if none does."""
    for kind in _KINDS:
        places = {match.start(1): match for pattern in kind for match in pattern.finditer(plain)}
        if places:
            return [_without(line, places[at]) for at in sorted(places)[:2]]
    return []


def _without(line: str, match: re.Match[str]) -> Prize:
    """The prize in a line, if this is how many."""
    rest = f"{line[: match.start()]} {line[match.end() :]}"
    name = " ".join(_EMPTY.sub("", rest).split()).strip(_ENDS)
    return {"name": re.sub(r" (?=[:：])", "", name), "count": int(match[1])}


def _is_prize(prize: Prize) -> bool:
    name = prize["name"]
    has_word = any(category(each)[0] in "LN" or each > "\u2190" for each in name)  # or an emoji
    plain = has_word and not CONTROLS.search(name)
    return prize["count"] > 0 and plain and not re.match(r"\d+[:,：，](?!\d)", name)


def _is_several(line: str) -> bool:
    """Whether a line is several prizes, such as "3 Mug, 2 Pen", but not "3 Voucher of 1,000 yuan"."""
    plain = line.translate(_NARROW)
    parts = [each.strip() for each in _BETWEEN.split(plain)]
    counted = [each for each in parts if any(map(_is_prize, _counted(each, each)))]
    return len(counted) > 1 or bool(_EACH.search(plain) and len(parts) > 1)


def prizes_in(given: str) -> list[Prize]:
    """Read prizes from a file, or from the text itself. Both may also be a JSON list, as `draw` takes it.

    Raises:
        LotteryError: There are no prizes in it.
    """
    try:
        text = read_limited(given, MB).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where, next_step = _("file {file}", file=given), _("Save it as text in UTF-8")
        raise LotteryError(where, _("is not text in UTF-8"), next_step) from error
    except (OSError, ValueError) as error:  # no file has this name, or can have it
        text = given
        if isinstance(error, OSError) and _FILE.fullmatch(given):
            where, what = (
                _("file {file}", file=given),
                _("cannot be read ({reason})", reason=reason_of(error)),
            )
            raise LotteryError(where, what, _NEXT) from error
    if not text.lstrip().startswith("["):
        return read_prizes(text)
    try:
        found: list[Prize] = [
            {"name": str(each["name"]), "count": int(each["count"])} for each in json.loads(text)
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = []
    if not found or not all(map(_is_prize, found)):
        raise LotteryError(_("prizes"), _("are not a JSON list of prizes"), _NEXT)
    return found
