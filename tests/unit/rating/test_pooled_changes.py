"""A tree of accounts: usage that waits, that is corrected, and that moves where a change is dated back over it."""

from __future__ import annotations

import pytest

from rating.times import DAY
from tests.unit.rating.lives import Life, charge, plan
from tests.unit.rating.trees import OWN, POOL, Doc, Tree


def test_a_correction_names_the_account_that_used_it_and_undoes_where_it_was_rated() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.use(150, "2026-03-02T10", name="e1", subject="team")
    life.retract("e1", 150, "2026-03-02T10", "2026-03-03", account="org")
    assert "is not event" not in life.refusals()[-1]
    assert "account" in life.refusals()[-1]
    life.retract("e1", 150, "2026-03-02T10", "2026-03-04", account="lone")
    assert life.owed() == {("org", "team"): 125}
    life.retract("e1", 150, "2026-03-02T10", "2026-03-05", account="team")
    assert life.owed() == {}
    assert life.lines(kind="correction")[0]["sub_account"] == "team"
    assert len(life.rejected()) == 2


def test_an_amendment_is_one_line_in_the_account_above() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.use(150, "2026-03-02T10", name="e1", subject="team")
    was = {"specversion": "1.0", "id": "e1", "source": "src", "type": "use", "tenant": "acme", "subject": "team",
           "time": "2026-03-02T10:00:00Z", "data": {"value": 150}}  # fmt: skip
    life.command("amend_usage", "2026-03-03", account="team", source="src", event_id="e1", was=was,
                 now={**was, "data": {"value": 50}})  # fmt: skip
    (line,) = life.lines(kind="correction")
    assert (line["account"], line["sub_account"], line["amount"], line["quantity"]) == (
        "org",
        "team",
        "-75",
        "-100",
    )
    life.use(150, "2026-03-02T10", name="e1", subject="team")
    life.use(50, "2026-03-02T10", name="e1", subject="team", account="lone")
    assert life.owed() == {("org", "team"): 50}


@pytest.mark.parametrize("account", ["team", "dept", "org"])
def test_usage_that_no_subscription_runs_for_waits_for_one_of_its_own_or_above(account: str) -> None:
    life = Tree()
    life.use(8, "2026-03-02T10", subject="team")
    life.use(2, "2026-03-02T12", subject="team")
    life.sub("lone", "own", "2026-03-01", "2026-03-03")
    assert life.owed() == {}
    life.sub(account, "own", "2026-03-02T11", "2026-03-04")
    assert life.owed() == {(account, None if account == "team" else "team"): 20}
    life.until("2026-05-01")
    assert life.rejected() == []


def test_what_waits_too_long_is_rejected_by_its_own_timer() -> None:
    life = Tree(accept_past=5 * DAY)
    life.use(8, "2026-03-02T10", subject="team")
    life.sub("org", "own", "2026-03-01", "2026-03-07T11")
    assert (life.owed(), life.rejected()) == ({}, ["unrated"])


def test_usage_before_every_start_on_the_way_up_is_metered_never_billed() -> None:
    life = Tree(accept_past=5 * DAY)
    life.use(8, "2026-03-02T10", subject="team")
    life.sub("org", "pool", "2026-03-03")
    life.until("2026-03-20")
    assert (life.owed(), life.rejected()) == ({}, [])


def test_a_subscription_that_is_dated_back_takes_its_usage_down_from_above() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.use(150, "2026-03-02T10", subject="team")
    life.use(10, "2026-03-02T12", name="e1", subject="team")
    life.use(10, "2026-03-02T13", subject="lone")
    life.sub("dept", "own", "2026-03-02T11", "2026-03-03")
    assert life.owed() == {("org", "team"): 125, ("org", "lone"): 5, ("dept", "team"): 100}
    life.retract("e1", 10, "2026-03-02T12", "2026-03-04", account="team")
    assert life.owed() == {("org", "team"): 125, ("org", "lone"): 5}


def test_a_cancellation_that_is_dated_back_lets_usage_go_up_again() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.sub("team", "own", "2026-03-01")
    life.use(10, "2026-03-02T10", subject="team")
    life.use(10, "2026-03-02T12", subject="team")
    life.until("2026-03-03")
    life.command("cancel", "2026-03-02T11", account="team", subscription="s", at="now")
    assert life.owed() == {("team", None): 100, ("org", "team"): 10}


def test_a_cancellation_above_lets_usage_wait_below() -> None:
    life = Tree()
    life.sub("org", "own", "2026-03-01")
    life.use(10, "2026-03-02T12", subject="team")
    life.until("2026-03-03")
    life.command("cancel", "2026-03-02T11", account="org", subscription="s", at="now")
    assert life.owed() == {}
    life.sub("dept", "own", "2026-03-02", "2026-03-04")
    assert life.owed() == {("dept", "team"): 100}


def test_a_change_of_plan_that_is_dated_back_moves_usage_of_accounts_below() -> None:
    life = Tree()
    life.sub("org", "pool", "2026-03-01")
    life.sub("dept", "bare", "2026-03-01")
    life.use(10, "2026-03-02T10", subject="team")
    life.use(10, "2026-03-02T12", subject="team")
    life.until("2026-03-03")
    life.command("change_plan", "2026-03-02T11", account="dept", subscription="s", plan="own", at="now")
    assert life.owed() == {("org", "team"): 10, ("dept", "team"): 100}
    life.command("change_plan", "2026-03-02T11:30", account="org", subscription="s", plan="own", at="now")
    assert life.owed() == {("org", "team"): 10, ("dept", "team"): 100}


def test_a_second_subscription_that_is_dated_back_takes_what_is_rated_already() -> None:
    life = Life([POOL, OWN])
    life.subscribe("pool", "2026-03-01")
    life.use(10, "2026-03-02T10", name="e1")
    life.command("subscribe", "2026-03-03", subscription="sub-2", plan="own", start="2026-03-02T00:00:00Z")
    assert life.sum(subscription="sub-2") == 100
    life.retract("e1", 10, "2026-03-02T10", "2026-03-04")
    assert life.sum(subscription="sub-2") == 0
    life.use(10, "2026-03-04T10")
    assert life.sum(subscription="sub-2") == 100


def test_each_price_of_events_sees_what_was_used_below_before_a_cut() -> None:
    share: Doc = {"model": "percentage", "rate": "10", "free_amount": "100"}
    plans = [
        plan("a", charges=[charge(price=share)]),
        plan("b", charges=[charge(price=share | {"rate": "20"})]),
    ]
    life = Tree(plans)
    life.sub("org", "a", "2026-03-01")
    life.use(90, "2026-03-02T10", subject="team")
    life.use(10, "2026-03-02T11", subject="lone")
    life.command("change_plan", "2026-03-03", account="org", subscription="s", plan="b", at="now")
    life.use(50, "2026-03-03T10", subject="team")
    assert life.owed() == {("org", "team"): 10}
