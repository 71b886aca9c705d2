"""Segments: usage counts on through a cut, figures grow with the time of each plan."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from rating.catalog.plans import plan_from
from rating.legs import Leg, totals
from rating.modifiers import ONE, Bounds
from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

HALF = "2026-03-16T12"
"""The middle of March."""


def changed(first: Doc, second: Doc, before: str, after: str) -> Life:
    """Two plans, each with its charge, half a month each, with usage in both; March is closed."""
    life = Life([plan("a", charges=[first]), plan("b", charges=[second])])
    life.subscribe("a", "2026-03-01")
    life.use(before, "2026-03-05T10")
    life.change("change_plan", HALF, plan="b")
    life.use(after, "2026-03-20T10")
    life.until("2026-04-02")
    return life


@pytest.mark.parametrize(
    ("first", "second", "before", "after", "costs"),
    [
        # All of 100, as far as is known then; then 600 less 50 + 500.
        ({"included": "100"}, {"included": "1000"}, "80", "520", ("0", "50")),
        ({"included": "100", "prorate": False}, {"included": "1000", "prorate": False}, "80", "520", ("0", "0")),
        # At most 100 at first; then 50 + 150 over the whole: 200 less what 150 come to.
        ({"maximum": "100"}, {"maximum": "300"}, "150", "80", ("100", "50")),
        ({"maximum": "100"}, {}, "150", "80", ("100", "80")),
        # Half of each minimum, against all that is held: 50 + 100 less 100.
        ({"minimum": "100"}, {"minimum": "200"}, "40", "60", ("40", "110")),
        # 100 are committed, then 50 + 150: of 210 the last 10 cost twice.
        ({"commitment": {"amount": "100", "overage_factor": "2"}},
         {"commitment": {"amount": "300", "overage_factor": "2"}}, "60", "150", ("60", "160")),
    ],
)  # fmt: skip
def test_figures_are_of_the_time_of_each_plan(
    first: Doc, second: Doc, before: str, after: str, costs: tuple[str, str]
) -> None:
    life = changed(charge(**first), charge(**second), before, after)
    assert (life.sum(plan="a"), life.sum(plan="b")) == tuple(map(Decimal, costs))


def test_a_first_period_has_the_part_of_an_allowance_that_is_left() -> None:
    life = Life([plan("pro", charges=[charge("0.00001", included="1000000")])])
    life.subscribe("pro", "2026-03-15")
    life.use("600000", "2026-03-18T10")
    assert life.sum() == Decimal("0.51612903225806452")


def test_tiers_count_on_and_a_cut_that_changes_no_price_changes_no_total() -> None:
    tiers = {
        "model": "graduated",
        "tiers": [{"up_to": "10", "unit_amount": "0"}, {"up_to": None, "unit_amount": "3"}],
    }
    life = changed(charge(price=tiers), charge(price=tiers), "8", "8")
    assert (life.sum(plan="a"), life.sum(plan="b")) == (Decimal(0), Decimal(18))


@pytest.mark.parametrize("model", ["graduated", "scheduled"])
def test_flat_amounts_are_of_the_segment_in_which_the_charge_begins_used_or_not(model: str) -> None:
    price: Doc = {"model": "graduated", "tiers": [{"up_to": None, "unit_amount": "1", "flat_amount": "7"}]}
    if model == "scheduled":
        night = {"from": "00:00", "to": "06:00", "price": {"model": "per_unit", "unit_amount": "9"}}
        price = {"model": "scheduled", "schedule": [night], "default": price}
    life = Life([plan("a", charges=[charge(price=price)]), plan("b", charges=[charge(price=price)])])
    life.subscribe("a", "2026-03-01")
    life.change("change_plan", HALF, plan="b")
    life.use(5, "2026-03-20T10")
    assert (life.sum(plan="a"), life.sum(plan="b")) == (Decimal(7), Decimal(5))


def test_a_charge_of_another_meter_or_key_begins_at_nothing() -> None:
    life = changed(charge(price={"model": "flat", "amount": "7"}), charge(price={"model": "flat", "amount": "7"}) | {
        "key": "output"}, "8", "8")  # fmt: skip
    assert (life.sum(charge="input"), life.sum(charge="output")) == (Decimal(7), Decimal(7))


@pytest.mark.parametrize(
    ("first", "second", "missing"),
    [
        # A whole figure is the segment's own in place of those before, as an allowance's is: once, not once a segment.
        ({"minimum": "100", "prorate": False}, {"minimum": "100", "prorate": False}, "70"),
        ({"minimum": "100", "prorate": False}, {"minimum": "200", "prorate": False}, "170"),
        ({"minimum": "100"}, {"minimum": "200", "prorate": False}, "170"),
        ({"minimum": "100", "prorate": False}, {"minimum": "200"}, "120"),
        ({"minimum": "100", "prorate": False}, {}, "30"),
        # By the day, 15½ days of each: the day of the cut is committed to in both parts.
        ({"commitment": {"amount": "10", "true_up": True, "window": "1d"}},
         {"commitment": {"amount": "10", "true_up": True, "window": "1d"}}, "290"),
        ({"commitment": {"amount": "10", "true_up": True, "window": "1d"}}, {}, "145"),
        ({"commitment": {"amount": "1", "true_up": True, "window": "1h"}},
         {"commitment": {"amount": "2", "true_up": True, "window": "1h"}}, "1113"),
    ],
)  # fmt: skip
def test_what_is_due_at_the_close_is_not_changed_by_a_cut(first: Doc, second: Doc, missing: str) -> None:
    life = changed(charge(**first), charge(**second), "20", "10")
    assert life.sum(kind="minimum") == Decimal(missing)


def test_a_window_that_a_cut_goes_through_is_committed_to_as_a_whole() -> None:
    """3 before the cut, 9 after it: of 12 the last 2 cost twice."""
    committed: Doc = {"commitment": {"amount": "10", "overage_factor": "2", "window": "1d"}}
    life = Life([plan(key, charges=[charge(**committed)]) for key in "ab"])
    life.subscribe("a", "2026-03-01")
    life.use("3", "2026-03-16T10")
    life.change("change_plan", HALF, plan="b")
    life.use("9", "2026-03-16T13")
    assert (life.sum(plan="a"), life.sum(plan="b")) == (Decimal(3), Decimal(11))


@pytest.mark.parametrize(
    "fields", [{"maximum": "100"}, {"commitment": {"amount": "100", "overage_factor": "0"}}]
)
def test_a_charge_that_ended_takes_nothing_of_the_next_ones_bounds(fields: Doc) -> None:
    calls = {**TOKENS, "key": "calls", "event_type": "call"}
    life = Life([plan("a", charges=[charge(**fields)]), plan("b", charges=[charge(**fields) | {"meter": "calls"}])],
                [TOKENS, calls])  # fmt: skip
    life.subscribe("a", "2026-03-01")
    life.use("150", "2026-03-05T10")
    life.change("change_plan", HALF, plan="b")
    life.use("80", "2026-03-20T10", kind="call")
    assert (life.sum(plan="a"), life.sum(plan="b")) == (Decimal(100), Decimal(50))


def test_what_a_charge_is_short_of_does_not_come_out_of_one_that_ended() -> None:
    """The first is used enough, the second is short of 40 of its half of 100."""
    calls = {**TOKENS, "key": "calls", "event_type": "call"}
    life = Life([plan("a", charges=[charge(minimum="100")]), plan("b", charges=[charge(minimum="100") | {"meter": "calls"}])],
                [TOKENS, calls])  # fmt: skip
    life.subscribe("a", "2026-03-01")
    life.use("200", "2026-03-05T10")
    life.change("change_plan", HALF, plan="b")
    life.use("10", "2026-03-20T10", kind="call")
    life.until("2026-04-02")
    assert life.sum(kind="minimum") == Decimal(40)


def leg(start: int, bounds: Bounds, **fields: Any) -> Leg:
    """A segment of which only the bounds matter."""
    doc = plan("a", charges=[charge(**fields)])
    held = plan_from(doc)
    return Leg(start, start + 1, held, held.charges[0], 0, bounds, start == 0)


def test_what_is_missing_at_the_close_is_borne_by_the_last_segment() -> None:
    legs = [
        leg(0, Bounds(50, None, ONE, None), minimum="1"),
        leg(1, Bounds(150, None, ONE, None), minimum="1"),
    ]
    assert totals(legs, ((0, 40), (1, 60)), closed=False) == {0: 40, 1: 60}
    assert totals(legs, ((0, 40), (1, 60)), closed=True) == {0: 40, 1: 110}
    assert totals(legs, ((0, 90), (1, 60)), closed=True) == {0: 90, 1: 60}


def test_only_segments_with_a_step_share_the_running_amount() -> None:
    legs = [leg(0, Bounds(None, None, ONE, None)), leg(1, Bounds(None, None, ONE, 100))]
    assert totals(legs, ((0, 500), (1, 80)), closed=False) == {0: 500, 1: 80}


def test_a_whole_figure_is_that_of_the_last_segment_that_was_held() -> None:
    whole = [
        plan(key, charges=[charge(minimum=least, prorate=False)])
        for key, least in (("a", "100"), ("b", "200"))
    ]
    life = Life(whole)
    life.subscribe("a", "2026-03-01")
    life.use(10, "2026-03-05T10")
    life.change("pause", "2026-03-10")
    life.change("change_plan", HALF, plan="b")
    life.until("2026-04-02")
    assert life.sum() == 100
