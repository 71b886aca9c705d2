"""A limit that is set, replaced by another or taken away: it is looked at at once, and what still holds is not told again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan


def usage(amount: str, **fields: Any) -> Doc:
    return {"key": "cap", "metric": "usage", "meter": "tokens", "amount": amount, **fields}


def told(life: Life) -> list[tuple[object, str, str, str, str]]:
    """Threshold, state, value, amount and time of each record, the time cut short."""
    found = life.records("billing.thresholds.v1")
    return [
        (each["threshold"], each["state"], each["value"], each["amount"], each["time"][5:16])
        for each in found
    ]


def begun(used: object = 40, **fields: Any) -> Life:
    life = Life([plan("pro", charges=[charge()], **fields)])
    life.subscribe("pro", "2026-03-01")
    life.use(used, "2026-03-02")
    return life


def test_the_first_limit_of_an_account_looks_at_once() -> None:
    life = begun()
    life.command("set_limit", "2026-03-03", limit=usage("10"))
    assert told(life) == [("100", "breached", "40", "10", "03-03T00:00")]


def test_what_both_have_reached_is_told_once_whatever_else_is_new() -> None:
    life = begun(limits=[usage("40")])
    life.command("set_limit", "2026-03-03", limit=usage("40", thresholds=["50", "100"]))
    assert told(life) == [
        ("100", "breached", "40", "40", "03-02T00:00"),
        ("50", "breached", "40", "40", "03-03T00:00"),
    ]


def test_raised_it_recovers_and_lowered_again_it_is_crossed_anew() -> None:
    life = begun(limits=[usage("40")])
    life.command("set_limit", "2026-03-03", limit=usage("50"))
    life.command("set_limit", "2026-03-04", limit=usage("30"))
    life.command("remove_limit", "2026-03-05", limit="cap")
    assert told(life) == [("100", "breached", "40", "40", "03-02T00:00"), ("100", "recovered", "40", "50", "03-03T00:00"),
                          ("100", "breached", "40", "30", "03-04T00:00")]  # fmt: skip


def test_removed_where_no_plan_has_it_it_recovers() -> None:
    life = begun()
    life.command("set_limit", "2026-03-03", limit=usage("10"))
    life.command("remove_limit", "2026-03-05", limit="cap")
    assert [(each[1], each[4]) for each in told(life)] == [
        ("breached", "03-03T00:00"),
        ("recovered", "03-05T00:00"),
    ]


def test_a_window_over_at_the_instant_of_the_change_recovers_as_the_limit_was() -> None:
    life = Life([plan("a", charges=[charge()], limits=[usage("40", thresholds=["50", "100"])]),
                 plan("b", charges=[charge()], limits=[usage("40", thresholds=[{"every": "20"}])])])  # fmt: skip
    life.subscribe("a", "2026-03-01")
    life.use(40, "2026-03-02")
    life.change("change_plan", "2026-03-03", plan="b", anchor="now")
    found = [(each[0], each[1]) for each in told(life)]
    assert found == [("50", "breached"), ("100", "breached"), ("100", "recovered"), ("50", "recovered")]


def test_usage_before_the_limit_counts_once_though_two_subscriptions_rate_it() -> None:
    life = Life([plan("pro", charges=[charge()])])
    for key in ("one", "two"):
        life.subscribe("pro", "2026-03-01", key)
    life.use(30, "2026-03-02T10")
    life.command("set_limit", "2026-03-02T11", limit=usage("50", window="day", scope="account"))
    life.use(25, "2026-03-02T12")
    assert told(life) == [("100", "breached", "55", "50", "03-02T12:00")]


@pytest.mark.parametrize("fields", [{"metric": "spend"}, {"metric": "usage", "meter": "tokens"},
                                    {"metric": "usage", "meter": "tokens", "window": "week"}])  # fmt: skip
def test_replaced_by_one_with_other_thresholds_what_it_had_reached_recovers_once(fields: Doc) -> None:
    life = begun(limits=[{"key": "cap", "amount": "100", "thresholds": ["30"], **fields}])
    life.command(
        "set_limit", "2026-03-02T10", limit={"key": "cap", "amount": "100", "thresholds": ["80"], **fields}
    )
    life.use(1, "2026-03-02T11")
    assert [(each[0], each[1]) for each in told(life)] == [("30", "breached"), ("30", "recovered")]
