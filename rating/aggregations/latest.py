"""`latest`: the value of the newest event by its time; of equal times the larger `(source, id)` wins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rating.aggregations.protocol import Entries, Span, Values
from rating.numbers import quantity


class Latest:
    """What is kept of a segment is its newest event, `(time and key, value)`."""

    keyed = True

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        mine = values.within(f"{at}|")
        newest = kept.get(at)
        for time, key, value in zip(entries.times, entries.keys, entries.values, strict=True):
            member = f"{time:020d}|{key}"
            mine.put(member, str(quantity(value)) if sign > 0 else None)
            if sign > 0 and (newest is None or member >= newest[0]):
                newest = (member, quantity(value))
            elif sign < 0 and newest is not None and member == newest[0]:
                newest = max(((name, int(found)) for name, found in mine.members()), default=None)
        kept[at] = newest

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        found: int = next((each[1] for _, each in reversed(kept) if each is not None), 0)
        return found
