"""RATE as a stage: the log in, charge lines, ledger, rejections and changed cells out, in one transaction.

A batch holds whole records of the partitions that are assigned, as many as there are up to a bound; what is over waits
in memory for the next one. Every transaction sends the position of each partition that it touches, also where only
timers ran, since an empty list of offsets would fence nothing.
"""

from __future__ import annotations

import functools
import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from confluent_kafka import Message, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient

from rating.records import Pack
from schemas import topics
from schemas.cells import encode_key
from schemas.cells import encode_value as encode_cell
from schemas.log import UnknownRecord, decode_record
from streams import clock, faults, metrics
from streams.kafka import ANSWER_S, Stop, base, check, gather, group_consumer, membership, partitions_of
from streams.normalize.service import _host
from streams.rate import room
from streams.rate.basis import with_basis
from streams.rate.outs import Outs
from streams.rate.restore import Partition, restore
from streams.settings import Settings
from streams.slot import Slot
from streams.stage import Stage, log
from streams.transaction import Aborted, Out, Transactions

GROUP = "azotte-rate"
POLL_S = 0.1
RESTORES_AT_ONCE = 8
LEFT_BATCHES_MAX = 2
"""So many batches of records wait in memory at most; while as many do, the broker is asked for none."""


class Polled(NamedTuple):
    """Messages of assigned partitions, and the group's metadata as of their poll."""

    messages: list[Message]
    group: Any


class Worked(NamedTuple):
    """What to publish, the partitions touched, and the receipt times of what was rated."""

    polled: Polled
    outs: list[Out]
    touched: list[Partition]
    received: list[int]


class RateStage(Stage):
    """See the module."""

    name_ = "rate"

    def __init__(self, settings: Settings, slot: Slot, failed: Callable[[str], None]) -> None:
        super().__init__(failed)
        self._settings = settings
        self._slot = slot
        self._transactions = Transactions(settings, f"{GROUP}-{_host(slot)}", self.name_, self.patience)
        self._topic = settings.topic(topics.LOG.name)
        self._partitions: dict[int, Partition] = {}
        self._left: deque[Message] = deque()
        self._held = False
        self._names = {topic.name: settings.topic(topic.name) for topic in topics.TOPICS}

    def open(self) -> None:
        self._left.clear()
        self._held = False
        self._transactions.open()
        self._consumer = group_consumer(self._settings, GROUP, "error")
        self._closers += [lambda: self._forget(list(self._partitions)), self._consumer.close]
        count = self.patience(functools.partial(partitions_of, self._consumer, self._topic))
        self._outs = Outs(self._settings, count, self.patience)
        self.patience(functools.partial(partitions_of, self._consumer, self._names[topics.STATE.name]))
        admin = AdminClient(base(self._settings))
        self.patience(lambda: room.check(self._settings, admin, self._slot.folder))
        self._folder = self._slot.folder / "ids" / self.patience(lambda: self._log_uuid(admin))
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    def poll(self) -> Polled | None:
        due = any(partition.engine.has_due() for partition in self._partitions.values())
        self._hold(len(self._left) >= LEFT_BATCHES_MAX * self._settings.rate_batch_records)
        if not self._left:
            found = gather(self._consumer, self._settings.rate_batch_records, 0 if due else POLL_S)
            self._left.extend(message for message in found if self._wanted(message))
        else:
            # Rebalances are served here too, though there is enough to do: one record more for each transaction that
            # takes none, such as one of many that drain timers before a new catalog.
            self._left.extend(message for message in self._consumer.consume(1, 0) if self._wanted(message))
        self._left = deque(message for message in self._left if message.partition() in self._partitions)
        if not self._left and not due:
            self.ready = bool(self._partitions) or self.ready
            return None
        group = membership(self._consumer)
        faults.point("after_poll", self.name_)
        return Polled(list(self._left), group)

    def _hold(self, full: bool) -> None:
        """Take no more records while there are enough; a poll serves rebalances all the same."""
        if full != self._held:
            (self._consumer.pause if full else self._consumer.resume)(self._consumer.assignment())
            self._held = full

    def work(self, polled: Polled) -> Worked:
        # Garbage is collected again after the commit, when what is published is gone: a collection in between would look
        # at all of it, and find nothing.
        gc.disable()
        try:
            return self._work(polled)
        except BaseException:
            gc.enable()
            raise

    def _work(self, polled: Polled) -> Worked:
        outs: list[Out] = []
        touched: dict[int, Partition] = {}
        received: list[int] = []
        taken = events = 0
        for message in polled.messages:
            partition = self._partitions[message.partition()]
            if message.offset() < partition.position:
                taken += 1
                continue
            record = self._decoded(message)
            if partition.engine.must_drain(record) or events >= self._settings.rate_batch_events:
                break
            done = with_basis(partition.apply(record, message.offset()), record, partition.store)
            outs += self._outs.of(partition.number, done)
            touched[partition.number] = partition
            taken += 1
            if isinstance(record, Pack):
                events += len(record.id)
                received.append(min(record.received))
        for partition in self._partitions.values():
            if partition.engine.has_due():
                effects = partition.engine.drain(self._settings.drain_accounts_max)
                outs += self._outs.of(partition.number, with_basis(effects, None, partition.store))
                touched[partition.number] = partition
        for _ in range(taken):
            self._left.popleft()
        metrics.BATCH.labels(self.name_).observe(taken)
        metrics.EVENTS.labels("rated").inc(events)
        faults.point("after_apply", self.name_)
        for partition in touched.values():
            outs += self._cells(partition)
        return Worked(polled, outs, list(touched.values()), received)

    def commit(self, worked: Worked) -> None:
        try:
            if worked.touched:
                self._commit(worked)
        finally:
            worked.outs.clear()
            gc.enable()

    def _commit(self, worked: Worked) -> None:
        offsets = [TopicPartition(self._topic, each.number, each.position) for each in worked.touched]
        try:
            self._transactions.commit(worked.outs, offsets, worked.polled.group)
        except Aborted as error:
            log.warning("rate: a transaction was aborted (%s), going back", error)
            self._undo(worked)
            return
        faults.point("after_commit", self.name_)
        now = clock.now()
        for partition in worked.touched:
            faults.point("before_ids", self.name_)
            partition.keep()
            self._tell(partition)
        for stamp in worked.received:
            metrics.LATENCY.observe(max(now - stamp, 0) / 1e6)
        self.ready = True

    def _wanted(self, message: Message) -> bool:
        check(message)
        return message.error() is None and message.partition() in self._partitions

    def _decoded(self, message: Message) -> Any:
        try:
            return decode_record(message.value() or b"")
        except UnknownRecord as error:
            raise Stop(
                f"rate: {self._topic} {message.partition()} at {message.offset()} holds {error}"
            ) from None

    def _cells(self, partition: Partition) -> Iterator[Out]:
        topic = self._names[topics.STATE.name]
        partition.mark()
        for bucket, member, value in partition.store.changes():
            yield Out(
                topic,
                partition.number,
                encode_key(bucket, member),
                None if value is None else encode_cell(value),
            )

    def _tell(self, partition: Partition) -> None:
        metrics.CELLS.labels(str(partition.number)).set(partition.store.count)
        metrics.IDS.labels(str(partition.number)).set(partition.ids.count())
        parked = len(partition.engine.parked)
        if parked != partition.parked:
            partition.parked = parked
            metrics.PARKED.labels(str(partition.number)).set(parked)
            for name, fault in partition.engine.parked.items():
                log.error("rate: account %s is parked at %s; mend the cause, then azotte unpark", name, fault)

    def _undo(self, worked: Worked) -> None:
        """The transaction did not happen: the state goes back to what is committed, and its records wait again."""
        self._left = deque(worked.polled.messages)
        for partition in worked.touched:
            partition.drop()

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        with ThreadPoolExecutor(RESTORES_AT_ONCE) as pool:
            tasks = [
                pool.submit(restore, self._settings, consumer, self._folder, each.partition, self.patience)
                for each in partitions
            ]
        for task in tasks:
            if task.exception() is None:
                # All that are open are known, so that they are closed where one of them failed.
                self._partitions[task.result().number] = task.result()
                self._tell(task.result())
        starts = [
            TopicPartition(self._topic, each.number, each.position) for each in (t.result() for t in tasks)
        ]
        gc.collect()
        gc.freeze()
        consumer.incremental_assign(starts)
        # Those that came are not held.
        self._held = False

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        self._forget([each.partition for each in partitions])
        consumer.incremental_unassign(partitions)

    def _lost(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        log.warning(
            "rate: partitions %s were lost to another worker", [each.partition for each in partitions]
        )
        self._revoked(consumer, partitions)

    def _forget(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            gone = self._partitions.pop(number, None)
            if gone is not None:
                gone.ids.close()
                for gauge in metrics.OF_PARTITION:
                    gauge.remove(str(number))

    def _log_uuid(self, admin: AdminClient) -> str:
        asked = admin.describe_topics(TopicCollection([self._topic]), request_timeout=ANSWER_S)
        return str(asked[self._topic].result().topic_id).replace("/", "_")
