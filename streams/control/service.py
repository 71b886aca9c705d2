"""CONTROL as a stage: whoever owns the one partition of `billing.commands.v1` writes what must have one order.

Its state is the directory; an aborted transaction drops it and reads it again. Ticks follow the normalizers' committed
receipt times: a lower bound, so they need no transaction and a zombie's is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message, TopicPartition

from rating.directory import LOG, Directory
from rating.records import LogSettings, Record, Tick
from schemas import topics
from schemas.log import encode_record
from schemas.rejected import RawRecord, Rejected
from streams import clock, faults, metrics
from streams.control.batch import take
from streams.follower import Follower
from streams.kafka import (
    Stop,
    check,
    committed,
    gather,
    group_consumer,
    membership,
    partitions_of,
    plain_consumer,
    plain_producer,
    watermarks,
)
from streams.normalize.service import GROUP as NORMALIZE
from streams.normalize.service import _host
from streams.patience import unless_away
from streams.settings import Settings
from streams.slot import Slot
from streams.stage import Stage, log
from streams.transaction import Aborted, Out, Transactions

GROUP = "azotte-control"
POLL_S = 0.1
FLUSH_S = 2.0


class Polled(NamedTuple):
    """Commands, the offset after the last, and the group as it was when they came."""

    records: list[RawRecord]
    group: Any


class Worked(NamedTuple):
    """What to publish for them."""

    polled: Polled
    outs: list[Out]
    offset: int | None


class ControlStage(Stage):
    """See the module."""

    name_ = "control"

    def __init__(self, settings: Settings, slot: Slot, failed: Callable[[str], None]) -> None:
        super().__init__(failed)
        self._settings = settings
        self._transactions = Transactions(settings, f"{GROUP}-{_host(slot)}", self.name_, self.patience)
        self._topic = settings.topic(topics.COMMANDS.name)
        self._owner = False
        self._directory = Directory()
        self._next_tick = 0.0
        self._clock = 0
        self._position = 0
        self._again: list[RawRecord] = []

    def open(self) -> None:
        self._owner = False
        self._again = []
        self._directory = Directory()
        self._transactions.open()
        self._receipts = plain_consumer(self._settings, NORMALIZE, committed=False)
        self._closers.append(self._receipts.close)
        self._ticker = plain_producer(self._settings)
        self._closers.append(lambda: self._ticker.flush(FLUSH_S))
        self._consumer = group_consumer(self._settings, GROUP, "earliest")
        self._closers.append(self._consumer.close)
        self._log_partitions = self._count(self._settings.topic(topics.LOG.name))
        self._raw = {topic: self._count(topic) for topic in self._settings.event_topics}
        self._count(self._topic)
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self) -> Polled | None:
        wait_s = 0 if self._again else POLL_S
        messages = gather(self._consumer, self._settings.control_batch_records, wait_s)
        if messages:
            faults.point("after_poll", self.name_)
        if not self._owner:
            self.ready = True
            return None
        records = self._records(messages)
        if self._directory.log is None or self._settings_changed():
            return Polled(records, membership(self._consumer))
        self._tick()
        self.ready = True
        return Polled(records, membership(self._consumer)) if records else None

    def work(self, polled: Polled) -> Worked:
        outs: list[Out] = []
        settings = self._settings
        if self._directory.log is None or self._settings_changed():
            row = {
                "partitions": self._log_partitions,
                "accept_past": settings.accept_past,
                "accept_future": settings.accept_future,
            }
            outs += self._directory_rows([(LOG, row)])
            outs += self._log_records(
                [(None, LogSettings(settings.accept_past, settings.accept_future, self._log_partitions))]
            )
        for record in polled.records:
            found = take(record, self._directory, self._log_partitions, settings.accept_future)
            if isinstance(found, Rejected):
                metrics.REJECTED.labels(found.code).inc()
                outs.append(
                    Out(settings.topic(topics.REJECTED.name), -1, record.key, record.value, found.headers())
                )
                continue
            outs += self._directory_rows(found.directory)
            outs += [
                Out(settings.topic(topics.CATALOG.name), 0, key.encode(), msgspec.json.encode(row))
                for key, row in found.catalog
            ]
            outs += self._log_records(found.log)
        faults.point("after_apply", self.name_)
        return Worked(polled, outs, polled.records[-1].offset + 1 if polled.records else None)

    def commit(self, worked: Worked) -> None:
        offset = self._position if worked.offset is None else worked.offset
        offsets = [TopicPartition(self._topic, 0, offset)]
        try:
            self._transactions.commit(worked.outs, offsets, worked.polled.group)
        except Aborted as error:
            log.warning("control: a transaction was aborted (%s), reading the directory again", error)
            if self._owner:
                self._restore()
                # Kept in memory: it comes first in the next batch.
                self._again = [each for each in worked.polled.records if each.offset >= self._position]
            return
        faults.point("after_commit", self.name_)
        self._position = offset
        self.ready = True

    def _count(self, topic: str) -> int:
        return self.patience(lambda: partitions_of(self._consumer, topic))

    def _settings_changed(self) -> bool:
        held = self._directory.log
        wanted = {"accept_past": self._settings.accept_past, "accept_future": self._settings.accept_future}
        return held is not None and any(held[name] != value for name, value in wanted.items())

    def _records(self, messages: Sequence[Message]) -> list[RawRecord]:
        """Each offset once: the partition may go and come back within one `consume`. What was aborted comes first."""
        found, self._again = self._again, []
        expected = found[-1].offset + 1 if found else self._position
        for message in messages:
            check(message)
            if message.error() is not None or message.offset() < expected:
                continue
            expected = message.offset() + 1
            stamp = message.timestamp()[1] * 1_000
            place = message.topic(), message.partition(), message.offset()
            found.append(RawRecord(*place, stamp, message.key(), message.value(), message.headers()))
        return found

    def _directory_rows(self, rows: Sequence[tuple[str, Any]]) -> list[Out]:
        topic = self._settings.topic(topics.DIRECTORY.name)
        outs = []
        for key, row in rows:
            self._directory.put(key, row)
            outs.append(Out(topic, 0, key.encode(), None if row is None else msgspec.json.encode(row)))
        return outs

    def _log_records(self, records: Sequence[tuple[int | None, Record]]) -> list[Out]:
        topic = self._settings.topic(topics.LOG.name)
        outs = []
        for partition, record in records:
            value = encode_record(record)
            everywhere = range(self._log_partitions) if partition is None else (partition,)
            outs += [Out(topic, each, None, value) for each in everywhere]
        return outs

    def _tick(self) -> None:
        """Move the log's clock to the smallest receipt time that all raw partitions have reached."""
        now = clock.monotonic()
        if now < self._next_tick:
            return
        self._next_tick = now + self._settings.tick_interval / 1e6
        asked = [
            TopicPartition(topic, number) for topic, count in self._raw.items() for number in range(count)
        ]
        found = unless_away(lambda: committed(self._receipts, asked))
        if found is None:
            return
        reached = [int(partition.metadata) if partition.metadata else 0 for partition in found]
        smallest = min(reached, default=0)
        if smallest <= self._clock:
            return
        self._clock = smallest
        metrics.CLOCK_LAG.set((clock.now() - smallest) / 1e6)
        value = encode_record(Tick(smallest))
        for number in range(self._log_partitions):
            self._ticker.produce(self._settings.topic(topics.LOG.name), value, partition=number)
        self._ticker.poll(0)

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        if not partitions:
            return
        self._restore()
        consumer.incremental_assign([TopicPartition(self._topic, 0, self._position)])
        self._owner = True
        log.info("control: owner of %s from offset %d", self._topic, self._position)

    def _restore(self) -> None:
        """The stable offset first, then the directory past what is open: never an old state with a new offset."""
        place = TopicPartition(self._topic, 0)
        (found,) = self.patience(lambda: committed(self._consumer, [place]))
        low, _ = self.patience(lambda: watermarks(self._consumer, place))
        self._position = found.offset if found.offset >= 0 else low
        follower = Follower(self._settings)
        try:
            follower.to_end(self.patience)
        finally:
            follower.close()
        self._directory = follower.directory
        held = self._directory.log
        if held is not None and held["partitions"] != self._log_partitions:
            raise Stop(
                f"rating.log.v1 has {self._log_partitions} partitions, but it began with {held['partitions']}: a new count needs a new log"
            )

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        self._owner = False
        self._again = []
        consumer.incremental_unassign(partitions)
