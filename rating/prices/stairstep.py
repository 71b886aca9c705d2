"""`stairstep`: the flat amount of the tier that holds Q."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import ClassVar, Self

from rating.prices.fields import Doc
from rating.prices.part import Part
from rating.prices.protocol import Curve, Kind
from rating.prices.tiers import Tiers, read_tiers


@dataclass(frozen=True, slots=True)
class Stairstep(Curve):
    kind: ClassVar[Kind] = "quantity"
    tiers: Tiers

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        return cls(read_tiers(doc, at, None))

    def total(self, q: int) -> int:
        return self.tiers.flats[bisect_left(self.tiers.bounds, q)] if q > 0 else self.tiers.at_zero

    def parts(self, q: int) -> tuple[Part, ...]:
        amount = self.total(q)
        if q <= 0 and not amount:
            return ()
        return (Part(bisect_left(self.tiers.bounds, max(q, 0)) + 1, max(q, 0), None, amount),)
