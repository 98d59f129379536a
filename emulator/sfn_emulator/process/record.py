"""Keep an emulator's files in a folder. A record there says which emulator runs."""

import contextlib
import http.client
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from platformdirs import user_state_path

from sfn_emulator.errors import EmulatorError
from sfn_emulator.translation import _

HEALTH: Final = "/_emulator/health"
_APP: Final = "sfn-emulator"


@dataclass(frozen=True)
class Record:
    """What a running emulator says about itself.

    Args:
        id: A random id, new at every start. The emulator answers with it at ``/_emulator/health``.
        pid: The id of its process.
        port: Its port on 127.0.0.1.
        since: When it started, in ISO 8601 and UTC.
        created: The system's start time of the process, because a process id can be used again.
        workers: How it gets the workers of functions: ``"forked"`` or ``"started"``.
        allowed_hosts: The names of proxies that it answers, besides its own.
    """

    id: str
    pid: int
    port: int
    since: str
    created: float
    workers: str = ""
    allowed_hosts: Sequence[str] = ()


def folder_of(port: int | None = None, name: str = "") -> Path:
    """The folder of the shared emulator, or of that with this port or name. It is made if it is missing.

    Raises:
        EmulatorError: The folder cannot be made, or others may enter or replace it.
    """
    # platformdirs reads this variable only on Linux and macOS. Tests set it on every system.
    xdg = os.environ.get("XDG_STATE_HOME", "")
    home = Path(xdg) / _APP if Path(xdg).is_absolute() else user_state_path(_APP, appauthor=False)
    folder = home / (name or ("shared" if port is None else f"port-{port}"))
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        for path in (home, folder):
            path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        what = _("it cannot be made ({reason})", reason=error.strerror)
        next_step = _("Set XDG_STATE_HOME to a folder that you may write to")
        raise EmulatorError(_("emulator folder {folder}", folder=folder), what, next_step) from error
    if os.name == "posix":  # Windows keeps a user's state folder from others by itself
        _refuse(home, stat.S_IWGRP | stat.S_IWOTH, _("others may write to it"))
        _refuse(folder, stat.S_IRWXG | stat.S_IRWXO, _("others may enter it"))
    return folder


def _refuse(folder: Path, modes: int, what: str) -> None:
    """Refuse a folder that belongs to another user, or whose mode has one of these bits."""
    where = _("emulator folder {folder}", folder=folder)
    # If it is a link, both the link and its folder count.
    if {folder.lstat().st_uid, folder.stat().st_uid} != {os.geteuid()}:
        next_step = _("Set XDG_STATE_HOME to a folder of your own")
        raise EmulatorError(where, _("it belongs to another user"), next_step)
    if folder.stat().st_mode & modes:
        command = f"chmod 700 {folder}"
        next_step = _("Run `{command}`, or set XDG_STATE_HOME to a folder of your own", command=command)
        raise EmulatorError(where, what, next_step)


def read_record(folder: Path) -> Record | None:
    """The record that the emulator of this folder wrote; None if there is none or it is damaged."""
    try:
        return Record(**json.loads((folder / "record.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(folder: Path, record: Record) -> None:
    """Write the record in one step, so that no reader sees half of it."""
    draft = folder / f"record.{record.pid}.tmp"
    draft.write_text(json.dumps(asdict(record)), "utf-8")
    draft.replace(folder / "record.json")


def remove_record(folder: Path, record: Record) -> None:
    """Remove the record and the key, unless another emulator has replaced them."""
    if read_record(folder) == record:
        for path in (folder / "record.json", key_file(folder)):
            with contextlib.suppress(OSError):
                path.unlink()


def key_file(folder: Path) -> Path:
    """The file of the access key of the emulator in this folder."""
    return folder / "access-key"


def write_key(folder: Path, access_key: str) -> None:
    """Store the access key in a file that only this user can read."""
    path = key_file(folder)
    path.unlink(missing_ok=True)  # an old file may have other permissions
    with open(path, "x", opener=partial(os.open, mode=0o600)) as file:
        file.write(access_key)


def read_key(folder: Path) -> str:
    """The access key of the emulator that runs in this folder.

    Raises:
        EmulatorError: The file is missing.
    """
    try:
        return key_file(folder).read_text("ascii")
    except OSError as error:
        what = _("cannot be read ({reason})", reason=error.strerror)
        next_step = _("End the emulator with `sfn-emulator stop` and start it again")
        raise EmulatorError(str(key_file(folder)), what, next_step) from error


def run_for(folder: Path, pid: int) -> None:
    """Let the emulator of this folder run until this process has ended, too."""
    (folder / f"while-{pid}").touch()


def processes_of(folder: Path) -> list[int]:
    """The processes that the emulator of this folder runs for. Empty if it ends with none."""
    return sorted(int(path.name.removeprefix("while-")) for path in folder.glob("while-*"))


def forget_process(folder: Path, pid: int) -> None:
    """Note that this process has ended."""
    (folder / f"while-{pid}").unlink(missing_ok=True)


def health(port: int, *, seconds: float = 10.0) -> dict[str, Any] | None:
    """Ask the emulator at this port for its id: ``{"id", "pid", "port"}``.

    `http.client` ignores proxy variables, so the request goes to this machine.

    Returns:
        None if no emulator answers within ``seconds``.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", HEALTH, headers={"Connection": "close"})
        answer = json.loads(connection.getresponse().read(100_000))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, dict) and "id" in answer else None
