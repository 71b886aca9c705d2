"""When a webhook that was not taken is tried again: pauses double up to a longest one, each cut by chance.

    Schedule(tries=5, first=5_000_000, longest=60_000_000)      at most 5 s, 10 s, 20 s, 40 s, then no more

By chance a pause is between half of it and the whole, so that many that failed at once do not come back at once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often in all, and how long between two tries. Times in microseconds."""

    tries: int
    first: int
    longest: int

    def pause(self, tried: int, chance: float, wanted: int = 0) -> int | None:
        """How long to wait after the `tried`-th try, or `None` where that was the last.

        `chance` is in `[0, 1)`; `wanted` is what the receiver asked for, and is granted up to the longest pause.
        """
        if tried >= self.tries:
            return None
        whole = min(self.first << min(tried - 1, 62), self.longest)
        cut = whole - int(whole / 2 * chance)
        return max(cut, min(wanted, self.longest))
