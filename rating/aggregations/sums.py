"""`sum`, `count` and `avg`: numbers that add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rating.aggregations.protocol import Entries, Span, Values, total
from rating.numbers import QTY, half_even


class Sum:
    """The sum of the values."""

    keyed = False

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        kept[at] = (kept.get(at) or 0) + sign * total(entries.values)

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        return sum([each or 0 for _, each in kept])


class Count(Sum):
    """How many events there were."""

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        kept[at] = (kept.get(at) or 0) + sign * len(entries.values) * QTY


class Average:
    """The sum over the count, quantized once to 12 digits; of nothing 0."""

    keyed = False

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        held, count = kept.get(at) or (0, 0)
        kept[at] = held + sign * total(entries.values), count + sign * len(entries.values)

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        count = sum(each[1] for _, each in kept if each)
        return half_even(sum(each[0] for _, each in kept if each), count) if count else 0
