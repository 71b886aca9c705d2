"""What rows of usage must know of meters, from the catalog's own topic."""

from __future__ import annotations

import msgspec
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from rating.catalog import compile_catalog, read_revision
from schemas import topics
from sinks.clickhouse.usage import Meter
from streams import clock
from streams.kafka import Stop, check, is_eof, plain_consumer
from streams.settings import Settings

WAIT_S = 30.0
CHUNK = 100


class KnownMeters:
    """Meters by tenant and key. A revision is on the topic before any pack that it measured, and stays: it is compacted
    by revision, and a meter once published never changes."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topic(topics.CATALOG.name)
        self._meters: dict[tuple[str, str], Meter] = {}
        self._consumer = plain_consumer(settings, "azotte-sink-catalog")
        self._consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])

    def __call__(self, tenant: str, meter: str) -> Meter:
        """The meter; waits for it to come. Raises `Stop` where it does not."""
        found = self._meters.get((tenant, meter))
        if found is not None:
            return found
        deadline = clock.monotonic() + WAIT_S
        while (tenant, meter) not in self._meters:
            if clock.monotonic() > deadline:
                raise Stop(
                    f"sink: no revision on {self._topic} has meter {meter} of {tenant}: the topic must keep every revision"
                    " that the log was measured by"
                )
            self._read()
        return self._meters[tenant, meter]

    def close(self) -> None:
        """Leave the topic."""
        self._consumer.close()

    def _read(self) -> None:
        for message in self._consumer.consume(CHUNK, 0.1):
            if is_eof(message):
                continue
            check(message)
            if message.error() is None and message.value() is not None:
                tenant, _, _ = str(message.key(), "utf-8").rpartition("/")
                revision, _, doc = read_revision(msgspec.json.decode(message.value()))
                for key, meter in compile_catalog(doc, revision).meters.items():
                    self._meters[tenant, key] = Meter(tuple(meter.dimensions), meter.aggregation == "unique")
