"""Trials: time on another plan, then the plan that was asked for, another one, or nothing; once an account."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan

TRY = plan("try", charges=[charge("0")])
LITE = plan("lite", charges=[charge("2")])
RULE = {"key": "fair-trial", "kind": "trial", "when": {"all": [{"fact": "plan", "in": ["lite"]}]}}
"""One that is not on before an account has the plan `lite`."""


def pro(**trial: Any) -> Doc:
    return plan("pro", charges=[charge("5")], fees=[{"key": "base", "amount": "31", "timing": "advance"}],
                trial={"plan": "try", "duration": "14d", **trial})  # fmt: skip


def tried(offer: Doc, **fields: Any) -> Life:
    life = Life([offer, TRY, LITE], rules=[RULE])
    life.subscribe("pro", "2026-03-01", **fields)
    return life


@pytest.mark.parametrize(
    ("trial", "fields", "plans"),
    [
        ({}, {}, ["try", "pro"]),
        ({"then": "lite"}, {}, ["try", "lite"]),
        ({"then": "cancel"}, {}, ["try", None]),
        ({}, {"trial": False}, ["pro", "pro"]),
        ({"eligible": "fair-trial"}, {}, ["pro", "pro"]),
    ],
)
def test_a_trial_goes_over_into_what_it_says(trial: Doc, fields: Doc, plans: list[str | None]) -> None:
    life = tried(pro(**trial), **fields)
    life.use(1, "2026-03-14T23:59:59")
    life.use(1, "2026-03-15")
    used = [line["plan"] for line in life.lines(kind="usage")]
    assert used == [each for each in plans if each is not None]


@pytest.mark.parametrize(
    ("anchor", "fees"),
    [(None, ["17", "31"]), ("trial_end", ["31"]), ("start", ["17", "31"])],
)
def test_the_first_fee_is_for_the_rest_of_the_period_unless_it_begins_with_the_trials_end(
    anchor: str | None, fees: list[str]
) -> None:
    life = tried(pro(), **({} if anchor is None else {"anchor": anchor}))
    life.until("2026-04-02")
    assert [line["amount"] for line in life.lines(kind="fee")] == fees


def test_a_trial_is_cut_short_by_a_change_and_does_not_end_again() -> None:
    life = tried(pro())
    life.change("change_plan", "2026-03-05", plan="lite")
    life.use(1, "2026-03-20")
    assert [line["plan"] for line in life.lines(kind="usage")] == ["lite"]


@pytest.mark.parametrize("plan_key", ["pro", "other"])
def test_an_account_has_the_trial_of_a_plan_once(plan_key: str) -> None:
    life = Life([pro(), {**pro(), "key": "other"}, TRY])
    life.subscribe("pro", "2026-03-01")
    life.change("cancel", "2026-03-02")
    life.subscribe(plan_key, "2026-03-03", subscription="sub-2")
    life.use(1, "2026-03-04")
    told = life.records("billing.signals.v1")
    if plan_key == "pro":
        assert [line["plan"] for line in life.lines(kind="usage")] == ["pro"]
        assert [(each["kind"], each["state"], each["rule"]) for each in told] == [("trial", "off", None)]
    else:
        assert [line["plan"] for line in life.lines(kind="usage")] == ["try"]
        assert told == []


def test_who_asks_for_no_trial_is_not_told_and_may_have_it_later() -> None:
    life = tried(pro(), trial=False)
    assert life.records("billing.signals.v1") == []
    life.change("cancel", "2026-03-02")
    life.subscribe("pro", "2026-03-03", subscription="sub-2")
    life.use(1, "2026-03-04")
    assert [line["plan"] for line in life.lines(kind="usage")] == ["try"]


def test_a_rule_that_keeps_the_trial_is_named() -> None:
    life = tried(pro(eligible="fair-trial"))
    assert [each["rule"] for each in life.records("billing.signals.v1")] == ["fair-trial"]
