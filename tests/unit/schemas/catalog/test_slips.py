"""What is sound and often not meant is warned of, at its line, and does not keep the catalog from being loaded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.catalog import load_catalog

METER = {
    "key": "calls",
    "event_type": "call",
    "aggregation": "count",
    "group_by": {"model": "$.model"},
    "window": "1h",
}
CALLS = {"key": "calls", "meter": "calls"}
TIERS = {
    "model": "graduated",
    "tiers": [{"up_to": "10", "unit_amount": "2"}, {"up_to": None, "unit_amount": "1"}],
}
PER_UNIT = {"model": "per_unit", "unit_amount": "1"}
MATRIX = {
    "model": "matrix",
    "dimensions": ["model"],
    "cells": [{"when": {"model": "large"}, "unit_amount": "1"}],
}
LEFT = {"key": "left", "metric": "balance", "unit": "USD", "amount": "10"}


def warned(**fields: Any) -> list[tuple[str, str]]:
    """The field and the words of each warning of a plan."""
    plan = {"key": "pro", "version": 1, "effective_from": "2026-01-01T00:00:00Z", "currency": "USD", "period": "month", **fields}  # fmt: skip
    loaded = load_catalog(json.dumps({"meters": [METER], "plans": [plan]}), "c.json")
    assert loaded.ok, [str(each) for each in loaded.problems]
    return [(each.field, each.problem) for each in loaded.warnings]


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"charges": [{**CALLS, "price": MATRIX}]}, "charges[0].price.default", "no cell holds is rated at 0"),
        ({"charges": [{**CALLS, "price": PER_UNIT, "dimensions": ["model"], "included": "5"}]}, "charges[0].included",
         "each group of model by itself"),
        ({"charges": [{**CALLS, "price": TIERS, "dimensions": ["model"]}]}, "charges[0].price", "counts for each group of model"),
        ({"limits": [{**LEFT, "thresholds": ["100", {"every": "2"}]}]}, "limits[0].thresholds[1]", "tells nothing"),
    ],
)  # fmt: skip
def test_a_slip_is_warned_of_where_it_is(fields: dict[str, Any], field: str, words: str) -> None:
    ((told, problem),) = warned(**fields)
    assert told == f"plans[0].{field}"
    assert words in problem


@pytest.mark.parametrize(
    "fields",
    [
        {"charges": [{**CALLS, "price": {**MATRIX, "default": "2"}}]},
        {"charges": [{**CALLS, "price": PER_UNIT, "dimensions": ["model"]}]},
        {"charges": [{**CALLS, "price": TIERS, "included": "5"}]},
        {"limits": [{**LEFT, "thresholds": ["100", {"at": "2"}]}]},
        {"limits": [{"key": "spent", "metric": "spend", "amount": "10", "thresholds": [{"every": "2"}]}]},
    ],
)
def test_what_is_meant_is_not_warned_of(fields: dict[str, Any]) -> None:
    assert warned(**fields) == []
