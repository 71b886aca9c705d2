"""Overshoot waived: a period's usage charges stay at the amount of the limit that the period had."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan


def cap(amount: str) -> Doc:
    return {"key": "cap", "metric": "spend", "amount": amount, "hard": True, "overshoot": "waive"}


def due(life: Life, period: str) -> Decimal:
    return life.sum("amount_due", period_start=f"{period}T00:00:00.000000Z")


def test_what_is_over_comes_off_and_a_correction_puts_back_what_fits_again() -> None:
    life = Life([plan("pro", charges=[charge()], limits=[cap("100")])])
    life.subscribe("pro", "2026-03-01")
    for name, value in (("one", 60), ("two", 50), ("three", 20)):
        life.use(value, "2026-03-02", name=name)
    assert [line["amount"] for line in life.lines(charge="cap")] == ["-10", "-20"]
    life.retract("two", 50, "2026-03-02", "2026-03-03")
    assert [line["amount"] for line in life.lines(charge="cap")] == ["-10", "-20", "30"]
    assert due(life, "2026-03-01") == 80


def test_a_period_that_waits_for_its_close_keeps_its_own_amount_when_the_next_plan_has_another() -> None:
    life = Life(
        [plan("a", charges=[charge()], limits=[cap("10")]), plan("b", charges=[charge()], limits=[cap("60")])]
    )
    life.subscribe("a", "2026-03-01")
    life.use(40, "2026-03-02")
    life.change("change_plan", "2026-03-03", at="period_end", plan="b")
    life.use(70, "2026-04-01T00:30")
    life.use(5, "2026-03-31", came="2026-04-01T00:40")
    life.use(5, "2026-03-31", came="2026-04-03")
    assert [due(life, "2026-03-01"), due(life, "2026-04-01")] == [Decimal(10), Decimal(60)]


def test_late_usage_of_a_subscription_that_is_over_is_waived_too() -> None:
    life = Life([plan("a", charges=[charge()], limits=[cap("10")])])
    life.subscribe("a", "2026-03-01")
    life.use(8, "2026-03-02")
    life.change("cancel", "2026-03-03")
    life.use(20, "2026-03-02", came="2026-03-03T00:10")
    assert due(life, "2026-03-01") == 10
    life.use(20, "2026-03-02", came="2026-03-05")
    assert due(life, "2026-03-01") == 10
    assert life.lines(kind="close", charge="cap")[-1]["rounded"]["amount_due"] == "-38"


def test_what_is_over_for_the_first_time_after_the_close_is_late_and_closed_anew() -> None:
    life = Life([plan("a", charges=[charge()], limits=[cap("10")])])
    life.subscribe("a", "2026-03-01")
    life.use(8, "2026-03-31")
    life.use(7, "2026-03-31", came="2026-04-02")
    assert [(line["amount"], line["late"]) for line in life.lines(charge="cap")] == [("-5", True)]
    closes = {line["charge"]: line["rounded"]["amount_due"] for line in life.lines(kind="close")}
    assert closes == {"input": "15", "cap": "-5"}


@pytest.mark.parametrize(("used", "over"), [(8, "-3"), (12, "-7")])
def test_what_the_close_books_is_waived_before_the_one_close_line(used: int, over: str) -> None:
    flat = {"model": "graduated", "tiers": [{"up_to": None, "unit_amount": "1", "flat_amount": "5"}]}
    unused = {"key": "calls", "meter": "calls", "price": flat}
    calls = TOKENS | {"key": "calls", "event_type": "call"}
    life = Life([plan("a", charges=[charge(), unused], limits=[cap("10")])], meters=[TOKENS, calls])
    life.subscribe("a", "2026-03-01")
    life.use(used, "2026-03-31")
    life.until("2026-04-02")
    assert not any(line["late"] for line in life.records("billing.charges.v1"))
    assert [line["rounded"]["amount_due"] for line in life.lines(kind="close", charge="cap")] == [over]
    assert due(life, "2026-03-01") == 10


def test_a_limit_set_later_is_of_the_periods_that_end_after_it() -> None:
    life = Life([plan("a", charges=[charge()])])
    life.subscribe("a", "2026-03-01")
    life.use(40, "2026-03-02")
    life.use(40, "2026-04-01T00:10")
    life.command("set_limit", "2026-04-01T00:20", limit=cap("10"))
    assert [due(life, "2026-03-01"), due(life, "2026-04-01")] == [Decimal(40), Decimal(10)]
    life.command("remove_limit", "2026-04-02", limit="cap")
    life.use(5, "2026-04-02", came="2026-04-02T10")
    assert due(life, "2026-04-01") == 15, "what was waived stays waived"


def test_what_grants_paid_of_it_goes_back_to_them_after_what_is_due() -> None:
    life = Life([plan("a", charges=[charge()], limits=[cap("50")])])
    life.subscribe("a", "2026-03-01")
    life.command("grant_credits", "2026-03-01", grant="g", amount="60", unit="USD")
    life.use(50, "2026-03-02")
    life.use(30, "2026-03-03")
    (line,) = life.lines(charge="cap")
    assert (line["amount"], line["credits_applied"], line["amount_due"]) == ("-30", "-10", "-20")
    assert life.ledger() == [
        ("grant", "60", "60"),
        ("burn", "-50", "10"),
        ("burn", "-10", "0"),
        ("refund", "10", "10"),
    ]
    assert due(life, "2026-03-01") == 0
