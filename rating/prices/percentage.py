"""`percentage`: events in the order of time, each a share of its value and a fixed amount, after free ones.

Events are free while both allowances last; the first of `free_events` and `free_amount` that is used up ends
both. An event that crosses `free_amount` is free for the part that was left. The fee of one that is not
wholly free is its charged value × rate / 100 + `fixed_amount`, raised to `event_min` and cut to `event_max`.
An event of negative value (a correction) costs nothing and uses nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from rating.errors import PriceError
from rating.numbers import quantity
from rating.prices.fields import Doc, events_count, money, number, optional, percent_factor
from rating.prices.part import Part, merged
from rating.prices.protocol import Kind, PricedEvent


class Run(NamedTuple):
    """What some events came to: their free and charged quantities, their fees, and what is left of the allowances."""

    free: int
    charged: int
    fee: int
    events_left: int | None
    amount_left: int | None

    def parts(self) -> tuple[Part, ...]:
        """Free and charged."""
        return merged([Part(None, self.free, "0", 0), Part(None, self.charged, None, self.fee)])


@dataclass(frozen=True, slots=True)
class Percentage:
    """`factor × value` is an amount. An allowance that is not given is `None` and never used up."""

    factor: int
    fixed: int
    free_events: int | None
    free_amount: int | None
    event_min: int | None
    event_max: int | None

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        found = cls(
            number(doc, "rate", at, percent_factor),
            number(doc, "fixed_amount", at, money, 0),
            optional(doc, "free_events", at, events_count),
            optional(doc, "free_amount", at, quantity),
            optional(doc, "event_min", at, money),
            optional(doc, "event_max", at, money),
        )
        if found.event_min is not None and found.event_max is not None and found.event_min > found.event_max:
            raise PriceError(f"{at}.event_min is above {at}.event_max: lower it")
        return found

    @property
    def kind(self) -> Kind:
        """Without an allowance every event is priced by itself."""
        return "each" if self.free_events is None and self.free_amount is None else "order"

    def fee(self, event: PricedEvent) -> int:
        """What an event costs that no allowance touches."""
        return self._fee(event.value) if event.value >= 0 else 0

    def total_of(self, events: Sequence[PricedEvent]) -> int:
        return self.run(events).fee

    def parts_of(self, events: Sequence[PricedEvent]) -> tuple[Part, ...]:
        return self.run(events).parts()

    def run(self, events: Sequence[PricedEvent], before: Run | None = None) -> Run:
        """What events come to, after those of `before`; all in their order."""
        free, charged, fee, events_left, amount_left = before or (0, 0, 0, self.free_events, self.free_amount)
        lasting = self.kind == "order"
        for event in events:
            if event.value < 0:
                continue
            lasting = lasting and events_left != 0 and amount_left != 0
            if not lasting:
                charged += event.value
                fee += self._fee(event.value)
                continue
            part = event.value if amount_left is None else min(event.value, amount_left)
            rest = event.value - part
            free += part
            charged += rest
            fee += self._fee(rest) if rest else 0
            events_left = None if events_left is None else events_left - 1
            amount_left = None if amount_left is None else amount_left - part
        return Run(free, charged, fee, events_left, amount_left)

    def _fee(self, charged: int) -> int:
        fee = charged * self.factor + self.fixed
        if self.event_min is not None and fee < self.event_min:
            fee = self.event_min
        return self.event_max if self.event_max is not None and fee > self.event_max else fee
