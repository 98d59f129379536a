"""All notebooks and terminals of a machine share one lottery: say so when another one has reset it.

A reset of the lottery on this machine's emulator leaves a line in a file beside the emulator's key. A
notebook that worked with the lottery before compares the line after each cell.
"""

import json
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Final

from IPython.core.getipython import get_ipython

from lottery_lib.target import Target
from lottery_lib.translation import _

#: The line that this process has left last, by its file.
_OURS: Final[dict[Path, dict[str, str]]] = {}


def tell_others(target: Target, who: str, *, but: str = "") -> None:
    """Tell the other notebooks that the lottery was reset.

    Args:
        target: Where; only the emulator of this machine has a file for it.
        who: Who has reset it, such as ``lesson 05``.
        but: A lesson whose notebook need not hear it, because its reader has typed a command there.
    """
    if target.key_file is None:
        return
    file = Path(target.key_file).parent / f"reset{target.names.attendee}.json"
    at = datetime.now().astimezone().strftime("%H:%M")
    line = {"id": uuid.uuid4().hex, "who": who, "but": but, "at": at}
    file.write_text(json.dumps(line), encoding="utf-8")
    _OURS[file] = line
    if shell := get_ipython():
        shell.events.register("post_run_cell", _say_it)  # once, if it is registered already


def reset_by_others() -> list[str]:
    """A sentence for each lottery that this process worked with and another one has reset since."""
    lines = {file: _read(file) for file in _OURS}
    return [
        _(
            "{who} has reset this lottery at {at}, in another notebook or a terminal. To go on here, run the "
            "first cell of this notebook again.",
            who=line["who"],
            at=line["at"],
        )
        for file, line in lines.items()
        if line and line["id"] != _OURS[file]["id"] and line["but"] != _OURS[file]["who"]
    ]


def _say_it(ended: object) -> None:
    for sentence in reset_by_others():
        sys.stdout.write(f"{sentence}\n")


def _read(file: Path) -> dict[str, str]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):  # the emulator's folder was removed, or the line is being written
        return {}
