"""What bounds a feature: its balance where overage is denied, and the hard limits that its usage moves."""

from __future__ import annotations

from typing import Any

import pytest

from rating.availability import available
from rating.catalog.plans import Plan, plan_from
from rating.feature_bounds import Asked, LimitState, bounds_of
from rating.numbers import QTY, quantity_text
from rating.reservations import BoundKey

TIERS = {
    "model": "graduated",
    "tiers": [{"up_to": "100", "unit_amount": "1"}, {"up_to": None, "unit_amount": "2"}],
}
FALLING = {
    "model": "graduated",
    "tiers": [{"up_to": "100", "unit_amount": "2"}, {"up_to": None, "unit_amount": "1"}],
}
MATRIX = {
    "model": "matrix",
    "dimensions": ["model"],
    "cells": [{"when": {"model": "large"}, "unit_amount": "4"}],
    "default": "1",
}
SPEND = {"key": "cap", "metric": "spend", "currency": "USD", "amount": "100", "hard": True}


def plan(price: dict[str, Any], **fields: Any) -> Plan:
    charge = {"key": "c", "meter": "m"} | {
        name: fields.pop(name) for name in ("unit", "included", "dimensions") if name in fields
    }
    return plan_from({
        "key": "p", "version": 1, "effective_from": "2026-01-01T00:00:00Z", "currency": "USD", "period": "month",
        "charges": [charge | {"price": price}], "entitlements": [{"feature": "f"} | fields.pop("entitlement", {})], **fields,
    })  # fmt: skip


def left(
    plan: Plan, limit: dict[str, Any] | None = SPEND, value: str = "0", used: str = "0", held: int = 0,
    dimensions: dict[str, str] | None = None, **entitlement: Any,
) -> str | None:  # fmt: skip
    """What is available, as text."""
    asked = Asked("t", "a", "f", "m", dimensions or {}, 0)
    record = {"kind": "metered", "feature": "f", "used": used, "balance": None} | entitlement
    limits = (
        []
        if limit is None
        else [LimitState(asked.key("limit", limit["key"]), limit, value, limit["amount"], None)]
    )

    def claimed(bound: BoundKey) -> int:
        return held * QTY if bound == asked.own else 0

    found = available(bounds_of(asked, record, plan, limits, claimed))
    return None if found is None else quantity_text(found)


@pytest.mark.parametrize(
    ("price", "used", "held", "there"),
    [
        (TIERS, "0", 0, "100"), (TIERS, "60", 0, "70"), (TIERS, "200", 0, "50"), (TIERS, "60", 40, "50"),
        (FALLING, "0", 0, "50"), (FALLING, "100", 0, "100"), (FALLING, "90", 10, "90"),
    ],
)  # fmt: skip
def test_a_spend_limit_is_measured_by_the_price_at_the_present_usage(
    price: dict[str, Any], used: str, held: int, there: str
) -> None:
    """With what is held first or not at all: the dearer of the two."""
    assert left(plan(price), used=used, held=held) == there


def test_an_allowance_of_the_charge_costs_nothing() -> None:
    assert left(plan(TIERS, included="50"), used="0") == "150"


def test_a_group_that_is_not_known_is_the_dearest() -> None:
    priced = plan(MATRIX)
    assert left(priced) == "25"
    assert left(priced, dimensions={"model": "large"}) == "25"
    assert left(priced, dimensions={"model": "small"}) == "100"


def test_units_are_money_by_their_conversion_rate() -> None:
    by_unit = plan(
        {"model": "per_unit", "unit_amount": "2"}, unit="credit", conversion_rates={"credit": "0.5"}
    )
    assert left(by_unit) == "100"


@pytest.mark.parametrize(
    "limit", [SPEND | {"hard": False}, SPEND | {"meter": "other"}, SPEND | {"feature": "other"}]
)
def test_what_does_not_bear_on_the_feature_does_not_bound_it(limit: dict[str, Any]) -> None:
    assert left(plan(TIERS), limit) is None


def test_a_limit_on_usage_is_of_the_quantity() -> None:
    usage = {
        "key": "u",
        "metric": "usage",
        "meter": "m",
        "amount": "10",
        "hard": True,
        "filter": {"model": ["large"]},
    }
    assert left(plan(TIERS), usage, value="4") == "6"
    assert left(plan(TIERS), usage, value="4", dimensions={"model": "large"}) == "6"
    assert left(plan(TIERS), usage, value="4", dimensions={"model": "small"}) is None
    assert left(plan(TIERS), usage, value="12") == "0"


def test_a_limit_on_a_balance_leaves_its_amount() -> None:
    balance = {"key": "b", "metric": "balance", "unit": "credit", "amount": "10", "hard": True}
    by_unit = plan({"model": "per_unit", "unit_amount": "2"}, unit="credit")
    assert left(by_unit, balance, value="30") == "10"


@pytest.mark.parametrize(
    ("entitlement", "balance", "there"),
    [
        ({"included": "9", "overage": "denied"}, "7", "7"), ({"included": "9", "overage": "allowed"}, "7", None),
        ({"included": "9"}, "7", None), ({}, None, None),
    ],
)  # fmt: skip
def test_a_balance_bounds_where_overage_is_denied(
    entitlement: dict[str, Any], balance: str | None, there: str | None
) -> None:
    assert left(plan(TIERS, entitlement=entitlement), None, balance=balance) == there


def test_without_a_price_for_more_overage_is_denied() -> None:
    free = plan_from({
        "key": "p", "version": 1, "effective_from": "2026-01-01T00:00:00Z", "currency": "USD", "period": "month",
        "entitlements": [{"feature": "f", "included": "9"}],
    })  # fmt: skip
    assert left(free, None, balance="7") == "7"


def test_a_pool_of_units_is_measured_by_the_price_in_it() -> None:
    pool = plan({"model": "per_unit", "unit_amount": "4"}, unit="credit", entitlement={"unit": "credit"})
    assert left(pool, None, balance="20", unit="credit") == "5"


def test_what_is_not_metered_has_no_bound() -> None:
    assert left(plan(TIERS), kind="boolean") is None
