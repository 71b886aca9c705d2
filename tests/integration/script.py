"""A deployment whose clock the test holds: inputs go in one by one, and ticks come from the test alone.

An idle raw partition reports the present, so a second raw topic is bound on which a transaction stays open: its partition
is never at its end, reports nothing, and CONTROL, which takes the slowest, never ticks. A tick is a lower bound that
anybody may write, so the test writes them to the log itself, between two inputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from rating.records import Tick
from rating.times import format_time
from schemas import topics
from schemas.log import decode_record, encode_record
from tests.integration import ledger
from tests.integration.fleet import Fleet

TENANT = "script"
"""Whose events and commands are the script's own: no scenario's."""
HELD = "usage.held.v1"
HELD_MS = 600_000
TAKEN_S = 60
PROBES_MAX = 200
SETTINGS = {
    "AZOTTE_TENANT_TOPICS": json.dumps({HELD: "held"}),
    "AZOTTE_PACK_EVENTS_MAX": "1",
    "AZOTTE_TICK_INTERVAL": "60s",
}


class Script:
    """One partition of the log; times are microseconds, whole milliseconds."""

    def __init__(self, fleet: Fleet) -> None:
        assert fleet.partitions == 1
        self._fleet = fleet
        self._producer = Producer(
            {"bootstrap.servers": fleet.servers, "enable.idempotence": True, "linger.ms": 0}
        )
        self._log = ledger.Reader(fleet.servers, fleet.topic(topics.LOG))
        self._rejected = ledger.Reader(fleet.servers, fleet.topic(topics.REJECTED))
        self._seen = 0
        self._probes = 0
        self._clock = 0
        self.ticks: list[int] = []
        self._holder = self._hold()

    def _hold(self) -> Producer:
        topic = self._fleet.prefix + HELD
        admin = AdminClient({"bootstrap.servers": self._fleet.servers})
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
        holder = Producer(
            {
                "bootstrap.servers": self._fleet.servers,
                "transactional.id": topic,
                "transaction.timeout.ms": HELD_MS,
            }
        )
        holder.init_transactions(30)
        holder.begin_transaction()
        holder.produce(topic, b"{}")
        assert holder.flush(30) == 0
        return holder

    def begin(self) -> None:
        """Start the worker and wait for the settings, the log's first record."""
        self._fleet.start("worker", "worker")
        self._taken("the log's settings")

    def tick(self, clock: int) -> None:
        """Move the log's clock; it never goes back."""
        if clock > self._clock:
            self._clock = clock
            self.ticks.append(clock)
            self._produce(topics.LOG, encode_record(Tick(clock)))

    def event(self, value: bytes, received: int) -> bool:
        """One usage event; wait until it is in the log, or rejected, which is the answer."""
        before = self._refused()
        self._produce(topics.EVENTS, value, received)
        self._taken(value.decode())
        return self._refused() > before

    def command(self, value: Mapping[str, Any], received: int, records: int = 1) -> None:
        """The same for a command, which makes so many records of the log, what it releases included."""
        self._produce(topics.COMMANDS, json.dumps(value).encode(), received)
        self._taken(str(value)[:300], records)

    def catch_up(self) -> None:
        """Wait until NORMALIZE knows all that CONTROL has said: a new meter of the script's own refuses an event."""
        self._probes += 1
        clock = max(self._clock, 1_000_000)
        kinds = [f"probe-{number}" for number in range(1, self._probes + 1)]
        catalog = {"meters": [{"key": kind, "event_type": kind, "aggregation": "sum", "value": "$.v", "unit": "unit",
                               "window": "1h"} for kind in kinds]}  # fmt: skip
        stamped = {"tenant": TENANT, "time": format_time(clock)}
        self.command({"id": kinds[-1], "type": "apply_catalog", "catalog": catalog} | stamped, clock)
        probe = {
            "specversion": "1.0",
            "source": "script",
            "type": kinds[-1],
            "subject": "probe",
            "data": {},
        } | stamped
        tries = 0
        while not self.event(json.dumps(probe | {"id": f"{kinds[-1]}-{tries}"}).encode(), clock):
            tries += 1
            assert tries < PROBES_MAX, "normalize does not follow the directory"

    def ticks_in_log(self) -> list[int]:
        """Every tick on the log."""
        while self._log.poll():
            pass
        found = [decode_record(value or b"") for _, value, _ in self._log.records]
        return [record.clock for record in found if isinstance(record, Tick)]

    def close(self) -> None:
        """Let the transaction go."""
        self._holder.abort_transaction(30)
        self._log.close()
        self._rejected.close()

    def _produce(self, topic: topics.Topic, value: bytes, stamp: int | None = None) -> None:
        extra = {} if stamp is None else {"timestamp": stamp // 1_000}
        assert stamp is None or stamp % 1_000 == 0
        self._producer.produce(self._fleet.topic(topic), value, **extra)
        assert self._producer.flush(30) == 0

    def _taken(self, what: str, records: int = 1) -> None:
        """Wait for so many records more that are no ticks: on the log, or rejected before it."""
        self._seen += records

        def came() -> bool:
            self._log.poll(0.05)
            self._rejected.poll(0.01)
            return self._count() >= self._seen

        ledger.until(came, TAKEN_S, what, self._fleet.logs)
        assert self._count() == self._seen, f"more than {records} records came of {what}"

    def _count(self) -> int:
        others = [decode_record(value or b"") for _, value, _ in self._log.records]
        return sum(not isinstance(record, Tick) for record in others) + self._refused()

    def _refused(self) -> int:
        """How many inputs were rejected before the log."""
        return sum(head["stage"] != b"rate" for _, _, head in self._rejected.records)
