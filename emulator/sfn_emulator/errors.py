"""Say what is wrong with an emulator and what to do next."""

from typing import Final

from sfn_emulator.translation import sentence_marks

#: The exit statuses of an emulator that could not start.
PORT_IN_USE: Final = 98
ALREADY_RUNNING: Final = 97
EXPLAINED: Final = 96  # its last line is an error's arguments as JSON


class EmulatorError(Exception):
    """The one error that the emulator raises for what a user can correct.

    Args:
        where: What the emulator was working on, such as ``"emulator at port 5000"``.
        what: What happened, without a final full stop.
        next_step: What to do now, one sentence without a final full stop.
    """

    def __init__(self, where: str, what: str, next_step: str) -> None:
        super().__init__(where, what, next_step)
        self.where = where
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        colon, stop = sentence_marks()
        return f"{self.where}{colon}{self.what}{stop}{self.next_step}{stop.strip()}"
