"""`package`: whole packages in what is beyond the free units, rounded up or down, × their amount."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from rating.numbers import quantity
from rating.prices.fields import Doc, choice, money, number, positive
from rating.prices.part import Part
from rating.prices.protocol import Curve, Kind


@dataclass(frozen=True, slots=True)
class Package(Curve):
    kind: ClassVar[Kind] = "quantity"
    size: int
    amount: int
    free: int
    rounds_up: bool

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        size = positive(doc, "package_size", at, quantity)
        amount = number(doc, "package_amount", at, money)
        free = number(doc, "free_units", at, quantity, 0)
        return cls(size, amount, free, choice(doc, "round", at, ("up", "down")) == "up")

    def total(self, q: int) -> int:
        charged = q - self.free
        if charged <= 0:
            return 0
        packages = -(-charged // self.size) if self.rounds_up else charged // self.size
        return packages * self.amount

    def parts(self, q: int) -> tuple[Part, ...]:
        if q <= 0:
            return ()
        free = Part(None, min(q, self.free), "0", 0)
        charged = Part(None, q - free.quantity, None, self.total(q))
        return tuple(part for part in (free, charged) if part.quantity)
