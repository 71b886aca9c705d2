"""`flat`: one amount a period, whatever the quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from rating.prices.fields import Doc, money, number
from rating.prices.part import Part
from rating.prices.protocol import Curve, Kind


@dataclass(frozen=True, slots=True)
class Flat(Curve):
    kind: ClassVar[Kind] = "quantity"
    amount: int

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        return cls(number(doc, "amount", at, money))

    def total(self, q: int) -> int:
        return self.amount

    def parts(self, q: int) -> tuple[Part, ...]:
        return (Part(None, max(q, 0), None, self.amount),)
