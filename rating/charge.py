"""A charge's rule: the one place that knows the order of the modifiers.

    convert → included → price → discount_percent     for each dimension group
    → minimum → maximum, or commitment                over the sum of the groups
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rating import numbers
from rating.errors import PriceError
from rating.numbers import half_even
from rating.prices import UNPRICED, Matrix, Part, Percentage, Price, PricedEvent, QuantityPrice, price_of
from rating.prices.fields import money, number, optional
Doc = Mapping[str, Any]
_HUNDRED = 100 * 10**numbers.DISCOUNT_DIGITS


@dataclass(frozen=True, slots=True)
class Convert:
    multiply: int
    divide: int
    rounding: str

    def apply(self, quantity: int) -> int:
        converted = half_even(quantity * self.multiply, self.divide)
        if self.rounding == "up":
            return -(-converted // numbers.QTY) * numbers.QTY
        if self.rounding == "down":
            return converted // numbers.QTY * numbers.QTY
        if self.rounding == "half_up":
            return (2 * converted + numbers.QTY) // (2 * numbers.QTY) * numbers.QTY
        return converted


@dataclass(frozen=True, slots=True)
class Rule:
    price: Price
    convert: Convert | None
    included: int
    discount: int
    minimum: int | None
    maximum: int | None

    def curve(self, dimensions: Mapping[str, str]) -> QuantityPrice:
        if isinstance(self.price, Matrix):
            return self.price.curve_of(dimensions) or UNPRICED
        return self.price

    def charged(self, quantity: int, included: int) -> int:
        q = quantity if self.convert is None else self.convert.apply(quantity)
        q -= included
        return q if q > 0 else 0

    def discounted(self, amount: int) -> int:
        return amount if not self.discount else amount * (_HUNDRED - self.discount) // _HUNDRED


def rule_from(doc: Doc) -> Rule:
    convert = doc.get("convert")
    return Rule(
        price_of(doc["price"]),
        None if not convert else Convert(
            numbers.quantity(convert.get("multiply", "1")), numbers.quantity(convert.get("divide", "1")), convert.get("round", "none")),
        numbers.quantity(doc.get("included", "0")),
        numbers.scaled(doc.get("discount_percent", "0"), 4),
        None if doc.get("minimum") is None else numbers.amount(doc["minimum"]),
        None if doc.get("maximum") is None else numbers.amount(doc["maximum"]),
    )
