"""CloudEvents in binary mode over HTTP: the same event as the structured one, and nothing that is not said gets in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from multidict import CIMultiDict

from schemas.gateway import Unreadable
from streams.gateway.binary import is_binary, structured
from tests.unit.streams.gateway.gate import Gate, entitlement, world

CE = {
    "ce-specversion": "1.0", "ce-id": "e1", "ce-source": "shop", "ce-type": "llm", "ce-subject": "cust-1",
    "Content-Type": "application/json",
}  # fmt: skip
DATA = b'{"tokens": 0.1000}'


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path, world(entitlement()))


def test_an_event_in_headers_is_published_as_the_structured_one(gate: Gate) -> None:
    headers = CE | {"ce-time": "2026-11-22T10:00:00Z", "CE-Account": "cust-9"}
    answer = gate.ask("POST", "/v1/events", DATA, **headers)
    assert (answer.status, answer.body) == (200, {"results": [{"id": "e1", "status": "accepted"}]})
    ((key, value),) = gate.topic.records
    assert key == b"acme/cust-9"
    assert json.loads(value) == {
        "specversion": "1.0", "id": "e1", "source": "shop", "type": "llm", "subject": "cust-1", "account": "cust-9",
        "time": "2026-11-22T10:00:00Z", "tenant": "acme", "datacontenttype": "application/json",
        "data": {"tokens": 0.1},
    }  # fmt: skip
    assert b"0.1000" in value, "a number keeps its digits"


def test_it_is_checked_as_any_event(gate: Gate) -> None:
    without = {name: value for name, value in CE.items() if name != "ce-type"}
    for headers, code in ((without, "missing_attribute"), (CE | {"ce-tenant": "other"}, "wrong_tenant")):
        (result,) = gate.ask("POST", "/v1/events", DATA, **headers).body["results"]
        assert (result["status"], result["error"]) == ("rejected", code)
        assert gate.ask("POST", "/api/v1/events", DATA, **headers).status == 400
    (result,) = gate.ask("POST", "/v1/events", b"[1]", **CE).body["results"]
    assert result["status"] == "rejected"
    assert gate.topic.records == []


def test_openmeters_endpoint_takes_it_without_data(gate: Gate) -> None:
    assert gate.ask("POST", "/v1/events", b"", **CE).body["results"][0]["status"] == "rejected"
    assert gate.ask("POST", "/api/v1/events", b"", **CE).status == 204
    assert [json.loads(value)["data"] for _, value in gate.topic.records] == [{}]


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("plain", "plain"),
        ("Euro%20%E2%82%AC%F0%9F%98%80", "Euro €😀"),
        ("100%2525", "100%25"),
        ('"in quotes"', "in quotes"),
        (r'"a \"b\" \\"', 'a "b" \\'),
        ('"open', '"open'),
        ('x", "id": "y', 'x", "id": "y'),
    ],
)
def test_a_header_is_its_attribute_decoded_once(value: str, attribute: str) -> None:
    assert json.loads(structured({"ce-source": value}, b""))["source"] == attribute


@pytest.mark.parametrize(
    "body", [b'{}, "id": "other"', b'{}} {"id": "other"', b"{} {}", b"\xff", b"no", b'{"a": ']
)
def test_a_body_that_is_not_one_json_value_says_so(gate: Gate, body: bytes) -> None:
    answer = gate.ask("POST", "/v1/events", body, **CE)
    assert (answer.status, answer.body["type"]) == (400, "urn:azotte:problem:bad-request")
    assert "is not JSON" in answer.body["detail"]
    assert gate.topic.records == []


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([("ce-id", "a"), ("CE-ID", "b")], "ce-id is there twice"),
        ([("ce-data", "{}")], "the data is the body"),
        ([("ce-source", "%FF")], "ce-source, '%FF', is not UTF-8"),
        ([("ce-source", "\udcff")], "is not UTF-8"),
    ],
)
def test_headers_that_cannot_be_attributes_say_so(headers: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        structured(CIMultiDict(headers), b"{}")


def test_a_content_type_of_the_body_can_not_be_said_twice() -> None:
    headers = {"ce-datacontenttype": "text/xml", "Content-Type": "application/json"}
    assert json.loads(structured(headers, b"{}"))["datacontenttype"] == "application/json"


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("application/json", "ce-id", True),
        ("application/x-www-form-urlencoded", "Ce-Type", True),
        ("application/cloudevents+json; charset=utf-8", "ce-id", False),
        ("Application/CloudEvents-batch+json", "ce-id", False),
        ("application/json", "cenotaph", False),
    ],
)
def test_the_content_type_says_whether_the_body_is_an_event(kind: str, name: str, said: bool) -> None:
    assert is_binary(CIMultiDict({"Content-Type": kind, name: "x"})) is said
