"""What is kept of a group's events where a price is of events, not of one quantity: small sums that go both ways.

    each    the sum of what each event costs
    slots   one tally a slot of the schedule: a quantity, or a tally of the slot's own price
    order   the events themselves, in their order, and what they come to: a newer one is added to that, and only one that
            comes between others, or is taken back, makes it be reckoned again

`add` is one step, backwards with `sign` −1. Prices here are before the discount; `parts` of a step sum to its change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from rating.aggregations import Values
from rating.charge import Rule
from rating.errors import Overflow
from rating.modifiers import Convert
from rating.prices import (
    CurvePrice,
    Dynamic,
    EventTiers,
    Part,
    Percentage,
    PricedEvent,
    Scheduled,
    differences,
)
from rating.prices.percentage import Run

ORDERED_MAX = 200_000
"""Events of one group and period under a price with allowances: each is kept until the period is forgotten."""


class Added(NamedTuple):
    """What is kept after a step, and what the step changed, by tier."""

    kept: Any
    parts: tuple[Part, ...]


class Tally(Protocol):
    """`kept` is immutable plain data, `None` for nothing."""

    def add(self, kept: Any, events: Sequence[PricedEvent], sign: int, values: Values) -> Added: ...

    def total(self, kept: Any) -> int: ...


class _Each:
    def __init__(self, price: Percentage | EventTiers | Dynamic, convert: Convert | None) -> None:
        self._price = price
        self._convert = None if isinstance(price, Dynamic) else convert

    def add(self, kept: Any, events: Sequence[PricedEvent], sign: int, values: Values) -> Added:
        if self._convert is not None:
            events = [event._replace(value=self._convert.apply(event.value)) for event in events]
        parts = self._price.parts_of(events)
        if sign < 0:
            parts = differences(parts, ())
        return Added((kept or 0) + sum(part.amount for part in parts), parts)

    def total(self, kept: Any) -> int:
        return kept or 0


class _Order:
    def __init__(self, price: Percentage, convert: Convert | None) -> None:
        self._price = price
        self._convert = convert

    def add(self, kept: Any, events: Sequence[PricedEvent], sign: int, values: Values) -> Added:
        count, newest, *run = kept or (0, "")
        before = Run(*run) if run else None
        if self._convert is not None:
            events = [event._replace(value=self._convert.apply(event.value)) for event in events]
        for event in events:
            values.put(_member(event), event.value if sign > 0 else None)
        count += sign * len(events)
        if count > ORDERED_MAX:
            raise Overflow(f"more than {ORDERED_MAX:,} events in a group of a price with allowances")
        last = _member(events[-1]) if events else newest
        if sign > 0 and (not events or _member(events[0]) > newest):
            after = self._price.run(events, before)
        else:
            every = [_event(member, value) for member, value in values.members()]
            after = self._price.run(every)
            last = _member(every[-1]) if every else ""
        return Added((count, last, *after), differences(before.parts() if before else (), after.parts()))

    def total(self, kept: Any) -> int:
        return kept[4] if kept else 0


def _member(event: PricedEvent) -> str:
    return f"{event.time:020d}|{event.key}"


def _event(member: str, value: int) -> PricedEvent:
    time, _, key = member.partition("|")
    return PricedEvent(int(time), key, value)


class _Curve:
    """A quantity of its own, for a slot of a schedule."""

    def __init__(self, price: CurvePrice, convert: Convert | None) -> None:
        self._price = price
        self._convert = convert

    def add(self, kept: Any, events: Sequence[PricedEvent], sign: int, values: Values) -> Added:
        after = (kept or 0) + sign * sum(event.value for event in events)
        before = () if kept is None else self._price.parts(self._charged(kept))
        return Added(after, differences(before, self._price.parts(self._charged(after))))

    def total(self, kept: Any) -> int:
        return self._price.total(self._charged(kept or 0))

    def _charged(self, quantity: int) -> int:
        found = quantity if self._convert is None else self._convert.apply(quantity)
        return max(found, 0)


class _Slots:
    def __init__(self, price: Scheduled[Any], tallies: Sequence[Tally]) -> None:
        self._price = price
        self._tallies = tallies

    def add(self, kept: Any, events: Sequence[PricedEvent], sign: int, values: Values) -> Added:
        held = list(kept or ())
        # A schedule's every slot has a Q, so the flat amounts of all are due at once, as in a quote.
        parts: list[Part] = []
        mine: list[list[PricedEvent]] = [[] for _ in self._tallies]
        for event in events:
            mine[self._price.slot(event.time)].append(event)
        found = []
        for number, tally in enumerate(self._tallies):
            before = held[number] if held else None
            if held and not mine[number]:
                found.append(before)
                continue
            added = tally.add(before, mine[number], sign, values.within(f"{number}|"))
            found.append(added.kept)
            parts += added.parts
        return Added(tuple(found), differences((), parts))

    def total(self, kept: Any) -> int:
        return sum(tally.total(each) for tally, each in zip(self._tallies, kept or (), strict=False))


def tally_of(rule: Rule) -> Tally | None:
    """How a rule's events are kept; `None` for a price of one quantity."""
    return None if rule.price.kind == "quantity" else _tally(rule.price, rule.convert)


def _tally(price: Any, convert: Convert | None) -> Tally:
    if isinstance(price, Scheduled):
        return _Slots(price, [_tally(each, convert) for each in price.prices])
    if isinstance(price, Percentage) and price.kind == "order":
        return _Order(price, convert)
    if isinstance(price, Percentage | EventTiers | Dynamic):
        return _Each(price, convert)
    return _Curve(price, convert)
