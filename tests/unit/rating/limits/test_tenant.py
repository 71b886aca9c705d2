"""Limits of a whole tenant: what every account used or cost, counted in one place, once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.rating.lives import TOKENS, Doc, Life, charge, full, plan

Told = tuple[str, str, str, str]
REGIONAL: Doc = {**TOKENS, "group_by": {"region": "$.region"}}


def cap(metric: str = "spend", **fields: Any) -> Doc:
    """A limit of the tenant: 100 a day."""
    what = {"meter": "tokens"} if metric == "usage" else {}
    return {
        "key": "cap",
        "metric": metric,
        "amount": "100",
        "window": "day",
        "scope": "tenant",
        **what,
        **fields,
    }


def life_with(*limits: Doc, meters: tuple[Doc, ...] = (TOKENS,), **fields: Any) -> Life:
    """Accounts `cust-1` and `cust-2` on one plan."""
    plans = fields.pop("plans", None) or [plan("pro", charges=[charge()], limits=list(limits))]
    life = Life(plans, meters, **fields)
    for account in ("cust-1", "cust-2"):
        life.command(
            "subscribe", "2026-03-01", account=account, subscription="s", plan="pro", start=full("2026-03-01")
        )
    return life


def told(life: Life) -> list[Told]:
    """Threshold, state, value and the time of each record, cut to hours."""
    found = []
    for each in life.records("billing.thresholds.v1"):
        name = each["threshold"]
        label = f"at {name['at']}" if isinstance(name, dict) else name
        found.append((label, each["state"], each["value"], each["time"][5:13]))
    return found


@pytest.mark.parametrize("metric", ["spend", "usage"])
def test_accounts_reach_it_together_and_no_account_is_named(metric: str) -> None:
    life = life_with(cap(metric, thresholds=[50, 100, {"every": "25"}]))
    life.use(60, "2026-03-02T10")
    life.use("65.5", "2026-03-02T11", subject="cust-2")
    life.until("2026-03-04")
    assert told(life) == [
        ("50", "breached", "60", "03-02T10"), ("100", "breached", "125.5", "03-02T11"), ("at 125", "breached", "125.5", "03-02T11"),
        ("at 125", "recovered", "0", "03-03T00"), ("100", "recovered", "0", "03-03T00"), ("50", "recovered", "0", "03-03T00"),
    ]  # fmt: skip
    records = life.records("billing.thresholds.v1")
    wanted = {"account": None, "subscription": None, "scope": "tenant", "period_start": None, "period_end": None,
              "window_start": "2026-03-02T00:00:00.000000Z", "window_end": "2026-03-03T00:00:00.000000Z", "action": "notify",
              "hard": False}  # fmt: skip
    assert all(each | wanted == each for each in records)
    assert len({each["id"] for each in records}) == 6
    assert {each.key for each in life.shown if each.topic == "billing.thresholds.v1"} == {"acme/"}


def test_usage_counts_once_however_many_charges_price_it_and_spend_as_often_as_it_costs() -> None:
    plans = [
        plan(
            "pro", charges=[charge(), charge(key="more")], limits=[cap("usage", key="use"), cap(key="spend")]
        )
    ]
    life = life_with(plans=plans)
    life.use(60, "2026-03-02T10")
    assert [(each["limit"], each["value"]) for each in life.records("billing.thresholds.v1")] == [
        ("spend", "120")
    ]
    life.use(40, "2026-03-02T11")
    assert [each["limit"] for each in life.records("billing.thresholds.v1")] == ["spend", "use"]


def test_what_is_taken_back_or_comes_twice_does_not_count() -> None:
    life = life_with(cap("usage", key="use"), cap())
    life.use(60, "2026-03-02T10", name="a")
    life.use(60, "2026-03-02T10", name="a")
    life.use(60, "2026-03-02T10", subject="cust-2", name="b")
    life.retract("b", 60, "2026-03-02T10", "2026-03-02T12", account="cust-2")
    assert (
        told(life)
        == [("100", "breached", "120", "03-02T10")] * 2 + [("100", "recovered", "60", "03-02T12")] * 2
    )


def test_a_subscription_that_is_dated_back_counts_what_waited_and_moves_nothing_that_counted() -> None:
    life = life_with(
        cap("usage"), plans=[plan("pro", charges=[charge()], limits=[cap("usage", window="month")])]
    )
    life.use(60, "2026-03-02T10", subject="late")
    life.use(30, "2026-03-02T10", came="2026-03-03")
    life.change(
        "change_plan", "2026-03-04", plan="pro", overrides={"charges": [charge("2")]}
    ) if False else None
    life.command(
        "subscribe", "2026-03-05", account="late", subscription="s", plan="pro", start=full("2026-03-02")
    )
    assert told(life) == []
    life.command("subscribe", "2026-03-06", subscription="second", plan="pro", start=full("2026-03-02"))
    life.use(10, "2026-03-06")
    assert told(life) == [("100", "breached", "100", "03-06T00")]


def test_money_of_another_currency_is_not_counted() -> None:
    euros = {"when": {"currency": "EUR"}, "charges": [charge()]}
    life = Life(
        [plan("pro", charges=[charge()], limits=[cap(), cap(key="euros", currency="EUR")], overrides=[euros])]
    )
    life.subscribe("pro", "2026-03-01", currency="EUR")
    life.command(
        "subscribe", "2026-03-01", account="cust-2", subscription="s", plan="pro", start=full("2026-03-01")
    )
    life.use(99, "2026-03-02")
    life.use(99, "2026-03-02", subject="cust-2")
    assert told(life) == []
    life.use(1, "2026-03-02")
    assert [(each["limit"], each["value"]) for each in life.records("billing.thresholds.v1")] == [
        ("euros", "100")
    ]


@pytest.mark.parametrize("metric", ["spend", "usage"])
def test_a_filter_picks_what_counts(metric: str) -> None:
    priced = charge(dimensions=["region"])
    limit = cap(metric, filter={"region": ["eu"]}, meter="tokens")
    life = life_with(plans=[plan("pro", charges=[priced], limits=[limit])], meters=(REGIONAL,))
    life.use(99, "2026-03-02", region="eu")
    life.use(99, "2026-03-02", region="us", subject="cust-2")
    assert told(life) == []
    life.use(1, "2026-03-02", region="eu", subject="cust-2")
    assert [value for _, _, value, _ in told(life)] == ["100"]


@pytest.mark.parametrize(
    ("fields", "used"),
    [
        ({"aggregation": "count", "value": None}, [5, 5, 5]),
        ({"aggregation": "max"}, [1, 2, 3]),
        ({"aggregation": "unique"}, ["a", "b", "a", "c"]),
        ({"aggregation": "latest"}, [1, 2, 3]),
        ({"aggregation": "sum", "bucket": "1h", "rollup": "max"}, [1, 1, 1]),
    ],
)
def test_every_aggregation_is_over_all_accounts(fields: Doc, used: list[Any]) -> None:
    meter = {name: value for name, value in {**TOKENS, **fields}.items() if value is not None}
    life = life_with(cap("usage", amount="3", window="month"), meters=(meter,))
    for number, value in enumerate(used):
        assert told(life) == []
        life.use(value, f"2026-03-02T10:00:0{number}", subject=f"cust-{number % 2 + 1}")
    assert told(life) == [("100", "breached", "3", "03-02T10")]


def test_a_sliding_window_and_one_from_the_first_use_go_by_the_event() -> None:
    sliding = cap("usage", key="sliding", window={"length": "2h", "start": "sliding"})
    first = cap("usage", key="first", window={"length": "5h"})
    life = life_with(sliding, first)
    life.use(60, "2026-03-02T10:30")
    life.use(40, "2026-03-02T12:15", subject="cust-2")
    life.until("2026-03-02T16")
    found = [(each["limit"], each["state"], each["window_start"][11:16], each["time"][11:16])
             for each in life.records("billing.thresholds.v1")]  # fmt: skip
    assert found == [
        ("sliding", "breached", "10:15", "12:15"), ("first", "breached", "10:30", "12:15"),
        ("sliding", "recovered", "10:30", "12:30"), ("first", "recovered", "10:30", "15:30"),
    ]  # fmt: skip


def test_days_are_those_of_the_tenant() -> None:
    life = life_with(cap("usage"), settings={"timezone": "Asia/Tokyo"})
    life.use(99, "2026-03-02T14:59")
    life.use(1, "2026-03-02T15:00", subject="cust-2")
    assert told(life) == []
    life.use(99, "2026-03-02T15:01")
    assert [each["window_start"] for each in life.records("billing.thresholds.v1")] == [
        "2026-03-02T15:00:00.000000Z"
    ]


def test_a_later_version_of_its_plan_replaces_it_when_it_takes_effect() -> None:
    old = plan("pro", charges=[charge()], limits=[cap(window="month")])
    new = old | {
        "version": 2,
        "effective_from": full("2026-03-10"),
        "limits": [cap(window="month", amount="50")],
    }
    life = life_with(plans=[new, old])
    life.use(60, "2026-03-02")
    assert told(life) == []
    life.until("2026-03-11")
    assert told(life) == [("100", "breached", "60", "03-10T00")]


def test_it_holds_for_accounts_of_other_plans_and_not_for_what_came_before_it_was_published() -> None:
    meters = [TOKENS]
    other = plan("pro", charges=[charge()])
    life = life_with(plans=[other], meters=tuple(meters))
    life.use(60, "2026-03-02T10")
    carrier = plan("house", limits=[cap(window="month")])
    catalog = {"meters": meters, "plans": [other, carrier]}
    command = {
        "id": "new",
        "tenant": "acme",
        "type": "apply_catalog",
        "time": full("2026-03-02T11"),
        "catalog": catalog,
    }
    life.shown += life.simulation.take(json.dumps(command).encode(), True)
    life.use(99, "2026-03-02T12")
    assert told(life) == []
    life.use(1, "2026-03-02T12", subject="cust-2")
    assert told(life) == [("100", "breached", "100", "03-02T12")]
    gone = {
        **command,
        "id": "gone",
        "time": full("2026-03-03"),
        "catalog": {"meters": meters, "plans": [other]},
    }
    life.shown += life.simulation.take(json.dumps(gone).encode(), True)
    assert told(life)[1:] == [("100", "recovered", "0", "03-03T00")]


def test_late_usage_of_a_window_that_is_over_writes_nothing() -> None:
    life = life_with(cap("usage"))
    life.use(200, "2026-03-02T10", came="2026-03-03T01")
    life.use(100, "2026-03-03T01", subject="cust-2")
    assert told(life) == [("100", "breached", "100", "03-03T01")]


def test_what_timers_bring_counts_at_its_own_time_however_far_the_clock_goes() -> None:
    life = life_with(cap(window="month"), meters=({**TOKENS, "aggregation": "time_weighted_sum"},))
    for account in ("cust-1", "cust-2"):
        life.use(50, "2026-03-01", subject=account)
    life.until("2026-05-15")
    crossed = [(state, time) for _, state, _, time in told(life)]
    months = [
        ("breached", "03-01T00"),
        ("recovered", "04-01T00"),
        ("breached", "04-01T00"),
        ("recovered", "05-01T00"),
    ]
    assert crossed == [*months, ("breached", "05-01T00")]


def test_a_tenant_has_no_access_and_no_signals_of_its_own() -> None:
    busy = {"key": "busy", "kind": "custom", "when": {"fact": "age", "gte": "1m"}}
    chat = {"key": "chat", "kind": "metered", "meter": "tokens"}
    pro = plan(
        "pro", charges=[charge()], entitlements=[{"feature": "chat", "included": "10"}], limits=[cap()]
    )
    life = life_with(plans=[pro], rules=[busy], features=[chat])
    life.use(200, "2026-03-02")
    life.until("2026-03-04")
    for topic in ("billing.entitlements.v1", "billing.signals.v1"):
        assert {each["account"] for each in life.records(topic)} == {"cust-1", "cust-2"}


def test_no_subscription_changes_it() -> None:
    life = life_with(cap())
    life.command("subscribe", "2026-03-02", account="x", subscription="s", plan="pro", start=full("2026-03-02"),
                 overrides={"limits": [{"key": "cap", "amount": "5"}]})  # fmt: skip
    assert life.refusals() == [
        "overrides.limits: cap is of the whole tenant, so no subscription changes it: leave it out"
    ]
