"""Periods by the examples of the contract: anchors, month ends, clocks that change."""

from __future__ import annotations

import pytest

from rating.errors import TimeError
from rating.periods import LENGTHS, Calendar, window, zone
from rating.times import HOUR, format_time, parse_time


def starts(calendar: Calendar, first: int, count: int) -> list[str]:
    return [format_time(calendar.nth(k).start).replace(".000000", "") for k in range(first, first + count)]


def test_a_month_end_is_counted_from_the_anchor_each_time() -> None:
    calendar = Calendar("month", "UTC", parse_time("2026-01-31T00:00:00Z"))
    assert starts(calendar, 0, 4) == [
        "2026-01-31T00:00:00Z",
        "2026-02-28T00:00:00Z",
        "2026-03-31T00:00:00Z",
        "2026-04-30T00:00:00Z",
    ]
    assert starts(calendar, -2, 2) == ["2025-11-30T00:00:00Z", "2025-12-31T00:00:00Z"]


def test_a_skipped_local_time_takes_the_offset_before_it() -> None:
    calendar = Calendar("month", "Europe/Berlin", parse_time("2026-01-29T01:30:00Z"))
    assert starts(calendar, 0, 4) == [
        "2026-01-29T01:30:00Z",
        "2026-02-28T01:30:00Z",
        "2026-03-29T01:30:00Z",
        "2026-04-29T00:30:00Z",
    ]


def test_a_local_time_that_comes_twice_is_the_first() -> None:
    calendar = Calendar("month", "Europe/Berlin", parse_time("2026-09-25T00:30:00Z"))
    assert starts(calendar, 1, 1) == ["2026-10-25T00:30:00Z"]


def test_a_calendar_month_is_local() -> None:
    found = Calendar("month", "Europe/Berlin").at(parse_time("2026-03-14T23:00:00Z"))
    assert (format_time(found.start), format_time(found.end)) == (
        "2026-02-28T23:00:00.000000Z",
        "2026-03-31T22:00:00.000000Z",
    )
    assert found.end - found.start == 743 * HOUR


@pytest.mark.parametrize(
    ("length", "start", "end"),
    [
        ("day", "2026-05-13", "2026-05-14"),
        ("week", "2026-05-11", "2026-05-18"),
        ("month", "2026-05-01", "2026-06-01"),
        ("quarter", "2026-04-01", "2026-07-01"),
        ("year", "2026-01-01", "2027-01-01"),
    ],
)
def test_calendar_lengths_begin_where_people_expect(length: str, start: str, end: str) -> None:
    found = Calendar(length).at(parse_time("2026-05-13T12:00:00Z"))
    assert (format_time(found.start)[:10], format_time(found.end)[:10]) == (start, end)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize(
    "timezone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]
)
@pytest.mark.parametrize("anchor", [None, "2011-10-31T09:45:30.000001Z"])
def test_every_moment_is_in_one_period_and_they_meet(length: str, timezone: str, anchor: str | None) -> None:
    calendar = Calendar(length, timezone, None if anchor is None else parse_time(anchor))
    moment = parse_time("2011-12-20T00:00:00Z")
    for step in range(0, 60 * 24, 5):
        found = calendar.at(moment + step * HOUR // 2 + 1)
        assert found.start <= moment + step * HOUR // 2 + 1 < found.end
        assert calendar.nth(found.number) == found
        assert calendar.next(found).start == found.end
        assert calendar.at(found.start) == found
        assert calendar.at(found.end - 1) == found


def test_a_period_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(TimeError, match="beyond the calendar"):
        Calendar("year").nth(9000)


def test_windows_align_to_utc_and_days_to_local_midnight() -> None:
    moment = parse_time("2026-03-29T04:59:59.999999Z")
    assert [format_time(each)[11:19] for each in window(moment, "1m", "Asia/Kathmandu")] == [
        "04:59:00",
        "05:00:00",
    ]
    assert [format_time(each)[11:19] for each in window(moment, "1h", "Asia/Kathmandu")] == [
        "04:00:00",
        "05:00:00",
    ]
    day = window(moment, "1d", "Europe/Berlin")
    assert [format_time(each) for each in day] == [
        "2026-03-28T23:00:00.000000Z",
        "2026-03-29T22:00:00.000000Z",
    ]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(TimeError, match="time zone"):
        zone(name)
