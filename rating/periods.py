"""Billing periods and windows of a subscription: intervals `[start, end)` of microseconds, from its calendar
alone.

A calendar period begins at local midnight; an anchored one is counted from the anchor's local date and time,
so a day that a month lacks is its last, always counted from the anchor (31 January, 28 February, 31 March). A
local time that a clock change skips takes the offset before it, one that comes twice is the first, as RFC
5545 has it.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rating.errors import TimeError
from rating.times import DAY, HOUR, MINUTE

LENGTHS = ("day", "week", "month", "quarter", "year")
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONDAY = date(1970, 1, 5)
WINDOWS = {"1m": MINUTE, "1h": HOUR, "1d": DAY}


class Period(NamedTuple):
    """A nominal billing period. `start` belongs to it, `end` to the next; `number` counts from the origin."""

    start: int
    end: int
    number: int


class Calendar(NamedTuple):
    """How a subscription counts its periods: a length, a time zone, and an anchor where it has one."""

    length: str
    timezone: str = "UTC"
    anchor: int | None = None

    def at(self, moment: int) -> Period:
        """The period that holds the moment."""
        return _at(self, moment // HOUR, moment)

    def nth(self, index: int) -> Period:
        """The period with this index. Raises `TimeError` beyond the years 1 to 9999."""
        return Period(_start(self, index), _start(self, index + 1), index)

    def next(self, period: Period) -> Period:
        """The period after this one."""
        return self.nth(period.number + 1)


@lru_cache(maxsize=65_536)
def _in_hour(rule: Calendar, hour: int) -> tuple[Period, ...]:
    """The periods that share some moment with the hour: one, or more where a boundary lies in it."""
    index = _guess(rule, hour * HOUR)
    while _start(rule, index) > hour * HOUR:
        index -= 1
    while _start(rule, index + 1) <= hour * HOUR:
        index += 1
    found = [rule.nth(index)]
    # Where a zone crossed the date line a day is missing: its period is empty, and the next begins with it.
    while found[-1].end < (hour + 1) * HOUR:
        found.append(rule.nth(found[-1].number + 1))
    return tuple(found)


def _at(rule: Calendar, hour: int, moment: int) -> Period:
    for period in _in_hour(rule, hour):
        if moment < period.end:
            return period
    raise AssertionError("the periods of an hour reach past its end")


def _guess(rule: Calendar, moment: int) -> int:
    local = _local(rule.timezone, moment).date()
    origin = _origin(rule)
    if rule.length in _DAYS:
        return (local - origin).days // _DAYS[rule.length]
    return ((local.year - origin.year) * 12 + local.month - origin.month) // _MONTHS[rule.length]


@lru_cache(maxsize=65_536)
def _start(rule: Calendar, index: int) -> int:
    try:
        return _instant(rule.timezone, _local_start(rule, index))
    except (ValueError, OverflowError):
        raise TimeError(
            f"period {index} of {rule.length}s is beyond the calendar's years 1 to 9999"
        ) from None


def _local_start(rule: Calendar, index: int) -> datetime:
    origin = _origin(rule)
    at = time() if rule.anchor is None else _local(rule.timezone, rule.anchor).time()
    if rule.length in _DAYS:
        day = origin + timedelta(days=index * _DAYS[rule.length])
    else:
        months = origin.year * 12 + origin.month - 1 + index * _MONTHS[rule.length]
        year, month = divmod(months, 12)
        day = date(year, month + 1, min(origin.day, calendar.monthrange(year, month + 1)[1]))
    return datetime.combine(day, at)


def _origin(rule: Calendar) -> date:
    if rule.anchor is not None:
        return _local(rule.timezone, rule.anchor).date()
    return _MONDAY if rule.length == "week" else date(1970, 1, 1)


def _local(timezone: str, moment: int) -> datetime:
    return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone(timezone))


def _instant(timezone: str, local: datetime) -> int:
    # fold=0 is the first of two, and in a gap the offset before it: what RFC 5545 asks for.
    return (local.replace(tzinfo=zone(timezone), fold=0) - _EPOCH) // timedelta(microseconds=1)


def window(moment: int, size: str, timezone: str) -> tuple[int, int]:
    """The tumbling window `[start, end)` that holds the moment: `1m`, `1h` in UTC, `1d` at local midnight."""
    if size == "1d":
        day = Calendar("day", timezone).at(moment)
        return day.start, day.end
    length = WINDOWS[size]
    start = moment - moment % length
    return start, start + length


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone. Raises `TimeError`."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError):
        raise TimeError(f"{name!r} is not an IANA time zone like Europe/Berlin") from None
