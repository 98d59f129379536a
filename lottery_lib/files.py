"""Read and write the files that people name: plain files, of a limited size, and never through a link."""

import errno
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Final

from lottery_lib.errors import LotteryError
from lottery_lib.translation import N_, _, language, translated

MB: Final = 1_000_000
_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # Windows has the last one

#: What a system says of files.
_SYSTEM: Final = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("File exists"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("No space left on device"),
)


def reason_of(error: OSError) -> str:
    """Why a file cannot be used: the system's words, or ours for them in another language."""
    return translated(language(), str(error.strerror))


def read_limited(file: str | Path, limit: int) -> bytes:
    """Read a file.

    Args:
        file: Its path.
        limit: How many bytes it may have.

    Raises:
        OSError: It cannot be read, is no plain file (a folder, a pipe, a device), or has more bytes.
    """

    def at_once(path: str, flags: int) -> int:
        return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # else a pipe waits for who writes into it

    with open(file, "rb", opener=at_once) as opened:
        _check_plain(os.fstat(opened.fileno()))
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise OSError(errno.EFBIG, _("it has more than {size} MB", size=f"{limit / MB:g}"))
    return content


def read_named(file: str | Path, limit: int, next_step: str) -> bytes:
    """Read a file that a person has named, or say in a sentence why not, and what to do."""
    try:
        return read_limited(file, limit)
    except OSError as error:
        what = _("cannot be read ({reason})", reason=reason_of(error))
        raise LotteryError(_("file {file}", file=file), what, next_step) from error


def write_new(file: str | Path, content: bytes) -> None:
    """Write a new file, which only its owner reads. An old one may hold what nothing else has.

    Raises:
        LotteryError: It exists, or it cannot be written.
    """
    with _one_sentence(_("file {file}", file=file)), os.fdopen(os.open(file, _NEW, 0o600), "wb") as new:
        new.write(content)


def write_over(file: Path, content: bytes, *, public: bool = False) -> None:
    """Write a file in the place of an old one. If this fails, the old one stays.

    Args:
        file: Its path. A link there stays, and so does what it leads to.
        content: What it will contain.
        public: Whether others on this machine may read it, as far as the user's umask allows.

    Raises:
        LotteryError: It cannot be written, or there is something else than a plain file.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with _one_sentence(_("file {file}", file=file)):
        if os.path.lexists(file):
            _check_plain(file.lstat())
        try:
            with os.fdopen(os.open(draft, _NEW, 0o666 if public else 0o600), "wb") as new:
                new.write(content)
                new.flush()
                os.fsync(new.fileno())
            draft.replace(file)
        finally:
            draft.unlink(missing_ok=True)


def state_folder(name: str) -> Path:
    """A folder of the kit in the user's state folder. It may not exist yet."""
    from platformdirs import user_state_path  # noqa: PLC0415 - a browser has no such folder

    xdg = os.environ.get("XDG_STATE_HOME", "")
    # platformdirs reads this variable only on Linux and macOS. Tests set it on every system.
    return (Path(xdg) if Path(xdg).is_absolute() else user_state_path()) / name


def make_folder(folder: Path) -> None:
    """Make a folder if it does not exist.

    Raises:
        LotteryError: It cannot be made, or there is a link.
    """
    with _one_sentence(_("folder {folder}", folder=folder)):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.is_symlink():
            raise OSError(errno.ELOOP, _("it is a link"))


def files_below(folder: Path, *, without: Collection[str]) -> Iterator[Path]:
    """The files and links in a folder and in the folders below it, but none of these names.

    Raises:
        LotteryError: A folder cannot be read, so nobody should write there.
    """
    with _one_sentence(_("folder {folder}", folder=folder)):
        there = sorted(each for each in folder.iterdir() if each.name not in without)
    for path in there:
        if path.is_dir() and not path.is_symlink():
            yield from files_below(path, without=without)
        else:
            yield path


def _check_plain(status: os.stat_result) -> None:
    if not S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, _("it is a folder, a link, a pipe or a device, not a file"))


@contextmanager
def _one_sentence(where: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = _("cannot be written ({reason})", reason=reason_of(error))
        raise LotteryError(where, what, _("Give another")) from error
