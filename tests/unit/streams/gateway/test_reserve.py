"""Reservations over HTTP: granted or refused at once, committed once, given back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from rating.records import Position
from streams.gateway.peers import FORWARDED
from tests.unit.streams.gateway.gate import Answer, Gate, entitlement, know, world

ACCOUNT = "/v1/tenants/acme/accounts/cust-1"
CHAT = f"{ACCOUNT}/features/chat"
FULL = {"limit": "cap", "value": "2.5", "amount": "5", "resets_at": "2100-01-01T00:00:00.000000Z"}
SOFT = {"limit": "soft", "value": "2.5", "amount": "1", "resets_at": None}


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, world(entitlement(limits=[])))


def reserve(gate: Gate, name: str = "r1", quantity: str = "10", **fields: Any) -> Answer:
    return gate.ask(
        "POST", f"{ACCOUNT}/reservations", {"id": name, "feature": "chat", "quantity": quantity} | fields
    )


def commit(gate: Gate, name: str = "r1", **event: Any) -> Answer:
    return gate.ask("POST", f"{ACCOUNT}/reservations/{name}/commit", {"event": {"type": "llm", "data": {"tokens": 3}} | event})  # fmt: skip


def reserved(gate: Gate) -> tuple[str, str]:
    body = gate.ask("GET", CHAT).body
    return body["reserved"], body["available"]


def test_a_reservation_holds_its_quantity_back(gate: Gate) -> None:
    answer = reserve(gate)
    assert (answer.status, answer.body["granted"], answer.body["available"]) == (201, "10", "50")
    assert answer.body["expires_at"] > "2026"
    assert reserved(gate) == ("10", "50")
    assert len(gate.keeper.writes) == 1


def test_the_same_request_has_the_same_answer_and_another_is_a_conflict(gate: Gate) -> None:
    first = reserve(gate)
    assert reserve(gate).body == first.body
    assert len(gate.keeper.writes) == 1
    assert reserve(gate, quantity="11").body["type"] == "urn:azotte:problem:id-conflict"
    assert reserved(gate) == ("10", "50")


def test_what_does_not_suffice_is_refused_with_what_there_is(gate: Gate) -> None:
    answer = reserve(gate, quantity="61")
    assert (answer.status, answer.headers["Content-Type"]) == (402, "application/problem+json")
    assert {name: answer.body[name] for name in ("id", "granted", "available", "expires_at")} == {
        "id": "r1", "granted": "0", "available": "60", "expires_at": None,
    }  # fmt: skip
    assert reserved(gate) == ("0", "60")
    assert reserve(gate, quantity="61", minimum="60").body["granted"] == "60"


@pytest.mark.parametrize(
    ("reason", "status", "kind"),
    [("exhausted", 402, "exhausted"), ("suspended", 403, "no-access"), ("canceled", 403, "no-access"),
     ("paused", 403, "no-access"), ("hard_limit", 429, "limit-reached")],
)  # fmt: skip
def test_without_access_nothing_is_granted(gate: Gate, reason: str, status: int, kind: str) -> None:
    know(gate.desk.world, entitlement(access=False, reason=reason, resets_at="2100-01-01T00:00:00.000000Z"))
    answer = reserve(gate, quantity="1")
    assert (answer.status, answer.body["type"]) == (status, f"urn:azotte:problem:{kind}")
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert reserve(gate, quantity="1", feature="sso").status == 403


def test_a_spend_limit_refuses_by_price_and_says_when_to_come_again(gate: Gate) -> None:
    know(gate.desk.world, entitlement("export", balance=None, included=None, limits=[FULL, SOFT]))
    assert reserve(gate, quantity="250", feature="export").body["available"] == "0"
    answer = reserve(gate, "r2", "0.000000000001", feature="export")
    assert (answer.status, answer.body["type"]) == (429, "urn:azotte:problem:limit-reached")
    assert int(answer.headers["Retry-After"]) > 86_400
    assert "limit cap" in answer.body["detail"]


def test_features_share_what_a_limit_has_left(gate: Gate) -> None:
    for feature in ("chat", "export"):
        know(gate.desk.world, entitlement(feature, balance=None, included=None, limits=[FULL]))
    assert reserve(gate, "r1", "200").status == 201
    assert reserve(gate, "r2", "60", feature="export").status == 429
    assert reserve(gate, "r3", "50", feature="export").status == 201


def test_a_feature_without_a_bound_is_granted(gate: Gate) -> None:
    know(gate.desk.world, entitlement("sso", kind="boolean", value=True, balance=None, limits=[]))
    answer = reserve(gate, feature="sso", quantity="1000000")
    assert (answer.status, answer.body["available"]) == (201, None)


def test_a_child_takes_its_parents_entitlement(gate: Gate) -> None:
    gate.desk.world.directory.put("acme/account/team", {"root": "cust-1", "parent": "cust-1", "command": "c"})
    path = "/v1/tenants/acme/accounts/team"
    assert gate.ask("GET", f"{path}/features/chat").body["account"] == "cust-1"
    body = {"id": "r1", "feature": "chat", "quantity": "25"}
    assert gate.ask("POST", f"{path}/reservations", body).status == 201
    assert reserved(gate) == ("25", "35")
    assert reserve(gate, quantity="36").status == 402, "a name is an account's own"


def test_a_commit_publishes_the_event_with_what_the_reservation_says(gate: Gate) -> None:
    reserve(gate, subject="ana")
    answer = commit(gate)
    assert (answer.status, answer.body) == (
        202,
        {"id": "r1", "event": {"id": "r1", "source": "azotte-gateway/cust-1"}},
    )
    write = gate.keeper.writes[-1]
    assert write.event is not None
    assert write.event[0] == b"acme/cust-1"
    event = json.loads(write.event[1])
    assert event.pop("time") > "2026"
    assert event == {
        "specversion": "1.0", "id": "r1", "source": "azotte-gateway/cust-1", "tenant": "acme", "account": "cust-1",
        "subject": "ana", "type": "llm", "data": {"tokens": 3},
    }  # fmt: skip


def test_a_commit_is_made_once_and_another_event_is_a_conflict(gate: Gate) -> None:
    reserve(gate)
    assert commit(gate, id="mine").body["event"]["id"] == "mine"
    written = len(gate.keeper.writes)
    assert commit(gate, id="mine").status == 202
    assert len(gate.keeper.writes) == written
    assert commit(gate, id="other").status == 409
    assert gate.ask("DELETE", f"{ACCOUNT}/reservations/r1").status == 409


def test_what_is_committed_is_held_until_an_entitlement_counts_it(gate: Gate) -> None:
    reserve(gate)
    commit(gate)
    hold = gate.keeper.writes[-1].hold
    gate.desk.book.place(hold.key, Position("usage.events.v1", 3, 70))
    used = entitlement(used="43", balance="57", limits=[])
    know(gate.desk.world, entitlement(limits=[]), {"usage.events.v1/3": 69})
    assert reserved(gate) == ("10", "50")
    know(gate.desk.world, used, {"usage.events.v1/3": 70})
    assert reserved(gate) == ("0", "57")


@pytest.mark.parametrize(
    ("event", "told"),
    [({"data": 5}, "data"), ({"type": ""}, "type"), ({"account": "other"}, "account is not cust-1"),
     ({"tenant": "other"}, "tenant is other"), ({"time": "noon"}, "time")],
)  # fmt: skip
def test_an_event_that_cannot_be_used_commits_nothing(gate: Gate, event: dict[str, Any], told: str) -> None:
    reserve(gate)
    answer = commit(gate, **event)
    assert (answer.status, answer.body["type"]) == (400, "urn:azotte:problem:bad-event")
    assert told in answer.body["detail"]
    assert commit(gate).status == 202


def test_what_is_given_back_is_free_and_may_still_be_used(gate: Gate) -> None:
    reserve(gate)
    for _ in range(2):
        assert gate.ask("DELETE", f"{ACCOUNT}/reservations/r1").status == 204
    assert reserved(gate) == ("0", "60")
    assert commit(gate).status == 202
    assert reserved(gate) == ("10", "50"), "usage that is on its way is held, whatever came before"


@pytest.mark.parametrize(("method", "path"), [("POST", "/commit"), ("DELETE", "")])
def test_a_reservation_that_nobody_made_is_404(gate: Gate, method: str, path: str) -> None:
    body = {"event": {"type": "llm", "data": {}}} if method == "POST" else None
    assert gate.ask(method, f"{ACCOUNT}/reservations/none{path}", body).status == 404


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"feature": "chat", "quantity": "1"}, "id"), ({"id": "a b", "feature": "chat", "quantity": "1"}, "id"),
        ({"id": "r", "feature": "chat", "quantity": "0"}, "quantity"),
        ({"id": "r", "feature": "chat", "quantity": "-1"}, "quantity"),
        ({"id": "r", "feature": "chat", "quantity": "1", "ttl": "25h"}, "ttl"),
        ({"id": "r", "feature": "chat", "quantity": "1", "minimum": "2"}, "minimum"),
        ({"id": "r", "feature": "chat", "quantity": "1", "amount": "2"}, "amount"), ([], "not a JSON object"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_used_names_the_field(gate: Gate, body: Any, told: str) -> None:
    answer = gate.ask("POST", f"{ACCOUNT}/reservations", body)
    assert (answer.status, answer.body["type"]) == (400, "urn:azotte:problem:bad-request")
    assert told in answer.body["detail"]


def test_a_number_is_read_from_its_text(gate: Gate) -> None:
    body = b'{"id": "r", "feature": "chat", "quantity": 0.1, "ttl": "1h"}'
    assert gate.ask("POST", f"{ACCOUNT}/reservations", body).body["granted"] == "0.1"


def test_what_is_not_kept_in_time_is_503_and_the_same_request_asks_again(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(entitlement(limits=[])), gateway_timeout="1s")
    gate.keeper.lost = True
    answer = reserve(gate)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    gate.keeper.lost = False
    assert reserve(gate).status == 201
    assert reserved(gate) == ("10", "50")


def test_another_gateways_account_is_asked_of_it(gate: Gate) -> None:
    gate.keeper.theirs = {0, 1, 2, 3}
    # The first does not answer: it is replaced meanwhile.
    gate.peers.there = [None, web.Response(status=402, text="theirs", headers={"Retry-After": "7"})]
    answer = reserve(gate)
    assert (answer.status, answer.text, answer.headers["Retry-After"]) == (402, "theirs", "7")
    assert len(gate.peers.asked) == 2
    number, path, body = gate.peers.asked[0]
    assert number == gate.desk.world.partition("acme", "cust-1")
    assert path == f"{ACCOUNT}/reservations"
    assert json.loads(body)["id"] == "r1"
    gate.peers.there = [web.Response(status=200)]
    assert gate.ask("GET", f"{CHAT}?subject=ana").status == 200
    assert gate.peers.asked[-1][1] == f"{CHAT}?subject=ana"


def test_a_request_is_sent_on_once(gate: Gate) -> None:
    gate.keeper.theirs = {0, 1, 2, 3}
    answer = gate.ask("GET", CHAT, **{FORWARDED: "1"})
    assert (answer.status, answer.body["type"]) == (503, "urn:azotte:problem:not-owner")
    assert gate.peers.asked == []


def test_without_a_key_nothing_is_sent_on(gate: Gate) -> None:
    gate.keeper.theirs = {0, 1, 2, 3}
    assert gate.ask("GET", CHAT, key=None).status == 401
    assert gate.ask("GET", CHAT.replace("acme", "other")).status == 403
    assert gate.peers.asked == []


def test_an_account_that_no_gateway_has_is_503_in_time(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(entitlement(limits=[])), gateway_timeout="1s")
    gate.keeper.theirs = {0, 1, 2, 3}
    for answer in (reserve(gate), commit(gate), gate.ask("GET", CHAT)):
        assert (answer.status, answer.body["type"]) == (503, "urn:azotte:problem:not-owner")


def test_a_gateway_keeps_no_more_than_it_may(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(entitlement(limits=[])), gateway_reservations_max=1)
    assert reserve(gate, "r1", "1").status == 201
    assert reserve(gate, "r2", "1").body["type"] == "urn:azotte:problem:too-many-reservations"
    assert reserve(gate, "r1", "1").status == 201
