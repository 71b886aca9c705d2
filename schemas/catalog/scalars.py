"""The exact scalars of catalogs and commands, each a reader that gives the canonical value or says what is wrong.

Numbers never pass through a binary float: they arrive as literal text (`Literal`, `str`), `int` or `Decimal`, and the
models hold canonical text (`"0.000002"`), so that a model's dump is the canonical form already.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from rating import numbers
from rating.currencies import CURRENCIES
from rating.errors import NumberError, TimeError
from rating.paths import PATH
from rating.times import format_time, parse_duration, parse_time
from schemas.catalog.base import Literal, suggestion, wrong

KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
ID = re.compile(r"[!-.0-~]{1,128}", re.ASCII)
TEXT_MAX = 256


def decimal(
    digits: int, least: str | None = "0", most: str | None = None, above: bool = False
) -> Callable[[object], str]:
    """A reader of exact decimals; `least` `None` admits negative ones, `above` refuses 0."""

    def read(value: object) -> str:
        number = exact(value, digits)
        if least is not None and (number < 0 or (above and number == 0)):
            need = "more than 0" if above else "0 or more"
            raise wrong(f"is {'0' if number == 0 else 'negative'}", f"give {need}")
        if most is not None and number > int(most) * 10**digits:
            raise wrong(f"is more than {most}", f"give {most} or less")
        return numbers.text(number, digits)

    return read


def exact(value: object, digits: int) -> int:
    """`value × 10^digits`; raises `wrong` for what is no exact decimal of that many fractional digits."""
    if isinstance(value, float):
        raise wrong("is a binary float", "hand it in as a decimal string")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise wrong("is not a number", 'write a decimal, like "0.000002"')
    if isinstance(value, str) and value.lstrip("+-.").lower() in ("inf", "infinity"):
        raise wrong("is not a finite number", "write null where there is no bound")
    try:
        return numbers.scaled(str(value) if isinstance(value, str) else value, digits)
    except NumberError as error:
        text = str(error)
        if "integer digits" in text:
            raise wrong(
                f"has more than {numbers.INTEGER_DIGITS_MAX} integer digits", "give a smaller number"
            ) from None
        if "fractional digits" in text:
            raise wrong(f"has more than {digits} fractional digits", f"give at most {digits}") from None
        raise wrong("is not a decimal number", 'write a decimal, like "0.000002"') from None


def _matching(pattern: re.Pattern[str], problem: str, remedy: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return str(value)
        raise wrong(problem, remedy)

    return read


def _key(value: object) -> str:
    if isinstance(value, str) and KEY.fullmatch(value):
        return str(value)
    text = re.sub(r"[^a-z0-9_-]+", "-", str(value).lower()).strip("-_") if isinstance(value, str) else ""
    text = re.sub(r"^[^a-z]+", "", text)[:63]
    like = f"write {text}" if text else "write one like input-tokens"
    raise wrong("is not a key: a small letter, then up to 62 of a-z, 0-9, _ and -", like)


def _text(value: object) -> str:
    if isinstance(value, bool):
        raise wrong("is a boolean, not a text", "put it in quotes if it is meant as a text")
    if (
        isinstance(value, str)
        and 0 < len(value) <= TEXT_MAX
        and value.isprintable()
        and value.strip() == value
    ):
        return str(value)
    if isinstance(value, str) and len(value) > TEXT_MAX:
        raise wrong(f"has {len(value)} characters", f"give at most {TEXT_MAX}")
    raise wrong("is not a text", "write a text of printable characters without spaces around it")


def scalar(value: object) -> str:
    """A text, number or boolean as metering compares it: text, numbers plainly."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Literal | int | Decimal):
        return numbers.text(exact(value, numbers.QTY_DIGITS), numbers.QTY_DIGITS)
    if isinstance(value, str) and len(value) <= TEXT_MAX:
        return str(value)
    raise wrong("is not a text, number or boolean", f"write one of at most {TEXT_MAX} characters")


def _scalars(value: object) -> list[str]:
    found = [scalar(each) for each in (value if isinstance(value, list | tuple) else [value])]
    if not found:
        raise wrong("is empty, so nothing matches", "name at least one value")
    if len(found) > 1000:
        raise wrong(f"has {len(found)} values", "name at most 1000")
    return sorted(set(found))


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise wrong("is not true or false", "write true or false, without quotes")


def integer(least: int, most: int) -> Callable[[object], int]:
    """A reader of whole numbers of a range, from an `int` or its text."""

    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", value, re.ASCII):
            value = int(value)
        if type(value) is not int:
            raise wrong("is not a whole number", f"write one from {least} to {most}")
        if not least <= value <= most:
            raise wrong("is out of range", f"write a whole number from {least} to {most}")
        return value

    return read


def time(value: object) -> str:
    try:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return format_time(parse_time(str(value) if isinstance(value, str) else value))
    except (TimeError, OverflowError):
        raise wrong("is not an RFC 3339 time", "write it like 2026-01-01T00:00:00Z") from None


def duration(least: int = 1, most: int = 3660 * 86_400_000_000) -> Callable[[object], str]:
    """A reader of durations between two bounds, in microseconds."""

    def read(value: object) -> str:
        try:
            length = parse_duration(str(value) if isinstance(value, str) else value)
        except TimeError:
            raise wrong("is not a duration", "write a number with s, m, h or d, like 5h") from None
        if not least <= length <= most:
            raise wrong("is out of range", "write a shorter one" if length > most else "write a longer one")
        return str(value)

    return read


def _currency(value: object) -> str:
    if isinstance(value, str) and value in CURRENCIES:
        return str(value)
    meant = suggestion(str(value).upper(), CURRENCIES) if isinstance(value, str) else None
    like = value.upper() if isinstance(value, str) and value.upper() in CURRENCIES else meant
    raise wrong("is not a currency of ISO 4217", f"did you mean {like}?" if like else "write a code like USD")


def _unit(value: object) -> str:
    if isinstance(value, str) and (value in CURRENCIES or KEY.fullmatch(value)):
        return str(value)
    if isinstance(value, str) and value.upper() == value:
        return _currency(value)
    raise wrong("is neither a currency nor a key", "write a code like USD, or a credit unit like ai-credit")


@lru_cache(maxsize=1024)
def _zone_exists(name: str) -> bool:
    try:
        return bool(ZoneInfo(name).key)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError; folders and odd names raise these
        return False
    except KeyError:
        return False


def _timezone(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_+\-/]{1,64}", value) and _zone_exists(str(value)):
        return str(value)
    raise wrong("is not a time zone of the IANA database", "write one like Europe/Berlin or UTC")


Key = Annotated[str, BeforeValidator(_key)]
Id = Annotated[
    str,
    BeforeValidator(
        _matching(ID, "is not an id", "write 1 to 128 printable ASCII characters without space and /")
    ),
]
Path = Annotated[
    str,
    BeforeValidator(
        _matching(PATH, "is not a path", "write one like $.model, $.usage.tokens or $subject.team")
    ),
]
_PROPERTY = re.compile(rf"[A-Za-z_][A-Za-z0-9_-]{{0,62}}|{PATH.pattern}", re.ASCII)
Property = Annotated[
    str,
    BeforeValidator(
        _matching(_PROPERTY, "is not a property", "write a property's name like region, or a path like $.a.b")
    ),
]
Text = Annotated[str, BeforeValidator(_text)]
Scalars = Annotated[list[str], BeforeValidator(_scalars)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]
Time = Annotated[str, BeforeValidator(time)]
Duration = Annotated[str, BeforeValidator(duration())]
Currency = Annotated[str, BeforeValidator(_currency)]
Unit = Annotated[str, BeforeValidator(_unit)]
Timezone = Annotated[str, BeforeValidator(_timezone)]
Quantity = Annotated[str, BeforeValidator(decimal(numbers.QTY_DIGITS))]
PositiveQuantity = Annotated[str, BeforeValidator(decimal(numbers.QTY_DIGITS, above=True))]
Amount = Annotated[str, BeforeValidator(decimal(numbers.QTY_DIGITS))]
PositiveAmount = Annotated[str, BeforeValidator(decimal(numbers.QTY_DIGITS, above=True))]
UnitAmount = Annotated[str, BeforeValidator(decimal(numbers.UNIT_DIGITS))]
Rate = Annotated[str, BeforeValidator(decimal(numbers.RATE_DIGITS))]
PositiveRate = Annotated[str, BeforeValidator(decimal(numbers.RATE_DIGITS, above=True))]
Discount = Annotated[str, BeforeValidator(decimal(numbers.DISCOUNT_DIGITS, most="100"))]
OverageFactor = Annotated[str, BeforeValidator(decimal(numbers.OVERAGE_DIGITS))]
SignedNumber = Annotated[str, BeforeValidator(decimal(numbers.QTY_DIGITS, least=None))]
WholeNumber = Annotated[str, BeforeValidator(decimal(0))]
"""A whole number as text, as prices write counts of events."""
