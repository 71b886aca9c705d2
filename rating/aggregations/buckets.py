"""`bucket` and `rollup`: usage is aggregated in buckets first, then over the period: the sum of each hour's max, say.

A segment's end cuts no bucket, or a change that changes no price would change the total: `U(t)` has what the bucket that
holds `t` came to until then. A bucket without usage is none: `avg` is over those that have some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rating.aggregations.protocol import Aggregation, Entries, Span, Values
from rating.numbers import half_even

BucketOf = Callable[[int], int]
"""The start of the bucket that holds a moment."""
_NO_SPAN = Span(0, 1, 0, 1, 0)


class _Row(NamedTuple):
    """A bucket's usage in one segment: by the segment's start, what `inner` keeps, how many readings it has, and what the
    bucket comes to at the segment's end."""

    segment: int
    kept: Any
    events: int
    value: int


class Bucketed:
    """`inner` in each bucket, `rollup` sum, max or avg over them.

    What is kept of a segment: `(total, best, count)`, by how much it moved the sum of all buckets, the largest of those
    whose last usage it has, and how many began in it.
    """

    def __init__(self, inner: Aggregation, rollup: str, bucket_of: BucketOf) -> None:
        self._inner = inner
        self._rollup = rollup
        self._bucket_of = bucket_of
        self.keyed = inner.keyed

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        buckets = values.within("b|")
        for start, mine in self._by_bucket(entries):
            name = f"{start:020d}"
            before = [_Row(*row) for row in buckets.get(name) or ()]
            after = self._moved(before, at, mine, sign, values.within(f"v|{start}|"))
            buckets.put(name, tuple(map(tuple, after)) or None)
            _count(kept, before, -1)
            _count(kept, after, 1)
            if self._rollup == "max":
                _rank(kept, before, after, buckets)

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        found = [each for _, each in kept if each]
        if self._rollup == "max":
            last = kept[-1][0] if kept else 0
            open_now = values.get(f"b|{self._bucket_of(span.upto):020d}") or ()
            until = [value for segment, _, _, value in open_now if segment <= last]
            return max([*(best for _, best, _ in found if best is not None), *until[-1:]], default=0)
        total, count = sum(each[0] for each in found), sum(each[2] for each in found)
        if self._rollup == "avg":
            return half_even(total, count) if count else 0
        return int(total)

    def _moved(
        self, rows: Sequence[_Row], at: int, entries: Entries, sign: int, values: Values
    ) -> list[_Row]:
        """The bucket with readings of a segment added, or taken back."""
        kept = {row.segment: row.kept for row in rows}
        events = {row.segment: row.events for row in rows}
        self._inner.update(kept, at, entries, sign, values)
        events[at] = events.get(at, 0) + sign * len(entries.values)
        used = sorted(segment for segment, count in events.items() if count)
        found, upto = list[_Row](), list[tuple[int, Any]]()
        for segment in used:
            upto.append((segment, kept[segment]))
            value = self._inner.quantity(upto, _NO_SPAN, values)
            found.append(_Row(segment, kept[segment], events[segment], value))
        return found

    def _by_bucket(self, entries: Entries) -> list[tuple[int, Entries]]:
        held: dict[int, tuple[list[int], list[int | str], list[str]]] = {}
        for number, time in enumerate(entries.times):
            times, values, keys = held.setdefault(self._bucket_of(time), ([], [], []))
            times.append(time)
            values.append(entries.values[number])
            if self.keyed:
                keys.append(entries.keys[number])
        return [(start, Entries(*held[start])) for start in sorted(held)]


def _count(kept: dict[int, Any], rows: Sequence[_Row], sign: int) -> None:
    """Add a bucket to the sums and counts of its segments, or take it out of them."""
    upto = 0
    for number, row in enumerate(rows):
        total, best, count = kept.get(row.segment) or (0, None, 0)
        kept[row.segment] = total + sign * (row.value - upto), best, count + sign * (number == 0)
        upto = row.value


def _rank(kept: dict[int, Any], before: Sequence[_Row], after: Sequence[_Row], buckets: Values) -> None:
    """Rank a bucket among those whose last usage is in the same segment."""
    gone, came = before[-1:], after[-1:]
    for row in came:
        total, best, count = kept[row.segment]
        kept[row.segment] = total, row.value if best is None else max(best, row.value), count
    for row in gone:
        total, best, count = kept[row.segment]
        if row.value == best and not (came and came[0].segment == row.segment and came[0].value >= best):
            lasting = (rows[-1] for _, rows in buckets.members())
            best = max((value for segment, _, _, value in lasting if segment == row.segment), default=None)
            kept[row.segment] = total, best, count
