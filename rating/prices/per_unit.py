"""`per_unit`: quantity × unit amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from rating.numbers import AMOUNT_DIGITS, QTY_DIGITS, text
from rating.prices.fields import Doc, number, unit_factor
from rating.prices.part import Part
from rating.prices.protocol import Curve, Kind


@dataclass(frozen=True, slots=True)
class PerUnit(Curve):
    """`factor × quantity` is an amount; `unit` is its text."""

    kind: ClassVar[Kind] = "quantity"
    factor: int
    unit: str

    @classmethod
    def of(cls, factor: int) -> Self:
        return cls(factor, text(factor, AMOUNT_DIGITS - QTY_DIGITS))

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        return cls.of(number(doc, "unit_amount", at, unit_factor))

    def total(self, q: int) -> int:
        return q * self.factor if q > 0 else 0

    def parts(self, q: int) -> tuple[Part, ...]:
        return (Part(None, q, self.unit, q * self.factor),) if q > 0 else ()
