"""Usage that two subscriptions rated counts once for the account, also when one of them is dated back."""

from __future__ import annotations

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan
from tests.unit.rating.rules.watched import life as ruled
from tests.unit.rating.rules.watched import rule, signals
from tests.unit.rating.trees import Tree

EACH: Doc = {"key": "cap", "metric": "usage", "meter": "tokens", "amount": "100", "window": "day", "scope": "account",
             "thresholds": [{"at": "5"}, {"at": "6"}]}  # fmt: skip


def used(life: Life, *subscriptions: str) -> Life:
    for each in subscriptions:
        life.subscribe("pro", "2026-03-01", each)
    life.use(3, "2026-03-02T10")
    life.use(2, "2026-03-02T12")
    return life


def told(life: Life) -> list[tuple[str, str]]:
    return [(each["state"], each["value"]) for each in life.records("billing.thresholds.v1")]


@pytest.mark.parametrize("of", [None, "sub-1", "sub-2"])
def test_an_account_limit_loses_what_no_subscription_has_any_more(of: str | None) -> None:
    life = Life([plan("pro", charges=[charge()], limits=[EACH])])
    for each in ("sub-1", "sub-2"):
        life.subscribe("pro", "2026-03-01", each)
    life.use(3, "2026-03-02T10")
    life.use(2, "2026-03-02T12", **({"subscription": of} if of else {}))
    assert told(life) == [("breached", "5")]
    life.change("cancel", "2026-03-02T11", came="2026-03-02T13")
    assert told(life)[1:] == ([("recovered", "3")] if of == "sub-1" else [])
    life.use(1, "2026-03-02T14")
    assert told(life)[1:] == ([("recovered", "3")] if of == "sub-1" else [("breached", "6")])


def test_one_that_is_dated_back_over_it_counts_nothing_twice() -> None:
    life = used(Life([plan("pro", charges=[charge()], limits=[EACH])]), "sub-1")
    life.until("2026-03-02T13")
    life.subscribe("pro", "2026-03-02T09", "sub-2")
    assert told(life) == [("breached", "5")]


def test_a_rule_on_the_accounts_usage_keeps_it_too() -> None:
    life = used(ruled(rule({"fact": "usage", "meter": "tokens", "over": "1d", "gte": "5"})), "sub-1", "sub-2")
    life.until("2026-03-02T13")
    assert [state for state, _ in signals(life)] == ["on"]
    life.change("cancel", "2026-03-02T11")
    life.until("2026-03-02T18")
    assert [state for state, _ in signals(life)] == ["on"]


def test_usage_that_comes_down_from_above_counts_as_it_did() -> None:
    tree = Tree(
        [plan("pool", charges=[charge()]), plan("own", charges=[charge()]), plan("bare", limits=[EACH])]
    )
    tree.sub("org", "pool", "2026-03-01")
    tree.sub("team", "bare", "2026-03-01")
    tree.use(5, "2026-03-02T10", account="team")
    tree.until("2026-03-02T13")
    tree.sub("team", "own", "2026-03-02T09", "2026-03-02T13", "own")
    tree.use(1, "2026-03-02T14", account="team")
    assert told(tree) == [("breached", "5"), ("breached", "6")]
