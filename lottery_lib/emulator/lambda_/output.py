"""Write what functions print to CloudWatch Logs, as Lambda does. Callers do not wait for it."""

import datetime
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from lottery_lib.emulator.http.messages import Scope
from lottery_lib.emulator.lambda_.function import Function
from lottery_lib.emulator.moto.application import Moto

_PAUSE_SECONDS: Final = 0.25
_MOST: Final = 1000
_MOST_LETTERS: Final = 10_000_000


@dataclass(frozen=True)
class Lines:
    """The output of one call, its log group and stream, and its time in milliseconds since 1970.

    The stream is new if this is the first call of a worker.
    """

    scope: Scope
    function: str
    group: str
    stream: str
    text: str
    new_stream: bool
    at: int = field(default_factory=lambda: int(time.time() * 1000))


def log_of(
    function: Function,
    request_id: str,
    output: bytes,
    *,
    seconds: float,
    init_seconds: float | None,
    max_memory: int,
    last_words: str = "",
) -> str:
    """The log of one call, with the lines that Lambda puts around a function's output.

    Args:
        function: The function.
        request_id: The id of the call.
        output: What it printed.
        seconds: How long it ran.
        init_seconds: How long the function took to load; None if it was loaded already.
        max_memory: The most memory that it used, in bytes.
        last_words: Why the worker was ended; empty if it was not.
    """
    duration = seconds * 1000
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\t"
        f"Billed Duration: {int(duration) + 1} ms\tMemory Size: {function.memory} MB\t"
        f"Max Memory Used: {max(1, max_memory >> 20)} MB\t"
    )
    if init_seconds is not None:
        report += f"Init Duration: {init_seconds * 1000:.2f} ms\t"
    printed = output.decode("utf-8", "replace")
    printed += "\n" if printed and not printed.endswith("\n") else ""
    if last_words:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        printed += f"{now} {request_id} {last_words}\n\n"
    start = f"START RequestId: {request_id} Version: {function.version}\n"
    return f"{start}{printed}END RequestId: {request_id}\n{report}\n"


class LogWriter:
    """Writes log lines in order, in its own thread, when no function has run for a moment.

    Writing takes as long as running a function. So it waits, and does not slow down a running execution.

    Args:
        moto: Stores them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._waiting: deque[Lines] = deque()
        self._last = time.monotonic()
        self._came = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._write_in_pauses, daemon=True).start()

    def write(self, lines: Lines) -> None:
        """Write these lines soon."""
        self._waiting.append(lines)
        self._last = time.monotonic()
        self._came.set()

    def flush(self) -> None:
        """Write everything now, so that a reader does not notice the delay."""
        with self._writing:
            for _ in range(len(self._waiting)):
                self._put(self._waiting.popleft())

    def _write_in_pauses(self) -> None:
        while self._came.wait():
            self._came.clear()
            while self._may_wait() and time.monotonic() < self._last + _PAUSE_SECONDS:
                time.sleep(_PAUSE_SECONDS)
            self.flush()

    def _may_wait(self) -> bool:
        sizes = [len(lines.text) for lines in self._waiting.copy()]
        return len(sizes) < _MOST and sum(sizes) < _MOST_LETTERS

    def _put(self, lines: Lines) -> None:
        def call(operation: str, parameters: Mapping[str, object]) -> bool:
            return self._moto.target(lines.scope, f"Logs_20140328.{operation}", parameters).ok

        where = {"logGroupName": lines.group, "logStreamName": lines.stream}
        texts = [line + "\n" for line in lines.text.split("\n") if line.strip()]
        put = where | {"logEvents": [{"timestamp": lines.at, "message": text} for text in texts]}
        # This fails if nobody created the group yet, or if somebody deleted it.
        if (not lines.new_stream or call("CreateLogStream", where)) and call("PutLogEvents", put):
            return
        # If the function was deleted while it ran, do not create its deleted group again.
        target = f"/2015-03-31/functions/{lines.function}/configuration"
        if self._moto.rest(replace(lines.scope, service="lambda"), "GET", target).ok:
            call("CreateLogGroup", {"logGroupName": lines.group})
            call("CreateLogStream", where)
            call("PutLogEvents", put)
