"""What a group keeps of its segments: a charge that comes back, buckets at a cut, and events of which nothing is left."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from tests.unit.rating.lives import TOKENS, Life, charge, plan

Doc = dict[str, Any]
FREE_ONCE: Doc = {"model": "percentage", "rate": "10", "free_events": 1}
BY_MODEL: Doc = {**TOKENS, "group_by": {"model": "$.model"}}


def comes_back(price: Doc, meter: Doc) -> Life:
    """A subscription that is without the charge from the 10th to the 20th."""
    life = Life([plan("a", charges=[charge(price=price)]), plan("b")], [meter])
    life.subscribe("a", "2026-03-01")
    return life


@pytest.mark.parametrize(("aggregation", "due"), [("unique", 4), ("max", 8), ("latest", 3)])
def test_a_charge_that_comes_back_in_a_period_begins_at_nothing(aggregation: str, due: int) -> None:
    life = comes_back({"model": "per_unit", "unit_amount": "1"}, {**TOKENS, "aggregation": aggregation})
    life.use("5", "2026-03-02")
    life.use("1", "2026-03-03")
    life.change("change_plan", "2026-03-10", plan="b")
    life.change("change_plan", "2026-03-20", plan="a")
    life.use("3", "2026-03-21")
    life.use("2", "2026-03-22")
    # Two values of each span count; the largest are 5 and 3; the latest 1 and 2.
    assert life.sum() == due


def test_so_do_its_free_events_whatever_comes_late() -> None:
    life = comes_back(FREE_ONCE, TOKENS)
    life.change("change_plan", "2026-03-10", plan="b")
    life.change("change_plan", "2026-03-20", plan="a")
    for value, day in (("300", "22"), ("200", "21"), ("50", "03"), ("100", "02")):
        life.use(value, f"2026-03-{day}")
    # The first of each span is free, by event time: 10 % of 50 and of 300.
    assert life.sum() == 35


@pytest.mark.parametrize(
    ("aggregation", "rollup", "due"),
    [("sum", "max", "104"), ("max", "sum", "54"), ("avg", "max", "52"), ("min", "sum", "50"), ("latest", "sum", "50"),
     ("unique", "sum", "2"), ("sum", "avg", "104")],
)  # fmt: skip
def test_a_change_that_changes_no_price_cuts_no_bucket(aggregation: str, rollup: str, due: str) -> None:
    meter = {**TOKENS, "aggregation": aggregation, "bucket": "1d", "rollup": rollup}
    for late in (False, True):
        life = Life([plan("a", charges=[charge()]), plan("b", charges=[charge()])], [meter])
        life.subscribe("a", "2026-03-01")
        if not late:
            life.use("54", "2026-03-10T01", name="first")
        life.change("change_plan", "2026-03-10T12", plan="b")
        life.use("50", "2026-03-10T13", name="second")
        if late:
            life.use("54", "2026-03-10T01", name="first")
        assert life.sum() == Decimal(due)
        life.retract("second", "50", "2026-03-10T13", "2026-03-11")
        life.retract("first", "54", "2026-03-10T01", "2026-03-11")
        assert life.sum() == 0


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_free_events_count_on_over_a_change_in_every_order_of_arrival(order: tuple[int, ...]) -> None:
    twice = {**FREE_ONCE, "rate": "20"}
    life = Life([plan("a", charges=[charge(price=FREE_ONCE)]), plan("b", charges=[charge(price=twice)])])
    life.subscribe("a", "2026-03-01")
    life.change("change_plan", "2026-03-10", plan="b")
    events = (("100", "02"), ("50", "03"), ("200", "21"), ("300", "22"))
    for number in order:
        value, day = events[number]
        life.use(value, f"2026-03-{day}")
    # a: 100 is free, 10 % of 50; b: 20 % of 200 and of 300.
    assert [life.sum(plan=key) for key in "ab"] == [5, 100]


@pytest.mark.parametrize("scheduled", [False, True])
def test_a_group_that_lost_all_its_events_counts_none_of_them_again(scheduled: bool) -> None:
    sundays = {"days": ["sun"], "price": {"model": "per_unit", "unit_amount": "1"}}
    price: Doc = {"model": "scheduled", "schedule": [sundays], "default": FREE_ONCE}
    price = price if scheduled else FREE_ONCE
    life = Life([plan("a", charges=[charge(price=price, dimensions=["model"])])], [BY_MODEL])
    life.subscribe("a", "2026-03-01")
    life.use("100", "2026-03-02", name="gone", model="large")
    life.retract("gone", "100", "2026-03-02", "2026-03-05", model="large")
    life.use("300", "2026-03-04", model="large")
    life.use("200", "2026-03-03", model="large")
    assert life.sum() == 30  # the 200 is the first, and free
    assert len({line["revision"] for line in life.lines()}) == len(life.lines())


def test_nor_does_a_segment_that_went_with_its_change() -> None:
    twice = {**FREE_ONCE, "rate": "20"}
    by_model: Doc = {"dimensions": ["model"]}
    life = Life(
        [plan("a", charges=[charge(price=FREE_ONCE, **by_model)]), plan("b", charges=[charge(price=twice, **by_model)])],
        [BY_MODEL],
    )  # fmt: skip
    life.subscribe("a", "2026-03-01")
    life.use("100", "2026-03-02", name="gone", model="large")
    life.change("change_plan", "2026-03-10", plan="b")
    life.use("300", "2026-03-22", model="large")
    life.retract("gone", "100", "2026-03-02", "2026-03-23", model="large")
    life.use("200", "2026-03-21", model="large")
    life.use("400", "2026-03-20", model="large")
    assert life.sum() == 100  # 400 is free, 20 % of 200 and of 300


def test_a_charge_that_came_back_keeps_no_flat_amount_of_the_time_before_once_its_usage_is_taken_back() -> (
    None
):
    flat = charge(price={"model": "flat", "amount": "9"}, dimensions=["model"])
    life = Life([plan("a", charges=[flat]), plan("b")], [BY_MODEL])
    life.subscribe("a", "2026-03-01")
    life.use(1, "2026-03-02", name="gone", model="large")
    life.change("change_plan", "2026-03-10", plan="b")
    life.change("change_plan", "2026-03-20", plan="a")
    life.use(1, "2026-03-21", model="large")
    assert life.sum() == 18
    life.retract("gone", 1, "2026-03-02", "2026-03-22", model="large")
    assert [str(life.sum()), life.lines()[-1]["quantity_total"]] == ["9", "1"]


def test_a_change_dated_back_that_ends_a_charge_sooner_leaves_its_quantity_as_it_was_used() -> None:
    life = Life([plan("a", charges=[charge()]), plan("b", charges=[charge("2")]), plan("c")])
    life.subscribe("a", "2026-03-01")
    life.use(3, "2026-03-02")
    life.change("change_plan", "2026-03-10", plan="b")
    life.use(1, "2026-03-12")
    life.change("change_plan", "2026-03-09", plan="c")
    found = [str(life.sum("amount")), str(life.sum("quantity")), life.lines()[-1]["quantity_total"]]
    assert found == ["5", "4", "4"]


def test_a_charge_that_begins_at_nothing_since_a_change_was_dated_back_has_its_flat_amount() -> None:
    flat = charge(price={"model": "flat", "amount": "9"})
    life = Life([plan("a", charges=[flat]), plan("b", charges=[flat]), plan("c")])
    life.subscribe("a", "2026-03-01")
    life.use(3, "2026-03-02", name="one")
    life.change("change_plan", "2026-03-10", plan="b")
    life.use(1, "2026-03-12", name="two")
    life.retract("two", 1, "2026-03-12", "2026-03-12")
    life.change("change_plan", "2026-03-09", plan="c")
    life.until("2026-04-01T02")
    assert life.sum(period_start="2026-03-01T00:00:00.000000Z") == 18


def test_a_schedule_goes_on_from_what_outcomes_made_count_before_a_change() -> None:
    waits = {"event_type": "done", "match": "$.ticket", "when": {"status": ["ok"]}, "within": "72h"}
    night = {"from": "22:00", "to": "06:00", "price": {"model": "per_unit", "unit_amount": "1"}}
    tiers = [{"up_to": "45", "flat_amount": "7"}, {"up_to": None, "flat_amount": "100"}]
    price = {"model": "scheduled", "schedule": [night], "default": {"model": "stairstep", "tiers": tiers}}
    life = Life(
        [plan("a", charges=[charge(price=price)]), plan("b", charges=[charge(price=price)])],
        [{**TOKENS, "outcome": waits}],
    )
    life.subscribe("a", "2026-03-01")
    life.use(20, "2026-03-02T10", ticket="one")
    life.use(None, "2026-03-02T11", kind="done", ticket="one", status="ok")
    life.use(20, "2026-03-09T10", ticket="two")
    life.change("change_plan", "2026-03-10", plan="b")
    life.use(None, "2026-03-11T11", kind="done", ticket="two", status="ok")
    # 20 before the change and 40 after it are in one step: the second counts once, after it.
    assert [life.sum(plan=key) for key in "ab"] == [7, 0]


def test_an_event_that_is_amended_to_the_time_after_a_change_does_not_count_before_it() -> None:
    free = {"model": "percentage", "rate": "10", "free_amount": "60"}
    life = Life([plan(key, charges=[charge(price=free)]) for key in "ab"])
    life.subscribe("a", "2026-03-01")
    life.use("54", "2026-03-03")
    life.change("change_plan", "2026-03-10", plan="b")
    life.use("5", "2026-03-02", name="moved")
    life.amend("moved", "2026-03-02", "2026-03-12", {"time": "2026-03-11", "data": {"value": "6"}}, "5")
    assert life.sum() == 0  # 54 and 6 are free
