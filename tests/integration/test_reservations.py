"""Reservations on the real broker, with the real worker: sold once, kept through kills, counted once."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from schemas import topics
from tests.integration import ledger
from tests.integration.asking import Client, make_key
from tests.integration.fleet import Fleet

ACCOUNT = "/v1/tenants/acme/accounts/cust-1"
CHAT = f"{ACCOUNT}/features/chat"
RACING = 1_000
CATALOG = {
    "meters": [{"key": "tokens", "event_type": "llm", "aggregation": "sum", "value": "$.tokens"}],
    "features": [{"key": "chat", "kind": "metered", "meter": "tokens"}],
    "plans": [
        {
            "key": "pro", "version": 1, "effective_from": "2026-01-01T00:00:00Z", "currency": "USD", "period": "year",
            "charges": [{"key": "input", "meter": "tokens", "price": {"model": "per_unit", "unit_amount": "0.01"}}],
            "entitlements": [{"feature": "chat", "included": "100", "overage": "denied"}],
            "limits": [{"key": "cap", "metric": "spend", "currency": "USD", "amount": "50", "hard": True}],
        }
    ],
}  # fmt: skip
START = "2026-01-01T00:00:00Z"


@pytest.fixture
def client(fleet: Fleet) -> Client:
    """A gateway that knows cust-1, who may use 100 tokens of chat in a year."""
    fleet.start("worker", "worker")
    fleet.command([
        {"id": "catalog", "tenant": "acme", "type": "apply_catalog", "time": START, "catalog": CATALOG},
        {"id": "sub", "tenant": "acme", "account": "cust-1", "type": "subscribe", "time": START, "subscription": "main",
         "plan": "pro", "start": START},
    ])  # fmt: skip
    found = Client(fleet, "gateway", make_key(fleet, "acme"))
    found.start()
    ledger.until(lambda: found.ask("GET", CHAT)[1].get("access") is True, 60, "the entitlement", fleet.logs)
    return found


def reserve(client: Client, name: str, quantity: int, account: str = ACCOUNT) -> tuple[int, Any]:
    return client.ask(
        "POST", f"{account}/reservations", {"id": name, "feature": "chat", "quantity": str(quantity)}
    )


def commit(client: Client, name: str, quantity: int, account: str = ACCOUNT) -> int:
    event = {"type": "llm", "data": {"tokens": quantity}}
    return client.ask("POST", f"{account}/reservations/{name}/commit", {"event": event})[0]


@contextmanager
def watched(client: Client) -> Iterator[list[tuple[int, int]]]:
    """What is used and what is reserved, again and again, while the block runs."""
    seen: list[tuple[int, int]] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            status, body = client.ask("GET", CHAT)
            if status == 200:
                seen.append((int(body["used"]), int(body["reserved"])))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


async def race(client: Client, quantity: int, account: str = ACCOUNT) -> list[int]:
    """Everybody at once; the statuses."""
    connector = aiohttp.TCPConnector(limit=RACING)
    headers = {"Authorization": f"Bearer {client.key}"}
    async with aiohttp.ClientSession(client.address, connector=connector, headers=headers) as session:

        async def one(number: int) -> int:
            body = {"id": f"racer-{number}", "feature": "chat", "quantity": str(quantity)}
            async with session.post(f"{account}/reservations", json=body) as answer:
                await answer.read()
                return answer.status

        return list(await asyncio.gather(*(one(number) for number in range(RACING))))


def published(fleet: Fleet) -> list[dict[str, Any]]:
    """The events on the raw topic, as whoever reads what is committed sees them."""
    raw = ledger.Reader(fleet.servers, fleet.topic(topics.EVENTS))
    raw.read_to(fleet.ends(topics.EVENTS, committed=True))
    raw.close()
    return [json.loads(value or b"") for _, value, _ in raw.records]


def test_the_last_unit_is_sold_once_and_usage_is_never_counted_twice_or_not_at_all(client: Client) -> None:
    fleet = client.fleet
    assert reserve(client, "most", 99)[0] == 201
    statuses = asyncio.run(race(client, 1))
    assert sorted(set(statuses)) == [201, 402]
    assert statuses.count(201) == 1
    winner = f"racer-{statuses.index(201)}"
    assert reserve(client, "late", 1)[1]["available"] == "0"

    with watched(client) as seen:
        assert commit(client, "most", 99) == 202
        assert commit(client, winner, 1) == 202
        assert commit(client, winner, 1) == 202, "again, with the same id"
        ledger.until(lambda: seen[-1:] == [(100, 0)], 60, "the usage", lambda: (seen[-3:], fleet.logs()))
    assert {used + reserved for used, reserved in seen} == {100}
    assert sorted(event["data"]["tokens"] for event in published(fleet)) == [1, 99]
    status, body = reserve(client, "later", 1)
    assert (status, body["type"]) == (402, "urn:azotte:problem:exhausted")


def test_what_a_limit_of_an_account_below_leaves_is_sold_once(client: Client) -> None:
    fleet, team = client.fleet, "/v1/tenants/acme/accounts/team"
    cap = {
        "key": "cap",
        "metric": "usage",
        "meter": "tokens",
        "amount": "10",
        "window": "month",
        "scope": "account",
        "hard": True,
    }
    fleet.command([
        {"id": "team", "tenant": "acme", "account": "team", "type": "set_account", "time": START, "parent": "cust-1"},
        {"id": "cap", "tenant": "acme", "account": "team", "type": "set_limit", "time": START, "limit": cap},
    ])  # fmt: skip
    chat = f"{team}/features/chat"
    ledger.until(lambda: client.ask("GET", chat)[1]["available"] == "10", 60, "its limit", fleet.logs)
    assert reserve(client, "most", 9, team)[0] == 201
    statuses = asyncio.run(race(client, 1, team))
    assert (sorted(set(statuses)), statuses.count(201)) == ([201, 429], 1)
    assert client.ask("GET", CHAT)[1]["available"] == "90"

    assert commit(client, "most", 9, team) == 202
    assert commit(client, f"racer-{statuses.index(201)}", 1, team) == 202
    ledger.until(lambda: client.ask("GET", chat)[1]["reason"] == "hard_limit", 60, "the breach", fleet.logs)
    body = client.ask("GET", chat)[1]
    assert (body["account"], body["access"], body["available"]) == ("team", False, "0")
    above = client.ask("GET", CHAT)[1]
    assert (above["access"], above["used"], above["available"]) == (True, "10", "90")
    assert reserve(client, "later", 1, team)[0] == 429


def test_what_is_given_back_or_never_counted_is_free_again(client: Client) -> None:
    assert reserve(client, "a", 60)[1]["available"] == "40"
    assert reserve(client, "b", 41)[0] == 402
    assert client.ask("DELETE", f"{ACCOUNT}/reservations/a")[0] == 204
    assert client.ask("DELETE", f"{ACCOUNT}/reservations/a")[0] == 204
    assert reserve(client, "c", 70)[0] == 201
    # An event that no meter reads changes no entitlement: its hold ends when it has gone the whole way.
    event = {"type": "something.else", "data": {}}
    assert client.ask("POST", f"{ACCOUNT}/reservations/c/commit", {"event": event})[0] == 202
    ledger.until(
        lambda: client.ask("GET", CHAT)[1]["reserved"] == "0", 60, "the end of the hold", client.fleet.logs
    )
    assert client.ask("GET", CHAT)[1]["available"] == "100"


@pytest.mark.parametrize("point", ["after_produce", "after_offsets", "after_commit"])
def test_a_gateway_that_is_killed_forgets_nothing_and_doubles_nothing(client: Client, point: str) -> None:
    fleet = client.fleet
    first = reserve(client, "a", 30)
    assert first[0] == 201
    fleet.kill("gateway")
    # The reservation is the first transaction of the next one, the commit the second: there it is killed.
    hits = fleet.folder / "hits"
    client.start(AZOTTE_FAULT=f"gateway.{point}:2", AZOTTE_FAULT_LOG=str(hits))
    assert reserve(client, "a", 30) == first, "what was granted before has the same answer"
    assert reserve(client, "b", 40)[0] == 201
    assert commit(client, "b", 40) == 0
    assert hits.read_text().strip() == f"gateway.{point}"
    fleet.running.pop("gateway").wait(30)

    client.start()
    assert reserve(client, "c", 31)[0] == 402, "what is reserved or used is still 70"
    assert commit(client, "b", 40) == 202
    ledger.until(lambda: client.ask("GET", CHAT)[1]["used"] == "40", 60, "the usage", fleet.logs)
    body = client.ask("GET", CHAT)[1]
    assert (body["reserved"], body["available"]) == ("30", "30")
    assert [event["data"]["tokens"] for event in published(fleet)] == [40]
    fleet.end("gateway")
