"""`scheduled`: an event counts by the local time at which it happens, each entry with a price and a Q of its
own.

The first entry that the local time falls in takes the event, else the default. `from` is inclusive, `to`
exclusive, `24:00` ends the day; a `to` not after `from` runs past midnight and belongs to the day it began
on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Generic, NamedTuple, Self, TypeVar

from rating.errors import PriceError, TimeError
from rating.numbers import shown
from rating.periods import zone
from rating.prices.fields import Doc, document, documents
from rating.prices.protocol import Kind
from rating.times import SECOND

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)
_DAY_S = 86_400
Entry = TypeVar("Entry")
"""What prices an entry."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Span(NamedTuple):
    """Local time of some weekdays (0 is Monday), in seconds of the day; `end` may pass `_DAY_S`."""

    days: frozenset[int]
    start: int
    end: int

    def holds(self, day: int, second: int) -> bool:
        """Whether a second of a weekday falls in, counted from that day or from the day before."""
        if day in self.days and self.start <= second < self.end:
            return True
        return (day - 1) % 7 in self.days and second + _DAY_S < self.end


@dataclass(frozen=True, slots=True)
class Scheduled(Generic[Entry]):
    """Slot `i` is entry `i`; the slot after the last entry is the default. `prices[slot]` is its price."""

    kind: ClassVar[Kind] = "slots"
    timezone: str
    spans: tuple[Span, ...]
    prices: tuple[Entry, ...]

    @classmethod
    def from_doc(cls, doc: Doc, at: str, nested: Callable[[Doc, str], Entry]) -> Self:
        """`nested` reads the price of an entry."""
        timezone = doc.get("timezone", "UTC")
        try:
            zone(timezone)
        except TimeError as error:
            raise PriceError(f"{at}.timezone: {error}") from None
        spans: list[Span] = []
        prices: list[Entry] = []
        for index, row in enumerate(documents(doc, "schedule", at)):
            here = f"{at}.schedule[{index}]"
            spans.append(_span(row, here))
            prices.append(nested(document(row.get("price"), f"{here}.price"), f"{here}.price"))
        prices.append(nested(document(doc.get("default"), f"{at}.default"), f"{at}.default"))
        return cls(timezone, tuple(spans), tuple(prices))

    def slot(self, time: int) -> int:
        day, second = _local(self.timezone, time // SECOND)
        for index, span in enumerate(self.spans):
            if span.holds(day, second):
                return index
        return len(self.spans)


@lru_cache(maxsize=65_536)
def _local(timezone: str, second: int) -> tuple[int, int]:
    """Weekday (0 is Monday) and second of the day: clocks change at whole seconds, so a second is enough."""
    local = (_EPOCH + timedelta(seconds=second)).astimezone(zone(timezone))
    return local.weekday(), local.hour * 3600 + local.minute * 60 + local.second


def _span(row: Doc, at: str) -> Span:
    days = row.get("days")
    if days is None:
        days = list(DAYS)
    if not isinstance(days, list | tuple) or not days or not all(day in DAYS for day in days):
        raise PriceError(f"{at}.days is {shown(days)}: use {', '.join(DAYS)}")
    start = _clock(row, "from", at, "00:00")
    end = _clock(row, "to", at, "24:00")
    if start == _DAY_S:
        raise PriceError(f"{at}.from is '24:00': an entry begins before the day ends, write 00:00")
    return Span(frozenset(map(DAYS.index, days)), start, end if end > start else end + _DAY_S)


def _clock(row: Doc, name: str, at: str, default: str) -> int:
    value = row.get(name, default)
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    seconds = int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0) if found else _DAY_S + 1
    if seconds > _DAY_S:
        raise PriceError(f"{at}.{name} is {shown(value)}: write a time of day like '18:30', at most '24:00'")
    return seconds
