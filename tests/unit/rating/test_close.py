"""The close of a period: when, what is due although nothing was used, and what to invoice."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

TIERS = [{"up_to": "10", "unit_amount": "1", "flat_amount": "5"}, {"up_to": None, "unit_amount": "2"}]
GRADUATED: Doc = {"model": "graduated", "tiers": TIERS}


def lived(
    offer: Doc, *used: tuple[object, str], until: str = "2026-04-02", start: str = "2026-03-01"
) -> Life:
    life = Life([offer])
    life.subscribe("pro", start)
    for value, time in used:
        life.use(value, time)
    life.until(until)
    return life


def pro(*charges: Doc, **fields: Any) -> Doc:
    return plan("pro", charges=list(charges), **fields)


@pytest.mark.parametrize(
    ("grace", "until", "closes"),
    [
        ({}, "2026-04-01T00:59:59", 0), ({}, "2026-04-01T01", 1),
        ({"grace": "3h"}, "2026-04-01T02:59:59", 0), ({"grace": "3h"}, "2026-04-01T03", 1),
    ],
)  # fmt: skip
def test_a_period_closes_when_the_clock_is_at_its_end_plus_the_grace(
    grace: Doc, until: str, closes: int
) -> None:
    life = lived(pro(charge("1"), **grace), (7, "2026-03-05"), until=until)
    assert len(life.lines(kind="close")) == closes


def test_every_charge_and_fee_has_a_close_line_used_or_not() -> None:
    fees = [
        {"key": "base", "amount": "31", "timing": "advance"},
        {"key": "after", "amount": "1", "timing": "arrears"},
    ]
    life = lived(pro(charge("1"), charge("1", key="more"), fees=fees), (7, "2026-03-05"))
    found = {line["charge"]: line["amount_total"] for line in life.lines(kind="close")}
    assert found == {"input": "7", "more": "7", "base": "31", "after": "1"}


def test_a_close_line_sums_over_all_groups_and_moves_nothing() -> None:
    offer = pro(charge("1", dimensions=["team"]))
    life = Life([offer], [{**TOKENS, "group_by": {"team": "$.team"}}])
    life.subscribe("pro", "2026-03-01")
    for team, value in (("red", 7), ("blue", "0.5")):
        life.use(value, "2026-03-05", team=team)
    life.until("2026-04-02")
    (line,) = life.lines(kind="close")
    assert (line["dimensions"], line["quantity"], line["amount"], line["amount_due"]) == ({}, "0", "0", "0")
    assert (line["quantity_total"], line["amount_total"]) == ("7.5", "7.5")


@pytest.mark.parametrize(
    ("used", "unit_amount", "credit", "rounded"),
    [
        (7, "1.001", "0", ("7.01", "0", "7.01", "-0.003")),
        (7, "1.001", "2", ("7.01", "2", "5.01", "-0.003")),
        # Half even: 0.125 and 0.375; what credits leave is rounded by itself.
        (1, "0.125", "0", ("0.12", "0", "0.12", "0.005")),
        (3, "0.125", "0", ("0.38", "0", "0.38", "-0.005")),
        (1, "0.125", "0.12", ("0.12", "0.12", "0", "0.005")),
        (1, "10", "20", ("10", "10", "0", "0")),
    ],
)
def test_what_to_invoice_is_rounded_to_the_minor_unit(
    used: int, unit_amount: str, credit: str, rounded: tuple[str, ...]
) -> None:
    life = Life([pro(charge(unit_amount))])
    life.subscribe("pro", "2026-03-01")
    if credit != "0":
        life.command("grant_credits", "2026-03-01", grant="g", amount=credit, unit="USD")
    life.use(used, "2026-03-05")
    life.until("2026-04-02")
    (line,) = life.lines(kind="close")
    assert (
        tuple(line["rounded"][name] for name in ("amount", "credits_applied", "amount_due", "remainder"))
        == rounded
    )


@pytest.mark.parametrize(
    ("fields", "used", "missing"),
    [
        ({"minimum": "10"}, 4, 6), ({"minimum": "10"}, 10, 0), ({"minimum": "10"}, 12, 0), ({"minimum": "10"}, 0, 10),
        ({"commitment": {"amount": "10", "overage_factor": "2", "true_up": True}}, 4, 6),
        ({"commitment": {"amount": "10", "overage_factor": "2"}}, 4, 0),
        ({"commitment": {"quantity": "10", "overage_factor": "2", "true_up": True}}, 0, 10),
    ],
)  # fmt: skip
def test_minimum_and_true_up_are_lines_of_the_close(fields: Doc, used: int, missing: int) -> None:
    life = lived(pro(charge("1", **fields)), *([(used, "2026-03-05")] if used else []))
    assert [Decimal(line["amount"]) for line in life.lines(kind="minimum")] == (
        [Decimal(missing)] if missing else []
    )


def test_a_minimum_is_for_the_time_that_was_held() -> None:
    life = lived(pro(charge("1", minimum="31")), start="2026-03-11")
    assert life.sum(kind="minimum") == 21
    life = Life([pro(charge("1", minimum="31"))])
    life.subscribe("pro", "2026-03-01")
    life.change("pause", "2026-03-11")
    life.change("resume", "2026-03-16")
    life.until("2026-04-02")
    assert life.sum(kind="minimum") == 26


@pytest.mark.parametrize(
    ("price", "total"),
    [
        ({"model": "flat", "amount": "9"}, 9), (GRADUATED, 5), ({**GRADUATED, "zero_usage": "skip"}, 0),
        ({"model": "volume", "tiers": TIERS}, 5), ({"model": "per_unit", "unit_amount": "1"}, 0),
        ({"model": "package", "package_size": "5", "package_amount": "3"}, 0),
    ],
)  # fmt: skip
def test_a_flat_amount_is_due_without_usage_where_the_subscription_was_active(price: Doc, total: int) -> None:
    offer = pro({"key": "input", "meter": "tokens", "price": price})
    assert lived(offer).sum() == total
    life = Life([offer])
    life.subscribe("pro", "2026-03-01")
    life.change("pause", "2026-03-01")
    life.until("2026-04-02")
    assert life.sum() == 0


def test_a_flat_amount_is_due_once() -> None:
    offer = pro({"key": "input", "meter": "tokens", "price": GRADUATED})
    assert lived(offer, (1, "2026-03-05")).sum() == 6


@pytest.mark.parametrize(
    ("fields", "late", "line", "total"),
    [
        ({}, 3, "3", "7"), ({"minimum": "10"}, 3, "0", "10"), ({"minimum": "10"}, 8, "2", "12"),
        ({"maximum": "5"}, 3, "1", "5"),
    ],
)  # fmt: skip
def test_what_comes_late_moves_the_closed_total_and_closes_it_again(
    fields: Doc, late: int, line: str, total: str
) -> None:
    life = lived(pro(charge("1", **fields)), (4, "2026-03-05"))
    life.use(late, "2026-03-06")
    last = life.lines(kind="usage")[-1]
    assert (last["late"], last["amount"]) == (True, line)
    closes = life.lines(kind="close")
    assert [each["amount_total"] for each in closes][-1] == total
    assert [each["late"] for each in closes] == [False, True]
    assert closes[1]["revision"] > closes[0]["revision"]


def test_a_period_that_a_cancellation_ends_is_closed_from_there() -> None:
    life = Life([pro(charge("1"))])
    life.subscribe("pro", "2026-03-01")
    life.use(4, "2026-03-05")
    life.change("cancel", "2026-03-11")
    life.until("2026-03-11T01")
    (line,) = life.lines(kind="close")
    assert (line["period_start"][:10], line["period_end"][:10]) == ("2026-03-01", "2026-03-11")
    life.until("2026-04-02")
    assert len(life.lines(kind="close")) == 1


def test_a_period_does_not_close_a_later_plans_fee_whose_year_begins_with_it() -> None:
    yearly = {"key": "yearly", "amount": "1200", "timing": "advance", "every": "year"}
    life = Life([pro(charge("1")), plan("later", fees=[yearly])])
    life.subscribe("pro", "2026-03-01", anchor="start")
    life.change("change_plan", "2026-04-01", plan="later")
    once = life.sum(charge="yearly")
    life.until("2026-08-01")
    assert life.sum(charge="yearly") == once
    assert life.lines(charge="yearly", kind="close") == []


def test_usage_that_is_taken_back_leaves_no_flat_amount_in_a_period_that_is_paused_throughout() -> None:
    life = Life([pro({"key": "input", "meter": "tokens", "price": GRADUATED})])
    life.subscribe("pro", "2026-03-01")
    life.change("pause", "2026-03-05")
    for time in ("2026-03-10", "2026-04-10"):
        life.use(1, time, name=time, came="2026-04-11")
        life.retract(time, 1, time, "2026-04-11")
    life.until("2026-05-02")
    assert [life.sum(period_start=f"2026-0{month}-01T00:00:00.000000Z") for month in (3, 4)] == [5, 0]


def test_a_charge_that_goes_on_from_a_pause_has_its_flat_amount() -> None:
    flat = {"key": "input", "meter": "tokens", "price": {"model": "flat", "amount": "9"}}
    life = Life([pro(flat), plan("b", charges=[flat])])
    life.subscribe("pro", "2026-03-01")
    life.change("pause", "2026-03-02")
    life.change("change_plan", "2026-04-10", plan="b")
    life.change("resume", "2026-04-20")
    life.until("2026-05-02")
    assert life.sum(period_start="2026-04-01T00:00:00.000000Z") == 9


def test_a_period_that_a_change_ends_within_its_pause_has_no_flat_amount() -> None:
    flat = {"key": "input", "meter": "tokens", "price": {"model": "flat", "amount": "9"}}
    life = Life([pro(flat)])
    life.subscribe("pro", "2026-03-01")
    life.change("pause", "2026-03-02")
    life.use(1, "2026-04-10")
    life.change("resume", "2026-04-10")
    life.change("change_plan", "2026-04-10", plan="pro", anchor="now")
    life.until("2026-05-02")
    starts = {line["period_start"][:10]: life.sum(period_start=line["period_start"]) for line in life.lines()}
    assert starts == {"2026-03-01": 9, "2026-04-01": 0, "2026-04-10": 9}


def test_a_charge_that_was_away_in_between_has_its_flat_amount_for_each_time() -> None:
    flat = {"key": "input", "meter": "tokens", "price": {"model": "flat", "amount": "9"}}
    life = Life([pro(flat), plan("b")])
    life.subscribe("pro", "2026-03-01")
    life.change("change_plan", "2026-03-10", plan="b")
    life.change("change_plan", "2026-03-20", plan="pro")
    life.until("2026-04-01T02")
    assert [line["amount"] for line in life.lines()] == ["9", "9"]
