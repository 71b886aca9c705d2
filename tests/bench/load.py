"""What every contender reads: the same events, on the same broker, in topics made for the run."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

PARTITIONS = 4
FILL_MS = 300_000
"""How long publishing may take, in milliseconds."""
EVENT_TYPE = "llm.completion"
CATALOG = {
    "meters": [
        {
            "key": "input-tokens",
            "event_type": EVENT_TYPE,
            "aggregation": "sum",
            "value": "$.input_tokens",
            "unit": "token",
            "window": "1h",
        }
    ],
    "plans": [
        {
            "key": "bench",
            "version": 1,
            "effective_from": "2020-01-01T00:00:00Z",
            "currency": "USD",
            "period": "year",
            "charges": [
                {
                    "key": "input",
                    "meter": "input-tokens",
                    "price": {
                        "model": "graduated",
                        "tiers": [
                            {"up_to": "1000000", "unit_amount": "0.000002"},
                            {"up_to": None, "unit_amount": "0.000001"},
                        ],
                    },
                }
            ],
        }
    ],
}
"""One meter and one graduated charge: what (b) and (c) compute too, but for the tiers."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender did. Seconds of wall time and of processor time; bytes of memory at most."""

    name: str
    events: int
    seconds: float
    cpu_seconds: float
    memory_bytes: int
    lines: int
    written_bytes: int = 0


def values(count: int, accounts: int) -> Iterator[tuple[bytes, bytes]]:
    """`count` events of about 245 bytes, round robin over `accounts`, their times now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    run = time.time_ns()
    for number in range(count):
        account = f"cust-{number % accounts}"
        value = {
            "specversion": "1.0",
            "id": f"{run}-{number}",
            "source": "gateway-eu-1",
            "type": EVENT_TYPE,
            "tenant": "acme",
            "subject": account,
            "time": now,
            "data": {
                "model": "large",
                "region": "eu",
                "input_tokens": tokens(number),
                "output_tokens": 44,
            },
        }
        yield account.encode(), json.dumps(value).encode()


def tokens(number: int) -> int:
    """The input tokens of one event."""
    return 374 + number % 100


def commands(accounts: int) -> Iterator[dict[str, object]]:
    """The catalog, and a subscription of every account since the year's beginning."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    common: dict[str, object] = {"tenant": "acme", "time": now}
    yield common | {"id": "catalog", "type": "apply_catalog", "catalog": CATALOG}
    for number in range(accounts):
        yield common | {
            "id": f"subscribe-{number}",
            "account": f"cust-{number}",
            "type": "subscribe",
            "subscription": "main",
            "plan": "bench",
            "start": f"{now[:4]}-01-01T00:00:00Z",
        }


def make_topic(servers: str, name: str, partitions: int = PARTITIONS, append_time: bool = True) -> None:
    """A fresh topic."""
    kind = "LogAppendTime" if append_time else "CreateTime"
    new = NewTopic(name, partitions, 1, config={"message.timestamp.type": kind})
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([new])[name].result(30)


def fill(servers: str, topic: str, count: int, accounts: int) -> None:
    """Publish the events, all at once for who reads what is committed."""
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "transactional.id": f"{topic}-fill",
            "transaction.timeout.ms": FILL_MS,
            "compression.type": "none",
            "linger.ms": 50,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for batch in _batched(values(count, accounts), 5_000):
        for key, value in batch:
            producer.produce(topic, value, key)
        producer.poll(0)
    assert producer.flush(120) == 0
    producer.commit_transaction(30)


def _batched(source: Iterator[tuple[bytes, bytes]], size: int) -> Iterator[list[tuple[bytes, bytes]]]:
    while batch := list(itertools.islice(source, size)):
        yield batch


def everywhere(topic: str, offset: int, partitions: int = PARTITIONS) -> list[TopicPartition]:
    """The same offset on each partition of a topic."""
    return [TopicPartition(topic, partition, offset) for partition in range(partitions)]
