"""A quote of events: groups, windows of a commitment, and what usage may not say."""

from __future__ import annotations

from typing import Any

import pytest

from rating.errors import PriceError, QuoteError
from rating.quote import quote

PER_UNIT = {"model": "per_unit", "unit_amount": "2"}
MATRIX = {"model": "matrix", "dimensions": ["model"], "cells": [{"when": {"model": "a"}, "unit_amount": "1"}]}


def test_lines_are_by_tier_and_sum_to_the_total() -> None:
    tiers = [{"up_to": "10", "unit_amount": "1", "flat_amount": "5"}, {"up_to": None, "unit_amount": "0.5"}]
    assert quote({"price": {"model": "graduated", "tiers": tiers}, "maximum": "15"}, {"quantity": "12"}) == {
        "total": "15",
        "lines": [
            {"tier": 1, "quantity": "10", "unit_amount": "1", "amount": "10"},
            {"tier": 1, "quantity": "0", "unit_amount": None, "amount": "5"},
            {"tier": 2, "quantity": "2", "unit_amount": "0.5", "amount": "1"},
            {"tier": None, "quantity": "0", "unit_amount": None, "amount": "-1"},
        ],
    }


def test_each_group_has_tiers_and_an_allowance_of_its_own_the_bounds_hold_over_all() -> None:
    charge = {"price": PER_UNIT, "dimensions": ["model"], "included": "3", "minimum": "10"}
    events = [{"value": "5", "dimensions": {"model": name}} for name in ("a", "b")]
    assert quote(charge, {"events": events})["total"] == "10"
    assert quote({**charge, "minimum": "5"}, {"events": events})["total"] == "8"


def test_each_window_of_a_commitment_is_taken_by_itself() -> None:
    charge = {
        "price": PER_UNIT,
        "commitment": {"quantity": "10", "overage_factor": "1.5", "true_up": True, "window": "1h"},
    }
    events = [
        {"time": f"2026-01-01T{hour}:00Z".replace(":00Z", ":30:00Z"), "value": value}
        for hour, value in (("10", "6"), ("11", "7"), ("11", "7"))
    ]
    assert quote(charge, {"events": events})["total"] == "52"  # 20 trued up, and 20 + 8 × 1.5
    assert quote({**charge, "maximum": "30"}, {"events": events})["total"] == "30"


def test_dimensions_compare_as_the_pipeline_reads_them() -> None:
    price = {**MATRIX, "cells": [{"when": {"model": ["1", "true"]}, "unit_amount": "1"}]}
    events = [{"value": "1", "dimensions": {"model": value}} for value in (1, True, "1")]
    assert quote({"price": price}, {"events": events})["total"] == "3"


@pytest.mark.parametrize(
    ("charge", "usage", "message"),
    [
        ({"price": PER_UNIT}, {}, "give either quantity or events"),
        ({"price": PER_UNIT}, [], "give either quantity or events"),
        (
            {"price": PER_UNIT},
            {"qantity": "1"},
            "usage.qantity is no field of usage: give quantity or events",
        ),
        ({"price": PER_UNIT}, {"quantity": "1", "events": []}, "either quantity or events"),
        ({"price": PER_UNIT}, {"quantity": "1", "unit": "x"}, "usage.unit is no field"),
        (
            {"price": PER_UNIT},
            {"quantity": "1e400"},
            "usage.quantity: '1e400' has more than 18 integer digits",
        ),
        ({"price": PER_UNIT}, {"quantity": None}, "usage.quantity: null is not an exact number"),
        ({"price": PER_UNIT}, {"events": {}}, "give a list of events"),
        ({"price": PER_UNIT}, {"events": [1]}, r"usage\.events\[0\] is 1: give a mapping"),
        ({"price": PER_UNIT}, {"events": [{}]}, r"usage\.events\[0\]\.value is missing"),
        (
            {"price": PER_UNIT},
            {"events": [{"value": "1", "time": "noon"}]},
            r"\.time: 'noon' is not an RFC 3339 time",
        ),
        ({"price": PER_UNIT}, {"events": [{"value": "1", "dimensions": 3}]}, "give a mapping"),
        ({"price": MATRIX}, {"quantity": "1"}, "no cell of the matrix holds model ''"),
        (
            {"price": MATRIX},
            {"events": [{"value": "1", "dimensions": {"model": []}}]},
            "give a text, a number",
        ),
        (
            {"price": {"model": "dynamic", "amount": "$.a"}},
            {"quantity": "1"},
            "give events with their amount",
        ),
        ({"price": {"model": "dynamic", "amount": "$.a"}}, {"events": [{"value": "1"}]}, "amount is missing"),
        (
            {"price": {"model": "scheduled", "schedule": [{"price": PER_UNIT}], "default": PER_UNIT}},
            {"quantity": "1"},
            "give events with their time",
        ),
        (
            {"price": {"model": "scheduled", "schedule": [{"price": PER_UNIT}], "default": PER_UNIT}},
            {"events": [{"value": "1"}]},
            "time is missing",
        ),
    ],
)
def test_usage_that_cannot_be_priced_is_refused_by_field(
    charge: dict[str, Any], usage: Any, message: str
) -> None:
    with pytest.raises(QuoteError, match=message):
        quote(charge, usage)


def test_a_quotes_errors_are_price_errors() -> None:
    assert issubclass(QuoteError, PriceError)
