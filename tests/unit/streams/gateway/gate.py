"""A gateway over what a test says is known: no broker, the same routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from rating.reservations import Book, HoldKey
from streams.gateway.desk import Desk
from streams.gateway.keeper import Lost, Write
from streams.gateway.keys import Keys, make
from streams.gateway.web import Routes
from streams.gateway.world import World
from streams.rate.basis import COUNTS
from tests.unit.streams.fakes import settings

Result = TypeVar("Result")
CATALOG = {
    "meters": [{"key": "tokens", "event_type": "llm", "aggregation": "sum", "value": "$.tokens"}],
    "features": [
        {"key": "chat", "kind": "metered", "meter": "tokens"}, {"key": "sso", "kind": "boolean"},
        {"key": "export", "kind": "metered", "meter": "tokens"},
    ],
    "plans": [
        {
            "key": "pro", "version": 1, "effective_from": "2026-01-01T00:00:00Z", "currency": "USD", "period": "month",
            "charges": [{"key": "input", "meter": "tokens", "price": {"model": "per_unit", "unit_amount": "0.01"}}],
            "entitlements": [{"feature": "chat", "included": "100", "overage": "denied"}, {"feature": "export"}],
            "limits": [
                {"key": "cap", "metric": "spend", "currency": "USD", "amount": "5", "hard": True},
                {"key": "soft", "metric": "spend", "currency": "USD", "amount": "1"},
            ],
        }
    ],
}  # fmt: skip


class Record(NamedTuple):
    """A record of a compacted topic, as the client gives it."""

    name: str
    body: Mapping[str, Any] | None
    counts: Mapping[str, int] | None = None
    number: int = 0

    def key(self) -> bytes:
        return self.name.encode()

    def value(self) -> bytes | None:
        return None if self.body is None else json.dumps(self.body).encode()

    def headers(self) -> list[tuple[str, bytes]] | None:
        return None if self.counts is None else [(COUNTS, json.dumps(self.counts).encode())]

    def partition(self) -> int:
        return self.number


def entitlement(feature: str = "chat", account: str = "cust-1", **fields: Any) -> dict[str, Any]:
    """A metered feature with 100 included of which 40 are used, or what `fields` say."""
    found = {
        "tenant": "acme", "account": account, "feature": feature, "kind": "metered", "access": True, "value": None,
        "included": "100", "used": "40", "balance": "60", "overage": "0", "resets_at": "2026-12-01T00:00:00.000000Z",
        "reason": "ok", "plan": "pro", "version": 1, "time": "2026-11-22T10:00:00.000000Z",
    }  # fmt: skip
    return found | fields


def world(*entitlements: Mapping[str, Any]) -> World:
    """What is known: the catalog in force, and these entitlements."""
    made = World(4)
    in_force = {"revision": 1, "time": 0, "commands": ["c"], "doc": CATALOG}
    made.put_directory(Record("acme/catalog", in_force))
    for each in entitlements:
        know(made, each)
    return made


def know(world: World, value: Mapping[str, Any], counts: Mapping[str, int] | None = None) -> None:
    """A record of an entitlement comes."""
    subject = f"/{value['subject']}" if value.get("subject") else ""
    key = f"{value['tenant']}/{value['account']}/{value['feature']}{subject}"
    world.put_entitlement(Record(key, value, counts))


def stands(
    world: World,
    name: str,
    doc: Mapping[str, Any] | None,
    value: str,
    counts: Mapping[str, int] | None = None,
) -> None:
    """A record of a limit comes that no entitlement shows: `name` is `account/limit` or `account/limit/subject`."""
    record = {"doc": doc, "value": value, "amount": "10", "resets_at": "2100-01-01T00:00:00.000000Z"}
    world.put_limit(Record(f"acme/{name}", record, counts))


class Topic:
    """Keeps what is published; `away` is what it says instead, if anything."""

    def __init__(self) -> None:
        self.records: list[tuple[bytes, bytes]] = []
        self.away: Exception | None = None

    async def publish(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        if self.away is not None:
            raise self.away
        self.records += records


class Keeper:
    """Keeps what is written; `lost` is what it says instead, `theirs` the partitions that are another's."""

    def __init__(self) -> None:
        self.writes: list[Write] = []
        self.lost = False
        self.theirs: set[int] = set()

    def owns(self, number: int) -> bool:
        return number not in self.theirs

    async def write(self, write: Write) -> None:
        await self.written(write.hold.key)
        self.writes.append(write)

    async def written(self, key: HoldKey) -> None:
        if self.lost:
            raise Lost


class Peers:
    """Answers for other gateways: `there` is what they say, one after the other, `None` that nobody does."""

    def __init__(self) -> None:
        self.there: list[web.Response | None] = []
        self.asked: list[tuple[int, str, bytes]] = []

    async def ask(self, number: int, request: web.Request, body: bytes) -> web.Response | None:
        self.asked.append((number, request.path_qs, body))
        return self.there.pop(0) if self.there else None


class Answer(NamedTuple):
    """A status, the headers, and the body as JSON (`None` where there is none)."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str


class Gate:
    """A gateway in process. `key` is one of tenant acme that may do everything."""

    def __init__(self, folder: Path, world: World, **fields: Any) -> None:
        self.keys = folder / "keys.toml"
        self.key = make(self.keys, "acme", ["admin"], "test")
        self.topic = Topic()
        self.waits: str | None = None
        self.settings = settings(**fields)
        self.desk = Desk(world, Book())
        self.keeper, self.peers = Keeper(), Peers()
        self.routes = Routes(
            self.settings, Keys(self.keys), self.desk, self.topic, self.keeper, self.peers, lambda: self.waits
        )

    def ask(self, method: str, path: str, body: Any = None, key: str | None = "", **headers: str) -> Answer:
        """One request and its answer; the key is the gate's own unless one is given, `None` sends none."""
        return self.run(lambda client: ask(client, method, path, body, self._auth(key) | headers))

    def run(self, act: Callable[[TestClient[Any, Any]], Awaitable[Result]]) -> Result:
        """Do something with a client."""

        async def within() -> Result:
            async with TestClient(TestServer(self.application())) as client:
                return await act(client)

        return asyncio.run(within())

    def application(self) -> web.Application:
        """What is served."""
        return self.routes.application()

    def _auth(self, key: str | None) -> dict[str, str]:
        return {} if key is None else {"Authorization": f"Bearer {key or self.key}"}


async def ask(
    client: TestClient[Any, Any], method: str, path: str, body: Any, headers: Mapping[str, str]
) -> Answer:
    """One request."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    async with client.request(method, path, data=data, headers=headers) as answer:
        text = await answer.text()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return Answer(answer.status, answer.headers, json.loads(text) if is_json and text else None, text)
