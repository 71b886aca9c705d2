"""How many requests a key may make: a token bucket each, the time handed in."""

from __future__ import annotations

KEYS_MAX = 100_000


class Rates:
    """`per_s` requests a second on average, and as many at once."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, name: str, now: float) -> float:
        """Take one; 0, or in how many seconds there will be one."""
        left, since = self._buckets.get(name, (float(self._per_s), now))
        left = min(float(self._per_s), left + (now - since) * self._per_s)
        if left < 1:
            return (1 - left) / self._per_s
        if len(self._buckets) >= KEYS_MAX and name not in self._buckets:
            # Whoever is forgotten begins with a full bucket.
            self._buckets.clear()
        self._buckets[name] = left - 1, now
        return 0
