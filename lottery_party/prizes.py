"""Read the prizes of a draw as a host writes them: one on each line."""

import json
import re
from typing import Final, TypedDict

from lottery_lib.errors import LotteryError
from lottery_lib.files import MB, read_limited
from lottery_lib.translation import _

_PRIZE: Final = re.compile(r"(\d{1,6})\s*[x×]?\s+(\S.*)")  # the lottery refuses a number that is too large
# A second count in a line, such as in "3 Mug, 2 Pen", but not the one of "3 Voucher of 1,000 yuan"
_SECOND: Final = re.compile(r"(?:(?<!\d),\s*|,\s+|[;，；、]\s*)\d{1,6}\s*[x×]?\s+\S")
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
        text: One prize on each line: how many, a space, its name. Empty lines are skipped.

    Returns:
        What `draw` takes, such as ``[{"name": "Bicycle", "count": 3}]``.

    Raises:
        LotteryError: A line is not a prize, or there is no line.
    """
    found: list[Prize] = []
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        match = _PRIZE.fullmatch(line)
        if match and _SECOND.search(match[2]):
            what = _('"{line}" may be several prizes', line=line)
            raise LotteryError(_("line {number}", number=number), what, _ONE)
        if match and int(match[1]) > 0:
            found.append({"name": match[2], "count": int(match[1])})
        elif line:
            what = _('"{line}" is not a prize', line=line)
            raise LotteryError(_("line {number}", number=number), what, _NEXT)
    if not found:
        raise LotteryError(_("prizes"), _("there are none yet"), _NEXT)
    return found


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
    except (OSError, ValueError):  # no file has this name, or can have it
        text = given
    if not text.lstrip().startswith("["):
        return read_prizes(text)
    try:
        return [{"name": str(each["name"]), "count": int(each["count"])} for each in json.loads(text)]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LotteryError(_("prizes"), _("are not a JSON list of prizes"), _NEXT) from error
