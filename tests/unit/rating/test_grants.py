"""Recurring grants: what each period brings, what rolls over, what lapses, and what changes in between make of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan


def granting(amount: str = "31", key: str = "pro", **fields: Any) -> Doc:
    """A plan by the month with one recurring grant, of whose currency usage costs 1 a unit."""
    return plan(
        key, charges=[charge("1")], grants=[{"key": "free", "unit": "USD", "amount": amount, **fields}]
    )


def booked(life: Life) -> list[str]:
    """The ledger: month, day and hour, what, how much, and what is left of that grant."""
    return [f"{each['time'][5:13]} {each['entry']} {each['amount']} {each['balance']}"
            for each in life.records("billing.ledger.v1")]  # fmt: skip


def lived(
    offer: Doc, until: str = "2026-04-02", *more: Doc, start: str = "2026-03-01", **fields: Any
) -> Life:
    """A life on a plan, with nothing but time."""
    life = Life([offer, *more])
    life.subscribe("pro", start, **fields)
    life.until(until)
    return life


@pytest.mark.parametrize(
    ("fields", "until", "entries"),
    [
        ({}, "2026-04-02", ["03-01T00 grant 31 31", "04-01T00 grant 31 31", "04-01T01 expire -31 0"]),
        ({"expires_after": 2}, "2026-04-02", ["03-01T00 grant 31 31", "04-01T00 grant 31 31"]),
        ({"expires_after": 2}, "2026-05-01T02",
         ["03-01T00 grant 31 31", "04-01T00 grant 31 31", "05-01T00 grant 31 31", "05-01T01 expire -31 0"]),
        ({"expires_after": "36h"}, "2026-03-20", ["03-01T00 grant 31 31", "03-02T13 expire -31 0"]),
        ({"expires_after": "never"}, "2026-04-02", ["03-01T00 grant 31 31", "04-01T00 grant 31 31"]),
        ({"every": "once"}, "2026-04-02", ["03-01T00 grant 31 31", "04-01T01 expire -31 0"]),
        ({"every": "once", "expires_after": "never"}, "2026-04-02", ["03-01T00 grant 31 31"]),
    ],
)  # fmt: skip
def test_each_period_brings_a_grant_that_lasts_as_long_as_it_says(
    fields: Doc, until: str, entries: list[str]
) -> None:
    assert booked(lived(granting(**fields), until)) == entries


def test_weeks_are_counted_from_the_anchor() -> None:
    life = lived(granting("7", every="week"), "2026-03-15T12", anchor="start")
    assert [entry for entry in booked(life) if "grant" in entry] == [
        "03-01T00 grant 7 7", "03-08T00 grant 7 7", "03-15T00 grant 7 7"
    ]  # fmt: skip


@pytest.mark.parametrize(("prorate", "amount"), [(True, "17"), (False, "31")])
def test_the_first_period_grants_for_the_rest_of_it(prorate: bool, amount: str) -> None:
    life = lived(granting(prorate=prorate), "2026-03-20", start="2026-03-15")
    assert booked(life) == [f"03-15T00 grant {amount} {amount}"]
    (found,) = life.records("billing.ledger.v1")
    assert found["grant"] == "sub-1:free:2026-03-15T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("rollover", "used", "entry"),
    [
        ({"max": "10"}, 0, "rollover -21 10"),
        ({"max": "10"}, 25, "rollover 0 6"),
        ({"max": "10"}, 31, "rollover 0 0"),
        ({"max": "40"}, 0, "rollover 0 31"),
        ({"min": "8", "max": "10"}, 25, "rollover 2 8"),
        ({"min": "8", "max": "10"}, 22, "rollover 0 9"),
    ],
)
def test_a_rollover_brings_the_balance_between_its_bounds(rollover: Doc, used: int, entry: str) -> None:
    life = Life([granting(expires_after=3, rollover=rollover)])
    life.subscribe("pro", "2026-03-01")
    life.use(used, "2026-03-10")
    life.until("2026-04-02")
    assert [each for each in booked(life) if "rollover" in each] == [f"04-01T01 {entry}"]


def test_a_grant_rolls_over_at_each_end_that_it_outlives() -> None:
    life = lived(granting(expires_after=3, rollover={"max": "10"}), "2026-06-02")
    first = [entry for entry, each in zip(booked(life), life.records("billing.ledger.v1"), strict=True)
             if each["grant"] == "sub-1:free:2026-03-01T00:00:00.000000Z"]  # fmt: skip
    assert first == [
        "03-01T00 grant 31 31", "04-01T01 rollover -21 10", "05-01T01 rollover 0 10", "06-01T01 expire -10 0"
    ]  # fmt: skip


def test_usage_after_the_end_that_comes_before_the_rollover_is_booked_burns_what_is_kept() -> None:
    life = Life([granting(expires_after=2, rollover={"max": "10"}, key="pro")])
    life.subscribe("pro", "2026-03-01")
    life.use(4, "2026-04-01T00:30", came="2026-04-01T00:30")
    life.use(2, "2026-03-31T23", came="2026-04-01T00:40")
    life.until("2026-04-01T02")
    # Of the 31, 4 burnt of what is kept and 2 of what is cut: 10 are kept, less the 4.
    assert booked(life)[2:] == ["04-01T00 burn -4 27", "04-01T00 burn -2 25", "04-01T01 rollover -19 6"]


def to(key: str, time: str, **fields: Any) -> Callable[[Life], None]:
    return lambda life: life.change("change_plan", time, plan=key, **fields)


def does(kind: str, time: str) -> Callable[[Life], None]:
    return lambda life: life.change(kind, time)


@pytest.mark.parametrize(
    ("prorate", "changes", "entries"),
    [
        # 21 of 31 days are left on 11 March, 11 on the 21st.
        (True, [to("big", "2026-03-11")], ["03-11T00 grant 21 21"]),
        (True, [to("big", "2026-03-11"), to("pro", "2026-03-21")], ["03-11T00 grant 21 21", "03-21T00 void -11 10"]),
        (True, [to("none", "2026-03-11")], ["03-11T00 void -21 10"]),
        (False, [to("big", "2026-03-11")], ["03-11T00 grant 31 31"]),
        (False, [to("none", "2026-03-11")], []),
        (True, [to("pro", "2026-03-11", anchor="now")], ["03-11T00 grant 31 31", "03-11T01 expire -31 0"]),
        (True, [does("pause", "2026-03-11"), does("resume", "2026-03-21")], []),
        (True, [does("pause", "2026-03-11"), to("big", "2026-03-16"), does("resume", "2026-03-21")],
         ["03-21T00 grant 11 11"]),
        (True, [does("cancel", "2026-03-11")], ["03-11T01 expire -31 0"]),
    ],
)  # fmt: skip
def test_a_change_grants_or_voids_the_difference_for_the_time_that_is_left(
    prorate: bool, changes: list[Callable[[Life], None]], entries: list[str]
) -> None:
    plans = [
        granting(prorate=prorate),
        granting("62", "big", prorate=prorate),
        plan("none", charges=[charge("1")]),
    ]
    life = Life(plans)
    life.subscribe("pro", "2026-03-01")
    for change in changes:
        change(life)
    life.until("2026-03-31")
    assert booked(life) == ["03-01T00 grant 31 31", *entries]


def test_a_plan_without_the_grant_takes_back_no_more_than_is_left() -> None:
    life = Life([granting(), plan("none", charges=[charge("1")])])
    life.subscribe("pro", "2026-03-01")
    life.use(25, "2026-03-05")
    life.change("change_plan", "2026-03-11", plan="none")
    assert booked(life)[1:] == ["03-05T00 burn -25 6", "03-11T00 void -6 0"]


def test_a_period_that_begins_in_a_pause_grants_its_rest_at_the_resume() -> None:
    life = Life([granting("30")])
    life.subscribe("pro", "2026-03-01")
    life.change("pause", "2026-03-11")
    life.change("resume", "2026-04-11")
    assert booked(life) == ["03-01T00 grant 30 30", "04-01T01 expire -30 0", "04-11T00 grant 20 20"]


def test_grants_of_one_moment_burn_by_their_keys_however_a_plan_or_the_log_lists_them() -> None:
    offer = plan("pro", charges=[charge("1")], grants=[
        {"key": key, "unit": "USD", "amount": "5"} for key in ("zeta", "alpha")
    ])  # fmt: skip
    life = Life([offer])
    life.subscribe("pro", "2026-03-01")
    life.use(6, "2026-03-02")
    assert _burnt(life) == ["alpha -5", "zeta -1"]


def test_the_time_of_its_command_makes_a_grant_and_not_when_it_came() -> None:
    life = Life([plan("pro", charges=[charge("1")])])
    life.subscribe("pro", "2026-03-01")
    for name, time in (("b", "2026-03-02"), ("a", "2026-03-02"), ("z", "2026-03-01")):
        life.command("grant_credits", time, grant=name, amount="5", unit="USD")
    life.use(11, "2026-03-03")
    assert _burnt(life) == ["z -5", "a -5", "b -1"]


def _burnt(life: Life) -> list[str]:
    burns = (each for each in life.records("billing.ledger.v1") if each["entry"] == "burn")
    return [f"{each['grant'].removeprefix('sub-1:').partition(':')[0]} {each['amount']}" for each in burns]
