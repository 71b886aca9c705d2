"""Reads the fields of a price document: exact, and every refusal names field, value and what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rating.errors import NumberError, PriceError
from rating.numbers import (
    AMOUNT_DIGITS,
    QTY_UNIT_TO_AMOUNT,
    UNIT_DIGITS,
    Number,
    quantity,
    rate,
    scaled,
    shown,
    unit_amount,
)

Doc = Mapping[str, Any]
_UNIT_TO_AMOUNT: int = 10 ** (AMOUNT_DIGITS - UNIT_DIGITS)
PERCENT_TO_AMOUNT = 10**16
"""Makes quantity (10⁻¹²) × rate in percent (10⁻⁶) an amount: 12 + 6 + 2 digits of the hundred + 16 = 36."""


def number(doc: Doc, name: str, at: str, read: Callable[[Number], int], default: int | None = None) -> int:
    """The scaled number of a field, never negative; absent or null: `default`, or an error without one."""
    found = optional(doc, name, at, read)
    if found is not None:
        return found
    if default is None:
        raise PriceError(f"{at}.{name} is missing: give it a decimal number")
    return default


def optional(doc: Doc, name: str, at: str, read: Callable[[Number], int]) -> int | None:
    """The scaled number of a field, never negative, or `None` where it is absent or null."""
    value = doc.get(name)
    if value is None:
        return None
    try:
        found = read(value)
    except NumberError as error:
        raise PriceError(f"{at}.{name}: {error}") from None
    if found < 0:
        raise PriceError(f"{at}.{name} is {shown(value)}: it cannot be negative")
    return found


def positive(doc: Doc, name: str, at: str, read: Callable[[Number], int]) -> int:
    """The scaled number of a field that must be there and above zero."""
    found = number(doc, name, at, read)
    if not found:
        raise PriceError(f"{at}.{name} is 0: it must be more than 0")
    return found


def choice(doc: Doc, name: str, at: str, allowed: tuple[str, ...]) -> str:
    """A word among the allowed ones; the first where the field is absent."""
    value = doc.get(name)
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise PriceError(f"{at}.{name} is {shown(value)}: use one of {', '.join(allowed)}")
    return str(value)


def document(value: object, at: str) -> Doc:
    """A mapping."""
    if not isinstance(value, Mapping):
        raise PriceError(f"{at} is {shown(value)}: it must be a mapping of fields")
    return value


def documents(doc: Doc, name: str, at: str) -> list[Doc]:
    """A list of mappings, not empty."""
    value = doc.get(name)
    if not isinstance(value, list | tuple) or not value:
        raise PriceError(f"{at}.{name} is {shown(value)}: it must be a list with at least one entry")
    return [document(entry, f"{at}.{name}[{index}]") for index, entry in enumerate(value)]


def money(value: Number) -> int:
    """An amount inside a price, in 10⁻³⁶: at most 15 fractional digits, as a unit amount."""
    return scaled(value, UNIT_DIGITS) * _UNIT_TO_AMOUNT


def unit_factor(value: Number) -> int:
    """A unit amount, scaled so that `quantity × factor` is an amount."""
    return unit_amount(value) * QTY_UNIT_TO_AMOUNT


def percent_factor(value: Number) -> int:
    """A rate in percent, scaled so that `quantity × factor` is an amount."""
    return rate(value) * PERCENT_TO_AMOUNT


def events_count(value: Number) -> int:
    """A whole number of events."""
    found = quantity(value)
    if found % 10**12:
        raise NumberError(f"{shown(value)} is not a whole number")
    return found // 10**12
