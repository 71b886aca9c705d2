"""An account that uses what those above it have: its own limits deny it, and let it go."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.rating.lives import Doc, charge, plan
from tests.unit.rating.trees import Tree

FEATURES: list[Doc] = [
    {"key": "chat", "kind": "metered", "meter": "tokens"},
    {"key": "sso", "kind": "boolean"},
]
GIVEN: list[Doc] = [{"feature": "chat"}, {"feature": "sso", "value": True}]
TEN: Doc = {
    "key": "cap",
    "metric": "usage",
    "meter": "tokens",
    "amount": "10",
    "scope": "account",
    "window": "day",
}


def pooled(**limit: Any) -> Tree:
    """`lone` under `org`, whose subscription it uses, with a limit of its own; ten are used."""
    plans = [plan(key, charges=[charge()], entitlements=GIVEN) for key in ("pool", "own")]
    tree = Tree(plans, features=FEATURES)
    tree.sub("org", "pool", "2026-03-01")
    tree.command("set_limit", "2026-03-01", account="lone", limit=TEN | limit)
    tree.use(10, "2026-03-02T10", account="lone")
    return tree


def told(tree: Tree, account: str) -> list[tuple[str, bool | None, str | None]]:
    """Feature, access and reason of what was told of an account; `None` where its record went."""
    found: list[tuple[str, bool | None, str | None]] = []
    for each in tree.shown:
        name = each.key or ""
        if each.topic == "billing.entitlements.v1" and name.startswith(f"acme/{account}/"):
            value: Doc = {} if each.value is None else json.loads(each.value)
            found.append((name.split("/", 2)[2], value.get("access"), value.get("reason")))
    return found


def test_it_has_a_record_while_its_own_limit_denies_it_and_none_after() -> None:
    tree = pooled(hard=True)
    tree.until("2026-03-04")
    assert told(tree, "lone") == [("chat", False, "hard_limit"), ("chat", None, None)]
    assert {access for _, access, _ in told(tree, "org")} == {True}


def test_suspended_it_has_no_feature_and_what_only_slows_writes_nothing() -> None:
    assert told(pooled(hard=True, action="suspend"), "lone") == [
        ("chat", False, "suspended"), ("sso", False, "suspended"),
    ]  # fmt: skip
    assert told(pooled(action="throttle", throttle={"rate": "1", "per": "1m"}), "lone") == []


def test_a_subscription_of_its_own_takes_its_place() -> None:
    tree = pooled(hard=True)
    tree.sub("lone", "own", "2026-03-02T12")
    tree.until("2026-03-04")
    assert told(tree, "lone")[1:] == [
        ("chat", False, "hard_limit"), ("sso", True, "ok"), ("chat", True, "ok"),
    ]  # fmt: skip


def test_a_root_without_a_subscription_has_no_features_to_deny() -> None:
    tree = Tree([plan("pool", charges=[charge()], entitlements=GIVEN)], features=FEATURES)
    low = {"key": "low", "metric": "balance", "unit": "USD", "amount": "5", "hard": True}
    tree.command("set_limit", "2026-03-01", account="org", limit=low)
    assert told(tree, "org") == []


def test_a_subject_that_a_limit_of_it_holds_is_denied_alone() -> None:
    tree = pooled(hard=True, scope="subject")
    tree.use(10, "2026-03-02T11", account="lone", subject="ann")
    tree.until("2026-03-04")
    assert ("chat/ann", False, "hard_limit") in told(tree, "lone")
    assert told(tree, "lone")[-1][1] is None
    assert not [each for each in told(tree, "lone") if each[0] == "chat"]


def test_what_its_own_subscription_does_not_give_is_denied_too() -> None:
    bare = plan(
        "bare", charges=[charge(key="calls", meter="calls")], entitlements=[{"feature": "sso", "value": True}]
    )
    plans = [plan("pool", charges=[charge()], entitlements=GIVEN), bare]
    tree = Tree(plans, features=FEATURES)
    tree.sub("org", "pool", "2026-03-01")
    tree.sub("lone", "bare", "2026-03-01")
    tree.command("set_limit", "2026-03-01", account="lone", limit=TEN | {"hard": True})
    tree.use(10, "2026-03-02T10", account="lone")
    tree.until("2026-03-04")
    assert told(tree, "lone") == [("sso", True, "ok"), ("chat", False, "hard_limit"), ("chat", None, None)]


def test_it_is_denied_after_its_own_subscription_ended() -> None:
    tree = pooled(hard=True)
    tree.sub("lone", "own", "2026-03-02T12")
    tree.command("cancel", "2026-03-05", account="lone", subscription="s", at="now")
    tree.use(10, "2026-03-06T10", account="lone")
    tree.until("2026-03-08")
    ends = [each for each in told(tree, "lone") if each[0] == "chat"][-3:]
    assert ends == [("chat", False, "canceled"), ("chat", False, "hard_limit"), ("chat", None, None)]
