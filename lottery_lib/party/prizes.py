"""Read the prizes of a draw as a host writes them: one on each line."""

import re
from typing import Final, TypedDict

from lottery_lib.errors import LotteryError

_PRIZE: Final = re.compile(r"(\d{1,6})\s*[x×]?\s+(\S.*)")  # the lottery refuses a number that is too large
_NEXT: Final = 'Write one prize on each line: how many, then the name, such as "3 Bicycle"'


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
        if match and int(match[1]) > 0:
            found.append({"name": match[2], "count": int(match[1])})
        elif line:
            raise LotteryError(f"line {number}", f'"{line}" is not a prize', _NEXT)
    if not found:
        raise LotteryError("prizes", "there are none yet", _NEXT)
    return found
