"""`max` and `min`: every value with its count, segment by segment, and the answer beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rating.aggregations.protocol import Entries, Span, Values
from rating.numbers import quantity


class Extreme:
    """The largest value, or with `min` the smallest; of nothing 0."""

    keyed = False

    def __init__(self, choose: Callable[..., Any]) -> None:
        self._choose = choose

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        best = kept.get(at)
        mine = values.within(f"{at}|")
        stale = False
        for each in entries.values:
            value = quantity(each)
            count = (mine.get(str(value)) or 0) + sign
            mine.put(str(value), count or None)
            if sign > 0:
                best = value if best is None else self._choose(best, value)
            stale = stale or (not count and value == best)
        if stale:
            best = self._choose((int(member) for member, _ in mine.members()), default=None)
        kept[at] = best

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        best: int = self._choose((each for _, each in kept if each is not None), default=0)
        return best
