"""Wait for something with a deadline, and say what the wait is for."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar, cast

import tenacity

from lottery_lib.errors import LotteryError
from lottery_lib.translation import _

T = TypeVar("T")

_SILENT: Final = 3.0  # seconds before the first report; an emulator is usually faster
_REPEATED: Final = 15.0  # seconds between two reports


@dataclass(frozen=True)
class Waiter:
    """Waits for something. Tests replace its clock and its sleep, so that they do not really wait.

    Attributes:
        sleep: Waits for a number of seconds.
        clock: Returns the seconds since any fixed moment.
        report: Called with a few words about a wait that takes a while.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    report: Callable[[str], None] = lambda words: None

    def until(
        self,
        what: str,
        probe: Callable[[], T | None],
        *,
        seconds: float,
        every: float = 2.0,
        passing: Callable[[BaseException], bool] = lambda error: False,
    ) -> T:
        """Call ``probe`` until it returns something other than None or False.

        Args:
            what: What the wait is for, such as ``"table Lottery-Winners to be ACTIVE"``.
            probe: Checks once.
            seconds: The deadline.
            every: The longest pause between two calls, in seconds; the first pauses are shorter.
            passing: Whether an error is temporary. Any other error is raised at once.

        Returns:
            What ``probe`` returned.

        Raises:
            LotteryError: The deadline passed. If the last call raised a temporary error, it is this error.
        """
        begun, reported = self.clock(), _SILENT - _REPEATED

        def report(state: tenacity.RetryCallState) -> None:
            nonlocal reported
            waited = self.clock() - begun
            if waited >= reported + _REPEATED:
                at_most = {"waited": f"{waited:.0f}", "seconds": f"{seconds:g}"}
                self.report(_("waiting for {what} ({waited} of at most {seconds} s)", what=what, **at_most))
                reported = waited

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(passing)
            | tenacity.retry_if_result(lambda result: result is None or result is False),
            wait=tenacity.wait_exponential(multiplier=0.02, exp_base=1.5, max=every),
            stop=lambda _: self.clock() - begun >= seconds,
            before_sleep=report,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return cast("T", retrying(probe))
        except tenacity.RetryError as late:
            raise LotteryError(
                _("waiting for {what}", what=what),
                _("not there after {seconds} s", seconds=f"{seconds:g}"),
                _("Run the same step again; it goes on where it stopped"),
            ) from late

    def retry(
        self,
        what: str,
        call: Callable[[], T],
        passing: Callable[[BaseException], bool],
        *,
        seconds: float = 120.0,
    ) -> T:
        """Repeat a call while it fails for a temporary reason, such as a role that is too new.

        Args:
            what: What the wait is for.
            call: The call.
            passing: Whether an error is temporary. Any other error is raised at once.
            seconds: The deadline. After it the last error is raised.
        """
        # The result is put into a tuple, because it may be None, and `until` would go on waiting.
        return self.until(what, lambda: (call(),), seconds=seconds, passing=passing)[0]

    def pause(self, what: str, seconds: float) -> None:
        """Wait for some seconds, if there is nothing to check."""
        self.report(_("waiting for {what} ({seconds} s)", what=what, seconds=f"{seconds:g}"))
        self.sleep(seconds)
