"""Rules of one account: what their facts see, when they turn on and off, and what a signal says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, plan

BUSY: Doc = {"fact": "usage", "meter": "tokens", "over": "1d", "gte": "100"}
CHAT: Doc = {"key": "chat", "kind": "metered", "meter": "tokens"}
REGIONAL: Doc = {**TOKENS, "group_by": {"region": "$.region"}}


def rule(when: Doc, key: str = "nudge", **fields: Any) -> Doc:
    return {"key": key, "kind": "custom", "when": when, **fields}


def life(*rules: Doc, meters: tuple[Doc, ...] = (TOKENS,), **fields: Any) -> Life:
    made = plan("pro", **{"charges": [charge()], **fields})
    more = plan("max", charges=[charge()])
    return Life([made, more], meters, rules=list(rules), features=[CHAT])


def signals(of: Life, rule: str = "nudge") -> list[tuple[str, str]]:
    """State and time of each, the time cut to minutes."""
    found = of.records("billing.signals.v1", rule=rule)
    return [(each["state"], each["time"][5:16]) for each in found]


def facts(of: Life) -> dict[str, Any]:
    """What the latest signal looked at."""
    found: dict[str, Any] = of.records("billing.signals.v1")[-1]["facts"]
    return found


def test_a_signal_says_what_was_looked_at_and_carries_the_rules_data() -> None:
    when = {
        "all": [
            BUSY,
            {"fact": "plan", "in": ["pro", "max"]},
            {"fact": "usage", "meter": "tokens", "over": "period", "gt": "1"},
        ]
    }
    one = life(rule(when, data={"offer": "team-20", "percent": 20}))
    one.subscribe("pro", "2026-03-01")
    one.use("99.5", "2026-03-02T10:20")
    assert signals(one) == []
    one.use("0.5", "2026-03-02T11")
    (found,) = one.records("billing.signals.v1")
    assert found.pop("id").startswith("sig_")
    assert found == {
        "tenant": "acme", "account": "cust-1", "rule": "nudge", "kind": "custom", "state": "on",
        "facts": {"usage": "100", "plan": "pro", "usage_2": "100"}, "data": {"offer": "team-20", "percent": 20},
        "time": "2026-03-02T11:00:00.000000Z",
    }  # fmt: skip


def test_a_window_begins_with_the_full_hour_so_usage_leaves_it_on_one() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10:59:59")
    one.until("2026-03-03T10:59:59")
    assert signals(one) == [("on", "03-02T10:59")]
    one.until("2026-03-05")
    assert signals(one) == [("on", "03-02T10:59"), ("off", "03-03T11:00")]
    assert facts(one) == {"usage": "0"}


def test_what_is_taken_back_is_subtracted_at_once() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.use(60, "2026-03-02T10", name="ev-a")
    one.use(60, "2026-03-02T11")
    one.retract("ev-a", 60, "2026-03-02T10", "2026-03-02T12")
    assert signals(one) == [("on", "03-02T11:00"), ("off", "03-02T12:00")]


def test_late_usage_counts_in_its_own_hour_and_not_where_that_has_left() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-05T10")
    one.use(200, "2026-03-04T10:30", came="2026-03-05T11:30")
    assert signals(one) == []
    one.use(200, "2026-03-04T12:30", came="2026-03-05T11:45")
    one.until("2026-03-06")
    assert signals(one) == [("on", "03-05T11:45"), ("off", "03-05T13:00")]


def test_a_hold_that_ends_between_takes_effect_at_the_next_look() -> None:
    one = life(rule(BUSY, hold="90m"))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10:20")
    one.until("2026-03-02T11:59")
    assert signals(one) == []
    one.until("2026-03-02T12")
    assert signals(one) == [("on", "03-02T12:00")]


def test_a_record_after_the_hold_is_a_look_too() -> None:
    one = life(rule(BUSY, hold="90m"))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10:20")
    one.use(1, "2026-03-02T11:50")
    assert signals(one) == [("on", "03-02T11:50")]


def test_a_hold_begins_anew_where_the_condition_did_not_hold_in_between() -> None:
    one = life(rule(BUSY, hold="2h"))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10", name="ev-a")
    one.retract("ev-a", 100, "2026-03-02T10", "2026-03-02T11")
    one.use(100, "2026-03-02T11:30")
    one.until("2026-03-03")
    assert signals(one) == [("on", "03-02T14:00")]


def test_between_two_on_there_is_the_cool_down_at_least() -> None:
    one = life(rule(BUSY, cool_down="3d"))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10:30")
    for day in (4, 5):
        one.use(100, f"2026-03-0{day}T12")
    one.until("2026-03-07")
    assert signals(one) == [
        ("on", "03-02T10:30"), ("off", "03-03T11:00"), ("on", "03-05T11:00"), ("off", "03-06T13:00"),
    ]  # fmt: skip


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


def test_usage_that_waited_counts_with_the_subscribe_that_rates_it() -> None:
    one = life(rule({**BUSY, "over": "30d"}))
    one.use(100, "2026-03-02T10:30")
    assert signals(one) == []
    one.command("subscribe", "2026-03-03", subscription="sub-1", plan="pro", start="2026-03-01T00:00:00Z")
    assert signals(one) == [("on", "03-03T00:00")]


def test_usage_that_two_subscriptions_rate_counts_once() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.subscribe("pro", "2026-03-01", "sub-2")
    one.use(60, "2026-03-02T10")
    assert signals(one) == []
    one.use(40, "2026-03-02T10")
    assert facts(one) == {"usage": "100"}


TRIAL: Doc = {"trial": {"plan": "max", "duration": "14d", "eligible": "fair"}}
FAIR = {
    "key": "fair",
    "kind": "trial",
    "when": {"all": [{"fact": "trials", "lt": "1"}, {"fact": "metadata.vip", "eq": "yes"}]},
}


def test_an_eligible_account_gets_the_trial_once() -> None:
    one = life(FAIR, **TRIAL)
    one.command("set_account", "2026-02-28", metadata={"vip": "yes"})
    assert signals(one, "fair") == [("on", "02-28T00:00")]
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-02")
    assert [each["plan"] for each in one.lines()] == ["max"]
    assert signals(one, "fair")[1:] == [("off", "03-01T00:00")]
    one.subscribe("pro", "2026-03-03", "sub-2")
    one.use(1, "2026-03-04", subscription="sub-2")
    assert one.lines()[-1]["plan"] == "pro"
    assert signals(one, "fair")[2:] == [("off", "03-03T00:00")]


def test_another_gets_none_and_a_signal_says_so() -> None:
    one = life(FAIR, **TRIAL)
    one.subscribe("pro", "2026-03-01")
    one.use(1, "2026-03-02")
    assert [each["plan"] for each in one.lines()] == ["pro"]
    (found,) = one.records("billing.signals.v1")
    assert (found["rule"], found["kind"], found["state"]) == ("fair", "trial", "off")


def test_a_rule_on_which_a_trial_rests_is_looked_at_just_before_the_subscribe() -> None:
    fair = {"key": "fair", "kind": "trial", "when": {"fact": "trials", "plan": "pro", "eq": "0"}}
    one = life(fair, **TRIAL)
    one.subscribe("pro", "2026-03-01")
    assert signals(one, "fair") == [("on", "03-01T00:00"), ("off", "03-01T00:00")]
    one.use(1, "2026-03-02")
    assert [each["plan"] for each in one.lines()] == ["max"]
