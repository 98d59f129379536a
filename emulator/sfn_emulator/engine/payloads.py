"""Keep what executions hold in little memory, and limit what all of them hold together.

moto keeps each event as an object, with its input or output. An endless loop with an input of 200 KB would
take 5 GB. Here a `History` takes the place of moto's list of events. It stores each long text once, and keeps
much data in files. An ended execution keeps its input and its output there, too, and nothing else.

There are two limits for all executions together: for the memory of those that run, and for all files. Beyond
a limit, the largest execution fails with `ERROR`, and the others go on. AWS has no such limits.
"""

import contextlib
import ctypes
import gc
import itertools
import json
import pickle
import shutil
import sys
import tempfile
import threading
import time
import traceback
from array import array
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, overload
from weakref import ref

import psutil

from sfn_emulator.engine.internals import MotoFunction, engine_module

Event = dict[str, Any]
Place = tuple[int, int]
"""Where a text is: its first byte, and its length in bytes."""

#: The error of an execution that holds too much. AWS does not have it.
ERROR: Final = "Emulator.LimitExceeded"
#: The types of events after which an execution has no more events.
ENDS: Final = {"ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut"}
_LONG: Final = 1024  # a text with more letters is stored only once
_IN_MEMORY: Final = 64 * 1024  # bytes; more go to a file
_MB: Final = 1 << 20
_BETWEEN_LOOKS: Final = 16 * _MB
_LITTLE: Final = 20 * _MB
_LEFT_FREE: Final = 100 * _MB  # of the disk
_LOG_FILE: Final = 16 * _MB
_LOG_FILES: Final = 8  # a reader of a group may get all of them at once
_SAMPLE: Final = 50
_LEVELS: Final = 50
#: The classes that hold data of executions are in these modules.
_DATA: Final = (
    "moto.stepfunctions.parser.asl.eval.",
    "moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.job",
    "sfn_emulator.engine.redrives",
)


class Spool:
    """Bytes that can be read again. If there are many, they are in a file, which goes with this object."""

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
    """The events of an execution, in the form of moto's engine. Each reader gets objects of its own.

    Attributes:
        lock: Held while events are read or added.
        last: The type of the newest event.
        ended: When the execution ended, on the monotonic clock; 0 if it runs.
        refusal: The error and the cause, if the execution fails because it holds too much.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.last, self.ended, self.refusal = "", 0.0, dict[str, str]()
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
        storage.passed(_LONG)
        with self.lock:
            if self._is_open:
                self._records.append(pickle.dumps(self._without_texts(event), 5))
                self._ends.append(self._records.size)
            self.last = event["type"]
            self.ended = time.monotonic() if self.last in ENDS else 0.0

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> list[Event]: ...
    def __getitem__(self, index: int | slice) -> Event | list[Event]:
        """An event, or a list of events, with their inputs and outputs."""
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        event = self.brief(index)
        return self._with_texts(event) if self._places or self._forgotten else event

    def brief(self, index: int) -> Event:
        """An event without its long texts, which takes less time. A `Place` stands for each of them."""
        with self.lock:
            number = index if index >= 0 else range(len(self))[index]
            begin, end = self._ends[number], self._ends[number + 1]
            record = self._records.read(begin, end - begin)
        event: Event = pickle.loads(record)
        return event

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
            self._ends = array("Q", [0])

    def _without_texts(self, value: Any) -> Any:
        if isinstance(value, dict):
            made = {} if type(value) is dict else copy(value)
            made.update((name, self._without_texts(each)) for name, each in value.items())
            return made
        return self.keep(value) if isinstance(value, str) and len(value) > _LONG else value

    def _with_texts(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return self.text(value)
        if not isinstance(value, dict):
            return value
        made = {name: self._with_texts(each) for name, each in value.items()}
        for name in ("input", "output"):
            if isinstance(value.get(name), tuple) and made[name] is None:
                made[f"{name}Details"] = {"truncated": True}
        return made


class Storage:
    """What the executions of this emulator use, and its limits.

    Attributes:
        folder: Where their files are.
        most_in_files: How many bytes all files may have together.
        most_in_memory: How many bytes the running executions may hold together.
        suspicious: If this process has so many bytes, it looks what the running executions hold.
        usual: How many bytes this process had before its first execution.
        block: What was read last: the file, where it begins, and its bytes.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.gettempdir())
        self.most_in_files, self.most_in_memory, self.suspicious = 4096 * _MB, 300 * _MB, 450 * _MB
        self._in_files = self._passed = 0
        self._is_full = False
        self.usual = 0
        self.block: tuple[Path | None, int, bytes] = (None, 0, b"")
        self._next_look = _BETWEEN_LOOKS
        self._counting, self._looking = threading.RLock(), threading.Lock()
        self._names = itertools.count()

    def open(self, folder: Path) -> None:
        """Keep files in this folder. What an earlier emulator left there is removed."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder

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
                    self._next_look += 7 * _BETWEEN_LOOKS
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
        ended = [it for it in map(history_of, executions()) if it.ended]
        for history in sorted(ended, key=lambda it: it.ended):
            if self._in_files > most:
                history.forget_texts()
        sizes = {it: history_of(it).size for it in running_executions()}
        large = {it: size for it, size in sizes.items() if size > _IN_MEMORY}
        _fail_largest(large, self._in_files, most, "files")

    def _check_memory(self) -> bool:
        """Returns whether this process has much memory."""
        if _memory() > self.suspicious:
            give_back()
        if _memory() <= self.suspicious:
            return False
        seen = set[int]()
        sizes = {it: int(_held(it.exec_worker.env, seen)) for it in running_executions()}
        _fail_largest(sizes, sum(sizes.values()), self.most_in_memory, "memory")
        return True


storage: Final = Storage()


def _fail_largest(sizes: dict[Any, int], total: int, most: int, where: str) -> None:
    """Let executions fail until the others do not hold too much. Some may be failing already."""
    failing = [execution for execution in sizes if history_of(execution).refusal]
    total -= sum(sizes[execution] for execution in failing)
    for execution in sorted(sizes.keys() - failing, key=lambda it: -sizes[it]):
        if total <= most:
            return
        history, env = history_of(execution), execution.exec_worker.env
        held, limit = sizes[execution] // _MB, most // _MB
        cause = f"All executions together may hold {limit} MB in {where}. This one held the most: {held} MB."
        history.refusal = {"error": ERROR, "cause": cause}
        total -= sizes[execution]
        with env._state_mutex:
            if env.is_running():
                env.set_error(engine_module("api").ExecutionFailedEventDetails(**history.refusal))


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
    if isinstance(value, ref):
        few = [value()]
    elif type(value).__module__.startswith(_DATA):
        few = [*vars(value).values()]
    of_few = sum(_held(each, seen, levels - 1) for each in few)
    return sys.getsizeof(value) + of_few * max(len(parts) / max(len(few), 1), 1)


def give_back() -> None:
    """Give freed memory back to the system. Python does not, and glibc keeps what many threads have freed."""
    gc.collect()
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)


def _give_back_soon() -> None:
    """Give memory back if this process has more than usual, when the threads of executions have ended."""

    def give_back_later() -> None:
        if _memory() > storage.usual + _LITTLE:
            give_back()

    timer = threading.Timer(1, give_back_later)
    timer.daemon = True
    timer.start()


def _memory() -> int:
    """How many bytes this process has."""
    return int(psutil.Process().memory_info().rss)


#: What gives the executions that moto does not list: the running children of Distributed Maps.
unlisted: Final[list[Callable[[], Iterator[Any]]]] = []


def executions(machine_arn: str | None = None) -> Iterator[Any]:
    """The executions of a machine, or all executions: moto's objects."""
    if machine_arn is None:
        yield from (execution for give in unlisted for execution in give())
    backends = engine_module("models").stepfunctions_parser_backends
    for account in list(backends.values()):
        for backend in list(account.values()):
            for machine in list(backend.state_machines):
                yield from list(machine.executions) if machine_arn in {None, machine.arn} else ()


def running_executions() -> Iterator[Any]:
    """The executions that have begun, and have not ended."""
    begun = (it for it in executions() if it.exec_worker and it.exec_worker.env)
    return (it for it in begun if it.exec_status == "RUNNING")


def history_of(execution: Any) -> History:
    """The events of an execution; an empty history before it has begun."""
    environment = execution.exec_worker and execution.exec_worker.env
    history: History = environment.event_manager._history_event_list if environment else History()
    return history


def forget(machine_arn: str | None = None) -> None:
    """Remove what the executions of a machine, or all executions, have stored. Some may still be ending."""
    for execution in executions(machine_arn):
        history_of(execution).close()
    _give_back_soon()


@lru_cache
def sparing(original: type) -> type:
    """A class of executions in moto's engine that keep their long texts in their history.

    moto also keeps the input as an object. It needs the object only once, when the execution starts.
    """

    def stored(name: str) -> property:
        def get(self: Any) -> Any:
            value = vars(self)[name]
            return history_of(self).text(value) if isinstance(value, tuple) else value

        def put(self: Any, value: Any) -> None:
            is_long = isinstance(value, str) and len(value) > _LONG and vars(self).get("exec_worker")
            vars(self)[name] = history_of(self).keep(value) if is_long else value

        return property(get, put)

    fields = {name: stored(name) for name in ("execution_input", "output", "cause")}
    given = property(lambda self: json.loads(self.execution_input), lambda self, value: None)
    return type(original.__name__, (original,), {**fields, "input_data": given})


class _Messages:
    """The long messages of log groups, in several files. A file is removed with its last message."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: list[ref[Spool]] = []
        self._newest = Spool()

    def keep(self, text: str) -> tuple[Spool, Place, str]:
        data = text.encode("utf-8", "surrogatepass")
        with self._lock:
            if self._newest.size > _LOG_FILE:
                self._files = [it for it in self._files if it()] + [ref(self._newest)]
                self._newest = Spool()
                for oldest in [it() for it in self._files][:-_LOG_FILES]:
                    if oldest:
                        oldest.clear()
            return self._newest, (self._newest.append(data), len(data)), text[:_LONG]

    def text(self, kept: tuple[Spool, Place, str]) -> str:
        spool, place, beginning = kept
        with self._lock:
            data = spool.read(*place)
        return data.decode("utf-8", "surrogatepass") if len(data) == place[1] else beginning


def log_event(original: type) -> type:
    """Keep the long messages of moto's log events in files. Of the oldest ones, only the beginning stays."""
    messages = _Messages()

    def get(self: Any) -> str:
        value = vars(self)["message"]
        return value if isinstance(value, str) else messages.text(value)

    def put(self: Any, text: str) -> None:
        vars(self)["message"] = text if len(text) <= 2 * _LONG else messages.keep(text)

    return type(original.__name__, (original,), {"message": property(get, put)})


def new_history(original: MotoFunction, self: Any, *given: Any, **named: Any) -> None:
    """The events of an execution are in a `History`."""
    original(self, *given, **named)
    self._history_event_list = History()


def began(original: MotoFunction, self: Any) -> Any:
    """When an execution begins, its input goes into its history. See `executions` for its ``changes``."""
    storage.usual = storage.usual or _memory()
    self.env = original(self)
    execution = self._execution_communication.execution
    execution.execution_input = execution.execution_input  # now there is a history, which stores it
    for change in execution.changes:
        change(self.env)
    return self.env


def ended(execution: Any) -> None:
    """Keep of an ended execution only what can still be asked for."""
    worker = execution.exec_worker
    worker.env = env = copy(worker.env)  # a thread that still ends has the other one
    env.stack, env.heap, env._frames, env.states, env.variable_store = [], {}, [], None, None
    worker._evaluation_details = worker._execution_communication = None
    history = history_of(execution)
    if execution.exec_status == "SUCCEEDED":  # another one may be redriven, and needs how far it came
        vars(env).pop("progress", None)
    elif history.refusal and (progress := getattr(env, "progress", None)):
        progress.inner = {}  # it held too much, so all branches and iterations would run again
    if history.refusal or history.size > _BETWEEN_LOOKS:
        _give_back_soon()
