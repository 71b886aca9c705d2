"""SINK as a stage: records of every topic into ClickHouse, then their offsets.

An insert may be repeated in whole or in part, with any other batch boundaries: a row's key is its record's place. So the
group's offset, committed after the insert, is enough to resume. While ClickHouse is away nothing is read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas import topics
from sinks.clickhouse import client as clickhouse
from sinks.clickhouse.migrate import MigrationError, migrate
from sinks.clickhouse.rows import Insert, Taken, inserts
from streams import clock, faults, metrics
from streams.kafka import Stop, base, check, group_consumer, is_eof, partitions_of, plain_consumer
from streams.settings import Settings
from streams.stage import Stage, log

GROUP = "azotte-sink"
POLL_S = 0.1
CHUNK = 10_000
CATALOG_S = 30.0
READ = (
    topics.LOG, topics.UNCOUNTED, topics.CHARGES, topics.LEDGER, topics.THRESHOLDS, topics.SIGNALS,
    topics.ENTITLEMENTS, topics.REJECTED,
)  # fmt: skip
Place = tuple[str, int]


class Worked(NamedTuple):
    """Rows to insert, and the offsets that they complete."""

    rows: list[Insert]
    offsets: dict[Place, int]


class SinkStage(Stage):
    """See the module."""

    name_ = "sink"

    def __init__(self, settings: Settings, failed: Callable[[str], None]) -> None:
        super().__init__(failed)
        self._settings = settings
        self._next: dict[Place, int] = {}
        self._dimensions: dict[tuple[str, int, str], Sequence[str]] = {}

    def open(self) -> None:
        server = self._settings.clickhouse
        self._server = clickhouse.Server(
            server.host, server.port, server.user, server.password, server.scheme == "https", server.database
        )
        if not self._persist(self._connect):
            return
        self._consumer = group_consumer(self._settings, GROUP, "error", idle_s=3600)
        names = [self._settings.topic(topic.name) for topic in READ]
        for name in names:
            partitions_of(self._consumer, name)
        self._same_topics(names)
        self._catalogs = plain_consumer(self._settings, "azotte-sink-catalog")
        self._catalogs.assign(
            [TopicPartition(self._settings.topic(topics.CATALOG.name), 0, OFFSET_BEGINNING)]
        )
        self._consumer.subscribe(
            names, on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self) -> list[Taken] | None:
        found: list[Taken] = []
        size = 0
        deadline = 0.0
        while True:
            left = POLL_S if not deadline else deadline - clock.monotonic()
            if left <= 0:
                break
            for record in self._taken(self._consumer.consume(CHUNK, min(left, POLL_S))):
                found.append(record)
                size += len(record.value or b"")
            if not found:
                break
            deadline = deadline or clock.monotonic() + self._settings.sink_linger / 1e6
            if len(found) >= self._settings.sink_batch_rows or size >= self._settings.sink_batch_bytes:
                break
        self.ready = True
        faults.point("after_poll")
        return found or None

    def work(self, polled: list[Taken]) -> Worked:
        offsets: dict[Place, int] = {}
        for record in polled:
            offsets[self._settings.topic(record.topic), record.partition] = record.offset + 1
        faults.point("after_apply")
        return Worked(inserts(polled, self._dimensions_of), offsets)

    def commit(self, worked: Worked) -> None:
        for rows in worked.rows:
            if not self._persist(functools.partial(clickhouse.insert, self._client, rows)):
                return
            metrics.ROWS.labels(rows.table).inc(rows.rows.num_rows)
        faults.point("after_insert")
        offsets = [
            TopicPartition(*place, offset) for place, offset in worked.offsets.items() if place in self._next
        ]
        try:
            if offsets:
                self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:
            # The rows are there; who has the partitions now inserts them again, which changes nothing.
            log.warning("sink: offsets could not be committed: %s", error.args[0].str())
        faults.point("after_commit")

    def close(self) -> None:
        if hasattr(self, "_consumer"):
            self._consumer.close()
        if hasattr(self, "_catalogs"):
            self._catalogs.close()

    def _connect(self) -> None:
        self._client = clickhouse.connect(self._server)
        try:
            for name in migrate(self._client):
                log.info("sink: applied %s", name)
        except MigrationError as error:
            raise Stop(f"sink: {error}") from None

    def _persist(self, act: Callable[[], None]) -> bool:
        def told(words: str) -> None:
            metrics.RETRIES.inc()
            log.warning(
                "sink: ClickHouse at %s does not take it (%s), trying again",
                self._settings.clickhouse.address,
                words,
            )

        def pause(seconds: float) -> bool:
            until = clock.monotonic() + seconds
            while clock.monotonic() < until and not self.should_stop:
                clock.pause(0.05)
            return not self.should_stop

        try:
            return clickhouse.persist(act, pause, self._settings.sink_retry_max / 1e6, told)
        except ClickHouseError as error:
            raise Stop(f"sink: ClickHouse refuses: {str(error).splitlines()[0][:400]}") from error

    def _taken(self, messages: Sequence[Message]) -> list[Taken]:
        found = []
        for message in messages:
            check(message)
            place = message.topic(), message.partition()
            expected = self._next.get(place)
            if message.error() is not None or expected is None or message.offset() < expected:
                continue
            self._next[place] = message.offset() + 1
            stamp = message.timestamp()[1] * 1_000
            name = self._settings.base(place[0])
            found.append(
                Taken(
                    name,
                    place[1],
                    message.offset(),
                    stamp,
                    message.key(),
                    message.value(),
                    message.headers() or (),
                )
            )
        return found

    def _dimensions_of(self, tenant: str, revision: int, meter: str) -> Sequence[str]:
        """A meter's dimensions, from the catalog's own topic: it is there before any pack of the revision."""
        deadline = clock.monotonic() + CATALOG_S
        while (tenant, revision, meter) not in self._dimensions:
            for message in self._catalogs.consume(100, 0.1):
                if not is_eof(message) and message.error() is None and message.value() is not None:
                    self._remember(message.key().decode(), msgspec.json.decode(message.value()))
            if clock.monotonic() > deadline:
                raise Stop(
                    f"sink: revision {revision} of {tenant} is not on {topics.CATALOG.name}: it must keep every revision that the log has"
                )
        return self._dimensions[tenant, revision, meter]

    def _remember(self, key: str, value: dict[str, Any]) -> None:
        from rating.catalog import compile_catalog, read_revision

        tenant, _, _ = key.rpartition("/")
        revision, _, doc = read_revision(value)
        for meter in compile_catalog(doc, revision).meters.values():
            self._dimensions[tenant, revision, meter.key] = meter.dimensions

    def _same_topics(self, names: Sequence[str]) -> None:
        """Stop where a topic was deleted and made anew: its offsets would be taken for rows that are there."""
        admin = AdminClient(base(self._settings))
        found = admin.describe_topics(TopicCollection(list(names)))
        rows = self._client.query("SELECT topic, uuid FROM sink_topics FINAL").result_rows
        known = {str(topic): str(uuid) for topic, uuid in rows}
        for name in names:
            uuid = str(found[name].result(30).topic_id)
            if known.get(name, uuid) != uuid:
                raise Stop(
                    f"sink: topic {name} was deleted and made anew, but database {self._server.database} holds rows of the old one: "
                    "use another database, or drop this one"
                )
            if name not in known:
                self._client.insert("sink_topics", [[name, uuid]])

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        committed = consumer.committed([TopicPartition(p.topic, p.partition) for p in partitions], 30)
        for partition in committed:
            if partition.error is not None:
                raise Stop(
                    f"sink: the offset of {partition.topic} {partition.partition} cannot be read: {partition.error}"
                )
            if partition.offset < 0:
                partition.offset = consumer.get_watermark_offsets(partition, 10)[0]
            self._next[partition.topic, partition.partition] = partition.offset
        consumer.incremental_assign([TopicPartition(p.topic, p.partition, p.offset) for p in committed])

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._next.pop((partition.topic, partition.partition), None)
        consumer.incremental_unassign(partitions)
