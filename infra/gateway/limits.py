"""Requests per minute for each key: a token bucket that may be emptied at once and refills evenly."""

import time
from collections.abc import Callable


class RateLimiter:
    """Buckets of all keys, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: str, per_minute: int) -> float:
        """Take one request; 0.0 when allowed, else seconds until the next one would be."""
        now = self._clock()
        level, since = self._buckets.get(key, (float(per_minute), now))
        # min: a policy with a lower limit takes effect at once.
        level = min(level + (now - since) * per_minute / 60, float(per_minute))
        if level < 1:
            self._buckets[key] = (level, now)
            return (1 - level) * 60 / per_minute
        self._buckets[key] = (level - 1, now)
        return 0.0
