"""A catalog that changes while usage flows, in a worker that is started as Faust starts applications."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from confluent_kafka import Producer

from schemas import topics
from tests.integration import ledger
from tests.integration.fleet import Fleet

SETTLE_S = 90
TENANT = "acme"
ACCOUNTS = [f"cust-{number}" for number in range(16)]
PRICE = Decimal("0.000002")


def catalog(*meters: str) -> dict[str, Any]:
    """A plan on `tokens`, and these meters beside it: a revision more for each."""
    return {
        "meters": [
            {"key": key, "event_type": "llm", "aggregation": "sum", "value": "$.tokens"} for key in ("tokens", *meters)
        ],
        "plans": [{"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD", "period": "year",
                   "charges": [{"key": "input", "meter": "tokens",
                                "price": {"model": "per_unit", "unit_amount": str(PRICE)}}]}],
    }  # fmt: skip


class Usage:
    """An event an account whenever it is asked to go on, and the lines that came of all of them."""

    def __init__(self, fleet: Fleet) -> None:
        self.sent = 0
        self._topic = fleet.topic(topics.EVENTS)
        self._producer = Producer({"bootstrap.servers": fleet.servers})
        self._charges = ledger.Reader(fleet.servers, fleet.topic(topics.CHARGES))

    def go_on(self) -> None:
        for account in ACCOUNTS:
            self.sent += 1
            event = {"specversion": "1.0", "id": str(self.sent), "source": "gw", "type": "llm", "tenant": TENANT,
                     "subject": account, "data": {"tokens": self.sent}}  # fmt: skip
            self._producer.produce(self._topic, json.dumps(event), account)
        assert self._producer.flush(30) == 0

    def lines(self) -> list[dict[str, Any]]:
        self._charges.poll()
        return ledger.lines(self._charges)

    def rated_under(self, revision: int) -> bool:
        """Whether each account has a line of this revision; usage goes on meanwhile."""
        self.go_on()
        return {line["account"] for line in self.lines() if line["catalog_revision"] == revision} == set(
            ACCOUNTS
        )


def test_a_revision_holds_from_one_point_of_each_partition_on(fleet: Fleet) -> None:
    now = datetime.now(UTC)
    envelope = {"tenant": TENANT, "time": now.isoformat().replace("+00:00", "Z")}
    subscribe = {
        "type": "subscribe",
        "subscription": "s",
        "plan": "pro",
        "start": f"{now.year}-01-01T00:00:00Z",
    }
    fleet.start("worker", "-A", "streams.app", "worker", program="faust")
    fleet.command([
        envelope | {"id": "c1", "type": "apply_catalog", "catalog": catalog()},
        *(envelope | subscribe | {"id": f"s-{account}", "account": account} for account in ACCOUNTS),
    ])  # fmt: skip
    usage = Usage(fleet)
    ledger.until(lambda: usage.rated_under(1), SETTLE_S, "lines of the first revision", fleet.logs)
    fleet.command([envelope | {"id": "c2", "type": "apply_catalog", "catalog": catalog("again")}])
    ledger.until(lambda: usage.rated_under(2), SETTLE_S, "lines of the second revision", fleet.logs)

    want = PRICE * (usage.sent * (usage.sent + 1) // 2)
    ledger.until(
        lambda: sum(Decimal(line["amount"]) for line in usage.lines()) == want,
        SETTLE_S,
        "all usage",
        fleet.logs,
    )
    assert ledger.faults(usage.lines()) == []
    order: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for line in usage.lines():
        order[line["source"]["partition"]].append((line["source"]["offset"], line["catalog_revision"]))
    assert len(order) > 1
    for places in order.values():
        revisions = [revision for _, revision in sorted(places)]
        assert set(revisions) == {1, 2}
        assert revisions == sorted(revisions)
    fleet.end("worker")
