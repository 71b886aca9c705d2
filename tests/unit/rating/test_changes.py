"""Changes that come out of order, or wait: each acts on what holds at its own moment, whenever it was told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.rating.lives import Doc, Life, charge, plan


def by_day(key: str, fee: str, **fields: Any) -> Doc:
    """A plan by the day, with a fee in advance."""
    return plan(key, period="day", fees=[{"key": "base", "amount": fee, "timing": "advance"}], **fields)


def sold(key: str, unit_amount: str) -> Doc:
    """A plan by the month that costs half as much in the storefront `shop`."""
    half = str(Decimal(unit_amount) / 2)
    return plan(key, charges=[charge(unit_amount)],
                overrides=[{"when": {"storefront": "shop"}, "charges": [charge(half)]}])  # fmt: skip


def granting(key: str, amount: str, every: str = "period") -> Doc:
    """A plan by the month whose grant has the key `credit`."""
    return plan(key, grants=[{"key": "credit", "unit": "USD", "amount": amount, "every": every}])


def test_what_is_dated_before_a_change_makes_it_a_change_of_the_period_too() -> None:
    life = Life([plan("yearly", period="year"), by_day("daily", "24")])
    life.subscribe("yearly", "2026-01-01")
    life.change("change_plan", "2026-03-03T06", plan="yearly", storefront="web")
    life.change("change_plan", "2026-03-01T12", came="2026-03-03T07", plan="daily")
    life.until("2026-03-05")
    days = [(line["period_start"][:13], line["amount"]) for line in life.lines(charge="base", kind="fee")]
    assert sum(Decimal(amount) for _, amount in days) == 24 + 18
    closed = life.lines(charge="base", kind="close")
    assert [(line["period_start"][5:13], line["period_end"][5:13]) for line in closed] == [
        ("03-01T12", "03-02T12"),
        ("03-02T12", "03-03T06"),
    ]


def test_a_change_of_the_storefront_stays_on_the_plan_that_is_dated_before_it() -> None:
    life = Life([sold("small", "1"), sold("large", "10")])
    life.subscribe("small", "2026-03-01")
    life.change("change_plan", "2026-03-20", storefront="shop")
    life.use(1, "2026-03-21")
    life.change("change_plan", "2026-03-10", came="2026-03-22", plan="large")
    life.use(1, "2026-03-22")
    assert life.sum() == 5 + 5
    assert {line["plan"] for line in life.lines() if Decimal(line["amount"]) > 0} >= {"large"}


def test_a_change_that_waits_keeps_what_changed_meanwhile() -> None:
    life = Life([sold("small", "1"), sold("large", "10")])
    life.subscribe("small", "2026-03-01")
    life.change("change_plan", "2026-03-05", at="period_end", plan="large")
    life.change("change_plan", "2026-03-10", storefront="shop")
    life.use(1, "2026-04-02", came="2026-04-02")
    assert life.lines(plan="large", storefront="shop")[0]["amount"] == "5"


def test_two_changes_at_one_instant_grant_the_difference_of_the_last_alone() -> None:
    life = Life([granting("small", "31"), granting("mid", "62"), granting("large", "124")])
    life.subscribe("small", "2026-03-01")
    for key in ("mid", "large"):
        life.change("change_plan", "2026-03-16T12", plan=key)
    # Half of the month is left: half of what is more.
    assert life.ledger() == [("grant", "31", "31"), ("grant", "15.5", "15.5"), ("grant", "31", "46.5")]


def test_a_change_dated_before_another_grants_for_the_time_between_them_alone() -> None:
    life = Life([granting("small", "31"), granting("mid", "62"), granting("large", "124")])
    life.subscribe("small", "2026-03-01")
    life.change("change_plan", "2026-03-21", plan="mid")
    life.change("change_plan", "2026-03-11", came="2026-03-22", plan="large")
    entries = [f"{entry} {amount}" for entry, amount, _ in life.ledger()]
    # 11 of 31 days are left at the change to mid, 21 at the one to large. The latest grants give back first.
    assert entries == ["grant 31", "grant 11", "grant 63", "void -11", "void -22"]


def test_a_change_dated_before_another_voids_first() -> None:
    life = Life([granting("some", "31"), plan("none")])
    life.subscribe("some", "2026-03-01")
    life.change("change_plan", "2026-03-21", plan="none")
    life.change("change_plan", "2026-03-11", came="2026-03-22", plan="none")
    # What the later one took is back before the earlier one takes what is left of its 21 days.
    assert life.ledger() == [
        ("grant", "31", "31"),
        ("void", "-11", "20"),
        ("void", "11", "31"),
        ("void", "-21", "10"),
    ]


def test_no_more_comes_back_than_a_change_has_voided() -> None:
    pays = charge(price={"model": "per_unit", "unit_amount": "1"})
    life = Life([{**granting("some", "31"), "charges": [pays]}, plan("none")])
    life.subscribe("some", "2026-03-01")
    life.use(28, "2026-03-02")
    life.change("change_plan", "2026-03-21", plan="none")
    life.change("pause", "2026-03-11", came="2026-03-22")
    assert life.ledger()[1:] == [("burn", "-28", "3"), ("void", "-3", "0"), ("void", "3", "3")]


def test_an_end_dated_before_a_change_ends_what_that_has_voided() -> None:
    life = Life([granting("some", "31"), plan("none")])
    life.subscribe("some", "2026-03-01")
    life.change("change_plan", "2026-03-21", plan="none")
    life.change("cancel", "2026-03-11", came="2026-03-22")
    life.until("2026-03-23")
    assert life.ledger()[2:] == [("void", "11", "31"), ("expire", "-31", "0")]


def test_a_change_dated_before_a_week_changes_the_grant_of_that_week_too() -> None:
    life = Life([granting("small", "7", "week"), granting("large", "14", "week")])
    life.subscribe("small", "2026-03-01", anchor="start")
    life.change("change_plan", "2026-03-05", came="2026-03-10", plan="large")
    life.until("2026-03-11")
    grants = {each["grant"][-27:-17]: each["balance"] for each in life.records("billing.ledger.v1")}
    assert grants == {"2026-03-01": "0", "2026-03-05": "0", "2026-03-08": "14"}
    assert ("grant", "3", "3") in life.ledger()


def test_weeks_that_a_new_anchor_leaves_behind_grant_nothing() -> None:
    life = Life([granting("small", "7", "week")])
    life.subscribe("small", "2026-03-01", anchor="start")
    life.change("change_plan", "2026-03-05", came="2026-03-10", anchor="now")
    life.until("2026-03-11")
    grants = {each["grant"][-27:-17]: each["balance"] for each in life.records("billing.ledger.v1")}
    assert grants == {"2026-03-01": "0", "2026-03-05": "7", "2026-03-08": "0"}


def test_a_change_at_the_instant_of_another_keeps_the_period_that_it_begins() -> None:
    life = Life([by_day("daily", "24"), by_day("dear", "48")])
    life.subscribe("daily", "2026-03-01")
    life.change("change_plan", "2026-03-01T12", plan="daily", anchor="now")
    life.change("change_plan", "2026-03-01T12", plan="dear")
    life.until("2026-03-02")
    found = {line["period_start"][8:13]: life.sum(period_start=line["period_start"]) for line in life.lines()}
    assert found == {"01T00": 12, "01T12": 48}


def test_a_newer_version_takes_over_with_a_change_that_waited_for_the_same_renewal() -> None:
    newer = plan("pro", charges=[charge("2")]) | {
        "version": 2,
        "effective_from": "2026-03-15T00:00:00Z",
        "existing": "renewal",
    }
    life = Life([plan("pro", charges=[charge("1")]), newer])
    life.subscribe("pro", "2026-03-01")
    life.change("change_plan", "2026-03-05", at="period_end", storefront="shop")
    life.use(1, "2026-04-02", came="2026-04-02")
    assert life.lines(plan_version=2, storefront="shop")[0]["amount"] == "2"


def test_a_change_at_the_first_instant_gives_back_what_the_period_before_it_cost() -> None:
    life = Life([plan("pro", fees=[{"key": "base", "amount": "31", "timing": "advance"}])])
    life.subscribe("pro", "2026-03-11")
    life.change("change_plan", "2026-03-11", anchor="now")
    life.until("2026-03-12")
    assert life.sum(period_start="2026-03-01T00:00:00.000000Z") == 0
    assert life.sum(period_start="2026-03-11T00:00:00.000000Z") == 31
