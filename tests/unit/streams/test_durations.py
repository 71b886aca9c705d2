"""Durations of settings are read exactly and shown as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.durations import read_duration, show_duration


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("25ms", 25_000), ("0s", 0), ("1s", 1_000_000), ("90s", 90_000_000), ("5m", 300_000_000), ("1h", 3_600_000_000),
        ("35d", 35 * 86_400_000_000), (" 35d ", 35 * 86_400_000_000), (17, 17), ("999999999d", 999_999_999 * 86_400_000_000),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: str | int, micros: int) -> None:
    assert read_duration(text) == micros


@pytest.mark.parametrize(
    "value",
    ["", "5", "5 d", "-5d", "1.5h", "5w", "5D", "d", "٣d", "1h30m", "9999999999s", True, None, 1.5, b"5d"],
)
def test_what_is_no_duration_is_told_with_the_remedy(value: object) -> None:
    with pytest.raises(ValueError, match="write a number with ms, s, m, h or d, like 35d"):
        read_duration(value)


@pytest.mark.parametrize(
    ("micros", "text"),
    [(0, "0s"), (25_000, "25ms"), (1_500_000, "1500ms"), (60_000_000, "1m"), (86_400_000_000, "1d"), (90_000_000, "90s"), (7, "7us")],
)  # fmt: skip
def test_a_duration_is_shown_in_its_largest_whole_unit(micros: int, text: str) -> None:
    assert show_duration(micros) == text


@given(st.integers(0, 10**9).map(lambda millis: millis * 1_000))
def test_what_is_shown_is_read_again(micros: int) -> None:
    assert read_duration(show_duration(micros)) == micros
