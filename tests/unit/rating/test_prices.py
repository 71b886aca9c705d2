"""The rules of the price models that no vector shows."""

from __future__ import annotations

from typing import Any

import pytest

from rating.numbers import amount_text, quantity
from rating.prices import UNPRICED, Graduated, Matrix, Part, Scheduled, differences, price_of
from rating.quote import quote
from rating.times import parse_time

TIERS = [{"up_to": "100", "unit_amount": "2", "flat_amount": "7"}, {"up_to": None, "unit_amount": "1"}]


def total(price: dict[str, Any], usage: dict[str, Any]) -> str:
    return str(quote({"price": price}, usage)["total"])


@pytest.mark.parametrize(
    ("price", "q", "expected"),
    [
        ({"model": "graduated", "tiers": TIERS}, "0", "7"),
        ({"model": "graduated", "tiers": TIERS}, "-5", "7"),
        ({"model": "graduated", "tiers": TIERS, "zero_usage": "skip"}, "0", "0"),
        ({"model": "graduated", "tiers": TIERS}, "100.5", "207.5"),
        ({"model": "volume", "tiers": TIERS}, "100", "207"),
        ({"model": "volume", "tiers": TIERS}, "100.000000000001", "100.000000000001"),
        ({"model": "volume", "tiers": TIERS, "zero_usage": "skip"}, "0", "0"),
        ({"model": "stairstep", "tiers": [{"up_to": None, "flat_amount": "3"}]}, "0", "3"),
        ({"model": "flat", "amount": "4"}, "0", "4"),
        ({"model": "package", "package_size": "10", "package_amount": "1", "free_units": "5"}, "5", "0"),
    ],
)
def test_totals_at_the_edges(price: dict[str, Any], q: str, expected: str) -> None:
    assert total(price, {"quantity": q}) == expected


def test_the_details_of_a_step_are_by_tier() -> None:
    price = Graduated.from_doc({"model": "graduated", "tiers": TIERS})
    line = differences(price.parts(quantity("90")), price.parts(quantity("120")))
    assert line == (Part(1, quantity("10"), "2", 20 * 10**36), Part(2, quantity("20"), "1", 20 * 10**36))


def test_scope_event_looks_each_event_up_by_itself() -> None:
    events = {"events": [{"value": "60"}, {"value": "150"}]}
    assert total({"model": "volume", "tiers": TIERS, "scope": "event"}, events) == "277"
    assert total({"model": "graduated", "tiers": TIERS, "scope": "event"}, events) == "384"


def test_tier_value_makes_every_token_of_a_request_dearer() -> None:
    price = {
        "model": "volume",
        "scope": "event",
        "tier_value": "$.prompt",
        "tiers": [{"up_to": "200", "unit_amount": "1"}, {"up_to": None, "unit_amount": "2"}],
    }
    assert (
        total(price, {"events": [{"value": "10", "prompt": "200"}, {"value": "10", "prompt": 201}]}) == "30"
    )
    assert total(price, {"events": [{"value": "10", "tier_value": "201"}, {"value": "10"}]}) == "30"


def test_events_are_free_while_both_allowances_last_in_the_order_of_time() -> None:
    price = {
        "model": "percentage",
        "rate": "10",
        "fixed_amount": "1",
        "free_events": "2",
        "free_amount": "100",
    }
    late, early = (
        {"time": "2026-01-02T00:00:00Z", "value": "50"},
        {"time": "2026-01-01T00:00:00Z", "value": "80"},
    )
    assert total(price, {"events": [late, early]}) == "4"  # 80 free, 20 of 50 free, 30 × 10 % + 1
    assert total({**price, "free_events": "0"}, {"events": [late, early]}) == "15"
    assert total(price, {"events": [early, {**late, "value": "20"}, {**late, "value": "1"}]}) == "1.1"


def test_a_wholly_free_event_costs_nothing_whatever_the_least_fee() -> None:
    assert (
        total({"model": "percentage", "rate": "1", "free_amount": "5", "event_min": "3"}, {"quantity": "5"})
        == "0"
    )


def test_the_cell_that_names_most_wins_then_the_narrowest_then_the_first() -> None:
    price = price_of(
        {
            "model": "matrix",
            "dimensions": ["model", "region"],
            "cells": [
                {"when": {"model": ["a", "b"]}, "unit_amount": "1"},
                {"when": {"model": "a"}, "unit_amount": "2"},
                {"when": {"region": "eu"}, "unit_amount": "3"},
                {"when": {"model": "b", "region": ["eu", "us"]}, "unit_amount": "4"},
            ],
        }
    )
    assert isinstance(price, Matrix)
    groups = {("a", "eu"): "2", ("b", "eu"): "4", ("b", "asia"): "1", ("c", "eu"): "3"}
    for (model, region), unit in groups.items():
        curve = price.curve_of({"model": model, "region": region})
        assert curve is not None
        assert amount_text(curve.total(quantity("1"))) == unit
    assert price.curve_of({"model": "c", "region": "asia"}) is None
    assert UNPRICED.parts(quantity("2")) == (Part(None, quantity("2"), None, 0, unpriced=True),)


@pytest.mark.parametrize(
    ("time", "slot"),
    [
        ("2026-03-27T21:00:00Z", 0),  # Friday 22:00 in Berlin
        ("2026-03-28T04:59:59.999999Z", 0),  # Saturday 05:59:59, still Friday's night
        ("2026-03-28T05:00:00Z", 2),  # Saturday 06:00
        ("2026-03-28T21:00:00Z", 2),  # Saturday 22:00: no night begins
        ("2026-03-29T03:00:00Z", 1),  # Sunday 05:00 in summer time
        ("2026-03-29T21:59:00Z", 1),  # Sunday 23:59
        ("2026-03-29T22:00:00Z", 2),  # Monday 00:00
    ],
)
def test_a_night_belongs_to_the_day_it_began_on(time: str, slot: int) -> None:
    unit = {"model": "per_unit", "unit_amount": "1"}
    price = price_of(
        {
            "model": "scheduled",
            "timezone": "Europe/Berlin",
            "default": unit,
            "schedule": [
                {"days": ["fri"], "from": "22:00", "to": "06:00", "price": unit},
                {"days": ["sun"], "from": "00:00", "to": "24:00", "price": unit},
            ],
        }
    )
    assert isinstance(price, Scheduled)
    assert price.slot(parse_time(time)) == slot


def test_the_kind_says_how_the_aggregate_inverts() -> None:
    kinds = {
        "each": {"model": "percentage", "rate": "1"},
        "order": {"model": "percentage", "rate": "1", "free_events": "1"},
        "quantity": {"model": "flat", "amount": "1"},
    }
    assert all(price_of(doc).kind == kind for kind, doc in kinds.items())
