"""Times as integers: microseconds since the epoch, UTC.

>>> format_time(parse_time("2026-11-22T10:00:00.123Z"))
'2026-11-22T10:00:00.123000Z'
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from rating.errors import TimeError
from rating.numbers import shown

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,30}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_TO_SECOND = len("2026-11-22T10:00:00")
_UTC_MAX = 65_536
_utc: dict[str, int] = {}
"""Seconds that were read, in UTC, by their text."""
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def parse_time(value: object) -> int:
    """Microseconds of an RFC 3339 time. Digits beyond the microsecond are cut. Raises `TimeError`."""
    if isinstance(value, str) and (begun := _utc.get(value[:_TO_SECOND])) is not None:
        # Nearly every event's time, within a second that was read before.
        digits = value[_TO_SECOND + 1 : -1]
        if (
            value[_TO_SECOND:] == f".{digits}Z"
            and len(digits) <= 30
            and digits.isascii()
            and digits.isdigit()
        ):
            return begun + int(digits[:6].ljust(6, "0"))
    if not isinstance(value, str) or (found := _TIME.fullmatch(value)) is None:
        raise TimeError(f"{shown(value)} is not an RFC 3339 time: write it like 2026-11-22T10:00:00Z")
    date, clock, fraction, offset = found.groups()
    try:
        seconds = _seconds(f"{date}T{clock}{'+00:00' if offset in 'Zz' else offset}")
    except (ValueError, OverflowError):
        raise TimeError(f"{shown(value)} is not a time of the calendar") from None
    if not _FIRST <= seconds <= _LAST:
        raise TimeError(f"{shown(value)} is beyond the calendar's years 1 to 9999 in UTC")
    if offset == "Z":
        if len(_utc) >= _UTC_MAX:
            _utc.clear()
        _utc[value[:_TO_SECOND]] = seconds * SECOND
    return seconds * SECOND + (int(fraction[:6].ljust(6, "0")) if fraction else 0)


@lru_cache(maxsize=65_536)
def _seconds(moment: str) -> int:
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(seconds=1)


@lru_cache(maxsize=65_536)
def format_time(time: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    moment = _EPOCH + timedelta(microseconds=time)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def parse_duration(value: object) -> int:
    """Microseconds of a duration like `5h` or `14d`; a day is 24 hours. Raises `TimeError`."""
    if not isinstance(value, str) or (found := _DURATION.fullmatch(value)) is None:
        raise TimeError(f"{shown(value)} is not a duration: write a number with s, m, h or d, like 5h")
    return int(found[1]) * _UNITS[found[2]]
