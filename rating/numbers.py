"""Exact numbers as scaled integers: the one home of scale and rounding.

A quantity is an integer of 10⁻¹² units, an amount of 10⁻³⁶ of its currency, a unit amount of 10⁻¹⁵. So
`quantity × unit amount` has 27 digits and is an amount after `× 10⁹`, and nothing is ever rounded on the way.
Floats are refused: a number is read from its literal text.

>>> text(quantity("374") * unit_amount("0.000002") * 10**9, AMOUNT_DIGITS)
'0.000748'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from rating.errors import NumberError, Overflow

QTY_DIGITS = 12
UNIT_DIGITS = 15
AMOUNT_DIGITS = 36
AMOUNT_INTEGERS = 40
RATE_DIGITS = 6
"""Of rates (percent) and multipliers."""
DISCOUNT_DIGITS = 4
OVERAGE_DIGITS = 3
INTEGER_DIGITS_MAX = 18
QTY: int = 10**QTY_DIGITS
UNIT: int = 10**UNIT_DIGITS
AMOUNT: int = 10**AMOUNT_DIGITS
QTY_UNIT_TO_AMOUNT: int = 10 ** (AMOUNT_DIGITS - QTY_DIGITS - UNIT_DIGITS)
AMOUNT_MAX: int = 10**76 - 1
"""`Decimal(76, 36)` in the tables."""
QUANTITY_MAX: int = 10**38 - 1
"""`Decimal(38, 12)` in the tables."""
_INTEGER_LIMIT: int = 10**INTEGER_DIGITS_MAX
_SHORT_TEXT_MAX = 15
_QTY_TO_AMOUNT: int = 10 ** (AMOUNT_DIGITS - QTY_DIGITS)
# At most so many digits and exponents are looked at, so that a giant literal costs nothing to refuse.
_LITERAL = re.compile(r"([+-]?)([0-9]{0,80})(?:\.([0-9]{0,80}))?(?:[eE]([+-]?[0-9]{1,4}))?", re.ASCII)
Number = int | str | Decimal


def scaled(value: Number, digits: int, integers: int = INTEGER_DIGITS_MAX) -> int:
    """`value × 10^digits`, exactly.

    Takes an `int`, a `Decimal` or a decimal literal (`"1e3"` too). Raises `NumberError` for anything else (a
    float, a bool, NaN), more than `digits` fractional or `integers` integer digits.
    """
    if type(value) is int:
        limit: int = 10**integers
        if -limit < value < limit:
            return value * _power(digits)
        raise NumberError(f"{shown(value)} has more than {integers} integer digits")
    if isinstance(value, Decimal):
        value = str(value) if value.is_finite() else "not finite"
    if not isinstance(value, str):
        raise NumberError(f"{shown(value)} is not an exact number: write it as a decimal string")
    found = _LITERAL.fullmatch(value)
    if found is None or not (found[2] or found[3]):
        raise NumberError(f"{shown(value)} is not a decimal number of at most 80 digits")
    whole, fraction = found[2], found[3] or ""
    point = int(found[4] or 0) - len(fraction)
    mantissa = (whole + fraction).lstrip("0")
    significant = mantissa.rstrip("0")
    if not significant:
        return 0
    point += len(mantissa) - len(significant)
    if len(significant) + point > integers:
        raise NumberError(f"{shown(value)} has more than {integers} integer digits")
    if -point > digits:
        raise NumberError(f"{shown(value)} has more than {digits} fractional digits")
    result = int(significant) * _power(point + digits)
    return -result if found[1] == "-" else result


def _power(digits: int) -> int:
    power: int = 10**digits
    return power


def shown(value: object) -> str:
    """A value as errors show it, the way it is written in JSON and YAML: at most 40 characters."""
    text_ = _written(value, _LEVELS_SHOWN)
    return text_ if len(text_) <= 40 else text_[:37] + "…"


_LEVELS_SHOWN = 4
_ITEMS_SHOWN = 10


def _written(value: object, levels: int) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return _digits(value)
        case str():
            return repr(value)
        case Mapping() | list() | tuple() if levels == 0:
            return "…"
        case Mapping():
            few = islice(value.items(), _ITEMS_SHOWN)
            return "{" + ", ".join(f"{name}: {_written(item, levels - 1)}" for name, item in few) + "}"
        case list() | tuple():
            return "[" + ", ".join(_written(item, levels - 1) for item in value[:_ITEMS_SHOWN]) + "]"
    return str(value)


def _digits(value: int) -> str:
    return str(value) if value.bit_length() < 400 else "a number of over 120 digits"


def quantity(value: Number) -> int:
    """A quantity in 10⁻¹² units: at most 12 fractional and 18 integer digits. The hot one."""
    if type(value) is int:
        if -_INTEGER_LIMIT < value < _INTEGER_LIMIT:
            return value * QTY
    elif type(value) is str and len(value) <= _SHORT_TEXT_MAX and value.isascii() and value.isdigit():
        return int(value) * QTY
    return scaled(value, QTY_DIGITS)


def unit_amount(value: Number) -> int:
    """A unit amount in 10⁻¹⁵."""
    return scaled(value, UNIT_DIGITS)


def rate(value: Number) -> int:
    """A rate in percent, or a multiplier, in 10⁻⁶."""
    return scaled(value, RATE_DIGITS)


def amount(value: Number) -> int:
    """An amount in 10⁻³⁶; what a catalog or a command states has at most 12 fractional digits."""
    return scaled(value, QTY_DIGITS) * _QTY_TO_AMOUNT


def widened(value: int) -> int:
    """An amount of 12 digits, as proration has them, in 10⁻³⁶."""
    return value * _QTY_TO_AMOUNT


def text(value: int, digits: int) -> str:
    """A scaled integer as a plain decimal: no exponent, no `+`, no trailing zeros, never `-0`."""
    if value < 0:
        return f"-{text(-value, digits)}"
    whole, fraction = divmod(value, 10**digits)
    return f"{whole}.{str(fraction).zfill(digits).rstrip('0')}" if fraction else str(whole)


@lru_cache(maxsize=4096)
def quantity_text(value: int) -> str:
    """A quantity as text. A line shows most of its figures twice, so the last ones are kept."""
    return text(value, QTY_DIGITS)


@lru_cache(maxsize=4096)
def amount_text(value: int) -> str:
    """An amount as text, kept likewise."""
    return text(value, AMOUNT_DIGITS)


def half_even(numerator: int, denominator: int) -> int:
    """`numerator / denominator` to the nearest integer, ties to the even one. The denominator is positive."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole & 1))


def check_amount(value: int) -> int:
    """The amount itself, or `Overflow` where a table could not hold it."""
    if -AMOUNT_MAX <= value <= AMOUNT_MAX:
        return value
    raise Overflow("an amount has more than 40 integer digits")


def check_quantity(value: int) -> int:
    """The quantity itself, or `Overflow` where a table could not hold it."""
    if -QUANTITY_MAX <= value <= QUANTITY_MAX:
        return value
    raise Overflow("a quantity has more than 26 integer digits")
