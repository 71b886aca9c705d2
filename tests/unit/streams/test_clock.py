"""The one module that asks what time it is."""

from __future__ import annotations

import time

import pytest

from streams import clock


def test_now_is_microseconds_of_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_795_341_600_123_456_789)
    assert clock.now() == 1_795_341_600_123_456
    assert type(clock.now()) is int


def test_monotonic_time_never_goes_back() -> None:
    seen = [clock.monotonic() for _ in range(100)]
    assert seen == sorted(seen)


def test_a_pause_is_as_long_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    clock.pause(0.5)
    assert pauses == [0.5]
