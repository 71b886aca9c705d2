"""`bucket` and `rollup`: usage is aggregated in buckets first, then over the period: the sum of each hour's max, say.

A bucket is cut where a segment ends, as a window is. A bucket without usage is none: `avg` is over those that have some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rating.aggregations.protocol import Aggregation, Entries, Span, Values
from rating.numbers import half_even

BucketOf = Callable[[int], int]
"""The start of the bucket that holds a moment."""
_NO_SPAN = Span(0, 1, 0, 1, 0)


class Bucketed:
    """`inner` in each bucket, `rollup` sum, max or avg over them. What is kept of a segment: `(sum, max, count)`."""

    def __init__(self, inner: Aggregation, rollup: str, bucket_of: BucketOf) -> None:
        self._inner = inner
        self._rollup = rollup
        self._bucket_of = bucket_of
        self.keyed = inner.keyed

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        total, best, count = kept.get(at) or (0, None, 0)
        heads = values.within(f"b|{at}|")
        for start, mine in self._by_bucket(entries):
            head = heads.get(f"{start:020d}")
            inside = values.within(f"v|{at}|{start}|")
            cell = {at: head[0]} if head else {}
            before = head[1] if head else None
            events = (head[2] if head else 0) + sign * len(mine.values)
            self._inner.update(cell, at, mine, sign, inside)
            after = self._inner.quantity([(at, cell.get(at))], _NO_SPAN, inside) if events else None
            heads.put(f"{start:020d}", (cell.get(at), after, events) if events else None)
            total += (after or 0) - (before or 0)
            count += (after is not None) - (before is not None)
            if after is not None and (best is None or after >= best):
                best = after
            elif before == best and before != after:
                best = max((found[1] for _, found in heads.members()), default=None)
        kept[at] = total, best, count

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        found = [each for _, each in kept if each]
        if self._rollup == "max":
            return max((best for _, best, _ in found if best is not None), default=0)
        total, count = sum(each[0] for each in found), sum(each[2] for each in found)
        if self._rollup == "avg":
            return half_even(total, count) if count else 0
        return int(total)

    def _by_bucket(self, entries: Entries) -> list[tuple[int, Entries]]:
        held: dict[int, tuple[list[int], list[int | str], list[str]]] = {}
        for number, time in enumerate(entries.times):
            times, values, keys = held.setdefault(self._bucket_of(time), ([], [], []))
            times.append(time)
            values.append(entries.values[number])
            if self.keyed:
                keys.append(entries.keys[number])
        return [(start, Entries(*held[start])) for start in sorted(held)]
