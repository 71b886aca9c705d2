"""What is available, and what is granted."""

from __future__ import annotations

import pytest

from rating.availability import BALANCE, LIMIT, Bound, Decision, available, decide
from rating.charge import rule_from
from rating.numbers import AMOUNT, QTY
from rating.reservations import BoundKey

KEY = BoundKey("t", "a", "feature", "f")
TIERS = [
    {"up_to": "10", "unit_amount": "1"},
    {"up_to": "20", "unit_amount": "3"},
    {"up_to": None, "unit_amount": "0.5"},
]


def price(**fields: object) -> Bound:
    """A spend of 25 that is left, by a price."""
    rule = rule_from({"price": fields})
    return Bound(KEY, LIMIT, 25 * AMOUNT, rule.total)


def balance(rest: int) -> Bound:
    return Bound(KEY, BALANCE, rest * QTY)


@pytest.mark.parametrize(
    ("bound", "there"),
    [
        (balance(60), 60 * QTY),
        (balance(-1), 0),
        (price(model="per_unit", unit_amount="0.3"), 83_333_333_333_333),
        (price(model="per_unit", unit_amount="0"), None),
        (price(model="graduated", tiers=TIERS), 15 * QTY),
        (price(model="package", package_size="4", package_amount="5", round="up"), 20 * QTY),
        (price(model="flat", amount="30"), 0),
        (price(model="stairstep", tiers=[{"up_to": "7", "flat_amount": "1"}, {"up_to": None, "flat_amount": "90"}]), 7 * QTY),
        (price(model="per_unit", unit_amount="1000000"), 25_000_000),
        (price(model="per_unit", unit_amount="0.000000000000001"), 25 * 10**15 * QTY),
    ],
)  # fmt: skip
def test_available_is_the_largest_quantity_that_fits(bound: Bound, there: int | None) -> None:
    assert bound.available() == there
    if there is not None:
        assert there == 0 or bound.fits(there)
        assert not bound.fits(there + 1)


def test_the_least_bound_decides() -> None:
    assert available([balance(60), price(model="per_unit", unit_amount="1")]) == 25 * QTY
    assert available([price(model="per_unit", unit_amount="0")]) is None
    assert available([]) is None


@pytest.mark.parametrize(
    ("quantity", "minimum", "granted", "left"),
    [(60, None, 60, 0), (61, None, 0, 60), (100, 50, 60, 0), (100, 61, 0, 60), (5, 5, 5, 55)],
)
def test_all_or_what_there_is(quantity: int, minimum: int | None, granted: int, left: int) -> None:
    found = decide([balance(60)], quantity * QTY, None if minimum is None else minimum * QTY)
    assert (found.granted, found.available) == (granted * QTY, left * QTY)


def test_after_a_grant_the_price_goes_on_where_it_ends() -> None:
    found = decide([price(model="graduated", tiers=TIERS)], 12 * QTY, None)
    assert (found.granted, found.available) == (12 * QTY, 3 * QTY)


def test_a_balance_refuses_before_a_limit_does() -> None:
    spend = price(model="per_unit", unit_amount="1")
    assert decide([spend, balance(10)], 30 * QTY, None).refused_by == balance(10)
    assert decide([spend, balance(100)], 30 * QTY, None).refused_by == spend


def test_without_a_bound_everything_is_granted() -> None:
    assert decide([], 10**40, None) == Decision(10**40, None)
