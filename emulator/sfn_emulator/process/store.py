"""Keep what executions hold in little memory, and limit what all of them hold together.

An endless loop with an input of 200 KB would take 5 GB if each event were kept as an object. A `History`
stores each long text once, and keeps much data in files. An execution that has succeeded keeps nothing else.

There are two limits for all executions together: for the memory of those that run, and for all files. Beyond
a limit, the largest execution fails with `ERROR`, and the others go on. AWS has no such limits.
"""

import contextlib
import ctypes
import gc
import itertools
import json
import shutil
import sys
import tempfile
import threading
import time
import traceback
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, Protocol, overload

import psutil

from states_language.execution import ENDS, Execution, Frame, MapRun
from states_language.execution import Run as Branch
from states_language.failures import Failure

Event = dict[str, Any]
Log = Callable[[Event], None]
Place = tuple[int, int]
"""Where a text is: its first byte, and its length in bytes."""

#: The error of an execution that holds too much. AWS does not have it.
ERROR: Final = "Emulator.LimitExceeded"
_SHORTENED: Final = "@"  # before an event in which a `Place` stands for each long text
_LONG: Final = 1024  # a text with more letters is stored only once
_IN_MEMORY: Final = 64 * 1024  # bytes; more go to a file
_MB: Final = 1 << 20
_BETWEEN_LOOKS: Final = 16 * _MB
_LITTLE: Final = 20 * _MB
_LEFT_FREE: Final = 100 * _MB  # of the disk
_SAMPLE: Final = 50
_LEVELS: Final = 50
#: The classes that hold data of executions.
_DATA: Final = (Execution, Frame, Branch, MapRun)
#: All executions of a machine share these.
_SHARED: Final = {"definition", "workflow", "state"}


_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Spool:
    """Bytes that can be read again. If there are many, they are in a file, which goes with this object.

    Only one thread at a time may use it.
    """

    def __init__(self) -> None:
        self._fresh = bytearray()  # what is not in the file yet
        self._written = 0
        self._path: Path | None = None

    def __del__(self) -> None:
        self.clear()

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._written + len(self._fresh)

    def append(self, data: bytes) -> int:
        """Store these bytes.

        Returns:
            Where they begin.
        """
        begin = self.size
        self._fresh += data
        if len(self._fresh) > _IN_MEMORY:
            try:
                self._write()
            except OSError:  # the disk is full; the bytes stay in memory until the largest execution fails
                storage.is_full()
        return begin

    def _write(self) -> None:
        self._path = self._path or storage.new_path()
        with self._path.open("r+b" if self._written else "wb") as file:
            file.seek(self._written)
            file.write(self._fresh)
        self._written += len(self._fresh)
        storage.add(len(self._fresh))
        self._fresh = bytearray()

    def read(self, begin: int, length: int) -> bytes:
        """The bytes from here on."""
        if begin >= self._written or self._path is None:
            begin -= self._written
            return bytes(self._fresh[begin : begin + length])
        path, start, block = storage.block
        if path is not self._path or not start <= begin <= begin + length <= start + len(block):
            start = begin - begin % _IN_MEMORY if length < _IN_MEMORY else begin
            with self._path.open("rb") as file:
                file.seek(start)
                block = file.read(min(max(length, 2 * _IN_MEMORY), self._written - start))
            if length < _IN_MEMORY:  # a page of a history reads its neighbours next
                storage.block = self._path, start, block
        return block[begin - start : begin - start + length]

    def clear(self) -> None:
        """Remove all bytes."""
        if self._path:
            with contextlib.suppress(OSError):
                self._path.unlink()
            storage.add(-self._written)
        self._fresh, self._written, self._path = bytearray(), 0, None


class History(Sequence[Event]):
    """The events of an execution, in AWS's form. Each reader gets objects of its own.

    Args:
        log: Gets each event, too.
        kept: Whether somebody can ask for the events. Else they are only counted.

    Attributes:
        lock: Held while events are read or added.
        log: See above.
        is_kept: See above.
        last: The type of the newest event.
        at: When it was, in seconds since 1970.
        ended: When the execution ended, on the monotonic clock; 0 if it runs.
    """

    def __init__(self, log: Log | None = None, *, kept: bool = True) -> None:
        self.lock = threading.RLock()
        self.log, self.is_kept, self._count = log, kept, 0
        self.last, self.at, self.ended = "", 0.0, 0.0
        self._records, self._texts = Spool(), Spool()
        self._ends = array("Q", [0])  # of the records; the first one begins at 0
        self._places: dict[int, Place] = {}  # of texts, by their hashes
        self._forgotten = 0  # how many bytes of texts were removed; a place counts them
        self._is_open = True

    @property
    def size(self) -> int:
        """How many bytes it has stored."""
        return self._records.size + self._texts.size

    def append(self, event: Event) -> None:
        """Add an event."""
        if self.log:
            self.log(event)
        storage.passed(_LONG)
        with self.lock:
            self._count += 1
            if self._is_open and self.is_kept:
                text = _encode(event)
                if len(text) > _LONG:
                    text = _SHORTENED + _encode(self._without_texts(event))
                self._records.append(text.encode())
                self._ends.append(self._records.size)
            self.last, self.at = event["type"], event.get("timestamp", 0.0)
            self.ended = time.monotonic() if self.last in ENDS else 0.0
        storage.check()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        """An event, or a list of events, with their inputs and outputs."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        event: Event = json.loads(self.as_json(index))
        return event

    def as_json(self, index: int) -> str:
        """An event as JSON. Most are stored like this."""
        with self.lock:
            number = index if index >= 0 else range(len(self))[index]
            begin, end = self._ends[number], self._ends[number + 1]
            text = self._records.read(begin, end - begin).decode()
        if text[0] != _SHORTENED:
            return text
        return json.dumps(self._with_texts(json.loads(text[1:])))

    def keep(self, text: str) -> Place:
        """Store a text once."""
        data = text.encode("utf-8", "surrogatepass")
        storage.passed(len(data))
        with self.lock:
            place = self._places.get(hash(data))
            if place is None or self._texts.read(place[0] - self._forgotten, len(data)) != data:
                begin = self._texts.append(data if self._is_open else b"")
                self._places[hash(data)] = place = self._forgotten + begin, len(data)
            return place

    def sparing(self, text: str) -> str | Place:
        """A short text itself, or where a long one is."""
        return self.keep(text) if len(text) > _LONG else text

    def text(self, place: Place) -> str | None:
        """A stored text; None if it was removed."""
        begin, length = place
        with self.lock:
            if begin < self._forgotten or not self._is_open:
                return None
            return self._texts.read(begin - self._forgotten, length).decode("utf-8", "surrogatepass")

    def forget_texts(self) -> None:
        """Remove all long texts. Their events stay, and say that they are truncated."""
        with self.lock:
            self._forgotten += self._texts.size
            self._texts.clear()
            self._places = {}

    def close(self) -> None:
        """Remove everything, now and later."""
        with self.lock:
            self._is_open = False
            self.forget_texts()
            self._records.clear()
            self._ends, self._count = array("Q", [0]), 0

    def _without_texts(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._without_texts(each) for name, each in value.items()}
        return self.keep(value) if isinstance(value, str) and len(value) > _LONG else value

    def _with_texts(self, value: Any) -> Any:
        if isinstance(value, list):
            return self.text((value[0], value[1]))
        if not isinstance(value, dict):
            return value
        made = {name: self._with_texts(each) for name, each in value.items()}
        for name in ("input", "output"):
            if isinstance(value.get(name), list) and made[name] is None:
                made[f"{name}Details"] = {"truncated": True}
        return made


class Storage:
    """What the executions of this emulator use, and its limits.

    Attributes:
        folder: Where their files are.
        most_in_files: How many bytes all files may have together.
        most_in_memory: How many bytes the running executions may hold together.
        runs: Gives all executions that are kept.
        suspicious: If this process has so many bytes, it looks what the running executions hold.
        usual: How many bytes this process had before its first execution.
        gives_back: Whether memory is given back in a moment.
        block: What was read last: the file, where it begins, and its bytes.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.gettempdir())
        self.most_in_files, self.most_in_memory, self.suspicious = 4096 * _MB, 300 * _MB, 400 * _MB
        self.runs: Callable[[], Iterable[Holder]] = lambda: ()
        self._in_files = self._passed = 0
        self._is_full = False
        self.usual, self.gives_back = 0, False
        self.block: tuple[Path | None, int, bytes] = (None, 0, b"")
        self._next_look = _BETWEEN_LOOKS
        self._counting, self._looking = threading.RLock(), threading.Lock()
        self._names = itertools.count()

    def open(self, folder: Path) -> None:
        """Keep files in this folder. What an earlier emulator left there is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder

    def begins(self) -> None:
        """An execution begins."""
        self.usual = self.usual or _memory()

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_path(self) -> Path:
        """The path of a new file."""
        return self.folder / str(next(self._names))

    def add(self, count: int) -> None:
        """Files have become larger by so many bytes."""
        with self._counting:
            self._in_files += count

    def is_full(self) -> None:
        """The disk is full."""
        self._is_full, self._next_look = True, 0

    def passed(self, count: int) -> None:
        """An execution has made a text of so many bytes."""
        self._passed += count  # it need not be exact

    def check(self) -> None:
        """If the executions hold too much, let the largest fail. This is called after each event."""
        if self._passed >= self._next_look and self._looking.acquire(blocking=False):
            try:
                self._next_look = self._passed + _BETWEEN_LOOKS
                self._check_files()
                if self._check_memory():
                    self._next_look -= 3 * _BETWEEN_LOOKS // 4
            except (OSError, psutil.Error):  # somebody has removed the folder
                traceback.print_exc()
            finally:
                self._looking.release()

    def _check_files(self) -> None:
        """The executions that ended first lose their inputs and outputs first. Then the largest one fails."""
        was_full, self._is_full = self._is_full, False
        left = -1 if was_full else shutil.disk_usage(self.folder).free - _LEFT_FREE
        most = min(self.most_in_files, self._in_files + left)
        # If others fill the disk, so that even all our files would not help, nobody fails.
        if self._in_files <= most or (most < 0 and not was_full):
            return
        gc.collect()  # this removes the files of objects that nobody has any more
        ended = [it.history for it in self.runs() if it.history.ended]
        for history in sorted(ended, key=lambda it: it.ended):
            if self._in_files > most:
                history.forget_texts()
        sizes = {it: it.history.size for it in self.runs() if it.is_running}
        large = {it: size for it, size in sizes.items() if size > _IN_MEMORY}
        _fail_largest(large, self._in_files, most, "files")

    def _check_memory(self) -> bool:
        """If this process has much memory, the largest execution may have to fail. Returns whether it has."""
        if _memory() > self.suspicious:
            give_back()
        if _memory() <= self.suspicious:
            return False
        seen = set[int]()
        sizes = {it: int(_held(it.execution, seen)) for it in self.runs() if it.is_running}
        _fail_largest(sizes, sum(sizes.values()), self.most_in_memory, "memory")
        return True


class Holder(Protocol):
    """An execution, as far as the storage knows it."""

    history: History
    execution: Execution | None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""

    def refuse(self, failure: Failure) -> None:
        """Let it fail, because it holds too much."""


storage: Final = Storage()


def _fail_largest(sizes: "dict[Holder, int]", total: int, most: int, where: str) -> None:
    """Let executions fail until the others do not hold too much. Some may be failing already."""
    failing = [it for it in sizes if it.execution and it.execution.interrupt]
    total -= sum(sizes[it] for it in failing)
    for it in sorted(sizes.keys() - failing, key=lambda it: -sizes[it]):
        if total <= most:
            return
        held, limit = sizes[it] // _MB, most // _MB
        cause = f"All executions together may hold {limit} MB in {where}. This one held the most: {held} MB."
        total -= sizes[it]
        it.refuse(Failure(ERROR, cause))


def _held(value: Any, seen: set[int], levels: int = _LEVELS) -> float:
    """About how many bytes an object holds that are not in `seen`. Of many parts, this takes a sample."""
    if id(value) in seen or not levels:
        return 0
    seen.add(id(value))
    parts: list[Any] = []
    if isinstance(value, dict):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple | set):
        parts = [*value]
    few = parts[:: len(parts) // _SAMPLE + 1]
    if isinstance(value, _DATA):
        few = [getattr(value, field.name) for field in fields(value) if field.name not in _SHARED]
    of_few = sum(_held(each, seen, levels - 1) for each in few)
    return sys.getsizeof(value) + of_few * max(len(parts) / max(len(few), 1), 1)


def give_back() -> None:
    """Give freed memory back to the system. Python does not, and glibc keeps what many threads have freed."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def give_back_soon() -> None:
    """Give memory back if this process has more than usual, in a moment."""

    def give_back_later() -> None:
        storage.gives_back = False
        if _memory() > storage.usual + _LITTLE:
            give_back()

    if not storage.gives_back:
        storage.gives_back = True
        timer = threading.Timer(1, give_back_later)
        timer.daemon = True
        timer.start()


def _memory() -> int:
    """How many bytes this process has."""
    return int(psutil.Process().memory_info().rss)
