"""`unique`: distinct values, counted exactly.

A value's cell says how often it was seen in each segment. It counts in the first of them, so what is kept of a segment is
how many values were new in it, and those add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rating.aggregations.protocol import Entries, Span, Values
from rating.numbers import QTY


class Unique:
    """How many distinct values there were."""

    keyed = False

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        kept.setdefault(at, 0)
        for value in entries.values:
            member = str(value)
            seen = dict(values.get(member) or ())
            before = min(seen, default=None)
            count = seen.get(at, 0) + sign
            if count:
                seen[at] = count
            else:
                del seen[at]
            after = min(seen, default=None)
            values.put(member, tuple(sorted(seen.items())) or None)
            if before != after:
                if before is not None:
                    kept[before] = (kept.get(before) or 0) - 1
                if after is not None:
                    kept[after] = (kept.get(after) or 0) + 1

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        return sum(each or 0 for _, each in kept) * QTY
