"""What every price has in common, whatever its model: differences add up, retraction inverts, parts sum."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rating.charge import rule_from
from rating.prices import (
    MODELS,
    CurvePrice,
    Dynamic,
    EventTiers,
    Matrix,
    Part,
    Percentage,
    PricedEvent,
    differences,
    merged,
    price_of,
)
from rating.proration import part
from tests.auditor import pricing_cases

BY_QUANTITY = ("flat", "per_unit", "graduated", "volume", "stairstep", "package", "graduated_percentage")
QUANTITIES = st.integers(-(10**13), 10**15) | st.integers(-3, 300).map(lambda units: units * 10**12)
EXAMPLES = settings(max_examples=300, deadline=None, derandomize=True)


def drawn(model: str, number: int) -> dict[str, Any]:
    """A price of the model without `scope: event`."""
    price = pricing_cases.MODELS[model](Random(number))
    return {name: value for name, value in price.items() if name not in ("scope", "tier_value")}


PRICES = st.builds(drawn, st.sampled_from(BY_QUANTITY), st.integers(0, 10**6))


def amount(parts: tuple[Part, ...]) -> int:
    return sum(each.amount for each in parts)


def test_the_models_are_those_of_the_contract() -> None:
    assert (
        set(MODELS)
        == set(pricing_cases.MODELS)
        == {*BY_QUANTITY, "percentage", "matrix", "dynamic", "scheduled"}
    )


@seed(20261125)
@EXAMPLES
@given(PRICES, QUANTITIES, QUANTITIES)
def test_between_two_quantities_is_what_their_parts_sum_to(doc: dict[str, Any], low: int, high: int) -> None:
    price = price_of(doc)
    assert isinstance(price, CurvePrice)
    before = (each._replace(quantity=-each.quantity, amount=-each.amount) for each in price.parts(low))
    assert price.between(low, high) == merged([*price.parts(high), *before])


@seed(20261124)
@EXAMPLES
@given(PRICES, QUANTITIES)
def test_parts_sum_to_the_total(doc: dict[str, Any], q: int) -> None:
    price = rule_from({"price": doc, "discount_percent": "12.3456", "included": "2.5"})
    assert amount(price.parts(q, price.included)) == price.total(q, price.included)


@seed(20261124)
@EXAMPLES
@given(PRICES, st.lists(QUANTITIES, max_size=8))
def test_the_lines_of_any_steps_sum_to_the_price_of_what_is_reached(
    doc: dict[str, Any], steps: list[int]
) -> None:
    rule = rule_from({"price": doc, "convert": {"divide": "3"}})
    reached, parts, total = 0, rule.parts(0), rule.total(0)
    for step in steps:
        before = rule.parts(reached)
        reached += step
        line = differences(before, rule.parts(reached))
        assert amount(line) == rule.total(reached) - rule.total(reached - step)
        parts, total = differences([], [*parts, *line]), total + amount(line)
    assert total == amount(parts) == rule.total(reached)
    back = amount(differences(rule.parts(reached), rule.parts(0)))
    assert total + back == rule.total(0)


@seed(20261124)
@EXAMPLES
@given(PRICES, QUANTITIES)
def test_a_negative_quantity_prices_as_none(doc: dict[str, Any], q: int) -> None:
    rule = rule_from({"price": doc})
    assert rule.total(-abs(q)) == rule.total(0)


EVENTS = st.lists(
    st.builds(PricedEvent, st.integers(0, 3), st.text("ab", max_size=2), QUANTITIES, QUANTITIES), max_size=8
)


@seed(20261124)
@EXAMPLES
@given(st.integers(0, 10**6), EVENTS)
def test_an_events_price_without_allowances_is_the_sum_of_its_fees(
    number: int, events: list[PricedEvent]
) -> None:
    docs = [pricing_cases.MODELS["dynamic"](Random(number)), {**drawn("graduated", number), "scope": "event"},
            {**drawn("volume", number), "scope": "event", "tier_value": "$.prompt"}]  # fmt: skip
    percentage = pricing_cases.MODELS["percentage"](Random(number))
    docs.append({name: value for name, value in percentage.items() if not name.startswith("free_")})
    for doc in docs:
        price = price_of(doc)
        assert price.kind == "each"
        assert isinstance(price, EventTiers | Dynamic | Percentage)
        assert sum(price.fee(event) for event in events) == amount(price.parts_of(events))


@seed(20261124)
@EXAMPLES
@given(st.integers(0, 10**18), st.lists(st.integers(0, 2_678_400_000_000), min_size=1, max_size=8))
def test_parts_of_a_period_that_meet_sum_to_the_whole(x: int, cuts: list[int]) -> None:
    end = 2_678_400_000_000
    points = [0, *sorted(cuts), end]
    shares = [part(x, a, b, 0, end) for a, b in itertools.pairwise(points)]
    assert sum(shares) == x
    assert all(share >= 0 for share in shares)


@seed(20261124)
@EXAMPLES
@given(st.integers(0, 10**6))
def test_the_cell_that_wins_does_not_depend_on_what_it_does_not_name(number: int) -> None:
    doc = pricing_cases.MODELS["matrix"](Random(number))
    price = price_of(doc)
    assert isinstance(price, Matrix)
    assert price.curve_of({"model": "zz", "region": "zz", "other": "a"}) == price.default
