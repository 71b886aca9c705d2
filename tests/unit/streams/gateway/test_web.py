"""The routes over HTTP: who may ask what, and what an answer looks like."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from streams.gateway.events import Away
from streams.gateway.keys import make
from tests.unit.streams.gateway.gate import Gate, entitlement, know, world

CHAT = "/v1/tenants/acme/accounts/cust-1/features/chat"
EVENT = {
    "specversion": "1.0", "id": "e1", "source": "shop", "type": "llm", "subject": "cust-1", "data": {"tokens": 3},
}  # fmt: skip


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, world(entitlement()))


def test_access_is_the_entitlement_with_what_is_reserved_and_available(gate: Gate) -> None:
    answer = gate.ask("GET", CHAT)
    assert answer.status == 200
    assert answer.body == entitlement() | {"reserved": "0", "available": "60"}


def test_a_feature_that_the_account_does_not_have_is_denied(gate: Gate) -> None:
    answer = gate.ask("GET", CHAT.replace("chat", "sso"))
    assert (answer.status, answer.body["access"], answer.body["reason"]) == (200, False, "not_in_plan")
    assert answer.body["available"] == "0"


def test_a_held_subject_has_an_answer_of_its_own(gate: Gate) -> None:
    held = entitlement(subject="ana", access=False, reason="hard_limit")
    know(gate.desk.world, held)
    assert gate.ask("GET", f"{CHAT}?subject=ana").body["reason"] == "hard_limit"
    assert gate.ask("GET", f"{CHAT}?subject=bob").body["reason"] == "ok"


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        (CHAT.replace("chat", "nothing"), 404, "unknown-feature"),
        (CHAT.replace("chat", "No"), 400, "bad-request"),
        (CHAT.replace("cust-1", "a%20b"), 400, "bad-request"),
        (CHAT + "?subject=a%20b", 400, "bad-request"),
        (CHAT.replace("acme", "other"), 403, "wrong-tenant"),
        ("/v1/nothing", 404, "not-found"),
        ("/v1/events", 405, "method-not-allowed"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(gate: Gate, path: str, status: int, kind: str) -> None:
    answer = gate.ask("GET", path)
    assert (answer.status, answer.body["status"], answer.body["type"]) == (
        status,
        status,
        f"urn:azotte:problem:{kind}",
    )
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["detail"]


@pytest.mark.parametrize("key", [None, "azk_wrong", "ü"])
def test_nobody_asks_without_a_key(gate: Gate, key: str | None) -> None:
    for method, path in (("GET", CHAT), ("POST", "/v1/events"), ("POST", "/api/v1/events")):
        answer = gate.ask(method, path, EVENT if method == "POST" else None, key=key)
        assert (answer.status, answer.body["type"]) == (401, "urn:azotte:problem:unknown-key")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_is_good_for_its_scopes_alone(gate: Gate) -> None:
    reads, takes = (make(gate.keys, "acme", [scope], "") for scope in ("read", "ingest"))
    assert gate.ask("GET", CHAT, key=reads).status == 200
    assert gate.ask("POST", "/v1/events", EVENT, key=reads).body["type"].endswith("wrong-scope")
    assert gate.ask("POST", "/v1/events", EVENT, key=takes).status == 200
    assert gate.ask("GET", CHAT, key=takes).status == 403


def test_no_tenant_learns_of_another(gate: Gate) -> None:
    other = make(gate.keys, "other", ["admin"], "")
    there, not_there = (gate.ask("GET", f"/v1/tenants/{tenant}/accounts/a/features/chat", key=other) for tenant in ("acme", "x"))  # fmt: skip
    assert (there.status, there.body) == (not_there.status, not_there.body)
    sent = gate.ask("POST", "/v1/events", EVENT | {"tenant": "acme"}, key=other)
    assert sent.body["results"][0]["error"] == "wrong_tenant"
    assert gate.topic.records == []


def test_events_are_published_as_they_came_with_the_keys_tenant(gate: Gate) -> None:
    text = b'{"specversion":"1.0","id":"e1","source":"s","type":"llm","subject":"cust-1","data":{"x":0.1000}}'
    answer = gate.ask("POST", "/v1/events", text)
    assert (answer.status, answer.body) == (200, {"results": [{"id": "e1", "status": "accepted"}]})
    ((key, value),) = gate.topic.records
    assert key == b"acme/cust-1"
    assert json.loads(value) == json.loads(text) | {"tenant": "acme"}
    assert b'"x":0.1000' in value, "a number keeps its digits"


def test_a_batch_has_a_result_an_event(gate: Gate) -> None:
    batch = [EVENT, EVENT | {"id": ""}, {"id": "e3"}, 5, EVENT | {"id": "e4", "data": {"deep": _nested(200)}}, EVENT | {"id": "e5"}]  # fmt: skip
    results = gate.ask("POST", "/v1/events", batch).body["results"]
    assert [each["status"] for each in results] == ["accepted", "rejected", "rejected", "rejected", "rejected", "accepted"]  # fmt: skip
    assert [each.get("error") for each in results[1:5]] == ["missing_attribute", "missing_attribute", "malformed", "malformed"]  # fmt: skip
    assert [each["id"] for each in results] == ["e1", "", "e3", None, "e4", "e5"]
    assert len(gate.topic.records) == 2


def _nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


def test_openmeters_endpoint_takes_all_or_none(gate: Gate) -> None:
    kind = "application/cloudevents-batch+json"
    assert gate.ask("POST", "/api/v1/events", [EVENT, {"id": "x"}], **{"Content-Type": kind}).status == 400
    assert gate.topic.records == []
    answer = gate.ask("POST", "/api/v1/events", [EVENT, EVENT | {"id": "e2"}], **{"Content-Type": kind})
    assert (answer.status, answer.text) == (204, "")
    assert len(gate.topic.records) == 2


@pytest.mark.parametrize(
    "event", [{**EVENT, "data": None}, {name: EVENT[name] for name in EVENT if name != "data"}]
)
def test_openmeters_endpoint_takes_events_without_data_as_it_does(gate: Gate, event: Any) -> None:
    assert gate.ask("POST", "/v1/events", event).body["results"][0]["status"] == "rejected"
    assert gate.ask("POST", "/api/v1/events", event).status == 204
    assert [json.loads(value)["data"] for _, value in gate.topic.records] == [{}]


def test_a_member_that_is_null_is_not_set(gate: Gate) -> None:
    nulls = {"tenant": None, "time": None, "account": None, "datacontenttype": None}
    assert gate.ask("POST", "/v1/events", EVENT | nulls).body["results"][0]["status"] == "accepted"
    assert json.loads(gate.topic.records[0][1])["tenant"] == "acme"


def test_a_key_that_is_no_text_is_no_key(gate: Gate) -> None:
    assert _sent(gate, f"GET {CHAT} HTTP/1.1", b"Authorization: Bearer \xff\xed\xb2").startswith(
        b"HTTP/1.1 401 "
    )


def test_spaces_before_a_key_make_no_other_key_of_it(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(entitlement()), gateway_requests_per_s=1)
    keys = [f"Authorization: Bearer{' ' * count}{gate.key}".encode() for count in range(1, 40)]
    assert any(_sent(gate, f"GET {CHAT} HTTP/1.1", key).startswith(b"HTTP/1.1 429 ") for key in keys)


@pytest.mark.parametrize(
    ("header", "body"), [(b"Content-Encoding: gzip\r\nContent-Length: 5", b"hello"), (b"Transfer-Encoding: chunked", b"zz\r\n")]
)  # fmt: skip
def test_a_body_that_is_not_encoded_as_it_says_is_refused(gate: Gate, header: bytes, body: bytes) -> None:
    key = f"Authorization: Bearer {gate.key}".encode()
    assert (
        b" 400 "
        in _sent(gate, "POST /v1/events HTTP/1.1", key + b"\r\n" + header, body).partition(b"\r\n")[0]
    )


def test_a_body_that_does_not_come_is_not_waited_for_longer_than_the_timeout(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(), gateway_timeout="1s")
    key = f"Authorization: Bearer {gate.key}\r\nContent-Length: 100".encode()
    answer = _sent(gate, "POST /v1/events HTTP/1.1", key, b"[")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"urn:azotte:problem:request-timeout" in answer


def _sent(gate: Gate, line: str, headers: bytes, body: bytes = b"") -> bytes:
    """The answer to what a client of no library sends."""

    async def sent(client: Any) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
        writer.write(
            line.encode() + b"\r\nHost: here\r\nConnection: close\r\n" + headers + b"\r\n\r\n" + body
        )
        answer = await reader.read()
        writer.close()
        return answer

    return gate.run(sent)


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"[{]", b"3", b'{"id":"\xff"}', b"[" * 100_000])
def test_a_body_that_holds_no_event_is_refused(gate: Gate, body: bytes) -> None:
    answer = gate.ask("POST", "/v1/events", body)
    if answer.status == 200:
        assert answer.body["results"][0]["error"] == "malformed"
    else:
        assert (answer.status, answer.body["type"]) == (400, "urn:azotte:problem:bad-request")
    assert gate.topic.records == []


def test_a_broker_that_is_away_is_503(gate: Gate) -> None:
    gate.topic.away = Away("nobody answers")
    answer = gate.ask("POST", "/v1/events", EVENT)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert "send the same again" in answer.body["detail"]


def test_before_everything_is_read_nothing_is_answered(gate: Gate) -> None:
    gate.waits = "it reads the entitlements"
    assert gate.ask("GET", CHAT).body["type"] == "urn:azotte:problem:starting"
    assert gate.ask("GET", "/readyz", key=None).status == 503
    assert gate.ask("GET", "/healthz", key=None).text == "ok\n"
    gate.waits = None
    assert gate.ask("GET", "/readyz", key=None).text == "ok\n"


def test_a_key_asks_no_faster_than_it_may(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(entitlement()), gateway_requests_per_s=2)
    answers = [gate.ask("GET", CHAT) for _ in range(2)]

    async def many(client: Any) -> list[int]:
        headers = {"Authorization": f"Bearer {gate.key}"}
        return [(await client.get(CHAT, headers=headers)).status for _ in range(50)]

    assert {answer.status for answer in answers} == {200}
    assert 429 in gate.run(many)


def test_a_body_is_no_larger_than_it_may_be(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world(), gateway_body_bytes_max=300_000)
    large = EVENT | {"data": {"text": "x" * 300_000}}
    assert gate.ask("POST", "/v1/events", large).body["type"] == "urn:azotte:problem:request-entity-too-large"
    results = gate.ask("POST", "/v1/events", EVENT | {"data": {"text": "x" * 280_000}}).body["results"]
    assert results[0]["error"] == "too_large"


def test_metrics_count_requests_by_route(gate: Gate) -> None:
    gate.ask("GET", CHAT)
    text = gate.ask("GET", "/metrics", key=None).text
    assert 'azotte_gateway_requests_total{method="GET",route="/v1/tenants/{tenant}/accounts/{account}/features/{feature}",status="200"}' in text  # fmt: skip
