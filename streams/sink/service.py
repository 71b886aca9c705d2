"""SINK as a stage: records of every topic into ClickHouse, then their offsets.

An insert may be repeated in whole or in part, with any other batch boundaries: a row's key is its record's place. So the
group's offset, committed after the insert, is enough to resume. While ClickHouse is away nothing is read: what waits is
one batch in memory, and the rest on the topics.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import KafkaException, Message, TopicPartition

from schemas import topics
from schemas.avro import Unreadable
from schemas.charges import as_json
from schemas.log import UnknownRecord
from schemas.registry import Schemas, UnknownSchema
from sinks.clickhouse import client as clickhouse
from sinks.clickhouse.migrate import MigrationError, migrate
from sinks.clickhouse.rows import inserts
from sinks.clickhouse.tables import Insert, Taken
from streams import clock, faults, metrics
from streams.connection import schemas_of
from streams.kafka import Stop, check, committed, group_consumer, watermarks
from streams.settings import Settings
from streams.sink.meters import KnownMeters
from streams.sink.origins import Origins
from streams.stage import Stage, log

GROUP = "azotte-sink"
POLL_S = 0.1
CHUNK = 10_000
IDLE_S = 3600
"""How long ClickHouse may be away before the group takes the partitions; the batch then comes again, and changes nothing."""
READ = (
    topics.LOG, topics.UNCOUNTED, topics.CHARGES, topics.LEDGER, topics.THRESHOLDS, topics.SIGNALS,
    topics.ENTITLEMENTS, topics.REJECTED,
)  # fmt: skip
Place = tuple[str, int]


class Worked(NamedTuple):
    """Rows to insert, the offsets that they complete, and when the oldest of their records was written (µs)."""

    rows: list[Insert]
    offsets: dict[Place, int]
    oldest: int


class SinkStage(Stage):
    """See the module. `work` runs in the agent, all else in the stage's thread."""

    name_ = "sink"

    def __init__(self, settings: Settings, failed: Callable[[str], None]) -> None:
        super().__init__(failed)
        self._settings = settings
        self._names = {settings.topic(topic.name): topic.name for topic in READ}
        self._next: dict[Place, int] = {}
        found = settings.clickhouse
        self._server = clickhouse.Server(
            found.host, found.port, found.user, found.password, found.scheme == "https", found.database
        )
        self._schemas = schemas_of(settings)

    def open(self) -> None:
        """Make the tables, see that they are these topics', join the group."""
        self._next.clear()
        self._origins = Origins(self._settings, self._names)
        self._persist(lambda: self.patience(self._prepare))
        self._meters = KnownMeters(self._settings, self.patience)
        self._consumer = group_consumer(self._settings, GROUP, "error", idle_s=IDLE_S)
        self._closers += [self._meters.close, self._consumer.close]
        self._consumer.subscribe(
            list(self._names), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self) -> list[Taken] | None:
        """A batch: until it is full, or `sink_linger` after its first record."""
        found: list[Taken] = []
        size = 0
        deadline = 0.0
        while len(found) < self._settings.sink_batch_rows and size < self._settings.sink_batch_bytes:
            left = POLL_S if not found else min(POLL_S, deadline - clock.monotonic())
            if left <= 0:
                break
            wanted = min(CHUNK, self._settings.sink_batch_rows - len(found))
            taken = self._taken(self._consumer.consume(wanted, left))
            if not found:
                if not taken:
                    break
                deadline = clock.monotonic() + self._settings.sink_linger / 1e6
            found += taken
            size += sum(len(record.value or b"") for record in taken)
        self.ready = True
        if not found:
            return None
        faults.point("after_poll", self.name_)
        return found

    def work(self, polled: list[Taken]) -> Worked:
        """Records to rows."""
        offsets = {(self._settings.topic(each.topic), each.partition): each.offset + 1 for each in polled}
        try:
            rows = inserts(self._plain(polled), self._meters)
        except UnknownRecord as error:
            raise Stop(f"sink: {self._settings.topic(topics.LOG.name)} has {error}") from None
        for each in rows:
            if each.table == "errors_rows":
                metrics.UNREADABLE.inc(each.rows.num_rows)
                log.error("sink: %d records cannot be read: SELECT * FROM sink_errors", each.rows.num_rows)
        faults.point("after_apply", self.name_)
        return Worked(rows, offsets, min(each.timestamp for each in polled))

    def _plain(self, polled: list[Taken]) -> list[Taken]:
        """The records, charge lines in Avro as JSON; one that cannot be read stays what it is, and is told of so."""
        schemas = self._schemas
        if schemas is None:
            return polled
        return [
            self.patience(functools.partial(_as_json, each, schemas))
            if each.topic == topics.CHARGES.name and each.value
            else each
            for each in polled
        ]

    def commit(self, worked: Worked) -> None:
        """Insert, then commit the offsets."""
        self.patience(self._origins.check)
        begin = clock.monotonic()
        for rows in worked.rows:
            self._persist(functools.partial(self._insert, rows))
            faults.point("after_insert", self.name_)
        metrics.BATCH.labels(self.name_).observe(sum(rows.rows.num_rows for rows in worked.rows))
        metrics.INSERT.observe(clock.monotonic() - begin)
        metrics.SINK_DELAY.set(max(0, clock.now() - worked.oldest) / 1e6)
        self._commit_offsets(worked.offsets)
        faults.point("after_commit", self.name_)

    # ClickHouse

    def _prepare(self) -> None:
        self._client = clickhouse.connect(self._server)
        try:
            for name in migrate(self._client):
                log.info("sink: applied %s", name)
        except MigrationError as error:
            raise Stop(f"sink: {error}") from None
        self._origins.claim(self._client)

    def _insert(self, rows: Insert) -> None:
        clickhouse.insert(self._client, rows, self._settings.sink_batch_rows)
        metrics.ROWS.labels(rows.table).inc(rows.rows.num_rows)

    def _persist(self, act: Callable[[], None]) -> None:
        """Do it until ClickHouse takes it. Raises `Stopping`."""

        def told(words: str) -> None:
            metrics.RETRIES.inc()
            address = self._settings.clickhouse.address
            log.warning("sink: ClickHouse at %s does not take it (%s), trying again", address, words)

        def pause(seconds: float) -> bool:
            self.patience.pause(seconds)
            return True

        try:
            clickhouse.persist(act, pause, self._settings.sink_retry_max / 1e6, told)
        except ClickHouseError as error:
            raise Stop(f"sink: ClickHouse refuses: {clickhouse.sentence(error)}") from None

    # Kafka

    def _commit_offsets(self, found: dict[Place, int]) -> None:
        offsets = [TopicPartition(*place, offset) for place, offset in found.items() if place in self._next]
        try:
            if offsets:
                # Not waited for: a process that did, with the broker away, never ended. The rows are there: where an offset
                # is lost, who has the partition next inserts them again, which changes nothing.
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            log.warning("sink: offsets could not be committed: %s", error.args[0].str())

    def _check(self, message: Message) -> None:
        """Raise `Stop` for what cannot be read, and say so where that is since the topic was made anew."""
        try:
            check(message)
        except Stop:
            self.patience(self._origins.check)
            raise

    def _taken(self, messages: Sequence[Message]) -> list[Taken]:
        """Those of partitions that are ours, each offset once: a partition may go and come back within one `consume`."""
        found = []
        for message in messages:
            self._check(message)
            place = message.topic(), message.partition()
            expected = self._next.get(place)
            offset = message.offset()
            if message.error() is not None or expected is None or offset < expected:
                continue
            self._next[place] = offset + 1
            stamp = message.timestamp()[1] * 1_000
            headers = message.headers() or ()
            found.append(
                Taken(self._names[place[0]], place[1], offset, stamp, message.key(), message.value(), headers)
            )
        return found

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        asked = [TopicPartition(each.topic, each.partition) for each in partitions]
        found = [self._start(consumer, each) for each in self.patience(lambda: committed(consumer, asked))]
        self._next |= {(each.topic, each.partition): each.offset for each in found}
        consumer.incremental_assign(found)

    def _start(self, consumer: Any, found: TopicPartition) -> TopicPartition:
        """Where to read on. An offset that expired is no loss: what is read again meets its own rows."""
        begin, _ = self.patience(lambda: watermarks(consumer, found))
        name = f"{found.topic} {found.partition}"
        if 0 <= found.offset < begin:
            lost = begin - found.offset
            if topics.BY_NAME[self._names[found.topic]].retention_ms < 0:
                raise Stop(
                    f"sink: {name} was deleted up to {begin}, and {lost} records before it were never inserted: set the"
                    f" offset of group {self._settings.topic_prefix}{GROUP} to {begin} to go on without them"
                )
            log.error("sink: %d records of %s outlived their retention before they were inserted", lost, name)
        return TopicPartition(found.topic, found.partition, max(begin, found.offset))

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._next.pop((partition.topic, partition.partition), None)
        consumer.incremental_unassign(partitions)


def _as_json(record: Taken, schemas: Schemas) -> Taken:
    try:
        return record._replace(value=as_json(record.value or b"", schemas))
    except (Unreadable, UnknownSchema):
        return record
