"""What each fact of a rule sees."""

from __future__ import annotations

import pytest

from tests.unit.rating.lives import Doc, charge
from tests.unit.rating.rules.watched import REGIONAL, facts, life, rule, signals


def test_spend_is_the_usage_charges_of_a_charge_or_a_meter_over_hours_or_the_period() -> None:
    rules = [
        rule({"fact": "spend", "charge": "input", "over": "1d", "gte": "10"}, "day"),
        rule({"fact": "spend", "over": "period", "gte": "10"}, "period"),
        rule(
            {"fact": "spend", "meter": "tokens", "filter": {"region": ["eu"]}, "over": "2d", "gte": "10"},
            "eu",
        ),
        rule({"fact": "spend", "charge": "other", "over": "2d", "gt": "0"}, "other"),
    ]
    one = life(*rules, meters=(REGIONAL,), charges=[charge("0.1", dimensions=["region"])],
               fees=[{"key": "base", "amount": "31", "timing": "advance"}])  # fmt: skip
    one.subscribe("pro", "2026-03-01")
    one.use(60, "2026-03-02T10:30", region="eu")
    one.use(40, "2026-03-02T11", region="us")
    one.use(40, "2026-03-02T12", region="eu")
    one.until("2026-04-02")
    assert signals(one, "day") == [("on", "03-02T11:00"), ("off", "03-03T11:00")]
    assert signals(one, "eu") == [("on", "03-02T12:00"), ("off", "03-04T11:00")]
    assert signals(one, "period") == [("on", "03-02T11:00"), ("off", "04-01T00:00")]
    assert signals(one, "other") == []


def test_usage_of_a_period_is_that_of_its_own_time() -> None:
    one = life(rule({"fact": "usage", "meter": "tokens", "over": "period", "gte": "100"}))
    one.subscribe("pro", "2026-03-01")
    one.use(90, "2026-03-31T23")
    one.use(20, "2026-04-01T00:10")
    assert signals(one) == []
    one.use(80, "2026-04-02")
    assert signals(one) == [("on", "04-02T00:00")]


def test_growth_is_the_window_over_the_one_before_to_12_digits_and_none_of_nothing() -> None:
    one = life(rule({"fact": "growth", "meter": "tokens", "over": "1d", "gt": "1"}))
    one.subscribe("pro", "2026-03-01")
    one.use(30, "2026-03-02T10")
    assert signals(one) == []
    one.use(50, "2026-03-03T11")
    assert facts(one) == {"growth": "1.666666666667"}
    one.until("2026-03-08")
    assert signals(one) == [("on", "03-03T11:00"), ("off", "03-04T11:00")]
    assert facts(one) == {"growth": None}


def test_growth_of_a_period_looks_at_the_one_before() -> None:
    one = life(rule({"fact": "growth", "charge": "input", "over": "period", "gte": "2"}))
    one.subscribe("pro", "2026-03-01")
    one.use(10, "2026-03-02")
    one.use(20, "2026-04-02")
    assert signals(one) == [("on", "04-02T00:00")]


def test_breaches_count_the_crossings_of_a_limit() -> None:
    limit = {
        "key": "cap",
        "metric": "usage",
        "meter": "tokens",
        "amount": "10",
        "window": "day",
        "thresholds": [50, 100],
    }
    one = life(rule({"fact": "breaches", "limit": "cap", "over": "2d", "gte": "3"}), limits=[limit])
    one.subscribe("pro", "2026-03-01")
    one.use(10, "2026-03-02T10:30")
    one.use(5, "2026-03-03T09")
    one.until("2026-03-06")
    assert signals(one) == [("on", "03-03T09:00"), ("off", "03-04T11:00")]


def test_what_is_left_of_a_plan_and_of_credits() -> None:
    rules = [
        rule({"fact": "included_percent", "feature": "chat", "gt": "80"}, "nearly"),
        rule({"fact": "overage", "feature": "chat", "gte": "10"}, "over"),
        rule({"fact": "balance", "unit": "USD", "lte": "5"}, "low"),
    ]
    one = life(*rules, entitlements=[{"feature": "chat", "included": "90"}])
    one.command(
        "grant_credits", "2026-03-01", grant="g", amount="100", unit="USD", expires_at="2026-03-05T10:30:00Z"
    )
    one.subscribe("pro", "2026-03-01")
    one.use(80, "2026-03-02")
    assert facts(one) == {"included_percent": "88.888888888889"}
    one.use(15, "2026-03-03")
    assert signals(one, "low") == [("on", "03-03T00:00")]
    one.use(5, "2026-03-04")
    assert signals(one, "over") == [("on", "03-04T00:00")]
    one.until("2026-04-01")
    assert signals(one, "nearly") == [("on", "03-02T00:00"), ("off", "04-01T00:00")]


def test_a_grants_expiry_is_seen_on_the_full_hour() -> None:
    one = life(rule({"fact": "balance", "unit": "USD", "eq": "0"}, hold="0s"))
    one.command(
        "grant_credits", "2026-03-01", grant="g", amount="100", unit="USD", expires_at="2026-03-05T10:30:00Z"
    )
    one.until("2026-03-06")
    assert signals(one) == [("on", "03-05T11:00")]


@pytest.mark.parametrize(
    ("when", "at"),
    [
        ({"fact": "idle", "gte": "3d"}, "03-05T11:00"),
        ({"fact": "idle", "gt": "71h"}, "03-05T10:00"),
        ({"fact": "age", "gte": "36h"}, "03-02T12:00"),
        ({"fact": "age", "gt": "36h"}, "03-02T13:00"),
        ({"fact": "trial_left", "lte": "2d"}, "03-13T00:00"),
    ],
)  # fmt: skip
def test_time_alone_turns_a_rule_on_at_the_full_hour(when: Doc, at: str) -> None:
    one = life(rule(when), trial={"plan": "max", "duration": "14d"})
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-02T10:30")
    one.until("2026-03-20")
    assert signals(one)[0] == ("on", at)


def test_a_time_is_shown_as_a_duration() -> None:
    one = life(rule({"all": [{"fact": "age", "gte": "1d"}, {"fact": "idle", "gte": "0s"}]}))
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-01T12:00:00.25Z")
    one.until("2026-03-02")
    assert facts(one) == {"age": "1d", "idle": "43199.75s"}


def test_status_follows_the_subscription() -> None:
    states = ("scheduled", "trialing", "active", "paused", "canceled")
    one = life(*(rule({"fact": "status", "eq": each}, each) for each in states),
               trial={"plan": "max", "duration": "2d"})  # fmt: skip
    one.command("subscribe", "2026-03-01", subscription="sub-1", plan="pro", start="2026-03-02T00:00:00Z")
    one.until("2026-03-04T00:30")
    one.change("pause", "2026-03-05")
    one.change("resume", "2026-03-06")
    one.change("cancel", "2026-03-07")
    assert [signals(one, each)[0] for each in states] == [
        ("on", "03-01T00:00"), ("on", "03-02T00:00"), ("on", "03-04T00:00"), ("on", "03-05T00:00"), ("on", "03-07T00:00"),
    ]  # fmt: skip


def test_what_the_subscription_and_the_account_say_of_themselves() -> None:
    when = {"all": [
        {"fact": "region", "eq": "eu"}, {"fact": "channel", "in": ["web", "partner"]},
        {"not": [{"fact": "storefront", "in": ["x"]}]},
        {"any": [{"fact": "metadata.tier", "eq": "gold"}, {"fact": "metadata.seats", "gte": "10"}]},
    ]}  # fmt: skip
    one = life(rule(when))
    one.subscribe("pro", "2026-03-01", region="eu", channel="web")
    one.command("set_account", "2026-03-02", metadata={"seats": "many"})
    assert signals(one) == []
    one.command("set_account", "2026-03-03", metadata={"seats": "12"})
    assert facts(one) == {
        "region": "eu", "channel": "web", "storefront": None, "metadata.tier": None, "metadata.seats": "12",
    }  # fmt: skip
    one.command("set_account", "2026-03-04", metadata={"tier": "silver"})
    assert signals(one) == [("on", "03-03T00:00"), ("off", "03-04T00:00")]
