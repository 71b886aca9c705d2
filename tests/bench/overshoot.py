"""How long a customer may go on after a hard limit: from the event that crosses it to the record that says so.

Accounts of a tenant of their own, one call below their limit each, beside a steady load. The time is from the moment the event
is handed to the producer to the moment a reader of committed records has the entitlement without access.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer

from schemas import topics
from tests.bench.load import EVENT_TYPE, everywhere
from tests.integration import ledger
from tests.integration.fleet import Fleet

TENANT = "capped"
EVERY = 500
"""Events of the load between two crossings."""
POLL_S, LONG_S = 0.02, 300
_PLAN = {
    "key": "capped", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "year",
    "charges": [{"key": "input", "meter": "tokens", "price": {"model": "per_unit", "unit_amount": "1"}}],
    "entitlements": [{"feature": "chat", "included": "0", "overage": "allowed"}],
    "limits": [{"key": "cap", "metric": "spend", "currency": "USD", "amount": "1", "hard": True}],
}  # fmt: skip
CATALOG = {
    "meters": [{"key": "tokens", "event_type": EVENT_TYPE, "aggregation": "sum", "value": "$.input_tokens"}],
    "features": [{"key": "chat", "kind": "metered", "meter": "tokens"}],
    "plans": [_PLAN],
}


class Overshoot(NamedTuple):
    """Seconds of half, of 99 % and of the slowest of so many crossings."""

    crossings: int
    p50: float
    p99: float
    slowest: float


def sentence(found: Overshoot, rate: int) -> str:
    """The measurement in words."""
    return (
        f"{found.crossings} hard limits were crossed at a steady {rate:,} events/s: the entitlement without access was on the topic"
        f" half within {found.p50 * 1e3:,.0f} ms, 99 % within {found.p99 * 1e3:,.0f} ms, the slowest after"
        f" {found.slowest * 1e3:,.0f} ms."
    )


class Crossings:
    """So many accounts, each crossed once. One event of each is one token."""

    def __init__(self, fleet: Fleet, count: int) -> None:
        self._fleet, self.count = fleet, count
        self._crossed: dict[str, float] = {}
        self._told: dict[str, dict[bool, float]] = {}
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)

    def open(self) -> None:
        """Subscribe the accounts and wait until all have access."""
        self._fleet.command(_commands(self.count))
        self._reader.start()
        ledger.until(lambda: self._have(True) == self.count, LONG_S, "the capped accounts", self._fleet.logs)

    def cross(self, producer: Producer, number: int) -> None:
        """Hand over the event that crosses one account's limit."""
        account = f"cap-{number}"
        event = {"specversion": "1.0", "id": f"cross-{number}", "source": "bench", "type": EVENT_TYPE, "tenant": TENANT,
                 "subject": account, "data": {"input_tokens": 1}}  # fmt: skip
        self._crossed[account] = time.perf_counter()
        producer.produce(self._fleet.topic(topics.EVENTS), json.dumps(event).encode(), account)

    def close(self) -> Overshoot:
        """Wait for the last of them; how long they took."""
        ledger.until(lambda: self._have(False) == self.count, LONG_S, "the last limit", self._fleet.logs)
        self._over.set()
        self._reader.join()
        took = sorted(self._told[account][False] - at for account, at in self._crossed.items())
        return Overshoot(len(took), took[len(took) // 2], took[len(took) * 99 // 100], took[-1])

    def _have(self, access: bool) -> int:
        threading.Event().wait(POLL_S)
        return sum(access in told for told in list(self._told.values()))

    def _read(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._fleet.servers,
                "group.id": "bench-overshoot",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.queue.backoff.ms": 2,
            }
        )
        consumer.assign(everywhere(self._fleet.topic(topics.ENTITLEMENTS), OFFSET_BEGINNING))
        while not self._over.is_set():
            for message in consumer.consume(1_000, POLL_S):
                told = json.loads(message.value() or b"{}")
                if told.get("tenant") == TENANT:
                    self._told.setdefault(told["account"], {}).setdefault(told["access"], time.perf_counter())
        consumer.close()


def _commands(count: int) -> Iterator[dict[str, object]]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    yield {"id": "capped", "tenant": TENANT, "type": "apply_catalog", "time": now, "catalog": CATALOG}
    for number in range(count):
        yield {"id": f"cap-{number}", "tenant": TENANT, "account": f"cap-{number}", "type": "subscribe", "time": now,
               "subscription": "main", "plan": "capped", "start": f"{now[:4]}-01-01T00:00:00Z"}  # fmt: skip
