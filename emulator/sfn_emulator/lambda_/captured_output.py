"""Capture what a worker prints in a file. Of a long output, only the beginning and the end are kept."""

import contextlib
import os
from pathlib import Path
from typing import Final

#: The most bytes and lines that are kept of the beginning, and of the end, of an invocation's output.
PART_BYTES: Final = 512 * 1024
PART_LINES: Final = 4000
_LONG_FILE: Final = 8 * 1024 * 1024
_MOST_PIECES: Final = 64  # a process may print faster than we read


class CapturedOutput:
    """The output of one worker.

    Args:
        path: The file, which must not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # Unbuffered and appending, because the process may write while we empty the file.
        self._file = path.open("ab", buffering=0)
        self._reader = path.open("rb", buffering=0)  # the process moves the position in the other file
        self._beginning = self._end = b""
        self._size = 0

    def fileno(self) -> int:
        """The number of the open file."""
        return self._file.fileno()

    @property
    def is_long(self) -> bool:
        """Whether the file is so long that it should be emptied during the invocation."""
        with contextlib.suppress(ValueError):  # closed
            return os.fstat(self.fileno()).st_size > _LONG_FILE
        return False

    def shorten(self) -> None:
        """Empty the file. What the process prints at that moment may be lost."""
        with contextlib.suppress(ValueError):  # closed
            self._collect()

    def take(self) -> bytes:
        """The output since the last call of this method. If something is missing, a line says so."""
        try:
            self._collect()
        except ValueError:  # closed
            return b""
        text, size = self._beginning + self._end, self._size
        first, last = (self._beginning, self._end) if len(text) < size else (text, text)
        self._beginning = self._end = b""
        self._size = 0
        if len(text) == size and text.count(b"\n") <= 2 * PART_LINES:
            return text
        first = b"".join(first.splitlines(keepends=True)[:PART_LINES])
        last = b"".join(last.splitlines(keepends=True)[-PART_LINES:])
        what = f"{PART_BYTES >> 10} KB ({PART_LINES} lines) of what a call prints"
        note = f"\n[The emulator keeps the first and the last {what}. {size - len(first) - len(last)} bytes "
        return first + note.encode() + b"are missing here.]\n" + last

    def remove(self) -> None:
        """Remove the file."""
        self._file.close()
        self._reader.close()
        with contextlib.suppress(OSError):
            self._path.unlink()

    def _collect(self) -> None:
        size = os.fstat(self.fileno()).st_size
        self._reader.seek(0)
        first = self._reader.read(PART_BYTES - len(self._beginning))
        self._reader.seek(max(len(first), size - PART_BYTES))
        last, pieces = b"", 0
        # What the process prints after the last read is lost. So read to the end.
        while pieces < _MOST_PIECES and (piece := self._reader.read(PART_BYTES)):
            last, pieces = (last + piece)[-PART_BYTES:], pieces + 1
        self._file.truncate(0)
        self._beginning += first
        self._end = (self._end + last)[-PART_BYTES:]
        self._size += self._reader.tell()
