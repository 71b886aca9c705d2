"""How fast the gateway answers: requests at a steady rate, each timed from when it was due, so that a stall costs its queue;
and the same asked by wrk, where it is there.

`python -m tests.bench.gateway` runs it, on a broker of its own.
"""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from confluent_kafka import Producer

from schemas import topics
from tests import servers
from tests.bench import wrk
from tests.integration.asking import Client, make_key
from tests.integration.fleet import Fleet
from tests.unit.streams.gateway.gate import CATALOG, entitlement

ACCOUNTS = 1_000
RATE, SECONDS, CONNECTIONS = 2_000, 10, 64
WARM = 500
FEATURE = "chat"
PLENTY = "1000000000"
ACCESS = f"/v1/tenants/acme/accounts/cust-{{number}}/features/{FEATURE}"
END = b"\r\n\r\n"


class Answered(NamedTuple):
    """What became of a rate of requests: seconds of half, of 99 % and of the slowest, and how many a second were answered."""

    name: str
    rate: int
    p50: float
    p99: float
    slowest: float
    per_s: float


def main() -> None:
    """Run it and print it."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        servers.kafka_server(pathlib.Path(folder) / "home") as bootstrap,
    ):
        for found in measure(bootstrap, pathlib.Path(folder)):
            sys.stdout.write(sentence(found) + "\n")


def measure(bootstrap: str, folder: pathlib.Path) -> list[Answered]:
    """Access, asked by wrk too, and reservations, each at the steady rate."""
    folder.mkdir(parents=True, exist_ok=True)
    fleet = Fleet(bootstrap, f"bench-{uuid.uuid4().hex[:6]}.", folder)
    fleet.make_topics(append_time=True)
    _known(fleet)
    client = Client(fleet, "gateway", make_key(fleet, "acme"))
    client.start()
    try:
        found = [asyncio.run(_steady(client, "access", _access))]
        path = ACCESS.replace("{number}", "%d")
        told = wrk.run(client.address, path, ACCOUNTS, client.key, RATE, SECONDS, folder)
        if told is None:
            sys.stderr.write("gateway: there is no wrk here, so it is asked by our own generator alone\n")
        else:
            found.append(Answered("access by wrk", RATE, told.p50, told.p99, told.slowest, told.per_s))
        return [*found, asyncio.run(_steady(client, "reservations", _reserve))]
    finally:
        fleet.stop()


def sentence(found: Answered) -> str:
    """One measurement in words."""
    return (
        f"{found.name}: {found.per_s:,.0f} of {found.rate:,} requests/s answered, half within {found.p50 * 1e3:.1f} ms, "
        f"99 % within {found.p99 * 1e3:.1f} ms, the slowest {found.slowest * 1e3:.0f} ms"
    )


def _known(fleet: Fleet) -> None:
    """A catalog, and an account's entitlement each, as rating writes them."""
    producer = Producer({"bootstrap.servers": fleet.servers})
    catalog = {"revision": 1, "time": 0, "commands": ["c"], "doc": CATALOG}
    producer.produce(fleet.topic(topics.DIRECTORY), json.dumps(catalog), "acme/catalog")
    for number in range(ACCOUNTS):
        value = entitlement(FEATURE, f"cust-{number}", included=PLENTY, used="0", balance=PLENTY, limits=[])
        producer.produce(fleet.topic(topics.ENTITLEMENTS), json.dumps(value), f"acme/cust-{number}/{FEATURE}")
    assert producer.flush(60) == 0


def _access(number: int) -> tuple[str, str, bytes]:
    return "GET", ACCESS.format(number=number % ACCOUNTS), b""


def _reserve(number: int) -> tuple[str, str, bytes]:
    body = json.dumps({"id": f"r{number}", "feature": FEATURE, "quantity": "1"}).encode()
    return "POST", f"/v1/tenants/acme/accounts/cust-{number % ACCOUNTS}/reservations", body


async def _steady(client: Client, name: str, make: Callable[[int], tuple[str, str, bytes]]) -> Answered:
    address = urlsplit(client.address)
    due: asyncio.Queue[tuple[int, float] | None] = asyncio.Queue()
    took: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        while (asked := await due.get()) is not None:
            number, at = asked
            method, path, body = make(number)
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.key}\r\nContent-Length: {len(body)}"
            writer.write(head.encode() + END + body)
            status = await _answer(reader)
            assert status in (200, 201), status
            if number >= WARM:
                took.append(time.perf_counter() - at)
        writer.close()

    workers = [asyncio.ensure_future(connection()) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for number in range(RATE * SECONDS + WARM):
        at = began + number / RATE
        if (left := at - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        due.put_nowait((number, at))
    for _ in workers:
        due.put_nowait(None)
    await asyncio.gather(*workers)
    seconds = time.perf_counter() - began
    took.sort()
    return Answered(
        name,
        RATE,
        took[len(took) // 2],
        took[len(took) * 99 // 100],
        took[-1],
        (RATE * SECONDS + WARM) / seconds,
    )


async def _answer(reader: asyncio.StreamReader) -> int:
    """The status of the next answer, its body read."""
    head = await reader.readuntil(END)
    lines = head.decode().split("\r\n")
    lengths = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length:")]
    await reader.readexactly(int(lengths[0]))
    return int(lines[0].split()[1])


if __name__ == "__main__":
    main()
