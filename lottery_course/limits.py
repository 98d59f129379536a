"""Slow down who asks too often."""

from collections.abc import Callable


class Limit:
    """How often each key may do something: `burst` times at once, and `rate` times a second later on.

    Args:
        rate: Times a second.
        burst: Times at once.
        clock: Seconds, from any start.
    """

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: dict[str, tuple[float, float]] = {}

    def left(self, key: str) -> float:
        """How many times the key may do it now."""
        left, since = self._left.get(key, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - since) * self._rate)

    def take(self, key: str) -> bool:
        """Count one more; returns whether it is allowed."""
        left = self.left(key)
        if left < 1:
            return False
        self._left.pop(key, None)
        self._left[key] = left - 1, self._clock()  # it is the last now
        # What is as good as new is forgotten, so keys that nobody uses again do not fill the memory.
        while self._left and self.left(oldest := next(iter(self._left))) >= self._burst:
            del self._left[oldest]
        return True
