"""Times in microseconds, decimals as fractions, and the two roundings of the contract: 12 digits, and proration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

Doc = dict[str, Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000
HOUR = 3_600_000_000
ACCEPT_PAST = 35 * DAY
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def moment(text: str) -> int:
    """Microseconds since 1970 of an RFC 3339 time."""
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // MICROSECOND


def shown(at: int) -> str:
    """The time as RFC 3339 in UTC, microseconds only where there are any."""
    return (EPOCH + timedelta(microseconds=at)).isoformat().replace("+00:00", "Z")


def duration(text: str) -> int:
    """Microseconds of `5h`, `14d`."""
    return int(text[:-1]) * SECONDS[text[-1]] * 1_000_000


@lru_cache(maxsize=10_000)
def exact(text: str) -> Fraction:
    """A decimal as it is written."""
    return Fraction(text)


def twelve(value: Fraction) -> Fraction:
    """To 12 fractional digits, half even."""
    return Fraction(round(value * 10**12), 10**12)


def part(whole: Fraction, period: tuple[int, int], begin: int, end: int) -> Fraction:
    """`P(x, [a, b))` of section Proration: the part of `x` in `[begin, end)` of the nominal period."""
    start, stop = period
    length = stop - start
    return twelve(whole * Fraction(end - start, length)) - twelve(whole * Fraction(begin - start, length))


def field(doc: Doc, name: str, unless: str = "0") -> Fraction:
    """A decimal field as a fraction."""
    value = doc.get(name)
    return Fraction(unless if value is None else str(value))
