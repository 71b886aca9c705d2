"""Thresholds: where they are reached, each told once, and what its recovery says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan

Told = tuple[object, str, str]


def life_with(*limits: Doc, **fields: Any) -> Life:
    life = Life([plan("pro", charges=[charge()], limits=list(limits), **fields)])
    life.subscribe("pro", "2026-03-01")
    return life


def usage(**fields: Any) -> Doc:
    return {"key": "cap", "metric": "usage", "meter": "tokens", "amount": "100", **fields}


def told(life: Life) -> list[Told]:
    """Threshold (`at 120` where it is absolute), state and value of each record."""
    found = []
    for each in life.records("billing.thresholds.v1"):
        name = each["threshold"]
        found.append((f"at {name['at']}" if isinstance(name, dict) else name, each["state"], each["value"]))
    return found


@pytest.mark.parametrize(
    ("thresholds", "used", "reached"),
    [
        (["100"], [99.5], []),
        (["100"], [99.5, 0.5], ["100"]),
        (["50", "80", "100"], [85], ["50", "80"]),
        (["50", {"at": "60"}, "100"], [75], ["50", "at 60"]),
        (["120"], [100, 10], []),
        (["120"], [100, 20], ["120"]),
        ([{"every": "20"}], [45], ["at 20", "at 40"]),
        (["100", {"every": "25"}], [100, 24, 1, 25], ["100", "at 125", "at 150"]),
        ([{"every": "25"}, "100"], [99], []),
    ],
)
def test_each_is_reached_at_its_value_and_told_once(
    thresholds: list[Any], used: list[float], reached: list[str]
) -> None:
    life = life_with(usage(thresholds=thresholds))
    for value in used:
        life.use(str(value), "2026-03-02")
    assert [(name, state) for name, state, _ in told(life)] == [(name, "breached") for name in reached]


def test_a_recurring_one_that_is_passed_far_too_often_tells_the_latest_hundred() -> None:
    life = life_with(usage(thresholds=[{"every": "1"}]))
    life.use(5000, "2026-03-02")
    assert [name for name, _, _ in told(life)] == [f"at {number}" for number in range(4901, 5001)]


def test_taken_back_it_recovers_and_reached_again_it_is_a_new_crossing() -> None:
    life = life_with(usage())
    life.use(60, "2026-03-02", name="one")
    life.use(40, "2026-03-02")
    life.retract("one", 60, "2026-03-02", "2026-03-03")
    life.use(60, "2026-03-03")
    assert told(life) == [("100", "breached", "100"), ("100", "recovered", "40"), ("100", "breached", "100")]
    ids = [each["id"] for each in life.records("billing.thresholds.v1")]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("window", ["period", "month", "day", {"length": "5h"}])
def test_a_window_that_is_over_recovers_at_its_end_and_names_the_window_and_period_that_it_was(
    window: object,
) -> None:
    life = life_with(usage(window=window))
    life.use(100, "2026-03-31T19:00")
    life.until("2026-04-02")
    breached, recovered = life.records("billing.thresholds.v1")
    names = ("window_start", "window_end", "period_start", "period_end", "threshold")
    assert [breached[name] for name in names] == [recovered[name] for name in names]
    assert (recovered["value"], recovered["time"]) == ("0", "2026-04-01T00:00:00.000000Z")


def test_a_period_that_ends_early_ends_its_window() -> None:
    life = life_with(usage(), {"key": "sum", "metric": "spend", "amount": "100"})
    life.use(100, "2026-03-05")
    life.change("change_plan", "2026-03-10", plan="pro", anchor="now")
    found = life.records("billing.thresholds.v1", state="recovered")
    assert [(each["limit"], each["time"][:10], each["window_end"][:10]) for each in found] == [
        ("cap", "2026-03-10", "2026-03-10"), ("sum", "2026-03-10", "2026-03-10")]  # fmt: skip
    life.use(99, "2026-03-11")
    assert len(life.records("billing.thresholds.v1")) == 4


def test_a_filter_counts_what_passes_it_alone() -> None:
    meter: Doc = {"key": "tokens", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit",
                  "window": "1h", "group_by": {"model": "$.model"}}  # fmt: skip
    limits = [usage(filter={"model": ["large"]}),
              {"key": "sum", "metric": "spend", "meter": "tokens", "amount": "100", "filter": {"model": ["large"]}}]  # fmt: skip
    life = Life([plan("pro", charges=[charge("2")], limits=limits)], [meter])
    life.subscribe("pro", "2026-03-01")
    life.use(70, "2026-03-02", model="small")
    life.use(49, "2026-03-02", model="large")
    assert told(life) == []
    life.use(1, "2026-03-02", model="large")
    life.use(50, "2026-03-02", model="large")
    assert [(each["limit"], each["value"]) for each in life.records("billing.thresholds.v1")] == [
        ("sum", "100"), ("cap", "100")]  # fmt: skip


def test_usage_in_a_trial_is_of_the_trial_alone() -> None:
    tryout = plan("tryout", entitlements=[])
    pro = plan("pro", charges=[charge()], trial={"plan": "tryout", "duration": "14d"}, limits=[usage()])
    life = Life([pro, tryout])
    life.subscribe("pro", "2026-03-01")
    life.use(90, "2026-03-05")
    life.use(90, "2026-03-15")
    assert told(life) == []
    life.use(10, "2026-03-16")
    assert told(life) == [("100", "breached", "100")]
    (record,) = life.records("billing.thresholds.v1")
    assert (record["window_start"][:10], record["period_start"][:10]) == ("2026-03-15", "2026-03-01")


def test_a_subscription_that_is_canceled_recovers_at_that_instant() -> None:
    life = life_with(usage(window="day"), {"key": "sum", "metric": "spend", "amount": "100"})
    life.use(100, "2026-03-05T10")
    life.change("cancel", "2026-03-05T11")
    found = life.records("billing.thresholds.v1", state="recovered")
    assert [(each["limit"], each["time"][:16]) for each in found] == [
        ("cap", "2026-03-05T11:00"),
        ("sum", "2026-03-05T11:00"),
    ]
    assert {each["period_start"][:10] for each in found} == {"2026-03-01"}


def test_what_leaves_a_sliding_window_that_comes_to_nothing_is_taken_off_too() -> None:
    life = life_with(usage(amount="10", window={"length": "90m", "start": "sliding"}))
    life.use(-10, "2026-03-05T18")
    life.use(10, "2026-03-05T19")
    life.until("2026-03-06")
    found = life.records("billing.thresholds.v1")
    assert [(each["state"], each["value"], each["time"][11:16]) for each in found] == [
        ("breached", "10", "19:30"),
        ("recovered", "0", "20:30"),
    ]
