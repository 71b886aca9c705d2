"""What a price model is: a function from an aggregate to a total, in one of four shapes.

    quantity   one number Q                            total(q)            flat, per_unit, graduated, volume …
    each       a running sum of what each event costs  fee(event)          dynamic, tiers of `scope: event`
    slots      one price a slot, an event in one       slot(time), prices  scheduled
    order      all events, in the order of time        total_of(events)    percentage with an allowance

Rating emits `price(after) − price(before)`, so for each shape a retraction is the same step backwards:
subtract from Q, subtract the fee, subtract from the slot's Q, take the event out of the list.
`charge.Rule.event_parts` prices a list of events whatever the shape.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from rating.prices.part import Part, differences

Kind = Literal["quantity", "each", "slots", "order"]


class PricedEvent(NamedTuple):
    """One event as event-priced models see it; sorted, a list of them is in the order of time, then key.

    `time` in microseconds, `key` orders equal times (source and id), `value` and `amount` in 10⁻¹².
    `tier_value` in 10⁻¹², or `None` where the value itself chooses the tier.
    """

    time: int
    key: str
    value: int
    amount: int = 0
    tier_value: int | None = None


class QuantityPrice(Protocol):
    """A price of one number. `q` is in 10⁻¹² units and counts as 0 when negative; totals are in 10⁻³⁶."""

    def total(self, q: int) -> int: ...

    def parts(self, q: int) -> tuple[Part, ...]: ...

    def between(self, low: int, high: int) -> tuple[Part, ...]: ...


class Curve:
    """What the models of kind `quantity` share."""

    __slots__ = ()

    def between(self: QuantityPrice, low: int, high: int) -> tuple[Part, ...]:
        """What changes in the parts where Q goes from `low` to `high`. A model that knows a shorter way may take it."""
        return differences(self.parts(low), self.parts(high))
