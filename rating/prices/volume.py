"""`volume`: the one tier that holds Q prices all of it, plus its flat amount."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import ClassVar, Self

from rating.prices.fields import Doc
from rating.prices.part import Part
from rating.prices.protocol import Curve, Kind
from rating.prices.tiers import Tiers, read_tiers


@dataclass(frozen=True, slots=True)
class Volume(Curve):
    kind: ClassVar[Kind] = "quantity"
    tiers: Tiers

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        return cls(read_tiers(doc, at, "unit_amount"))

    def total(self, q: int) -> int:
        tiers = self.tiers
        if q <= 0:
            return tiers.at_zero
        tier = bisect_left(tiers.bounds, q)
        return q * tiers.factors[tier] + tiers.flats[tier]

    def parts(self, q: int) -> tuple[Part, ...]:
        if q <= 0:
            return (Part(1, 0, None, self.tiers.at_zero),) if self.tiers.at_zero else ()
        return self.parts_in(bisect_left(self.tiers.bounds, q), q)

    def parts_in(self, tier: int, q: int) -> tuple[Part, ...]:
        """All of `q` at the price of one tier, counted from 0."""
        tiers = self.tiers
        priced = Part(tier + 1, q, tiers.units[tier], q * tiers.factors[tier])
        return (priced, Part(tier + 1, 0, None, tiers.flats[tier])) if tiers.flats[tier] else (priced,)
