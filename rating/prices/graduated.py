"""`graduated` and `graduated_percentage`: each tier prices the part of Q that falls into it.

A tier's flat amount is added once Q enters it. The total of a tier's start is computed once, so that a total
costs one search and one product.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from rating.prices.fields import Doc
from rating.prices.part import Part
from rating.prices.protocol import Curve, Kind
from rating.prices.tiers import Tiers, read_tiers


@dataclass(frozen=True, slots=True)
class Graduated(Curve):
    """`bases[i] + q × factors[i]` is the total of a `q` in tier `i`."""

    kind: ClassVar[Kind] = "quantity"
    factor_field: ClassVar[str] = "unit_amount"
    tiers: Tiers
    bounds: tuple[int, ...]
    factors: tuple[int, ...]
    bases: tuple[int, ...]
    at_zero: int

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        tiers = read_tiers(doc, at, cls.factor_field)
        return cls(tiers, tiers.bounds, tiers.factors, tuple(_bases(tiers)), tiers.at_zero)

    def total(self, q: int) -> int:
        if q <= 0:
            return self.at_zero
        tier = bisect_left(self.bounds, q)
        return self.bases[tier] + q * self.factors[tier]

    def parts(self, q: int) -> tuple[Part, ...]:
        if q <= 0:
            return (Part(1, 0, None, self.at_zero),) if self.at_zero else ()
        found: list[Part] = []
        lower = 0
        for index in range(bisect_left(self.bounds, q) + 1):
            upper = min(q, self.bounds[index]) if index < len(self.bounds) else q
            inside = upper - lower
            found.append(Part(index + 1, inside, self.tiers.units[index], inside * self.factors[index]))
            if self.tiers.flats[index]:
                found.append(Part(index + 1, 0, None, self.tiers.flats[index]))
            lower = upper
        return tuple(found)

    def between(self, low: int, high: int) -> tuple[Part, ...]:
        tier = bisect_left(self.bounds, high)
        if low > 0 and high > 0 and low != high and tier == bisect_left(self.bounds, low):
            inside = high - low
            return (Part(tier + 1, inside, self.tiers.units[tier], inside * self.factors[tier]),)
        # Where a bound is crossed: a quarter of a millisecond with the hundred tiers that a price may have.
        return Curve.between(self, low, high)


class GraduatedPercentage(Graduated):
    """As `graduated`, with `rate` percent of the part; its unit amount is the rate over a hundred."""

    __slots__ = ()
    factor_field = "rate"


def _bases(tiers: Tiers) -> Iterator[int]:
    lower = reached = 0
    for index, (factor, flat) in enumerate(zip(tiers.factors, tiers.flats, strict=True)):
        reached += flat
        yield reached - lower * factor
        if index < len(tiers.bounds):
            reached += (tiers.bounds[index] - lower) * factor
            lower = tiers.bounds[index]
