"""A limit of an account counts what the accounts below it use and spend, wherever that is rated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.trees import Tree


def limited(metric: str = "usage", amount: str = "100", account: str = "org", **fields: Any) -> Tree:
    tree = Tree()
    limit: dict[str, Any] = {
        "key": "cap",
        "metric": metric,
        "amount": amount,
        "scope": "account",
        "window": "month",
        **fields,
    }
    if metric == "usage":
        limit["meter"] = "tokens"
    tree.sub("org", "pool", "2026-03-01")
    tree.command("set_limit", "2026-03-01", account=account, limit=limit)
    return tree


def use(tree: Tree, account: str, value: int, time: str) -> None:
    tree.use(value, time, account=account)


def told(tree: Tree) -> list[tuple[str, str, str]]:
    return [(each["account"], each["state"], each["value"]) for each in tree.records("billing.thresholds.v1")]


@pytest.mark.parametrize("metric", ["usage", "spend"])
def test_what_is_pooled_and_what_an_account_below_rates_itself_count_together(metric: str) -> None:
    tree = limited(metric, "150")
    tree.sub("team", "own", "2026-03-01")
    use(tree, "lone", 50, "2026-03-02T10")
    use(tree, "team", 9, "2026-03-02T11")
    assert told(tree) == []
    use(tree, "team", 91, "2026-03-02T12")
    assert told(tree) == [("org", "breached", "150" if metric == "usage" else "1050")]


def test_usage_that_is_rated_above_counts_once() -> None:
    tree = limited(amount="10")
    tree.sub("team", "calling", "2026-03-01")
    use(tree, "team", 7, "2026-03-02T10")
    assert told(tree) == []
    use(tree, "team", 3, "2026-03-02T11")
    assert told(tree) == [("org", "breached", "10")]


def test_what_is_beside_or_above_does_not_count() -> None:
    tree = limited(amount="10", account="dept")
    use(tree, "lone", 20, "2026-03-02T10")
    use(tree, "org", 20, "2026-03-02T11")
    assert told(tree) == []
    use(tree, "team", 10, "2026-03-02T12")
    assert told(tree) == [("dept", "breached", "10")]


def test_a_limit_that_begins_to_hold_counts_what_was_used_below_before() -> None:
    tree = Tree()
    tree.sub("org", "pool", "2026-03-01")
    use(tree, "team", 40, "2026-03-02T10")
    limit = {
        "key": "cap",
        "metric": "usage",
        "meter": "tokens",
        "amount": "40",
        "scope": "account",
        "window": "month",
    }
    tree.command("set_limit", "2026-03-03", account="org", limit=limit)
    assert told(tree) == [("org", "breached", "40")]


@pytest.mark.parametrize("scope", ["subject", "account"])
def test_one_that_begins_late_has_what_came_up_from_below_as_one_that_was_there(scope: str) -> None:
    """Found by `tests/property/test_gateway_limits.py`: a limit by subject had forgotten it."""
    tree = Tree()
    tree.sub("org", "pool", "2026-03-01")
    tree.sub("lone", "own", "2026-03-01")
    for account, value in (("team", 3), ("lone", 4), ("org", 5)):
        tree.use(value, "2026-03-02T10", account=account, subject="ann")
    cap = {
        "key": "cap",
        "metric": "usage",
        "meter": "tokens",
        "amount": "8",
        "scope": scope,
        "window": "month",
    }
    tree.command("set_limit", "2026-03-02T11", account="org", limit=cap)
    assert told(tree) == [("org", "breached", "8" if scope == "subject" else "12")]
