"""Tell the attendee where something went wrong, what happened, and what to do next."""

from typing import Final

from lottery_lib.translation import _, punctuated

#: The next step when something of the lottery is missing.
DEPLOY: Final = _("Run `lottery deploy`, or in a notebook its first cell again")


class LotteryError(Exception):
    """The one error that the kit raises for what an attendee can correct.

    Args:
        where: What the kit was working on, such as ``"table Lottery-Winners"``.
        what: What happened, without a final full stop.
        next_step: What to do now, one sentence without a final full stop.
    """

    def __init__(self, where: str, what: str, next_step: str) -> None:
        Exception.__init__(self, where, what, next_step)  # not super(): AwsError is also an error of boto3
        self.where = where
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        parts = {"where": self.where, "what": self.what, "next_step": self.next_step}
        pattern = "{where}: {what}.\n{next_step}." if "\n" in self.what else "{where}: {what}. {next_step}."
        return punctuated(pattern, **parts)

    def _render_traceback_(self) -> list[str]:
        # IPython shows this instead of a traceback: the sentence helps an attendee, our call stack does not.
        return [f"{type(self).__name__}: {self}"]
