"""`dynamic`: the sum of the events' own amounts × a multiplier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from rating.errors import PriceError
from rating.numbers import AMOUNT_DIGITS, QTY_DIGITS, RATE_DIGITS, rate, shown, text
from rating.prices.fields import Doc, number
from rating.prices.part import Part, merged
from rating.prices.protocol import Kind, PricedEvent

_WIDENING = 10 ** (AMOUNT_DIGITS - QTY_DIGITS - RATE_DIGITS)


@dataclass(frozen=True, slots=True)
class Dynamic:
    """`path` says where an event has its amount; `factor × amount` is a total. Negative amounts give back."""

    kind: ClassVar[Kind] = "each"
    path: str
    factor: int

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        path = doc.get("amount")
        if not isinstance(path, str) or not path.startswith("$"):
            raise PriceError(f"{at}.amount is {shown(path)}: it must be a path like $.cost")
        return cls(path, number(doc, "multiplier", at, rate, 10**RATE_DIGITS) * _WIDENING)

    def fee(self, event: PricedEvent) -> int:
        return event.amount * self.factor

    def parts_of(self, events: Sequence[PricedEvent]) -> tuple[Part, ...]:
        unit = text(self.factor, AMOUNT_DIGITS - QTY_DIGITS)
        amount = sum(event.amount for event in events)
        return merged([Part(None, amount, unit, amount * self.factor)])
