"""The order of the modifiers, pinned, and what a charge's document may not say."""

from __future__ import annotations

from typing import Any

import pytest

from rating.charge import Rule, rule_from
from rating.errors import Overflow, PriceError
from rating.numbers import amount, amount_text, quantity
from rating.prices import PricedEvent

PER_UNIT = {"model": "per_unit", "unit_amount": "10"}


def rule(**fields: Any) -> Rule:
    return rule_from({"price": PER_UNIT, **fields})


def total(found: Rule, q: str) -> str:
    return amount_text(found.total(quantity(q), found.included))


def test_the_order_is_convert_included_price_discount() -> None:
    found = rule(convert={"divide": "1000", "round": "up"}, included="2", discount_percent="25")
    assert total(found, "4001") == "22.5"  # 4.001 → 5, less 2, × 10, less a quarter
    assert total(found, "2000") == "0"


def test_then_minimum_then_maximum_over_the_sum() -> None:
    bounds = rule(minimum="50", maximum="80").bounds()
    assert [amount_text(bounds.running(amount(x))) for x in ("30", "70", "90")] == ["30", "70", "80"]
    assert [amount_text(bounds.closed(amount(x))) for x in ("30", "70", "90")] == ["50", "70", "80"]
    assert amount_text(rule(minimum="90", maximum="80").bounds().closed(0)) == "80"


@pytest.mark.parametrize(
    ("commitment", "running", "closed"),
    [
        ({"quantity": "500", "overage_factor": "1.5", "true_up": True}, ["3000", "8000"], ["5000", "8000"]),
        ({"amount": "5000", "overage_factor": "1.5"}, ["3000", "8000"], ["3000", "8000"]),
    ],
)
def test_a_commitment_replaces_the_minimum(
    commitment: dict[str, Any], running: list[str], closed: list[str]
) -> None:
    bounds = rule(commitment=commitment).bounds()
    assert [amount_text(bounds.running(amount(x))) for x in ("3000", "7000")] == running
    assert [amount_text(bounds.closed(amount(x))) for x in ("3000", "7000")] == closed


def test_figures_are_prorated_the_floor_by_what_was_held() -> None:
    def half(name: str, figure: int) -> int:
        return figure // 2

    bounded = rule(minimum="50", maximum="80")
    assert bounded.bounds(share=half).maximum == amount("40")
    assert bounded.floor(0, lambda figure: figure // 10) == amount("5")
    committed = rule(commitment={"amount": "100", "true_up": True})
    assert committed.bounds(share=half).committed == amount("50")
    assert committed.floor(0, lambda figure: 0) == 0
    assert rule(commitment={"amount": "100"}).floor(0, lambda figure: figure) is None


@pytest.mark.parametrize(
    ("how", "q", "expected"),
    [
        ("none", "1", "3.33333333333"),
        ("up", "1", "10"),
        ("down", "5", "10"),
        ("half_up", "4.5", "20"),
        ("half_up", "4.4", "10"),
    ],
)
def test_convert_is_rounded_once(how: str, q: str, expected: str) -> None:
    assert total(rule(convert={"divide": "3", "round": how}), q) == expected


def test_convert_rounds_up_from_the_exact_quotient() -> None:
    assert total(rule(convert={"divide": "3", "round": "up"}), "3.000000000001") == "20"


def test_scheduled_converts_the_quantity_of_each_entry() -> None:
    found = rule_from(
        {
            "price": {
                "model": "scheduled",
                "schedule": [{"from": "00:00", "to": "12:00", "price": PER_UNIT}],
                "default": PER_UNIT,
            },
            "convert": {"divide": "10", "round": "up"},
        }
    )
    events = [PricedEvent(hour * 3_600_000_000, "", quantity("4")) for hour in (1, 2, 13)]
    assert amount_text(sum(part.amount for part in found.event_parts(events))) == "20"


def test_an_amount_that_no_table_holds_overflows() -> None:
    with pytest.raises(Overflow):
        rule_from({"price": {"model": "per_unit", "unit_amount": "9" * 18}}).total(10**37)


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        ({}, r"charge\.price is null"),
        ({"price": {"model": "magic"}}, r"charge\.price\.model is 'magic': use one of flat, per_unit"),
        ({"price": {"model": "per_unit"}}, r"charge\.price\.unit_amount is missing"),
        ({"price": {"model": "per_unit", "unit_amount": 0.1}}, r"unit_amount: 0\.1 is not an exact number"),
        ({"price": {"model": "per_unit", "unit_amount": "-1"}}, "cannot be negative"),
        ({"price": {"model": "graduated", "tiers": []}}, "at least one entry"),
        ({"price": {"model": "volume", "tiers": [{"up_to": "5"}]}}, "the last tier's must be null"),
        (
            {"price": {"model": "volume", "tiers": [{"up_to": None}, {"up_to": None}]}},
            "only the last tier is open",
        ),
        (
            {"price": {"model": "stairstep", "tiers": [{"up_to": "5"}, {"up_to": "5"}, {"up_to": None}]}},
            "above the one before",
        ),
        (
            {"price": {"model": "graduated", "tiers": [{"up_to": None}], "tier_value": "$.x"}},
            "needs charge.price.scope: event",
        ),
        ({"price": {"model": "package", "package_size": "0", "package_amount": "1"}}, "must be more than 0"),
        (
            {
                "price": {
                    "model": "matrix",
                    "dimensions": ["a"],
                    "cells": [{"when": {"b": "x"}, "unit_amount": "1"}],
                }
            },
            "not among",
        ),
        ({"price": {"model": "matrix", "dimensions": ["a"]}}, "neither cells nor a default"),
        ({"price": {"model": "dynamic", "amount": "5"}}, "must be a path"),
        (
            {"price": {"model": "percentage", "rate": "1", "event_min": "2", "event_max": "1"}},
            "above charge.price.event_max",
        ),
        ({"price": {"model": "percentage", "rate": "1", "free_events": "1.5"}}, "not a whole number"),
        (
            {"price": {"model": "scheduled", "timezone": "Mars", "schedule": [], "default": PER_UNIT}},
            "time zone",
        ),
        (
            {
                "price": {
                    "model": "scheduled",
                    "schedule": [{"from": "24:00", "price": PER_UNIT}],
                    "default": PER_UNIT,
                }
            },
            "begins before",
        ),
        (
            {
                "price": {
                    "model": "scheduled",
                    "schedule": [{"to": "24:01", "price": PER_UNIT}],
                    "default": PER_UNIT,
                }
            },
            "at most '24:00'",
        ),
        ({"price": PER_UNIT, "discount_percent": "101"}, "100 or less"),
        ({"price": PER_UNIT, "convert": {"divide": "0"}}, "more than 0"),
        ({"price": PER_UNIT, "convert": {"round": "sideways"}}, "none, up, down, half_up"),
        ({"price": PER_UNIT, "commitment": {}}, "one of quantity and amount"),
        ({"price": PER_UNIT, "commitment": {"amount": "1"}, "minimum": "1"}, "stands beside commitment"),
        ({"price": {"model": "dynamic", "amount": "$.a"}, "convert": {}}, "no modifier of a dynamic price"),
        (
            {"price": {"model": "percentage", "rate": "1"}, "included": "1"},
            "no modifier of a price of events",
        ),
        (
            {"price": {"model": "dynamic", "amount": "$.a"}, "commitment": {"quantity": "1"}},
            "commit to an amount",
        ),
    ],
)
def test_nonsense_is_refused_by_field(doc: dict[str, Any], message: str) -> None:
    with pytest.raises(PriceError, match=message):
        rule_from(doc)
