"""The shape of price curves: none falls but where a tier's price drops, and a graduated one has no step but its flat amounts."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from typing import Any

from hypothesis import given, seed
from hypothesis import strategies as st

from rating.charge import Rule, rule_from
from rating.numbers import AMOUNT, QTY, quantity
from rating.prices import MODELS
from tests.auditor import pricing_cases
from tests.property.test_prices import EXAMPLES, PRICES, drawn

USED = st.integers(0, 10**15) | st.integers(0, 300).map(lambda units: units * QTY)
DROPPING = ("volume", "stairstep")
"""Models in which another tier prices all of what was used."""
GRADUATED = st.builds(drawn, st.sampled_from(("graduated", "graduated_percentage")), st.integers(0, 10**6))


def bounds(doc: dict[str, Any]) -> list[int]:
    return [quantity(tier["up_to"]) for tier in doc["tiers"] if tier["up_to"] is not None]


def field(tier: dict[str, Any], name: str) -> Fraction:
    return Fraction(tier.get(name) or "0")


def drops(doc: dict[str, Any], low: int, high: int) -> bool:
    """Whether the tier that holds more is cheaper, by the unit or flat, than the one that holds less."""
    before, after = (doc["tiers"][bisect_left(bounds(doc), q)] for q in (low, high))
    return any(field(after, name) < field(before, name) for name in ("unit_amount", "flat_amount"))


def totals(rule: Rule, *quantities: int) -> list[int]:
    return [rule.total(q, rule.included) for q in quantities]


def test_what_is_drawn_has_curves_that_fall_and_others() -> None:
    docs = [drawn(model, number) for model in DROPPING for number in range(50)]
    falling = [doc for doc in docs if any(drops(doc, low, low + 1) for low in bounds(doc))]
    assert len(docs) // 4 < len(falling) < len(docs)
    assert set(DROPPING) <= set(MODELS) == set(pricing_cases.MODELS)


@seed(20261126)
@EXAMPLES
@given(PRICES, USED, USED)
def test_more_usage_never_gives_a_negative_line_but_where_a_tiers_price_drops(
    doc: dict[str, Any], one: int, other: int
) -> None:
    low, high = sorted((one, other))
    before, after = totals(rule_from({"price": doc, "discount_percent": "12.5"}), low, high)
    assert after >= before or (doc["model"] in DROPPING and drops(doc, low, high))


@seed(20261126)
@EXAMPLES
@given(PRICES, st.sampled_from(("none", "up", "down", "half_up")), USED, USED)
def test_neither_does_a_conversion_nor_an_allowance(
    doc: dict[str, Any], how: str, one: int, other: int
) -> None:
    low, high = sorted((one, other))
    rule = rule_from({"price": doc, "convert": {"divide": "3", "round": how}, "included": "7.5"})
    before, after = totals(rule, low, high)
    held = [rule.charged(q, rule.included) for q in (low, high)]
    assert after >= before or (doc["model"] in DROPPING and drops(doc, *held))


@seed(20261126)
@EXAMPLES
@given(GRADUATED)
def test_a_graduated_curve_goes_on_at_a_bound_but_for_the_flat_amount(doc: dict[str, Any]) -> None:
    unit = "unit_amount" if doc["model"] == "graduated" else "rate"
    share = 1 if doc["model"] == "graduated" else 100
    for bound, tier in zip(bounds(doc), doc["tiers"][1:], strict=True):
        least = field(tier, unit) / share / QTY
        before, after = totals(rule_from({"price": doc}), bound, bound + 1)
        assert Fraction(after - before, AMOUNT) == least + field(tier, "flat_amount")
