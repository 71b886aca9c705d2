"""Credits: which grant pays first, what a rollover will cut, and where it goes when a line is taken back."""

from __future__ import annotations

from typing import Any

import pytest

from rating import burndown
from rating.burndown import Priced, Usage
from rating.catalog import EMPTY
from rating.cells import DictCells, DictIds
from rating.numbers import AMOUNT
from rating.records import Position
from rating.state import NEVER, ChargePeriod, Grant
from rating.step import Step
from tests.unit.rating.lives import Life, charge, plan

NOTHING = ChargePeriod(1, (), (), 0, 0, False, (), 0, 0, 0, 0)
USD = Priced("USD")
CREDIT = Priced("USD", "credit", 10_000)
"""A unit is worth a cent."""


def held(balance: int = 10, **fields: Any) -> Grant:
    """A grant in whole units; times are small numbers."""
    known: dict[str, Any] = {
        "unit": "USD", "priority": 50, "effective": 0, "expires": NEVER, "order": 1, "entries": 1, "charges": None,
        "meters": None, "rollover": None, "rolled": NEVER, "ahead": 0, "ended": "",
    }  # fmt: skip
    known |= fields
    if known["rollover"] is not None:
        known["rollover"] = tuple(bound * AMOUNT for bound in known["rollover"])
    return Grant(amount=balance * AMOUNT, balance=balance * AMOUNT, **known)


class Account:
    """Grants of an account, and one charge that they pay."""

    def __init__(self, **grants: Grant) -> None:
        self.step = Step(DictCells(), DictIds(), EMPTY, {}, "acme", "cust-1", 0, Position("log", 0, 0))
        for key, grant in grants.items():
            burndown.save(self.step, key, grant)
        self.period = NOTHING

    def pay(
        self,
        amount: int,
        at: int = 5,
        priced: Priced = USD,
        charge: str = "input",
        meter: str | None = "tokens",
    ) -> int:
        """A line; what credits paid of it."""
        self.period, paid = burndown.pay(
            self.step, self.period, amount * AMOUNT, priced, Usage(charge, meter, at), "chg"
        )
        assert paid.amount == priced.money(amount * AMOUNT)
        return paid.credits // AMOUNT if priced.unit is None else paid.credits * 100 // AMOUNT

    @property
    def left(self) -> dict[str, int]:
        return {key: grant.balance // AMOUNT for key, grant in burndown.grants(self.step)}

    @property
    def entries(self) -> list[str]:
        return [f"{each.value['grant']} {each.value['entry']} {each.value['amount']}"  # type: ignore[index]
                for each in self.step.effects]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (held(priority=1, expires=90, created=9), held(priority=2, expires=10)),
        (held(expires=10, created=9), held(expires=20)),
        (held(expires=20, created=9), held()),
        (held(created=1, order=9), held(created=2)),
        (held(), held()),
        # What the rollover cuts at 7 goes as if it expired then; but not before one that expires earlier.
        (held(rollover=(0, 0), rolled=7, created=9), held(expires=8)),
        (held(expires=6), held(rollover=(0, 0), rolled=7)),
        (held(priority=1), held(priority=2, rollover=(0, 0), rolled=7)),
        (held(expires=6, rollover=(0, 0), rolled=7), held(rollover=(0, 0), rolled=7)),
    ],
)  # fmt: skip
def test_grants_burn_by_priority_then_expiry_then_creation_then_key(first: Grant, second: Grant) -> None:
    account = Account(a=first, b=second)
    assert account.pay(10) == 10
    assert account.left == {"a": 0, "b": 10}
    if first != second:
        turned = Account(a=second, b=first)
        assert turned.pay(10) == 10
        assert turned.left == {"a": 10, "b": 0}


@pytest.mark.parametrize(
    ("rollover", "used", "left"),
    [
        # 6 of the first are cut, then the second's 10, then the 4 that last.
        ((0, 4), 6, (4, 10)), ((0, 4), 7, (4, 9)), ((0, 4), 16, (4, 0)), ((0, 4), 18, (2, 0)),
        # A lower bound raises the balance: nothing is cut of less than the upper one.
        ((8, 20), 3, (10, 7)), ((0, 0), 10, (0, 10)),
    ],
)  # fmt: skip
def test_a_grant_that_rolls_over_burns_in_two_portions(
    rollover: tuple[int, int], used: int, left: tuple[int, int]
) -> None:
    account = Account(a=held(rollover=rollover, rolled=7, expires=20), b=held(expires=10))
    account.pay(used)
    assert account.left == {"a": left[0], "b": left[1]}


def test_usage_after_the_rollover_burns_what_lasts_alone() -> None:
    account = Account(a=held(rollover=(0, 4), rolled=7))
    assert account.pay(9, at=7) == 4
    assert account.pay(9, at=6) == 6
    assert account.left == {"a": 0}


@pytest.mark.parametrize(
    ("grant", "at", "paid"),
    [
        (held(effective=5), 5, 10), (held(effective=6), 5, 0), (held(expires=6), 5, 10), (held(expires=5), 5, 0),
        (held(unit="EUR"), 5, 0), (held(ended="void"), 5, 0), (held(0), 5, 0),
        (held(charges=("input",)), 5, 10), (held(charges=("output",)), 5, 0),
        (held(meters=("tokens",)), 5, 10), (held(meters=("calls",)), 5, 0),
        (held(charges=("input",), meters=("calls",)), 5, 0),
    ],
)  # fmt: skip
def test_a_grant_pays_what_it_is_for_from_when_until_when(grant: Grant, at: int, paid: int) -> None:
    assert Account(a=grant).pay(10, at) == paid


@pytest.mark.parametrize(("charges", "paid"), [(None, 0), (("base",), 10), (("input",), 0)])
def test_a_fee_is_paid_only_where_it_is_named(charges: tuple[str, ...] | None, paid: int) -> None:
    assert Account(a=held(charges=charges)).pay(10, charge="base", meter=None) == paid


def test_grants_of_the_unit_pay_first_then_money_pays_the_rest() -> None:
    account = Account(a=held(100, unit="credit"), b=held(3, priority=1))
    # 100 units, then 2 dollars of the 200 that are left.
    assert account.pay(300, priced=CREDIT) == 300
    assert account.left == {"a": 0, "b": 1}
    assert (account.period.units // AMOUNT, account.period.units_paid // AMOUNT) == (300, 100)


@pytest.mark.parametrize(
    ("back", "returned", "left"),
    [(3, 0, (0, 0)), (5, 0, (0, 0)), (8, -3, (0, 3)), (15, -10, (0, 10)), (20, -15, (5, 10)), (25, -20, (10, 10))],
)  # fmt: skip
def test_what_is_due_goes_first_then_the_latest_burns(
    back: int, returned: int, left: tuple[int, int]
) -> None:
    account = Account(a=held(priority=1), b=held(priority=2))
    assert account.pay(25) == 20
    assert account.pay(-back) == returned
    assert account.left == dict(zip("ab", left, strict=True))


def test_burns_that_went_back_do_not_go_back_again() -> None:
    account = Account(a=held())
    account.pay(10)
    assert [account.pay(-4), account.pay(-6)] == [-4, -6]
    assert account.left == {"a": 10}
    assert account.period.burns == ()


@pytest.mark.parametrize("ended", ["expire", "void"])
def test_what_goes_back_to_a_grant_that_is_over_lapses_again(ended: str) -> None:
    account = Account(a=held())
    account.pay(6)
    ((_, grant),) = burndown.grants(account.step)
    burndown.end(account.step, "a", grant, ended, grant.balance)
    assert account.pay(-6) == -6
    assert account.left == {"a": 0}
    assert account.entries == ["a burn -6", f"a {ended} -4", "a refund 6", f"a {ended} -6"]


@pytest.mark.parametrize("at", [7, 8])
def test_the_balance_rolls_over_as_it_was_at_the_end(at: int) -> None:
    account = Account(a=held(rollover=(0, 4), rolled=7))
    account.pay(3, at=at)
    ((_, grant),) = burndown.grants(account.step)
    burndown.roll(account.step, "a", grant, 20)
    # 10 at the end, of which 4 are kept; 3 of these are burnt already.
    assert account.left == {"a": 1}
    ((_, rolled),) = burndown.grants(account.step)
    assert (rolled.rolled, rolled.ahead) == (20, 0)


@pytest.mark.parametrize(
    ("low", "high", "moments"),
    [(0, 30, [5, 7, 9]), (5, 30, [7, 9]), (4, 9, [5, 7, 9]), (9, 30, []), (5, 6, [])],
)
def test_a_grant_changes_who_pays_when_it_begins_rolls_over_and_ends(
    low: int, high: int, moments: list[int]
) -> None:
    grants = [("a", held(effective=5, expires=9)), ("b", held(rollover=(0, 1), rolled=7))]
    assert burndown.boundaries(grants, low, high) == moments


def test_what_an_expired_grant_paid_lapses_again_when_usage_is_taken_back() -> None:
    life = Life([plan("pro", charges=[charge("1")])])
    life.subscribe("pro", "2026-03-01")
    life.command(
        "grant_credits", "2026-03-01", grant="g", amount="10", unit="USD", expires_at="2026-03-05T00:00:00Z"
    )
    life.use(4, "2026-03-04", name="e1")
    life.until("2026-03-06")
    life.retract("e1", 4, "2026-03-04", "2026-03-06")
    assert life.ledger()[1:] == [
        ("burn", "-4", "6"),
        ("expire", "-6", "0"),
        ("refund", "4", "4"),
        ("expire", "-4", "0"),
    ]


def test_a_unit_that_is_worth_nothing_goes_back_by_units() -> None:
    free = Priced("USD", "credit", 0)
    account = Account(a=held(unit="credit", priority=1), b=held(20, unit="credit"))
    assert [account.pay(amount, priced=free) for amount in (15, 20)] == [0, 0]
    assert account.left == {"a": 0, "b": 0}
    # 5 are due, the rest is burnt: the latest burn, the other grant's, goes back first.
    lefts = []
    for amount in (3, 4, 20, 8):
        account.pay(-amount, priced=free)
        lefts.append(account.left)
    assert lefts == [{"a": 0, "b": 0}, {"a": 0, "b": 2}, {"a": 2, "b": 20}, {"a": 10, "b": 20}]
    assert account.period.units_paid == account.period.units == 0


def test_burns_of_one_grant_that_follow_each_other_are_one() -> None:
    account = Account(a=held())
    for amount in (4, 3, -2):
        account.pay(amount)
    assert [(burn.grant, burn.amount, burn.money) for burn in account.period.burns] == [
        ("a", 5 * AMOUNT, 5 * AMOUNT)
    ]
    assert account.period.credits == account.period.billed == 5 * AMOUNT
    found = [each.value["id"] for each in account.step.effects]  # type: ignore[index]
    assert len(set(found)) == len(found) == 3
