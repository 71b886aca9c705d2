"""The trace as producers would send it: two clients with different partitioners, disorder, duplicates, garbage.

`messages` is seeded and pure; `publish` sends them. Arrival is up to ten minutes after the event's time, every
twentieth event comes twice, and for every hundredth a malformed one stands beside it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

from tests.auditor.trace import Row
from tests.auditor.usage import EVENT_TYPE

DISORDER_US = 600_000_000
PARTITIONERS = ("murmur2_random", "consistent_random")


@dataclass(frozen=True, slots=True)
class Message:
    """One record for `usage.events.v1`; `client` is the index of its producer, `arrival` is in microseconds."""

    client: int
    key: bytes
    value: bytes
    arrival: int


@dataclass(frozen=True, slots=True)
class Feed:
    """Messages in the order of arrival, and how many of them must be rejected."""

    messages: Sequence[Message]
    malformed: int


def noon_two_days_ago(now: datetime) -> int:
    """Where a replay begins, in microseconds: inside the accepted range, and the hour after it inside one month."""
    noon = (now.astimezone(UTC) - timedelta(days=2)).replace(hour=12, minute=0, second=0, microsecond=0)
    return int(noon.timestamp()) * 1_000_000


def feed(trace: Iterable[Row], start: int, seed: int) -> Feed:
    """The whole trace from `start` on, with its duplicates and its garbage."""
    draw = random.Random(seed)
    messages: list[Message] = []
    malformed = 0
    for row in trace:
        value = json.dumps(event(row, start)).encode()
        copies = 2 if draw.random() < 0.05 else 1
        messages += [_message(draw, row, value, start) for _ in range(copies)]
        if draw.random() < 0.01:
            malformed += 1
            messages.append(_message(draw, row, _garbage(draw, row, start), start))
    assert malformed == sum(map(is_malformed, messages))
    return Feed(sorted(messages, key=lambda message: message.arrival), malformed)


def event(row: Row, start: int) -> dict[str, object]:
    """The row as a CloudEvent."""
    at = datetime.fromtimestamp((start + row.at) // 1_000_000, UTC) + timedelta(
        microseconds=(start + row.at) % 1_000_000
    )
    return {
        "specversion": "1.0",
        "id": row.id,
        "source": f"gateway-{row.file}",
        "type": EVENT_TYPE,
        "tenant": "acme",
        "subject": row.account,
        "time": at.isoformat().replace("+00:00", "Z"),
        "data": {"model": row.file, "input_tokens": row.context, "output_tokens": row.generated},
    }


def is_malformed(message: Message) -> bool:
    """Whether it must be rejected: all garbage is made of an event whose id says so."""
    return b'"id": "bad-' in message.value


def publish(servers: str, topic: str, messages: Iterable[Message]) -> None:
    """Send them all and wait until the broker has them; each client keeps its own partitioner."""
    clients = [
        Producer(
            {"bootstrap.servers": servers, "partitioner": name, "linger.ms": 20, "enable.idempotence": True}
        )
        for name in PARTITIONERS
    ]
    for number, message in enumerate(messages):
        client = clients[message.client]
        client.produce(topic, message.value, message.key, timestamp=message.arrival // 1_000)
        if number % 1_000 == 0:
            client.poll(0)
    for client in clients:
        left = client.flush(30)
        assert left == 0, f"{left} messages were not delivered in 30 s"


def _message(draw: random.Random, row: Row, value: bytes, start: int) -> Message:
    arrival = start + row.at + draw.randrange(DISORDER_US)
    return Message(draw.randrange(len(PARTITIONERS)), row.account.encode(), value, arrival)


def _garbage(draw: random.Random, row: Row, start: int) -> bytes:
    """An event that must be rejected, in one of the ways that producers really get wrong."""
    good = event(row, start) | {"id": f"bad-{row.id}"}
    data = {"model": row.file, "input_tokens": row.context, "output_tokens": row.generated}
    kinds = (
        json.dumps(good).encode()[:-7],
        b"\xff\xfe" + json.dumps(good).encode(),
        json.dumps(good | {"data": data | {"input_tokens": "NaN"}}).encode(),
        json.dumps(good | {"data": {"model": row.file, "output_tokens": 1}}).encode(),
        json.dumps(good).replace(f'"output_tokens": {row.generated}', '"output_tokens": 1e400').encode(),
        json.dumps(good | {"data": data | {"input_tokens": "1" * 40}}).encode(),
        json.dumps(good | {"time": "2019-01-01T00:00:00Z"}).encode(),
        json.dumps({name: value for name, value in good.items() if name != "source"}).encode(),
    )
    return draw.choice(kinds)
