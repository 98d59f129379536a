"""Moments at which something happens: one heap, and one thread that waits for the next moment.

Time is that of this machine, or it stands (``SFN_EMULATOR_CLOCK=virtual``) and moves only when `advance` says
so. Then `time` and `datetime` show the standing time everywhere in this process, in moto, too.
"""

import heapq
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

from sfn_emulator.process.pool import Pool

Ring = Callable[[Sequence[str]], None]
"""Learns which of its timers are due. It is called in a thread of the pool."""

_LONGEST_WAIT: Final = 3600.0
_QUIET_SECONDS: Final = 60.0


def now() -> float:
    """The time in seconds since 1970. AWS cuts it to milliseconds."""
    return int(time.time() * 1000) / 1000


def machine_time() -> float:
    """The time of this machine, also where time stands. Functions see it."""
    travel = sys.modules.get("time_machine")
    return float(travel.escape_hatch.time.time() if travel else time.time())


class Timers:
    """The timers of one emulator.

    Args:
        pool: Where due timers ring.
        virtual: Whether time stands.
    """

    def __init__(self, pool: Pool, *, virtual: bool = False) -> None:
        self._pool = pool
        self._heap: list[tuple[float, int, str]] = []
        self._rings: dict[str, Ring] = {}
        self._order = count()
        self._changed = threading.Condition(threading.RLock())
        self._advancing = threading.Lock()
        self._traveller: Any = None
        if virtual:
            import time_machine  # noqa: PLC0415 (most emulators do not need it)

            self._traveller = time_machine.travel(now(), tick=False).start()
        else:
            threading.Thread(target=self._watch, daemon=True).start()

    @property
    def is_virtual(self) -> bool:
        """Whether time stands."""
        return self._traveller is not None

    def set(self, at: float, key: str, ring: Ring) -> None:
        """Let a timer ring at a moment, in seconds since 1970."""
        with self._changed:
            self._rings[key] = ring
            heapq.heappush(self._heap, (at, next(self._order), key))
            if self._heap[0][2] == key:
                self._changed.notify()

    def cancel(self, key: str) -> None:
        """Let a timer not ring, if there is one with this key."""
        with self._changed:
            if self._rings.pop(key, None) and len(self._heap) > 2 * len(self._rings) + 1000:
                self._heap = [each for each in self._heap if each[2] in self._rings]
                heapq.heapify(self._heap)

    def advance(self, seconds: float) -> float:
        """Move a standing time. All that is due on the way happens, one moment after the other.

        Whatever runs, such as functions, ends first.

        Args:
            seconds: How far.

        Returns:
            The time then.
        """
        with self._advancing:
            until = now() + seconds
            self._pool.wait_until_quiet(_QUIET_SECONDS)
            while (at := self._next()) is not None and at <= until:
                self._traveller.move_to(max(at, now()))
                self._ring_due()
                self._pool.wait_until_quiet(_QUIET_SECONDS)
            self._traveller.move_to(until)
            return now()

    def _next(self) -> float | None:
        with self._changed:
            while self._heap and self._heap[0][2] not in self._rings:
                heapq.heappop(self._heap)
            return self._heap[0][0] if self._heap else None

    def _ring_due(self) -> None:
        """Ring what is due. Timers of the same moment ring together."""
        due: dict[Ring, list[str]] = {}
        with self._changed:
            if (at := self._next()) is None:
                return
            latest = max(at, now())  # the time has no parts of a millisecond
            while self._heap and self._heap[0][0] <= latest:
                _, _, key = heapq.heappop(self._heap)
                if (ring := self._rings.pop(key, None)) is not None:
                    due.setdefault(ring, []).append(key)
        for ring, keys in due.items():
            self._pool.submit(ring, keys)

    def _watch(self) -> None:
        while True:
            with self._changed:
                at = self._next()
                left = _LONGEST_WAIT if at is None else at - time.time()
                if left > 0:
                    self._changed.wait(min(left, _LONGEST_WAIT))
                    continue
            self._ring_due()
