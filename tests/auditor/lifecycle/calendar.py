"""Billing periods: calendar periods in a time zone, or counted from an anchor, in both directions.

period_at("month", "UTC", moment("2026-01-31T00:00:00Z"), t)  begins on 31 January, 28 February, 31 March …
"""

from __future__ import annotations

import calendar
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from tests.auditor.lifecycle.words import DAY, EPOCH, MICROSECOND

MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}


def local(at: int, zone: str) -> datetime:
    """The wall clock of a moment, without its zone."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def instant(wall: datetime, zone: str) -> int:
    """The moment of a wall clock: one that is skipped takes the offset before, one that comes twice is the first."""
    return (wall.replace(tzinfo=ZoneInfo(zone), fold=0) - EPOCH) // MICROSECOND


@lru_cache(maxsize=100_000)
def period_at(kind: str, zone: str, anchor: int | None, at: int) -> tuple[int, int]:
    """Begin and end of the period that holds a moment."""
    if anchor is None:
        wall = _calendar_start(kind, local(at, zone).date())
        return instant(wall, zone), instant(_later(wall, kind, 1), zone)
    origin = local(anchor, zone)
    k = _guess(kind, at - anchor)
    while instant(_later(origin, kind, k), zone) > at:
        k -= 1
    while instant(_later(origin, kind, k + 1), zone) <= at:
        k += 1
    return instant(_later(origin, kind, k), zone), instant(_later(origin, kind, k + 1), zone)


def day_of(at: int, zone: str) -> int:
    """Local midnight at or before a moment."""
    return instant(datetime.combine(local(at, zone).date(), time()), zone)


def _calendar_start(kind: str, day: date) -> datetime:
    if kind == "week":
        day -= timedelta(days=day.weekday())
    elif kind in MONTHS:
        day = day.replace(month=day.month - (day.month - 1) % MONTHS[kind], day=1)
    return datetime.combine(day, time())


def _later(origin: datetime, kind: str, k: int) -> datetime:
    """`k` periods after, by the wall clock; a day that the month lacks is its last."""
    if kind in DAYS:
        return origin + timedelta(days=DAYS[kind] * k)
    months = origin.year * 12 + origin.month - 1 + MONTHS[kind] * k
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return origin.replace(year=year, month=month + 1, day=min(origin.day, last))


def _guess(kind: str, away: int) -> int:
    days = DAYS.get(kind) or 30 * MONTHS[kind]
    return away // (days * DAY)
