"""`time_weighted_sum`: a running level, integrated over the period and divided by `per`.

A change of `v` at `t` adds `v × (T − t)` to the integral up to `T`, so `Σ v` and `Σ v × t` are all that changes need. A
meter whose values set the level keeps them in their order. The level that a period begins with is carried into it, and
the level that is there lasts to the end of the time that is held: a level of 10 throughout is 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rating.aggregations.protocol import Entries, Span, Values
from rating.numbers import half_even, quantity
from rating.times import HOUR, SECOND

_PER = {"hour": HOUR, "second": SECOND}


class Level:
    """`per` period, hour or second."""

    def __init__(self, per: str) -> None:
        self._per = per

    def _quantized(self, integral: int, span: Span) -> int:
        return half_even(integral, _PER.get(self._per, span.end - span.start))


class Changes(Level):
    """Values change the level. What is kept of a segment: `(Σ v, Σ v × t)`."""

    keyed = False

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        level, moment = kept.get(at) or (0, 0)
        for time, value in zip(entries.times, entries.values, strict=True):
            change = sign * quantity(value)
            level += change
            moment += change * time
        kept[at] = level, moment

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        level = sum(each[0] for _, each in kept if each)
        moment = sum(each[1] for _, each in kept if each)
        integral = level * span.upto - moment + span.carry * max(0, span.upto - span.held)
        return self._quantized(integral, span)


class Levels(Level):
    """Values set the level. All of them are kept in cells, in their order; of a segment, how many there are. What was set
    before the charge began (`held`) is not its."""

    keyed = True

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        for time, key, value in zip(entries.times, entries.keys, entries.values, strict=True):
            values.put(f"{time:020d}|{key}", str(quantity(value)) if sign > 0 else None)
        kept[at] = (kept.get(at) or 0) + sign * len(entries.times)

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        level, since, integral = span.carry, span.held, 0
        for member, found in values.members():
            time = int(member[:20])
            if time < span.held:
                continue
            if time >= span.upto:
                break
            integral += level * (time - since)
            level, since = int(found), time
        integral += level * max(0, span.upto - since)
        return self._quantized(integral, span)
