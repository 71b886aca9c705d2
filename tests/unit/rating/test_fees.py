"""Fees: the sum of the parts of the time in which they are held, however changes come."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.unit.rating.lives import Life, plan


def fee(amount: str, timing: str = "advance", **fields: Any) -> dict[str, Any]:
    return {"key": "base", "amount": amount, "timing": timing, **fields}


def test_a_fee_in_advance_pays_for_the_rest_of_its_first_period() -> None:
    life = Life([plan("pro", fees=[fee("31.00")])])
    life.subscribe("pro", "2026-03-15")
    life.until("2026-04-10")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["17", "31"]


def test_a_month_with_a_clock_change_is_prorated_by_time_as_it_passed() -> None:
    life = Life([plan("pro", fees=[fee("31.00")])])
    life.subscribe("pro", "2026-03-14T23", timezone="Europe/Berlin")
    assert life.sum(kind="fee") == Decimal("16.981157469717")


def test_a_fee_in_arrears_is_one_line_for_what_was_held() -> None:
    life = Life([plan("pro", fees=[fee("20", "arrears")])])
    life.subscribe("pro", "2026-04-01")
    life.change("pause", "2026-04-11")
    life.change("resume", "2026-04-21")
    life.until("2026-04-30T23:59:59")
    assert life.lines(kind="fee") == []
    life.until("2026-05-01T02")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["13.333333333334"]


def test_a_year_and_once_are_counted_from_the_same_anchor() -> None:
    once = {"key": "setup", "amount": "500", "timing": "advance", "every": "once"}
    life = Life([plan("pro", fees=[fee("1200", every="year"), once])])
    life.subscribe("pro", "2026-03-15", anchor="start")
    life.until("2026-05-01")
    assert [line["amount"] for line in life.lines(kind="fee", charge="base")] == ["1200"]
    assert [line["amount"] for line in life.lines(kind="fee", charge="setup")] == ["500"]


def test_once_in_arrears_is_due_at_the_end_of_the_period_in_which_it_is_held_first() -> None:
    once = {"key": "setup", "amount": "500", "timing": "arrears", "every": "once"}
    life = Life([plan("pro", fees=[once])])
    life.subscribe("pro", "2026-03-15")
    life.until("2026-03-31T23:59")
    assert life.lines() == []
    life.until("2026-06-01")
    (line,) = life.lines(kind="fee")
    assert (line["amount"], line["period_start"]) == ("500", "2026-03-01T00:00:00.000000Z")
    assert (line["window_start"], line["window_end"]) == (
        "2026-03-15T00:00:00.000000Z",
        "2026-04-01T00:00:00.000000Z",
    )


def test_a_fee_that_a_change_makes_one_of_without_proration_moves_to_the_largest_held() -> None:
    life = Life([plan("a", fees=[fee("31")]), plan("b", fees=[fee("62", prorate=False)])])
    life.subscribe("a", "2026-03-01")
    life.change("change_plan", "2026-03-11", plan="b")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["31", "31"]
    life.change("change_plan", "2026-03-21", plan="a")
    assert life.sum(kind="fee") == Decimal(62) - Decimal(31) * 11 / 31


def test_without_proration_the_largest_that_was_held_is_due_in_full() -> None:
    life = Life([plan("pro", fees=[fee("10", prorate=False)])])
    life.subscribe("pro", "2026-03-15", quantities={"base": "2"})
    life.change("set_quantity", "2026-03-20", fee="base", quantity="5")
    life.change("set_quantity", "2026-03-25", fee="base", quantity="1")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["20", "30"]
    life.until("2026-04-02")
    assert life.lines(kind="fee")[-1]["amount"] == "10"


def test_of_changes_at_one_instant_only_the_last_counts() -> None:
    life = Life([plan("pro", fees=[fee("31")])])
    life.subscribe("pro", "2026-03-01")
    for quantity in ("9", "2"):
        life.change("set_quantity", "2026-03-16", fee="base", quantity=quantity)
    assert life.sum(kind="fee") == 31 + 16


def test_a_fee_that_is_due_once_is_given_back_in_the_period_in_which_it_was_written() -> None:
    setup = {"key": "setup", "amount": "500", "timing": "advance", "every": "once"}
    newer = {"version": 2, "effective_from": "2026-03-05T00:00:00Z", "existing": "renewal"}
    life = Life([plan("pro"), plan("pro", fees=[setup], **newer)])
    life.subscribe("pro", "2026-03-01")
    life.until("2026-04-01")
    life.change("cancel", "2026-04-01")
    fees = life.lines(kind="fee")
    assert [(line["amount"], line["period_start"][:10]) for line in fees] == [
        ("500", "2026-04-01"),
        ("-500", "2026-04-01"),
    ]


def test_a_fee_that_a_change_puts_in_arrears_is_written_in_advance_no_more() -> None:
    life = Life([plan("a", fees=[fee("31")]), plan("b", fees=[fee("62", "arrears")])])
    life.subscribe("a", "2026-03-01")
    life.change("change_plan", "2026-03-11", plan="b")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["31", "-21"]
    life.until("2026-04-30T23:59")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["31", "-21", "42"]
    life.change("change_plan", "2026-04-30T23:59", plan="a")
    life.until("2026-05-01T02")
    april = life.lines(kind="fee", period_start="2026-04-01T00:00:00.000000Z")
    # One minute of 31 and all others of 62: 0.000717592593 + 61.998564814815.
    assert len(april) == 2
    assert sum(Decimal(line["amount"]) for line in april) == Decimal("61.999282407408")
    assert life.sum(kind="fee", period_start="2026-05-01T00:00:00.000000Z") == 31


def test_a_cancellation_writes_what_is_in_arrears_and_gives_back_what_is_in_advance() -> None:
    life = Life([plan("a", fees=[fee("30")]), plan("b", fees=[fee("60", "arrears")])])
    life.subscribe("a", "2026-04-01")
    life.change("change_plan", "2026-04-11", plan="b")
    life.change("cancel", "2026-04-16")
    assert [line["amount"] for line in life.lines(kind="fee")] == ["30", "-20", "10"]
