"""Answer CloudWatch Logs' API, and write what functions print to log groups. moto stores the groups."""

import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from sfn_emulator.http.messages import Reply, Request, Scope
from sfn_emulator.storage.application import Moto
from sfn_emulator.storage.backends import put_log_events

_PAUSE_SECONDS: Final = 0.25
_MOST: Final = 1000
_MOST_LETTERS: Final = 10_000_000
_LONG: Final = 10_000


@dataclass(frozen=True)
class LogLines:
    """The log of one invocation, or an event of an execution.

    Args:
        scope: The scope of CloudWatch Logs in the function's region.
        function: The function's name; empty for an event.
        group: The log group.
        stream: The log stream.
        text: The lines.
        new_stream: Whether the stream must be created, because this is the first that goes there.
        at: The time, in milliseconds since 1970.
    """

    scope: Scope
    function: str
    group: str
    stream: str
    text: str
    new_stream: bool
    at: int = field(default_factory=lambda: int(time.time() * 1000))


class LogWriter:
    """Writes log lines in order, in its own thread, when no new ones have come for a moment.

    Writing takes as long as running a function. So the thread waits, and does not slow down an execution.

    Args:
        moto: Stores them.
    """

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._waiting: deque[LogLines] = deque()
        self._last = time.monotonic()
        self._came = threading.Event()
        self._writing = threading.Lock()
        threading.Thread(target=self._write_in_pauses, daemon=True).start()

    def write(self, lines: LogLines) -> None:
        """Write these lines in a moment; at once if many others wait already."""
        self._waiting.append(lines)
        if len(lines.text) > _LONG and not self._may_wait():
            self.flush()
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

    def _put(self, lines: LogLines) -> None:
        end = "\n" if lines.function else ""
        texts = [line + end for line in lines.text.split("\n") if line.strip()]
        events = [{"timestamp": lines.at, "message": text} for text in texts]
        put = partial(put_log_events, lines.scope.region, lines.group, lines.stream, events)
        # This fails if nobody created the group yet, or if somebody deleted it.
        if put(new_stream=lines.new_stream) or not lines.function:
            return
        # If the function was deleted while it ran, do not create its deleted group again.
        target = f"/2015-03-31/functions/{lines.function}/configuration"
        if self._moto.rest(replace(lines.scope, service="lambda"), "GET", target).ok:
            group = {"logGroupName": lines.group}
            self._moto.target(lines.scope, "Logs_20140328.CreateLogGroup", group)
            put(new_stream=True)


class LogsApi:
    """The log groups of one emulator.

    Args:
        moto: Stores them.
        writer: Writes what functions print to the groups, a moment later.
    """

    def __init__(self, moto: Moto, writer: LogWriter) -> None:
        self._moto = moto
        self._writer = writer

    def answer(self, request: Request) -> Reply:
        """Write all waiting lines, then answer a request to CloudWatch Logs."""
        self._writer.flush()
        if request.operation == "DeleteLogGroup":
            group = {"logGroupName": request.json.get("logGroupName", "")}
            # moto keeps the tags, and a new group of that name would have them.
            listed = self._moto.target(request.scope, "Logs_20140328.ListTagsLogGroup", group)
            if listed.ok and (tags := list(listed.json.get("tags") or {})):
                self._moto.target(request.scope, "Logs_20140328.UntagLogGroup", group | {"tags": tags})
        return self._moto(request)

    def reset(self) -> None:
        """Write all waiting lines, so that moto's reset removes them, too."""
        self._writer.flush()
