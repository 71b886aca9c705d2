"""Tiers: ascending inclusive upper bounds, the last one open, each with a factor and a flat amount.

`bounds` holds every bound but the open one, so `bisect_left(bounds, q)` is the index of the tier that holds
`q`: a bound belongs to the tier it ends, and just above it the next begins.
"""

from __future__ import annotations

from dataclasses import dataclass

from rating.errors import PriceError
from rating.numbers import AMOUNT_DIGITS, QTY_DIGITS, quantity, shown, text
from rating.prices.fields import Doc, choice, documents, money, number, percent_factor, positive, unit_factor

_FACTORS = {"unit_amount": unit_factor, "rate": percent_factor}
_FACTOR_DIGITS = AMOUNT_DIGITS - QTY_DIGITS


@dataclass(frozen=True, slots=True)
class Tiers:
    """`factors[i] × quantity` is an amount; `units[i]` its text; `flats[i]` one; `at_zero` is due at Q = 0."""

    bounds: tuple[int, ...]
    factors: tuple[int, ...]
    units: tuple[str | None, ...]
    flats: tuple[int, ...]
    at_zero: int


def read_tiers(doc: Doc, at: str, factor: str | None) -> Tiers:
    """The tiers of a price document; `factor` names the field that multiplies the quantity, if any does.

    Raises `PriceError` for bounds that do not ascend or no open last tier.
    """
    rows = documents(doc, "tiers", at)
    factors: list[int] = []
    units: list[str | None] = []
    flats: list[int] = []
    for index, row in enumerate(rows):
        here = f"{at}.tiers[{index}]"
        factors.append(number(row, factor, here, _FACTORS[factor], 0) if factor else 0)
        units.append(text(factors[-1], _FACTOR_DIGITS) if factor else None)
        flats.append(number(row, "flat_amount", here, money, 0))
    skips = choice(doc, "zero_usage", at, ("charge", "skip")) == "skip"
    at_zero = 0 if skips else flats[0]
    return Tiers(_bounds(rows, at), tuple(factors), tuple(units), tuple(flats), at_zero)


def _bounds(rows: list[Doc], at: str) -> tuple[int, ...]:
    bounds: list[int] = []
    for index, row in enumerate(rows[:-1]):
        here = f"{at}.tiers[{index}]"
        if row.get("up_to") is None:
            raise PriceError(f"{here}.up_to is null: only the last tier is open")
        bound = positive(row, "up_to", here, quantity)
        if bounds and bound <= bounds[-1]:
            raise PriceError(f"{here}.up_to is {shown(row['up_to'])}: each must be above the one before")
        bounds.append(bound)
    last = rows[-1].get("up_to")
    if last is not None:
        raise PriceError(f"{at}.tiers[{len(rows) - 1}].up_to is {shown(last)}: the last tier's must be null")
    return tuple(bounds)
