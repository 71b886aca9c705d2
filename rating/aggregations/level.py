"""`time_weighted_sum`: a running level, integrated over the period and divided by `per`.

A change of `v` at `t` adds `v × (T − t)` to the integral up to `T`, so `Σ v` and `Σ v × t` are all that changes need. A
meter whose values set the level keeps them in their order. The level that a period begins with is carried into it, and
the level that is there lasts to the end of the time that is held: a level of 10 throughout is 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """Values set the level. All of them are kept in cells, in their order; of a segment, its run `(first time, newest, level,
    integral from the first to the newest)`. A newer value is added to that; only one that comes between others, or is taken
    back, makes it be reckoned again. What was set before the charge began (`held`) is not its."""

    keyed = True

    def update(self, kept: dict[int, Any], at: int, entries: Entries, sign: int, values: Values) -> None:
        mine, run = values.within(f"{at}|"), kept.get(at)
        found = zip(entries.times, entries.keys, entries.values, strict=True)
        news = sorted((f"{time:020d}|{key}", quantity(value)) for time, key, value in found)
        for member, level in news:
            mine.put(member, str(level) if sign > 0 else None)
        if sign < 0 or (run is not None and news[0][0] <= run[1]):
            run, news = None, [(member, int(level)) for member, level in mine.members()]
        kept[at] = _run(news, run)

    def quantity(self, kept: Sequence[tuple[int, Any]], span: Span, values: Values) -> int:
        level, since, integral = span.carry, span.held, 0
        for at, run in kept:
            if run is not None and not span.held <= run[0] <= _time(run[1]) < span.upto:
                members = ((name, int(found)) for name, found in values.within(f"{at}|").members())
                run = _run(each for each in members if span.held <= _time(each[0]) < span.upto)
            if run is not None:
                first, newest, last, inside = run
                integral += level * (first - since) + inside
                level, since = last, _time(newest)
        integral += level * max(0, span.upto - since)
        return self._quantized(integral, span)


_Run = tuple[int, str, int, int]


def _run(news: Iterable[tuple[str, int]], run: _Run | None = None) -> _Run | None:
    """A run with newer values, in their order."""
    for member, level in news:
        time = _time(member)
        if run is None:
            run = (time, member, level, 0)
        else:
            first, newest, before, integral = run
            run = (first, member, level, integral + before * (time - _time(newest)))
    return run


def _time(member: str) -> int:
    return int(member[:20])
