"""Times are microseconds of UTC; a text without an offset is no time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rating import times
from rating.errors import TimeError
from rating.times import DAY, HOUR, MINUTE, SECOND, format_time, parse_duration, parse_time


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22T10:00:00.123Z", "2026-11-22T10:00:00.123000Z"),
        ("2026-11-22t10:00:00z", "2026-11-22T10:00:00.000000Z"),
        ("2026-11-22 10:00:00+05:30", "2026-11-22T04:30:00.000000Z"),
        ("2026-11-22T10:00:00.123456999Z", "2026-11-22T10:00:00.123456Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"),
        ("2026-01-01T00:30:00-01:00", "2026-01-01T01:30:00.000000Z"),
    ],
)
def test_a_time_is_read_and_written_in_utc(text: str, written: str) -> None:
    assert format_time(parse_time(text)) == written
    assert parse_time(written) == parse_time(text)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-22T10:00:00",
        "2026-11-22",
        "",
        "now",
        "2026-13-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T25:00:00Z",
        1764000000,
        None,
        "2026-11-22T10:00Z",
        "9999-12-31T23:59:59-05:00",
        "0001-01-01T00:00:00+05:00",
        "9" * 1000,
    ],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    with pytest.raises(TimeError):
        parse_time(value)


def test_durations() -> None:
    assert [parse_duration(text) for text in ("1s", "2m", "5h", "14d")] == [
        SECOND,
        2 * MINUTE,
        5 * HOUR,
        14 * DAY,
    ]


@pytest.mark.parametrize("value", ["5", "h", "1.5h", "-1h", "5 h", "5w", 5, None, "1" * 20 + "s"])
def test_what_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(TimeError):
        parse_duration(value)


def _read(text: str) -> int | None:
    try:
        return parse_time(text)
    except TimeError:
        return None


@given(
    tail=st.text(alphabet="0123456789.Zz+-: ٣²", max_size=34)
    | st.builds(
        "{}{}{}".format,
        st.just("."),
        st.integers(28, 33).map("7".__mul__),
        st.sampled_from(("Z", "z", "+01:00")),
    )
    | st.from_regex(r"\.[0-9]{1,9}(Z|z|\+01:00)", fullmatch=True)
)
@settings(derandomize=True, max_examples=500)
def test_a_second_that_was_read_before_is_read_the_same(tail: str) -> None:
    text = "2026-11-22T10:00:00" + tail
    times._utc.clear()
    anew = _read(text)
    parse_time("2026-11-22T10:00:00Z")
    assert _read(text) == anew
