"""`scope: event` on `graduated` and `volume`: each event is priced by itself.

Without `tier_value` the event's own value stands for Q. With it, the tier that holds the event's tier value
prices all of the event: a long prompt makes every token of its request dearer.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from rating.errors import PriceError
from rating.numbers import shown
from rating.prices.fields import Doc
from rating.prices.graduated import Graduated
from rating.prices.part import Part, merged
from rating.prices.protocol import Kind, PricedEvent
from rating.prices.volume import Volume


@dataclass(frozen=True, slots=True)
class EventTiers:
    """`curve` prices an event without tier value, `whole` one with it; `tier_value` is a path."""

    kind: ClassVar[Kind] = "each"
    curve: Graduated | Volume
    whole: Volume
    tier_value: str | None

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        path = doc.get("tier_value")
        if path is not None and not isinstance(path, str):
            raise PriceError(f"{at}.tier_value is {shown(path)}: it must be a path like $.input_tokens")
        whole = Volume.from_doc(doc, at)
        curve = Graduated.from_doc(doc, at) if doc.get("model") == "graduated" else whole
        return cls(curve, whole, path)

    def fee(self, event: PricedEvent) -> int:
        if self.tier_value is None or event.tier_value is None:
            return self.curve.total(event.value)
        return sum(part.amount for part in self._parts(event))

    def parts_of(self, events: Sequence[PricedEvent]) -> tuple[Part, ...]:
        return merged(part for event in events for part in self._parts(event))

    def _parts(self, event: PricedEvent) -> tuple[Part, ...]:
        if self.tier_value is None or event.tier_value is None or event.value <= 0:
            return self.curve.parts(event.value)
        tier = bisect_left(self.whole.tiers.bounds, max(event.tier_value, 0))
        return self.whole.parts_in(tier, event.value)
