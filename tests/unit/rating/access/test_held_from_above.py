"""An account's limit that counts those below it denies them too, what they have of their own as well."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rating.access.test_held_below import FEATURES, GIVEN, TEN, told
from tests.unit.rating.lives import charge, plan
from tests.unit.rating.trees import Tree


def holding(**limit: Any) -> Tree:
    """`team` under `dept` under `org`, and `lone` under `org`; `org` has a limit, all have subscriptions of their own."""
    tree = Tree([plan("own", charges=[charge()], entitlements=GIVEN)], features=FEATURES)
    for account in ("org", "team", "lone"):
        tree.sub(account, "own", "2026-03-01")
    tree.command("set_limit", "2026-03-01", account="org", limit=TEN | {"hard": True} | limit)
    return tree


def last(tree: Tree, account: str) -> tuple[bool | None, str | None]:
    """Access to chat, and the reason, as it was told last."""
    return [each[1:] for each in told(tree, account) if each[0] == "chat"][-1]


def test_who_it_counts_is_denied_and_let_go_with_it() -> None:
    tree = holding()
    tree.use(9, "2026-03-02T10", account="lone")
    assert [last(tree, each) for each in ("org", "team", "lone")] == [(True, "ok")] * 3
    tree.use(1, "2026-03-02T11", account="team")
    tree.until("2026-03-02T12")
    assert [last(tree, each) for each in ("org", "team", "lone")] == [(False, "hard_limit")] * 3
    tree.until("2026-03-03T01")
    assert [last(tree, each) for each in ("org", "team", "lone")] == [(True, "ok")] * 3
    assert len([each for each in told(tree, "lone") if each[0] == "chat"]) == 4, "begun, used, denied, let go"


def test_whoever_comes_meanwhile_is_denied_at_once() -> None:
    tree = holding()
    tree.use(10, "2026-03-02T10", account="lone")
    tree.sub("dept", "own", "2026-03-02T11")
    assert told(tree, "dept") == [("chat", False, "hard_limit"), ("sso", True, "ok")]


@pytest.mark.parametrize(
    ("limit", "chat", "sso"),
    [
        ({"action": "suspend"}, (False, "suspended"), ("sso", False, "suspended")),
        (
            {"hard": False, "action": "throttle", "throttle": {"rate": "1", "per": "1m"}},
            (True, "throttled"),
            ("sso", True, "ok"),
        ),
        ({"scope": "subject"}, (True, "ok"), ("sso", True, "ok")),
        ({"scope": "subscription"}, (True, "ok"), ("sso", True, "ok")),
        ({"hard": False}, (True, "ok"), ("sso", True, "ok")),
    ],
)
def test_each_does_below_what_it_does_to_its_own(limit: Any, chat: Any, sso: Any) -> None:
    tree = holding(**limit)
    tree.use(10, "2026-03-02T10", account="org", subject="ann")
    tree.until("2026-03-02T12")
    assert last(tree, "team") == chat
    assert [each for each in told(tree, "team") if each[0] == "sso"][-1] == sso


@pytest.mark.parametrize("change", ["remove_limit", "raise"])
def test_a_limit_that_is_raised_or_goes_lets_them_go(change: str) -> None:
    tree = holding()
    tree.use(10, "2026-03-02T10", account="org")
    tree.until("2026-03-02T11")
    assert last(tree, "team") == (False, "hard_limit")
    if change == "raise":
        tree.command("set_limit", "2026-03-02T11", account="org", limit=TEN | {"hard": True, "amount": "11"})
    else:
        tree.command("remove_limit", "2026-03-02T11", account="org", limit="cap")
    tree.until("2026-03-02T12")
    assert last(tree, "team") == (True, "ok")


def test_a_subject_that_is_held_says_both() -> None:
    tree = holding()
    each = TEN | {"key": "each", "hard": True, "scope": "subject", "amount": "2", "window": "week"}
    tree.command("set_limit", "2026-03-01", account="team", limit=each)
    tree.use(2, "2026-03-02T10", account="team", subject="ann")
    tree.use(8, "2026-03-02T11", account="org")
    tree.until("2026-03-02T12")
    assert ("chat/ann", False, "hard_limit") in told(tree, "team")
    tree.until("2026-03-03T01")
    assert last(tree, "team") == (True, "ok")
