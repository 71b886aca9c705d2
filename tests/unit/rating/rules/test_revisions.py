"""Rules that come, change and go with a catalog revision, and what is kept for them."""

from __future__ import annotations

import json
from typing import Any

from rating.catalog import compile_catalog
from rating.cells import DictCells
from tests.unit.rating.lives import TOKENS, Doc, Life, charge, full, plan
from tests.unit.rating.rules.watched import BUSY, facts, life, rule, signals

PLANS = [plan("pro", charges=[charge()]), plan("max", charges=[charge()])]
FEW: Doc = {"fact": "usage", "meter": "tokens", "over": "1d", "lt": "10"}
PERIOD: Doc = {"fact": "usage", "meter": "tokens", "over": "period", "gte": "10"}


def apply(of: Life, time: str, *rules: Doc) -> None:
    """Put a catalog with these rules in force."""
    catalog = {"meters": [TOKENS], "plans": PLANS, "features": [{"key": "chat", "kind": "metered", "meter": "tokens"}],
               "rules": list(rules)}  # fmt: skip
    command = {
        "id": f"cat-{time}",
        "tenant": "acme",
        "type": "apply_catalog",
        "time": full(time),
        "catalog": catalog,
    }
    of.shown += of.simulation.take(json.dumps(command).encode(), True)


def kept(of: Life) -> list[str]:
    """The kinds of cells that rules have."""
    cells: Any = of.simulation._engine._cells
    assert isinstance(cells, DictCells)
    return sorted(
        {bucket[0] for bucket in cells._buckets if bucket[0] in ("tally", "tallied", "rule", "ruled")}
    )


def test_a_rule_that_is_removed_goes_off_on_the_full_hour_and_nothing_is_kept_of_it() -> None:
    one = life(rule(BUSY), rule(PERIOD, "period"))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10")
    apply(one, "2026-03-02T10:30")
    one.until("2026-03-02T12")
    assert signals(one) == signals(one, "period") == [("on", "03-02T10:00"), ("off", "03-02T11:00")]
    assert facts(one) == {}
    assert kept(one) == []


def test_a_rule_that_is_new_finds_accounts_that_do_nothing() -> None:
    one = life()
    one.subscribe("pro", "2026-03-01")
    apply(one, "2026-03-02T10:30", rule({"fact": "plan", "eq": "pro"}))
    one.until("2026-03-02T12")
    assert signals(one) == [("on", "03-02T11:00")]


def test_a_window_that_reaches_back_before_its_rule_has_no_value() -> None:
    one = life()
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10")
    apply(one, "2026-03-02T10:30", rule(FEW), rule(PERIOD, "period"))
    one.use(20, "2026-03-02T10:40")
    one.until("2026-03-03T09")
    assert signals(one) == signals(one, "period") == []
    one.until("2026-03-05")
    # The revision came within the hour of 10:00, so the first day that is whole begins at 11:00.
    assert signals(one) == [("on", "03-03T11:00")]
    assert facts(one) == {"usage": "0"}
    one.use(20, "2026-04-02")
    assert signals(one, "period") == [("on", "04-02T00:00")]


def test_an_account_that_begins_under_the_rule_has_used_nothing() -> None:
    one = life(rule(FEW))
    one.subscribe("pro", "2026-03-01")
    assert signals(one) == [("on", "03-01T00:00")]


def test_a_shorter_window_over_what_is_kept_has_a_value_at_once() -> None:
    one = life(rule({**BUSY, "over": "7d"}))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-04T10")
    apply(one, "2026-03-04T10:30", rule(BUSY, "other"))
    one.until("2026-03-06")
    assert signals(one) == [("on", "03-04T10:00"), ("off", "03-04T11:00")]
    assert signals(one, "other") == [("on", "03-04T11:00"), ("off", "03-05T11:00")]


def test_other_conditions_decide_at_the_next_look_and_begin_their_hold_anew() -> None:
    one = life(rule(BUSY, hold="3h"))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10")
    apply(one, "2026-03-02T12:30", rule({"any": [BUSY]}, hold="3h"))
    one.until("2026-03-02T17")
    assert signals(one) == [("on", "03-02T16:00")]
    apply(one, "2026-03-02T17:30", rule({**BUSY, "gte": "101"}, hold="3h"))
    one.until("2026-03-02T19")
    assert signals(one)[1:] == [("off", "03-02T18:00")]


def test_a_rule_of_another_kind_is_another_signal() -> None:
    one = life(rule(BUSY))
    one.subscribe("pro", "2026-03-01")
    one.use(100, "2026-03-02T10")
    apply(one, "2026-03-02T10:30", rule(BUSY, kind="upgrade"))
    one.until("2026-03-02T12")
    found = [(each["kind"], each["state"], each["time"][11:16]) for each in one.records("billing.signals.v1")]
    assert found == [("custom", "on", "10:00"), ("custom", "off", "11:00"), ("upgrade", "on", "11:00")]


def test_what_left_every_window_is_forgotten_and_an_idle_account_has_no_more_looks() -> None:
    one = life(rule(BUSY), rule(PERIOD, "period"))
    one.subscribe("pro", "2026-03-01")
    for day in range(2, 9):
        one.use(1, f"2026-03-0{day}T10")
    one.until("2026-03-20")
    cells: Any = one.simulation._engine._cells
    hours = [bucket for bucket in cells._buckets if bucket[0] == "tally" and len(bucket) == 4]
    assert hours == []
    assert cells.get(("account", "acme", "cust-1"), "look|rules") is None


def test_rules_that_say_the_same_have_one_mark_and_one_series() -> None:
    doc = {
        "meters": [TOKENS],
        "rules": [rule(BUSY), rule({"fact": "growth", "meter": "tokens", "over": "1d", "gt": "1"}, "b")],
    }
    rules = compile_catalog(doc, 1).rules
    (series,) = rules.series.values()
    assert [each // 86_400_000_000 for each in series.overs] == [1, 2]
    assert (
        compile_catalog(doc, 2).rules.mark
        == rules.mark
        != compile_catalog({**doc, "rules": []}, 2).rules.mark
        == ""
    )


def test_a_limit_that_a_command_sets_where_there_were_rules_alone_acts_at_once() -> None:
    one = life(rule(BUSY), rule({"fact": "breaches", "limit": "cap", "over": "1d", "gte": "1"}, "crossed"))
    one.subscribe("pro", "2026-03-01")
    limit = {"key": "cap", "metric": "usage", "meter": "tokens", "amount": "5", "window": "day"}
    one.command("set_limit", "2026-03-02", limit=limit)
    one.use(6, "2026-03-02T10")
    assert [each["state"] for each in one.records("billing.thresholds.v1")] == ["breached"]
    assert signals(one, "crossed") == [("on", "03-02T10:00")]
