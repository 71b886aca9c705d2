"""Usage that is rated already, and a change dated back over it: each event goes where it belongs now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

USED = [(40, "2026-03-05T14:30"), (7, "2026-03-05T15"), (2, "2026-03-05T15:10"), (1, "2026-03-20")]
"""Usage of three hours, two of them a day."""


def used(*plans: Doc, meter: Doc = TOKENS, **fields: Any) -> Life:
    """Usage on `a`, rated by 25 March."""
    life = Life(plans, [meter])
    life.subscribe("a", "2026-03-01")
    for value, time in USED:
        life.use(value, time, came="2026-03-25", **fields)
    return life


def small(key: str = "a") -> Doc:
    return plan(key, charges=[charge("1")])


def large() -> Doc:
    return plan("b", charges=[charge("10")])


@pytest.mark.parametrize(
    ("since", "on_a", "on_b"),
    [
        ("2026-03-01", 0, 50), ("2026-03-05T14:30", 0, 50), ("2026-03-05T15", 40, 10),
        ("2026-03-05T15:05", 47, 3), ("2026-03-20", 49, 1), ("2026-03-21", 50, 0),
    ],
)  # fmt: skip
def test_each_event_is_priced_by_the_plan_of_its_time(since: str, on_a: int, on_b: int) -> None:
    life = used(small(), large())
    life.change("change_plan", since, plan="b")
    assert [life.sum("quantity", plan=key) for key in ("a", "b")] == list(map(Decimal, (on_a, on_b)))
    assert [life.sum(plan=key) for key in ("a", "b")] == list(map(Decimal, (on_a, 10 * on_b)))


@pytest.mark.parametrize("since", ["2026-03-01", "2026-03-01T00:00:01", "2026-03-05T15"])
@pytest.mark.parametrize(
    "meter",
    [
        {**TOKENS, "aggregation": "count", "value": None}, {**TOKENS, "aggregation": "max"},
        {**TOKENS, "aggregation": "latest"}, {**TOKENS, "aggregation": "unique"}, {**TOKENS, "aggregation": "avg"},
        {**TOKENS, "aggregation": "time_weighted_sum"}, {**TOKENS, "aggregation": "time_weighted_sum", "value_is": "level"},
        {**TOKENS, "aggregation": "max", "bucket": "1h", "rollup": "sum"},
    ],
    ids=lambda meter: "-".join(str(meter.get(name, "")) for name in ("aggregation", "value_is", "bucket")),
)  # fmt: skip
def test_a_change_that_comes_late_comes_to_what_it_would_have_in_time(meter: Doc, since: str) -> None:
    meter = {name: value for name, value in meter.items() if value is not None}
    late = used(small(), large(), meter=meter)
    late.change("change_plan", since, plan="b")
    timely = Life([small(), large()], [meter])
    timely.subscribe("a", "2026-03-01")
    timely.change("change_plan", since, plan="b")
    for value, time in USED:
        timely.use(value, time, came="2026-03-25")
    for life in (late, timely):
        life.until("2026-04-02")
    for name in ("a", "b"):
        assert late.sum(plan=name) == timely.sum(plan=name)
    assert late.lines(kind="close")[-1]["quantity_total"] == timely.lines(kind="close")[-1]["quantity_total"]
    assert late.sum("quantity") == timely.sum("quantity")


def test_a_change_that_moves_nothing_writes_nothing() -> None:
    life = used(small(), small(key="b"))
    before = len(life.lines())
    life.change("change_plan", "2026-03-21", plan="b")
    assert len(life.lines()) == before


def test_a_new_anchor_moves_usage_to_the_period_that_it_begins() -> None:
    life = used(small())
    life.change("change_plan", "2026-03-05T15", anchor="now")
    found = {line["period_start"][5:16]: line["amount_total"] for line in life.lines()}
    assert found == {"03-01T00:00": "40", "03-05T15:00": "10"}
    assert {line["period_end"][5:16] for line in life.lines(kind="correction")} <= {"03-05T15:00"}


def test_what_a_cancellation_leaves_behind_waits_for_another_subscription() -> None:
    life = used(small())
    life.change("cancel", "2026-03-05T15")
    assert life.sum() == 40
    life.subscribe("a", "2026-03-05T15", subscription="sub-2")
    assert life.sum(subscription="sub-2") == 10
    assert life.rejected() == []


def test_usage_that_met_no_charge_is_priced_by_the_plan_that_has_one() -> None:
    life = used(plan("a"), large())
    assert life.lines() == []
    life.change("change_plan", "2026-03-05T15", plan="b")
    assert life.sum() == Decimal(100)


def test_usage_of_another_subscription_stays_where_it_is() -> None:
    life = used(small(), large())
    life.subscribe("a", "2026-03-06", subscription="sub-2")
    life.use(5, "2026-03-06", came="2026-03-25", subscription="sub-2")
    before = life.sum(subscription="sub-2")
    life.change("change_plan", "2026-03-01", plan="b")
    assert life.sum(subscription="sub-1") == 500
    assert life.sum(subscription="sub-2") == before >= 5


FLAT = {"model": "graduated", "tiers": [{"up_to": None, "unit_amount": "1", "flat_amount": "9"}]}


@pytest.mark.parametrize(
    ("change", "by_plan"),
    [({"plan": "b"}, {"a": 0, "b": 50}), ({"anchor": "now"}, {"a": 14}), ({}, {"a": 14})],
)
def test_a_period_that_a_change_leaves_no_time_to_costs_nothing(change: Doc, by_plan: dict[str, int]) -> None:
    life = Life([plan("a", charges=[charge(price=FLAT)]), large()])
    life.subscribe("a", "2026-03-01")
    life.use(5, "2026-03-01", came="2026-03-02")
    assert life.sum() == 14
    if change:
        life.change("change_plan", "2026-03-01", **change)
    assert {key: life.sum(plan=key) for key in by_plan} == by_plan


@pytest.mark.parametrize("change", [{"kind": "cancel"}, {"kind": "change_plan", "plan": "b"}])
def test_a_segment_that_a_change_leaves_no_time_to_costs_nothing(change: Doc) -> None:
    newer = {"version": 2, "existing": "2026-03-20T00:00:00Z", "effective_from": "2026-03-02T00:00:00Z"}
    life = Life([plan("a"), plan("a", charges=[charge(price=FLAT)], **newer), plan("b")])
    life.subscribe("a", "2026-03-01")
    life.use(5, "2026-03-21", came="2026-03-25")
    assert life.sum() == 14
    life.change(time="2026-03-16", **change)
    assert life.sum() == 0
