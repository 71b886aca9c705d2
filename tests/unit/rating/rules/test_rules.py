"""When rules turn on and off: windows, holds, cool-downs, and what a signal says."""

from __future__ import annotations

from tests.unit.rating.rules.watched import BUSY, facts, life, rule, signals


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


def test_usage_counts_in_the_account_in_whose_subscription_it_is_rated() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.command("set_account", "2026-03-01", account="team", parent="cust-1")
    one.use(60, "2026-03-02T10:30", subject="team")
    one.use(40, "2026-03-02T10:30")
    one.until("2026-03-04")
    assert signals(one) == [("on", "03-02T10:30"), ("off", "03-03T11:00")]
    assert {each["account"] for each in one.records("billing.signals.v1")} == {"cust-1"}


def test_a_record_below_is_a_look_at_the_account_that_pays() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.command("set_account", "2026-03-01", account="team", parent="cust-1")
    one.use(100, "2026-03-02T10:30", subject="team")
    assert signals(one) == [("on", "03-02T10:30")]
