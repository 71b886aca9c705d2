"""NORMALIZE as a stage: raw records in, packs and rejections out, and how far each raw partition has come.

The metadata of every committed offset is the receipt time up to which its partition is in the log: CONTROL makes the
log's clock of it. A partition that has nothing more takes the time first, then asks where it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, Message, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas import topics
from schemas.log import encode_record
from schemas.rejected import RawRecord
from streams import clock, faults, metrics
from streams.connection import schemas_of
from streams.follower import Follower
from streams.kafka import (
    Stop,
    base,
    check,
    committed,
    gather,
    group_consumer,
    is_eof,
    membership,
    partitions_of,
    plain_consumer,
    watermarks,
)
from streams.normalize.batch import Meterings, Normalized, Rules, normalize
from streams.patience import unless_away
from streams.settings import Settings
from streams.slot import Slot
from streams.stage import Stage, log
from streams.transaction import Aborted, Out, Transactions

GROUP = "azotte-normalize"
POLL_S = 0.1
ENDS_S = 5.0
Place = tuple[str, int]


class Polled(NamedTuple):
    """A batch: records, and for each partition the offset to commit and the receipt time reached."""

    records: list[RawRecord]
    offsets: dict[Place, tuple[int, int]]
    group: Any


class Worked(NamedTuple):
    """What to publish for it."""

    polled: Polled
    outs: list[Out]


class NormalizeStage(Stage):
    """See the module."""

    name_ = "normalize"

    def __init__(self, settings: Settings, slot: Slot, failed: Callable[[str], None]) -> None:
        super().__init__(failed)
        self._settings = settings
        self._transactions = Transactions(settings, f"{GROUP}-{_host(slot)}", self.name_, self.patience)
        self._meterings = Meterings()
        self._schemas = schemas_of(settings)
        self._next: dict[Place, int] = {}
        self._told: dict[Place, int] = {}
        self._markers: dict[Place, tuple[int, int]] = {}
        self._next_idle = 0.0
        self._again: list[RawRecord] = []
        self.rate: Stage | None = None
        """The one that runs beside it, if any."""

    def open(self) -> None:
        self._next, self._told, self._markers = {}, {}, {}
        self._again = []
        self._transactions.open()
        self._consumer = group_consumer(self._settings, GROUP, "earliest")
        self._closers.append(self._consumer.close)
        self._admin = AdminClient(base(self._settings))
        for topic in self._settings.event_topics:
            self._count(topic)
        self._log_partitions = self._count(self._settings.topic(topics.LOG.name))
        self._follower = Follower(self._settings)
        self._closers.append(self._follower.close)
        self._follower.to_end(self.patience)
        self._consumer.subscribe(
            list(self._settings.event_topics),
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._revoked,
        )

    def poll(self) -> Polled | None:
        begun = self._follower.directory.log
        if begun is None:
            self._follower.poll()
            self.patience.pause()
            return None
        if begun["partitions"] != self._log_partitions:
            raise Stop(
                f"rating.log.v1 has {self._log_partitions} partitions, but it began with {begun['partitions']}: a new count needs a new log"
            )
        messages = self._gather()
        if messages:
            faults.point("after_poll", self.name_)
        fresh = self._records(messages)
        records, self._again = self._again + fresh, []
        offsets = {(r.topic, r.partition): (r.offset + 1, r.timestamp) for r in records}
        if not records:
            offsets = self._idle()
            if not offsets:
                self.ready = True
                return None
        self._follower.poll()
        return Polled(records, offsets, membership(self._consumer))

    def work(self, polled: Polled) -> Worked:
        begun = self._follower.directory.log
        assert begun is not None
        rules = self._rules(begun["partitions"], begun["accept_future"])
        found = self.patience(
            lambda: normalize(polled.records, self._follower.directory, self._meterings, rules, self._schemas)
        )
        faults.point("after_apply", self.name_)
        return Worked(polled, self._outs(found))

    def commit(self, worked: Worked) -> None:
        offsets = [
            TopicPartition(topic, partition, offset, str(reached))
            for (topic, partition), (offset, reached) in worked.polled.offsets.items()
        ]
        try:
            self._transactions.commit(worked.outs, offsets, worked.polled.group)
        except Aborted as error:
            log.warning("normalize: a transaction was aborted (%s), going back", error)
            # Kept in memory: it comes first in the next batch.
            self._again = worked.polled.records
            return
        faults.point("after_commit", self.name_)
        for place, (_, reached) in worked.polled.offsets.items():
            if place in self._told:
                self._told[place] = reached
        self.ready = True

    def _count(self, topic: str) -> int:
        return self.patience(lambda: partitions_of(self._consumer, topic))

    def _gather(self) -> list[Message]:
        """A batch: what is there at once, and what comes within the linger after the first; for one that is tried again,
        only what rebalances need."""
        if self._again:
            return list(self._consumer.consume(1, 0))
        most = self._settings.normalize_batch_events
        found = gather(self._consumer, most, POLL_S)
        deadline = clock.monotonic() + self._linger()
        while found and len(found) < most and (left := deadline - clock.monotonic()) > 0:
            found += self._consumer.consume(most - len(found), left)
        return found

    def _linger(self) -> float:
        """Seconds: as long as RATE takes for a transaction, within the settings. What it cannot take yet gains nothing by
        being packed earlier, and in fewer, larger packs is fewer lines: the busier the machine, the less work an event."""
        rating = 0.0 if self.rate is None else self.rate.took
        shortest, longest = self._settings.pack_linger / 1e6, self._settings.pack_linger_max / 1e6
        return min(max(shortest, rating), longest)

    def _records(self, messages: Sequence[Message]) -> list[RawRecord]:
        """Those of partitions that are ours, each offset once: a partition may go and come back within one `consume`."""
        found = []
        for message in messages:
            if message.error() is not None:
                check(message)
                continue
            place = message.topic(), message.partition()
            expected, offset = self._next.get(place), message.offset()
            if expected is None or offset < expected:
                continue
            self._next[place] = offset + 1
            stamp = message.timestamp()[1] * 1_000
            found.append(RawRecord(*place, offset, stamp, message.key(), message.value(), message.headers()))
        return found

    def _idle(self) -> dict[Place, tuple[int, int]]:
        """Partitions that are read to their end, with the time that was before it was asked for."""
        now = clock.monotonic()
        if now < self._next_idle or not self._next:
            return {}
        self._next_idle = now + self._settings.tick_interval / 1e6
        taken = clock.now() - self._settings.clock_skew_max
        asked = {TopicPartition(*place): OffsetSpec.latest() for place in self._next}
        futures = self._admin.list_offsets(
            asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=ENDS_S
        )
        found = {}
        for partition, future in futures.items():
            place = partition.topic, partition.partition
            answer = unless_away(future.result)
            if answer is None:
                continue
            end, at = answer.offset, self._next[place]
            if taken > self._told.get(place, 0) and (end == at or self._only_markers(place, at, end)):
                found[place] = at, taken
        return found

    def _only_markers(self, place: Place, start: int, end: int) -> bool:
        """Whether a partition has nothing but ends of transactions in `[start, end)`."""
        if self._markers.get(place) == (start, end):
            return True
        consumer = plain_consumer(self._settings, "azotte-ends")
        try:
            consumer.assign([TopicPartition(*place, start)])
            for message in consumer.consume(1, ENDS_S):
                if is_eof(message) and message.offset() >= end:
                    self._markers[place] = start, end
                    return True
        finally:
            consumer.close()
        return False

    def _rules(self, partitions: int, accept_future: int) -> Rules:
        settings = self._settings
        return Rules(
            partitions, accept_future, settings.event_bytes_max, settings.pack_events_max, settings.pack_bytes_max,
            settings.unknown_subject == "reject", settings.event_topics,
        )  # fmt: skip

    def _outs(self, found: Normalized) -> list[Out]:
        log, rejected = self._settings.topic(topics.LOG.name), self._settings.topic(topics.REJECTED.name)
        outs = [Out(log, partition, None, encode_record(pack)) for partition, pack in found.packs]
        metrics.BATCH.labels(self.name_).observe(
            sum(len(pack.id) for _, pack in found.packs) + len(found.rejected)
        )
        metrics.EVENTS.labels("packed").inc(sum(len(pack.id) for _, pack in found.packs))
        for each in found.rejected:
            metrics.REJECTED.labels(each.code).inc()
            outs.append(Out(rejected, -1, each.record.key, each.record.value, each.headers()))
        return outs

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        asked = [TopicPartition(each.topic, each.partition) for each in partitions]
        found = self.patience(lambda: committed(consumer, asked))
        starts = [TopicPartition(each.topic, each.partition, self._start(consumer, each)) for each in found]
        for start, each in zip(starts, found, strict=True):
            self._next[start.topic, start.partition] = start.offset
            self._told[start.topic, start.partition] = int(each.metadata or 0)
        consumer.incremental_assign(starts)

    def _start(self, consumer: Any, found: TopicPartition) -> int:
        return found.offset if found.offset >= 0 else self.patience(lambda: watermarks(consumer, found))[0]

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            place = partition.topic, partition.partition
            self._next.pop(place, None)
            self._told.pop(place, None)
        self._again = [each for each in self._again if (each.topic, each.partition) in self._next]
        consumer.incremental_unassign(partitions)


def _host(slot: Slot) -> str:
    import hashlib
    import socket

    machine = hashlib.blake2b(
        f"{socket.gethostname()}:{slot.folder.parent}".encode(), digest_size=4
    ).hexdigest()
    return f"{machine}-{slot.number}"
