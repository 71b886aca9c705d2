"""Tallies of priced events: in any order, in any parts, taken back and put in again, they come to the same."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from rating.aggregations import Values
from rating.catalog.plans import plan_from
from rating.cells import DictCells
from rating.charge import Rule
from rating.errors import Overflow
from rating.numbers import AMOUNT, QTY
from rating.prices import PricedEvent
from rating.tallies import Tally, tally_of
from rating.times import HOUR
from tests.unit.rating.lives import Doc, charge, plan

PERCENT: Doc = {"model": "percentage", "rate": "10", "fixed_amount": "1"}
FREE: Doc = {**PERCENT, "free_events": 2}
BY_SIZE: Doc = {"model": "volume", "scope": "event",
                "tiers": [{"up_to": "10", "unit_amount": "1"}, {"up_to": None, "unit_amount": "3"}]}  # fmt: skip
DAYTIME: Doc = {"from": "08:00", "to": "20:00", "price": {"model": "per_unit", "unit_amount": "5"}}
CLOCK: Doc = {"model": "scheduled", "timezone": "UTC", "schedule": [DAYTIME],
              "default": {"model": "per_unit", "unit_amount": "1"}}  # fmt: skip
TIERED: Doc = {**CLOCK, "default": {"model": "graduated", "tiers": [{"up_to": "10", "unit_amount": "1", "flat_amount": "7"},
                                                               {"up_to": None, "unit_amount": "2"}]}}  # fmt: skip
DYNAMIC: Doc = {"model": "dynamic", "amount": "$.cost", "multiplier": "2"}
EVENTS = [(1, 10), (9, 20), (10, 5), (22, 30)]
"""Hour of the day, and value."""


def rule(price: Doc, **fields: Any) -> Rule:
    return plan_from(plan("pro", charges=[charge() | {"price": price, **fields}])).charges[0].rule


def tally(price: Doc, **fields: Any) -> Tally:
    found = tally_of(rule(price, **fields))
    assert found is not None
    return found


def event(hour: int, value: int) -> PricedEvent:
    return PricedEvent(hour * HOUR, f"src e{hour}", value * QTY, value * QTY)


class Kept:
    """A tally that runs, with cells of its own; the sum of its parts is always its total."""

    def __init__(self, found: Tally) -> None:
        self._tally = found
        self._values = Values(DictCells(), ("value",))
        self._kept: Any = None
        self._sum = 0

    def add(self, *events: tuple[int, int], sign: int = 1) -> int:
        added = self._tally.add(self._kept, [event(*each) for each in events], sign, self._values)
        self._kept = added.kept
        self._sum += sum(part.amount for part in added.parts)
        assert self._sum == self.total
        return self.total

    @property
    def total(self) -> int:
        return self._tally.total(self._kept)


PRICES = [
    # 2, 3, 1.5 and 4; then the first two free.
    (PERCENT, "10.5"), (FREE, "5.5"),
    # 10 at 1, 20 at 3, 5 at 1, 30 at 3.
    (BY_SIZE, "165"),
    # 25 by day at 5, 40 by night at 1; or 10 at 1, 30 at 2 and 7.
    (CLOCK, "165"), (TIERED, "202"), (DYNAMIC, "130"),
]  # fmt: skip


@pytest.mark.parametrize(("price", "total"), PRICES)
def test_the_order_of_arrival_does_not_matter(price: Doc, total: str) -> None:
    for order in permutations(EVENTS):
        kept = Kept(tally(price))
        for each in order:
            kept.add(each)
        assert kept.total * 10 == int(float(total) * 10) * AMOUNT, order


@pytest.mark.parametrize(("price", "total"), PRICES)
def test_what_is_taken_back_leaves_what_the_others_come_to(price: Doc, total: str) -> None:
    for gone in EVENTS:
        kept, never = Kept(tally(price)), Kept(tally(price))
        kept.add(*EVENTS)
        kept.add(gone, sign=-1)
        never.add(*(each for each in EVENTS if each != gone))
        assert kept.total == never.total
        assert kept.add(gone) * 10 == int(float(total) * 10) * AMOUNT


def test_an_allowance_goes_to_the_earliest_events_however_they_come() -> None:
    kept = Kept(tally(FREE))
    assert kept.add((9, 20), (10, 5)) == 0
    # The earlier one is free now, and 5 is not: 0.5 + 1.
    assert kept.add((1, 10)) * 2 == 3 * AMOUNT


def test_each_event_is_converted_by_itself() -> None:
    kept = Kept(tally(PERCENT, convert={"divide": "10", "round": "up"}))
    # 21 / 10 is 3 and 1 / 10 is 1: 0.3 + 1 and 0.1 + 1.
    assert kept.add((1, 21), (2, 1)) * 10 == 24 * AMOUNT


def test_every_slot_of_a_schedule_has_its_flat_amount_from_the_first_event_on() -> None:
    assert Kept(tally(TIERED)).add((9, 1)) == (5 + 7) * AMOUNT


def test_a_price_of_one_quantity_keeps_no_events() -> None:
    assert tally_of(rule({"model": "per_unit", "unit_amount": "1"})) is None


def test_a_group_holds_so_many_events_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rating.tallies.ORDERED_MAX", 3)
    kept = Kept(tally(FREE))
    kept.add(*EVENTS[:3])
    with pytest.raises(Overflow, match="more than 3 events"):
        kept.add(EVENTS[3])
