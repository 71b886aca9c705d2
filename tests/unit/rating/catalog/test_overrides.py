"""Which override holds, and how fields merge: the subscription's over the plan's override over the plan."""

from __future__ import annotations

from typing import Any

import pytest

from rating.catalog import effective_plan
from rating.errors import Refused

PER_UNIT = {"model": "per_unit", "unit_amount": "2"}
PLAN: dict[str, Any] = {
    "key": "pro", "version": 1, "effective_from": "2026-01-01T00:00:00.000000Z", "currency": "USD", "period": "month",
    "fees": [{"key": "base", "amount": "31", "prorate": False}],
    "charges": [{"key": "input", "meter": "m", "included": "5", "price": PER_UNIT, "minimum": "7"}],
    "overrides": [],
}  # fmt: skip
NOBODY: dict[str, str | None] = {"storefront": None, "region": None, "channel": None, "currency": None}


def fee(amount: str, **when: str) -> dict[str, Any]:
    return {"when": when, "fees": [{"key": "base", "amount": amount}]}


def base_fee(
    overrides: list[dict[str, Any]], selectors: dict[str, str], own: dict[str, Any] | None = None
) -> int:
    plan = effective_plan({**PLAN, "overrides": overrides}, {**NOBODY, **selectors}, own)
    return plan.fees[0].amount // 10**12


@pytest.mark.parametrize(
    ("selectors", "amount"),
    [
        ({}, 31),
        ({"region": "us"}, 31),
        ({"region": "eu"}, 2),
        ({"storefront": "x"}, 1),
        ({"storefront": "x", "region": "eu"}, 4),
        ({"storefront": "x", "region": "eu", "channel": "web"}, 4),
        ({"region": "eu", "channel": "web"}, 3),
    ],
)
def test_the_override_that_names_most_holds_and_the_later_of_equals(
    selectors: dict[str, str], amount: int
) -> None:
    overrides = [
        fee("1", storefront="x"), fee("9", region="eu"), fee("2", region="eu"), fee("3", region="eu", channel="web"),
        fee("4", storefront="x", region="eu"),
    ]  # fmt: skip
    overrides.insert(0, overrides.pop(4))
    overrides.append(fee("4", storefront="x", region="eu"))
    assert base_fee(overrides, selectors) == amount


def test_only_one_override_holds_and_the_rest_stays_the_plans() -> None:
    overrides = [fee("1", region="eu"), {"when": {"storefront": "x", "region": "eu"}, "grace": "2h"}]
    assert base_fee(overrides, {"region": "eu", "storefront": "x"}) == 31


def test_fields_merge_but_a_price_is_whole() -> None:
    volume = {"model": "flat", "amount": "9"}
    own = {"charges": [{"key": "input", "price": volume}]}
    charge = effective_plan(PLAN, NOBODY, own).charges[0]
    assert charge.doc["price"] == volume
    assert charge.doc["included"] == "5"
    assert charge.meter == "m"


def test_the_subscriptions_own_stand_over_the_plans_override() -> None:
    own = {"fees": [{"key": "base", "amount": "8"}]}
    assert base_fee([fee("1", region="eu")], {"region": "eu"}, own) == 8
    plan = effective_plan({**PLAN, "overrides": [fee("1", region="eu")]}, {**NOBODY, "region": "eu"}, own)
    assert not plan.fees[0].prorate


def test_null_takes_a_field_away() -> None:
    own = {"charges": [{"key": "input", "minimum": None}]}
    assert "minimum" not in effective_plan(PLAN, NOBODY, own).charges[0].doc


def test_a_new_key_adds() -> None:
    own = {"fees": [{"key": "seat", "amount": "2", "timing": "arrears"}]}
    assert [each.key for each in effective_plan(PLAN, NOBODY, own).fees] == ["base", "seat"]


def test_a_currency_that_picks_is_the_plans_currency() -> None:
    overrides = [{"when": {"currency": "EUR"}}]
    assert effective_plan({**PLAN, "overrides": overrides}, {**NOBODY, "currency": "EUR"}).currency == "EUR"
    assert effective_plan({**PLAN, "overrides": overrides}, {**NOBODY, "currency": "USD"}).currency == "USD"


@pytest.mark.parametrize(
    "own",
    [
        {"charges": [{"key": "other", "price": PER_UNIT}]},
        {"fees": [{"key": "other"}]},
        {"charges": [{"key": "other", "meter": "m"}]},
    ],
)
def test_overrides_that_make_no_whole_plan_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"overrides: .* is missing"):
        effective_plan(PLAN, NOBODY, own)
