"""Reservations are bounded by limits that no entitlement shows: of accounts below a subscription, and of each subject."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rating.records import Position
from rating.reservations import HoldKey
from tests.unit.streams.gateway.gate import Answer, Gate, Record, entitlement, know, stands, world

USAGE = {"key": "cap", "metric": "usage", "meter": "tokens", "amount": "10", "hard": True, "scope": "account"}
EACH = USAGE | {"key": "each", "scope": "subject"}
RAW = "usage.events.v1"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """`team` under `cust-1`, which may use 60 more."""
    gate = Gate(tmp_path, world(entitlement(limits=[])))
    gate.desk.world.directory.put("acme/account/team", {"root": "cust-1", "parent": "cust-1", "command": "c"})
    return gate


def reserve(gate: Gate, name: str, quantity: str, account: str = "team", **fields: Any) -> Answer:
    path = f"/v1/tenants/acme/accounts/{account}/reservations"
    return gate.ask("POST", path, {"id": name, "feature": "chat", "quantity": quantity} | fields)


def available(gate: Gate, account: str = "team", **query: str) -> str:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    found: str = gate.ask("GET", f"/v1/tenants/acme/accounts/{account}/features/chat?{asked}").body[
        "available"
    ]
    return found


def test_an_accounts_own_limit_bounds_what_it_takes_from_above(gate: Gate) -> None:
    stands(gate.desk.world, "team/cap", USAGE, "7")
    assert available(gate) == "3"
    assert available(gate, "cust-1") == "60", "the limit is not its"
    answer = reserve(gate, "r1", "4")
    assert (answer.status, answer.body["type"]) == (429, "urn:azotte:problem:limit-reached")
    assert "limit cap" in answer.body["detail"]
    assert int(answer.headers["Retry-After"]) > 86_400
    assert reserve(gate, "r2", "2").body["available"] == "1"
    assert (available(gate), available(gate, "cust-1")) == ("1", "58")


def test_what_is_committed_holds_of_the_limit_until_its_own_record_counts_it(gate: Gate) -> None:
    stands(gate.desk.world, "team/cap", USAGE, "7")
    reserve(gate, "r1", "2")
    path = "/v1/tenants/acme/accounts/team/reservations/r1/commit"
    assert gate.ask("POST", path, {"event": {"type": "llm", "data": {"tokens": 2}}}).status == 202
    gate.desk.book.place(HoldKey("acme", "team", "r1"), Position(RAW, 0, 5))
    know(gate.desk.world, entitlement(used="42", balance="58", limits=[]), {f"{RAW}/0": 5})
    assert available(gate) == "1", "the entitlement counts it, the limit not yet"
    stands(gate.desk.world, "team/cap", USAGE, "9", {f"{RAW}/0": 5})
    assert (available(gate), available(gate, "cust-1")) == ("1", "58")


def test_a_limit_of_a_price_bounds_by_the_plan_above(gate: Gate) -> None:
    know(gate.desk.world, entitlement(balance=None, included=None, limits=[]))
    spend = {
        "key": "cap",
        "metric": "spend",
        "currency": "USD",
        "amount": "10",
        "hard": True,
        "scope": "account",
    }
    stands(gate.desk.world, "team/cap", spend, "9")
    assert available(gate) == "100"


def test_a_limit_that_is_gone_bounds_nothing(gate: Gate) -> None:
    stands(gate.desk.world, "team/cap", USAGE, "7")
    gate.desk.world.put_limit(Record("acme/team/cap", None))
    assert available(gate) == "60"
    gate.desk.world.put_limit(Record("acme/team/cap", None))


def test_each_subject_is_bounded_by_itself(gate: Gate) -> None:
    stands(gate.desk.world, "cust-1/each", EACH, "0")
    stands(gate.desk.world, "cust-1/each/ann", None, "8")
    assert available(gate, "cust-1", subject="ann") == "2"
    assert available(gate, "cust-1", subject="bob") == "10", "who has used nothing"
    assert available(gate, "team", subject="ann") == "2", "whichever account it is used in"
    assert available(gate, "cust-1") == "60", "of all subjects"
    assert reserve(gate, "r1", "3", "cust-1", subject="ann").status == 429
    assert reserve(gate, "r2", "3", "cust-1", subject="bob").status == 201
    assert available(gate, "cust-1", subject="bob") == "7"
    assert available(gate, "cust-1", subject="ann") == "2"
    assert reserve(gate, "r3", "11", "cust-1").status == 429, (
        "an event without a subject is the account's own"
    )


def test_a_subject_that_an_account_without_a_subscription_holds_is_held_in_it_alone(gate: Gate) -> None:
    held: dict[str, Any] = {
        "access": False,
        "reason": "hard_limit",
        "plan": None,
        "version": None,
        "limits": [],
    }
    know(gate.desk.world, entitlement(account="team", subject="ann", **held))
    gate.desk.world.directory.put("acme/account/user", {"root": "cust-1", "parent": "team", "command": "c"})
    assert available(gate, "team", subject="ann") == "0"
    assert available(gate, "user", subject="ann") == "60"
    know(gate.desk.world, entitlement(subject="ann", access=False, reason="hard_limit", limits=[]))
    assert available(gate, "user", subject="ann") == "0"


def test_a_limit_for_one_subject_bounds_no_other(gate: Gate) -> None:
    stands(gate.desk.world, "cust-1/each", EACH | {"scope": {"subject": "ann"}}, "0")
    assert available(gate, "cust-1", subject="ann") == "10"
    assert available(gate, "cust-1", subject="bob") == "60"


def test_a_limit_that_denies_other_features_bounds_none_of_them(gate: Gate) -> None:
    stands(gate.desk.world, "team/cap", USAGE | {"features": ["export"]}, "7")
    assert available(gate) == "60"
    stands(gate.desk.world, "team/cap", USAGE | {"features": ["export"], "action": "suspend"}, "7")
    assert available(gate) == "3"


def test_an_account_whose_own_subscription_ended_uses_what_is_above_it(gate: Gate) -> None:
    gone: dict[str, Any] = {
        "access": False,
        "reason": "canceled",
        "included": None,
        "used": None,
        "balance": None,
        "limits": [],
    }
    know(gate.desk.world, entitlement(account="team", **gone))
    assert available(gate) == "60"
    gate.desk.world.directory.put("acme/account/other", {"root": "org", "parent": "org", "command": "c"})
    know(gate.desk.world, entitlement(account="other", **gone))
    assert gate.ask("GET", "/v1/tenants/acme/accounts/other/features/chat").body["reason"] == "canceled"


def test_of_a_limit_that_two_subscriptions_have_the_fuller_one_bounds(gate: Gate) -> None:
    cap = [{"limit": "cap", "value": value, "amount": "5", "resets_at": None} for value in ("1", "4.9", "2")]
    know(gate.desk.world, entitlement("export", balance=None, included=None, limits=cap))
    assert gate.ask("GET", "/v1/tenants/acme/accounts/cust-1/features/export").body["available"] == "10"
