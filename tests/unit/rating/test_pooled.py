"""A tree of accounts: whose subscriptions rate usage, whose allowances and credits it uses, and who owes."""

from __future__ import annotations

from rating.times import DAY
from tests.unit.rating.lives import TOKENS, charge, plan
from tests.unit.rating.trees import OWN, Tree


def test_usage_is_pooled_in_the_nearest_account_above_that_charges_it() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.use(80, "2026-03-02T10", subject="team")
    life.use(60, "2026-03-02T10", subject="lone")
    life.use(10, "2026-03-02T10", subject="org")
    assert life.owed() == {("org", "team"): 80, ("org", "lone"): 40, ("org", None): 5}
    life.sub("dept", "own", "2026-03-03")
    life.use(1, "2026-03-03T10", subject="team")
    life.use(2, "2026-03-03T10", subject="dept")
    life.use(4, "2026-03-03T10", subject="lone")
    assert life.owed() == {
        ("org", "team"): 80, ("org", "lone"): 42, ("org", None): 5, ("dept", "team"): 10, ("dept", None): 20,
    }  # fmt: skip


def test_a_subscription_without_a_charge_on_the_meter_lets_usage_go_up_meter_by_meter() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.sub("dept", "calling", "2026-03-01")
    life.sub("team", "bare", "2026-03-01")
    life.use(7, "2026-03-02T10", subject="team")
    life.use(None, "2026-03-02T10", kind="call", subject="team")
    found = {(line["account"], line["charge"], line["amount"]) for line in life.lines(kind="usage")}
    assert found == {("org", "input", "7"), ("dept", "calls", "3")}


def test_a_named_subscription_is_looked_for_upwards_too() -> None:
    life = Tree()
    life.sub("team", "own", "2026-03-01", name="mine")
    life.sub("org", "pool", "2026-03-01", name="big")
    life.use(5, "2026-03-02T10", subject="team", subscription="big")
    life.use(5, "2026-03-02T10", subject="team", subscription="mine")
    assert life.owed() == {("org", "team"): 5, ("team", None): 50}


def test_a_line_is_of_one_record_window_and_account_that_used_it() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    for account, value in (("team", 1), ("lone", 2), ("team", 3)):
        life.use(value, "2026-03-02T10", subject=account)
    found = [(line["sub_account"], line["revision"], line["quantity_total"]) for line in life.lines()]
    assert found == [("team", 1, "1"), ("lone", 2, "3"), ("team", 3, "6")]
    assert len({line["id"] for line in life.lines()}) == 3


def test_the_allowance_and_the_credits_are_those_of_the_account_above() -> None:
    life = Tree([plan("pool", charges=[charge(included="10")])])
    life.sub("org", "pool", "2026-03-01")
    life.command("grant_credits", "2026-03-01", account="org", grant="g", amount="5", unit="USD")
    life.command("grant_credits", "2026-03-01", account="team", grant="own", amount="100", unit="USD")
    life.use(8, "2026-03-02T10", subject="team")
    life.use(8, "2026-03-02T10", subject="lone")
    assert life.sum(account="org") == 6
    assert life.sum("amount_due", account="org") == 1
    assert life.ledger(account="org", entry="burn") == [("burn", "-5", "0")]
    assert life.ledger(account="team", entry="burn") == []


def test_the_same_id_anywhere_in_the_tree_is_the_same_event() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.use(8, "2026-03-02T10", name="e1", subject="team")
    life.use(8, "2026-03-02T10", name="e1", subject="team", account="lone")
    assert life.owed() == {("org", "team"): 8}
    life.use(8, "2026-03-02T10", name="e1", subject="lone")
    assert life.rejected() == ["id_conflict"]


def test_a_running_level_of_accounts_below_is_one_level_above() -> None:
    seats = plan(
        "seats",
        charges=[{"key": "seats", "meter": "seats", "price": {"model": "per_unit", "unit_amount": "31"}}],
    )
    life = Tree([seats])
    life.sub("org", "seats", "2026-03-01")
    life.use(2, "2026-03-01", kind="seat", subject="team")
    life.use(3, "2026-03-01", kind="seat", subject="lone")
    life.until("2026-06-02")
    assert life.sum(charge="seats", period_start="2026-03-01T00:00:00.000000Z") == 5 * 31
    assert life.sum(charge="seats", period_start="2026-04-01T00:00:00.000000Z") == 5 * 31
    life.use(-2, "2026-06-16", kind="seat", subject="team")
    life.until("2026-07-02")
    assert life.sum(charge="seats", period_start="2026-06-01T00:00:00.000000Z") == 4 * 31


def test_late_usage_of_an_account_below_closes_the_period_above_anew() -> None:
    life = Tree()
    life.sub("org", "own", "2026-03-01")
    life.until("2026-04-02")
    life.use(10, "2026-03-31T10", subject="team")
    late = life.lines(kind="usage")[-1]
    assert (late["late"], late["sub_account"], late["amount"]) == (True, "team", "100")
    closed = life.lines(kind="close", charge="input")
    assert [(line["amount_total"], line["sub_account"], line["late"]) for line in closed] == [
        ("0", None, False), ("100", None, True),
    ]  # fmt: skip


def test_outcomes_of_an_account_below_count_above() -> None:
    meter = TOKENS | {
        "outcome": {"event_type": "done", "match": "$.job", "when": {"ok": ["yes"]}, "within": "72h"}
    }
    life = Tree([OWN], [meter])
    life.sub("org", "own", "2026-03-01")
    life.use(7, "2026-03-02T10", subject="team", job="j1")
    life.use(None, "2026-03-02T11", kind="done", subject="lone", job="j1", ok="yes")
    assert life.owed() == {}
    life.use(None, "2026-03-02T12", kind="done", subject="team", job="j1", ok="yes")
    assert life.owed() == {("org", "team"): 70}
    life.sub("dept", "own", "2026-03-02T11", "2026-03-03")
    assert life.owed() == {("dept", "team"): 70}
    life.use(None, "2026-03-02T13", kind="done", subject="team", job="j1", ok="no")
    assert life.owed() == {}


def test_an_open_backfill_below_keeps_the_periods_above() -> None:
    life = Tree(accept_past=5 * DAY)
    life.sub("org", "own", "2026-03-01")
    life.command("open_backfill", "2026-03-02", account="team", backfill="b", source="old", **{
        "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"})  # fmt: skip
    life.until("2026-06-01")
    life.use(4, "2026-03-01T10", subject="team", source="old", backfill="b")
    assert life.owed() == {("org", "team"): 40}
    life.command("close_backfill", "2026-06-02", account="team", backfill="b", source="old", **{
        "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"})  # fmt: skip
    life.until("2026-06-03")
    life.use(4, "2026-03-01T11", subject="team", source="old", backfill="b")
    assert life.rejected() == ["too_old"]
