"""A grant that is set back pays what is due already: of which charge first, of which period, in which unit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Life, charge, full, plan

START = "2026-03-01"


def adjusted(life: Life) -> list[str]:
    """Adjustments: what of which charge is paid, of it in units."""
    return [
        f"{line['charge']} {line['amount']} {line['credits_applied']} {(line['pricing_unit'] or {}).get('applied')}"
        for line in life.lines(kind="adjustment")
    ]


def lived(*usage: tuple[int, str], unit: str | None = None, rate: str | None = None, **fields: Any) -> Life:
    offer = plan("pro", charges=[charge("1", **({} if unit is None else {"unit": unit}))], **fields)
    life = Life([offer | ({} if rate is None else {"conversion_rates": {"credit": rate}})])
    life.subscribe("pro", START)
    for value, time in usage:
        life.use(value, time)
    return life


def grant(life: Life, amount: str, unit: str, time: str = "2026-03-10", **fields: Any) -> None:
    fields.setdefault("effective_from", full(START))
    life.command("grant_credits", time, grant=f"g{len(life.shown)}", amount=amount, unit=unit, **fields)


def test_it_pays_what_is_due_of_the_open_period() -> None:
    life = lived((10, "2026-03-05"), (20, "2026-03-07"))
    grant(life, "15", "USD")
    assert adjusted(life) == ["input 0 15 None"]
    life.use(5, "2026-03-11")
    assert life.sum("amount_due") == 20


@pytest.mark.parametrize(("effective_from", "paid"), [(None, []), (full(START), ["input 0 4 None"])])
def test_one_of_the_very_time_of_its_command_does_where_it_says_so(
    effective_from: str | None, paid: list[str]
) -> None:
    life = lived((10, "2026-03-01T05"))
    grant(life, "4", "USD", START, effective_from=effective_from)
    assert adjusted(life) == paid


def test_a_fee_is_paid_where_it_is_named() -> None:
    life = lived((10, "2026-03-05"), fees=[{"key": "base", "amount": "31", "timing": "advance"}])
    grant(life, "15", "USD")
    grant(life, "7", "USD", applies_to={"charges": ["base"]})
    assert adjusted(life) == ["input 0 10 None", "base 0 7 None"]


@pytest.mark.parametrize("time", ["2026-03-02", "2026-04-02"])
def test_one_that_begins_later_and_one_that_comes_after_the_close_pay_nothing_of_it(time: str) -> None:
    life = lived((10, "2026-03-05"))
    life.until("2026-04-02")
    grant(life, "15", "USD", "2026-04-03", effective_from=full(time))
    assert adjusted(life) == []


def test_a_grant_of_a_unit_pays_the_units_that_are_due() -> None:
    life = lived((100, "2026-03-05"), unit="credit", rate="0.01")
    grant(life, "30", "credit")
    assert adjusted(life) == ["input 0 0.3 30"]
    life.use(10, "2026-03-11")
    assert life.lines()[-1]["pricing_unit"] == {"unit": "credit", "amount": "10", "applied": "0"}


def test_what_money_has_paid_is_not_paid_again_in_units() -> None:
    life = lived((100, "2026-03-05"), unit="credit", rate="0.01")
    grant(life, "0.75", "USD")
    grant(life, "90", "credit")
    assert adjusted(life) == ["input 0 0.75 0", "input 0 0.25 25"]
    assert life.records("billing.ledger.v1")[-1]["balance"] == "65"


def test_units_that_are_worth_nothing_are_due_all_the_same() -> None:
    life = lived((100, "2026-03-05"), unit="credit")
    grant(life, "30", "credit")
    grant(life, "90", "credit")
    assert adjusted(life) == ["input 0 0 30", "input 0 0 70"]
