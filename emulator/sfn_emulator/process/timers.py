"""Moments at which something happens: one heap, and one thread that waits for the next moment.

Time is that of this machine, or what ``SFN_EMULATOR_CLOCK`` says. With ``virtual`` it stands, and moves only
when `advance` says so. With ``skipping`` it goes on, and jumps over pauses. `time` and `datetime` then show
this time everywhere in this process, in moto, too.
"""

import heapq
import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final, Literal

from sfn_emulator.process.environment import Clock
from sfn_emulator.process.pool import Pool

Ring = Callable[[Sequence[str]], None]
"""Learns which of its timers are due. It is called in a thread of the pool."""

Kind = Literal["pause", "limit", "look"]
"""What a timer is for: somebody has to wait, somebody may be late, or somebody looks at something again."""

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
        clock: How time goes.
    """

    def __init__(self, pool: Pool, clock: Clock = "machine") -> None:
        self._pool, self._clock = pool, clock
        self._heap: list[tuple[float, int, str]] = []
        self._rings: dict[str, tuple[Ring, Kind, int]] = {}
        self._order = count()
        self._changed = threading.Condition(threading.RLock())
        self._advancing = threading.Lock()
        self._traveller: Any = None
        if clock != "machine":
            import time_machine  # noqa: PLC0415 (most emulators do not need it)

            self._traveller = time_machine.travel(now(), tick=clock == "skipping").start()
            pool.when_quiet = self._look_again
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def stands(self) -> bool:
        """Whether time moves only when it is told."""
        return self._clock == "virtual"

    @property
    def can_advance(self) -> bool:
        """Whether time moves when it is told."""
        return self._clock != "machine"

    def hold(self, holds: bool) -> float:
        """Let time stand, or go on and skip; the time then."""
        self._clock = "virtual" if holds else "skipping"
        self._traveller.move_to(time.time(), tick=not holds)
        self._look_again()
        return now()

    def set(self, at: float, key: str, ring: Ring, kind: Kind = "limit") -> None:
        """Let a timer ring at a moment, in seconds since 1970, and at no other."""
        with self._changed:
            number = next(self._order)
            self._rings[key] = ring, kind, number
            heapq.heappush(self._heap, (at, number, key))
            if self._heap[0][2] == key or self._clock == "skipping":
                self._changed.notify()
        if self.stands and at <= now():
            self._pool.submit(self._ring_due)

    def cancel(self, key: str) -> None:
        """Let a timer not ring, if there is one with this key."""
        with self._changed:
            if self._rings.pop(key, None) and len(self._heap) > 2 * len(self._rings) + 1000:
                self._heap = [each for each in self._heap if self._known(*each[1:])]
                heapq.heapify(self._heap)
            if self._clock == "skipping":
                self._changed.notify()

    def advance(self, seconds: float) -> float:
        """Move the time. All that is due on the way happens, one moment after the other.

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
            self._traveller.move_to(max(until, now()))
            return now()

    def _known(self, number: int, key: str) -> tuple[Ring, Kind, int] | None:
        """What an entry of the heap is for; None if it was cancelled, or set again."""
        known = self._rings.get(key)
        return known if known and known[2] == number else None

    def _next(self) -> float | None:
        with self._changed:
            while self._heap and not self._known(*self._heap[0][1:]):
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
                _, number, key = heapq.heappop(self._heap)
                if known := self._known(number, key):
                    due.setdefault(known[0], []).append(key)
                    del self._rings[key]
        for ring, keys in due.items():
            self._pool.submit(ring, keys)

    def _watch(self) -> None:
        while True:
            with self._changed:
                at = self._next()
                left = _LONGEST_WAIT if at is None else at - time.time()
                if self.stands or (left > 0 and not self._skip()):
                    self._changed.wait(_LONGEST_WAIT if self.stands else min(left, _LONGEST_WAIT))
                    continue
            self._ring_due()

    def _look_again(self) -> None:
        with self._changed:
            self._changed.notify()

    def _skip(self) -> bool:
        """Jump to the end of a pause, unless something runs or a limit comes first. Whether it did."""
        if self._clock != "skipping" or not self._pool.is_quiet:
            return False
        for at, number, key in sorted(self._heap):
            known = self._known(number, key)
            if known and known[1] == "pause":
                self._traveller.move_to(max(at, now()))
                return True
            if known and known[1] == "limit":
                return False
        return False
