"""Keep an emulator's files in one folder of the user's state folder."""

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from lottery_lib.errors import LotteryError

__all__ = ["Record", "folder_of", "read_record", "remove_record", "write_record"]

_APP: Final = "lottery-workshop"


@dataclass(frozen=True)
class Record:
    """What a running emulator tells about itself.

    Args:
        id: Random, new at every start; the emulator answers it at ``/lottery/health``.
        pid: Its process.
        port: Where it listens on 127.0.0.1.
        since: When it started, ISO 8601 in UTC.
        created: When the system says that the process started: a process id alone may be used again.
    """

    id: str
    pid: int
    port: int
    since: str
    created: float


def folder_of(port: int | None = None) -> Path:
    """The folder of the shared emulator, or of the one with a port of its own; made when it is not there.

    Raises:
        LotteryError: The folder cannot be made.
    """
    folder = _home() / ("shared" if port is None else f"port-{port}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LotteryError(
            f"emulator folder {folder}",
            f"it cannot be made ({error.strerror})",
            "Set XDG_STATE_HOME to a folder that you may write to",
        ) from error
    return folder


def _home() -> Path:
    # platformdirs reads this variable on Linux and macOS; a test on any system should be able to set it.
    xdg = os.environ.get("XDG_STATE_HOME", "")
    return Path(xdg) / _APP if Path(xdg).is_absolute() else user_state_path(_APP, appauthor=False)


def read_record(folder: Path) -> Record | None:
    """What the emulator of this folder wrote; None when there is nothing, or nothing that makes sense."""
    try:
        return Record(**json.loads((folder / "record.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write the record so that a reader sees all of it or nothing."""
    draft = folder / f"record.{record.pid}.tmp"
    draft.write_text(json.dumps(asdict(record)), "utf-8")
    draft.replace(folder / "record.json")


def remove_record(folder: Path, record: Record) -> None:
    """Take the record away, unless another emulator's has taken its place."""
    if read_record(folder) == record:
        with contextlib.suppress(OSError):
            (folder / "record.json").unlink()
