"""Commitments by window: each hour or day has a commitment and a true-up of its own, for the part of it that is held."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan

DAY = "2026-03-05"


def committed(amount: str = "10", window: str = "1d", **fields: Any) -> Doc:
    return {"commitment": {"amount": amount, "overage_factor": "2", "window": window, **fields}}


def lived(fields: Doc, start: str = "2026-03-05", end: str | None = None, **more: Any) -> Life:
    """A plan by the day, for one day unless it is left open."""
    life = Life([plan("pro", charges=[charge("1", **fields)], period=more.pop("period", "day"))])
    life.subscribe("pro", start, **more)
    if end is not None:
        life.change("cancel", end)
    return life


@pytest.mark.parametrize(
    ("used", "total"),
    [
        # By the hour 10 are committed to: what is over costs twice, and what is under counts as it is.
        ({"10": 4}, 4), ({"10": 10}, 10), ({"10": 14}, 18), ({"10": 14, "11": 4}, 22), ({"10": 14, "11": 14}, 36),
    ],
)  # fmt: skip
def test_each_window_is_over_by_itself(used: dict[str, int], total: int) -> None:
    life = lived(committed(window="1h"))
    for hour, value in used.items():
        life.use(value, f"{DAY}T{hour}")
    assert life.sum() == total
    life.until("2026-03-06T02")
    assert life.sum(kind="minimum") == 0


def test_windows_do_not_mix_however_usage_comes() -> None:
    life = lived(committed(window="1h"))
    for value, time in ((4, "10:10"), (4, "11:10"), (10, "10:20"), (1, "11:20")):
        life.use(value, f"{DAY}T{time}", came=f"{DAY}T12")
    assert life.sum(window_start=f"{DAY}T10:00:00.000000Z") == 18
    assert life.sum(window_start=f"{DAY}T11:00:00.000000Z") == 5
    assert [line["quantity_total"] for line in life.lines()] == ["4", "8", "18", "19"]


def test_what_is_taken_back_is_taken_out_of_its_window() -> None:
    life = lived(committed(window="1h"))
    life.use(14, f"{DAY}T10", name="e1")
    life.use(14, f"{DAY}T11")
    life.retract("e1", 14, f"{DAY}T10", f"{DAY}T12")
    assert life.sum(window_start=f"{DAY}T10:00:00.000000Z") == 0
    assert life.sum() == 18


@pytest.mark.parametrize(
    ("fields", "start", "end", "used", "missing"),
    [
        # 24 hours of 10; used ones are short of what they are short of.
        (committed(window="1h", true_up=True), "2026-03-05", None, {}, 240),
        (committed(window="1h", true_up=True), "2026-03-05", None, {"10": 4}, 236),
        (committed(window="1h", true_up=True), "2026-03-05", None, {"00": 4, "10": 14, "23": 10}, 216),
        # From 21:30 on: a half and two whole ones. Until 2:15: two whole ones and a quarter.
        (committed(window="1h", true_up=True), "2026-03-05T21:30", None, {}, 25),
        (committed(window="1h", true_up=True), "2026-03-05", "2026-03-05T02:15", {}, Decimal("22.5")),
        (committed(window="1h", true_up=True) | {"prorate": False}, "2026-03-05T21:30", None, {}, 30),
        (committed(window="1d", true_up=True), "2026-03-05", None, {"10": 4, "11": 5}, 1),
        (committed(window="1d", true_up=True), "2026-03-05T12", None, {"13": 4}, 1),
    ],
)  # fmt: skip
def test_the_close_brings_what_every_held_window_is_short_of(
    fields: Doc, start: str, end: str | None, used: dict[str, int], missing: Decimal
) -> None:
    life = lived(fields, start, end)
    for hour, value in used.items():
        life.use(value, f"{DAY}T{hour}")
    life.until("2026-03-06T02")
    assert life.sum(kind="minimum", period_start=f"{DAY}T00:00:00.000000Z") == missing


def test_a_pause_is_not_committed_to() -> None:
    life = lived(committed(window="1h", true_up=True))
    life.change("pause", f"{DAY}T10:30")
    life.change("resume", f"{DAY}T12")
    life.until("2026-03-06T02")
    assert life.sum(kind="minimum", period_start=f"{DAY}T00:00:00.000000Z") == 225


def test_days_are_those_of_the_subscriptions_time_zone() -> None:
    life = lived(committed(), "2026-03-01", period="month", timezone="Europe/Berlin")
    life.use(8, f"{DAY}T22:30")
    life.use(8, f"{DAY}T23:30")
    assert life.sum() == 16
    life.use(8, "2026-03-06T10")
    assert life.sum() == 16 + 14


def test_usage_late_for_a_closed_window_takes_from_what_it_was_short_of() -> None:
    life = lived(committed(window="1h", true_up=True))
    life.until("2026-03-06T02")
    life.use(4, f"{DAY}T10")
    life.use(8, f"{DAY}T10")
    assert [line["amount"] for line in life.lines(kind="usage")] == ["0", "4"]
    assert life.sum(period_start=f"{DAY}T00:00:00.000000Z") == 244
