"""Read the prizes of a draw as a host writes them: one a line."""

import re
from typing import Any, Final

from lottery_lib.errors import LotteryError

__all__ = ["read_prizes"]

_PRIZE: Final = re.compile(r"(\d{1,6})\s*[x×]?\s+(\S.*)")  # a few digits: the lottery knows what is too many
_NEXT: Final = 'Write one prize a line, how many of it and then its name, such as "3 Bicycle"'


def read_prizes(text: str) -> list[dict[str, Any]]:
    """Read prizes, in the order in which they are to be drawn.

    Args:
        text: One prize a line: how many of it, a space, its name. Empty lines do not count.

    Returns:
        What `draw` takes, such as ``[{"name": "Bicycle", "count": 3}]``.

    Raises:
        LotteryError: A line is no prize, or there is no line.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    found = [_read(number, line) for number, line in lines if line]
    if not found:
        raise LotteryError("prizes", "there are none yet", _NEXT)
    return found


def _read(number: int, line: str) -> dict[str, Any]:
    match = _PRIZE.fullmatch(line)
    if match is None or int(match[1]) == 0:
        raise LotteryError(f"line {number}", f'"{line}" is no prize', _NEXT)
    return {"name": match[2], "count": int(match[1])}
