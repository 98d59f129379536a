"""Start, find and stop the emulator on this machine. Nothing else of the kit knows that program."""

import contextlib
import os
from collections.abc import Mapping
from typing import Any, Final, Literal

import psutil

import sfn_emulator
from lottery_lib.errors import LotteryError
from lottery_lib.translation import language

# The kit's settings, and the emulator's own names for them.
_SETTINGS: Final = {
    "LOTTERY_EMULATOR_CLOCK": "SFN_EMULATOR_CLOCK",
    "LOTTERY_EMULATOR_FORK": "SFN_EMULATOR_FORK",
    "LOTTERY_EMULATOR_IAM": "SFN_EMULATOR_IAM",
    # The JupyterLab that `make lab` started. The emulator ends with the last one that uses it.
    "LOTTERY_LAB_PID": "SFN_EMULATOR_WHILE_PID",
}


def emulator(
    verb: Literal["start", "stop", "status", "find"], port: int | None = None, **options: Any
) -> dict[str, Any]:
    """Start or stop an emulator on this machine, or look at it.

    Args:
        verb: What to do.
        port: The emulator that was started with this port; None for the user's shared one. `find` also finds
            the shared one by its port.
        **options: Further arguments of `sfn_emulator.start`.

    Returns:
        Its state, as `sfn_emulator.status` returns it.

    Raises:
        LotteryError: It cannot start.
    """
    os.environ["SFN_EMULATOR_LANG"] = language()
    if verb == "start":
        settings = {its: os.environ[ours] for ours, its in _SETTINGS.items() if ours in os.environ}
        options["environ"] = {**os.environ, **settings}
    try:
        state: dict[str, Any] = getattr(sfn_emulator, verb)(port, **options)
    except sfn_emulator.EmulatorError as error:
        parts = (error.where, error.what, error.next_step)
        raise LotteryError(*(_in_our_words(part) for part in parts)) from error
    return state


def other_labs(state: Mapping[str, Any]) -> list[str]:
    """The folders of the other JupyterLabs that an emulator runs for.

    Args:
        state: The state of the emulator, from `emulator`.
    """
    folders = []
    for pid in state["while_pids"] or ():
        if str(pid) != os.environ.get("LOTTERY_LAB_PID"):
            with contextlib.suppress(psutil.Error):  # it has just ended
                folders.append(psutil.Process(pid).cwd())
    return folders


def _in_our_words(text: str) -> str:
    """A sentence of the emulator, with the kit's names of its command and its settings."""
    return text.replace("sfn-emulator ", "lottery emulator ").replace("SFN_EMULATOR_", "LOTTERY_EMULATOR_")
