"""How hard limits stand that no entitlement shows: for gateways, before they are reached."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams import simulate
from tests.unit.rating.lives import Doc, Life, charge, plan
from tests.unit.rating.trees import Tree

LIMITS = "rating.limits.v1"
CHAT: Doc = {"key": "chat", "kind": "metered", "meter": "tokens"}
CAP: Doc = {
    "key": "cap",
    "metric": "usage",
    "meter": "tokens",
    "amount": "10",
    "window": "day",
    "scope": "account",
    "hard": True,
}


@pytest.fixture(autouse=True)
def _internal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulate, "SHOWN", simulate.SHOWN | {LIMITS})


def told(life: Life) -> list[tuple[str, str | None]]:
    """Of each record which limit, and the value; `None` for a tombstone."""
    found: list[tuple[str, str | None]] = []
    for each in life.shown:
        if each.topic == LIMITS:
            value: Any = None if each.value is None else json.loads(each.value)
            found.append(((each.key or "").partition("/")[2], value and value["value"]))
    return found


def tree(**limit: Any) -> Tree:
    made = Tree([plan("pool", charges=[charge()], entitlements=[{"feature": "chat"}])], features=[CHAT])
    made.sub("org", "pool", "2026-03-01")
    made.command("set_limit", "2026-03-01", account="lone", limit=CAP | limit)
    return made


def test_a_limit_below_a_subscription_is_told_from_the_first() -> None:
    life = tree()
    life.use(4, "2026-03-02T10", account="lone")
    life.until("2026-03-03")
    life.command("remove_limit", "2026-03-03", account="lone", limit="cap")
    assert told(life) == [("lone/cap", "0"), ("lone/cap", "4"), ("lone/cap", "0"), ("lone/cap", None)]
    first = json.loads(next(each.value for each in life.shown if each.topic == LIMITS) or b"")
    assert first["doc"]["metric"] == "usage"
    assert first["amount"] == "10"


@pytest.mark.parametrize("limit", [{"hard": False}, {"scope": "subscription"}])
def test_what_denies_nothing_is_not(limit: Doc) -> None:
    assert told(tree(**limit)) == []


def test_each_subject_has_its_own_under_what_says_how_much() -> None:
    life = tree(scope="subject")
    life.use(4, "2026-03-02T10", account="lone", subject="ann")
    life.use(1, "2026-03-02T11", account="lone", subject="bob")
    life.until("2026-03-03")
    assert told(life) == [
        ("lone/cap", "0"), ("lone/cap/ann", "4"), ("lone/cap/bob", "1"), ("lone/cap/ann", None), ("lone/cap/bob", None),
    ]  # fmt: skip


def test_of_an_account_alone_only_what_subjects_use_is_told() -> None:
    each = CAP | {"key": "each", "scope": "subject"}
    life = Life(
        [plan("pro", charges=[charge()], entitlements=[{"feature": "chat"}], limits=[CAP, each])],
        features=[CHAT],
    )
    life.subscribe("pro", "2026-03-01")
    life.use(3, "2026-03-02T10", account="cust-1", subject="ann")
    assert told(life) == [("cust-1/each", "0"), ("cust-1/each/ann", "3")]


def test_a_limit_that_counts_accounts_below_is_told_once_there_are_some() -> None:
    life = Life(
        [plan("pro", charges=[charge()], entitlements=[{"feature": "chat"}], limits=[CAP])], features=[CHAT]
    )
    life.subscribe("pro", "2026-03-01")
    life.use(3, "2026-03-02T10", account="cust-1")
    assert told(life) == []
    life.command("set_account", "2026-03-02T11", account="team", parent="cust-1")
    life.until("2026-03-02T12")
    assert told(life) == [("cust-1/cap", "3")]
