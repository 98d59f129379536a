"""Say to the attendee where it went wrong, what happened, and what to do next."""

from typing import Final

__all__ = ["DEPLOY", "LotteryError"]

#: The next step wherever something of the lottery is not there.
DEPLOY: Final = "Run `python -m lottery_lib deploy`, or in a notebook its first cell again"


class LotteryError(Exception):
    """The one error that the kit raises for what an attendee can put right.

    Args:
        where: The thing that was being worked on, such as ``"table Lottery-Winners"``.
        what: What happened, without a final full stop.
        next_step: What to do now, one sentence without a final full stop.
    """

    def __init__(self, where: str, what: str, next_step: str) -> None:
        super().__init__(where, what, next_step)
        self.where = where
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.next_step}."

    def _render_traceback_(self) -> list[str]:
        # IPython asks for this: the sentence is of use to an attendee, our call stack is not.
        return [f"{type(self).__name__}: {self}"]
