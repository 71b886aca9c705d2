"""NOTIFY as a stage: what one address wants of the billing topics, sent until it is delivered or dead, then committed.

Each address has a stage of its own, with its own group, thread and window, so one that is slow or away delays nobody else.
A batch is not one transaction here but one round: whatever is due is tried once, and the offsets before what is still
pending are committed. Killed in between, the next worker sends the same webhooks again, with the same ids.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Message, TopicPartition

from schemas import topics
from schemas.avro import Unreadable
from schemas.charges import as_json
from schemas.registry import UnknownSchema
from schemas.webhooks import BY_TOPIC, NotARecord, Webhook, may_be, webhook_of
from streams import clock, faults, metrics
from streams.connection import schemas_of
from streams.kafka import Anew, check, committed, gather, group_consumer, watermarks
from streams.notify.access import Access
from streams.notify.courier import Courier
from streams.notify.dead import DeadLetters
from streams.notify.window import Place, Window
from streams.patience import passing
from streams.reader import Reader
from streams.settings import Settings
from streams.stage import Stage, log

GROUP = "azotte-notify-"
POLL_S = 0.1
CHUNK = 500
"""Most records of one poll: so many more than `webhook_in_flight` may be held."""


class Taken(NamedTuple):
    """A record that may become a webhook. `stamp`: when it was written, in microseconds."""

    place: Place
    offset: int
    key: bytes
    value: bytes | None
    stamp: int


class NotifyStage(Stage):
    """See the module. `work` runs in the agent, all else in the stage's thread."""

    def __init__(self, settings: Settings, name: str, failed: Callable[[str], None]) -> None:
        self._name, self.name_ = name, f"notify-{name}"
        super().__init__(failed)
        self._settings = settings
        self._address = settings.webhooks[name]
        self._group = GROUP + name
        wanted = [topic for topic, types in BY_TOPIC.items() if any(map(self._address.wants_type, types))]
        self._names = {settings.topic(topic.name): topic.name for topic in wanted}
        self._window = Window()
        self._access: dict[Place, Access] = {}
        self._schemas = schemas_of(settings)
        self._courier = Courier(settings, name, lambda: self.should_stop, clock.now, random.random)
        self._full = False

    def open(self) -> None:
        """Join the group."""
        self._window.clear()
        self._access.clear()
        self._full = False
        self._dead = DeadLetters(self._settings, self.patience)
        self._runner = asyncio.Runner()
        self._consumer = group_consumer(self._settings, self._group, "error")
        self._closers += [self._runner.close, self._consumer.close]
        self._consumer.subscribe(
            list(self._names), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self) -> list[Taken] | None:
        """What came, if anything did or something is due; while the window is full nothing is taken."""
        full = len(self._window) >= self._settings.webhook_in_flight
        if full or self._full:
            # Paused, not left alone: a member that does not poll holds up its group.
            places = self._consumer.assignment()
            (self._consumer.pause if full else self._consumer.resume)(places)
        self._full = full
        due = self._window.next_due()
        wait = POLL_S if due is None else min(POLL_S, max(0, due - clock.now()) / 1e6)
        messages = gather(self._consumer, CHUNK, wait)
        taken = [found for each in messages if (found := self._taken(each)) is not None]
        self.ready = True
        if not messages and (due is None or due > clock.now()):
            return None
        faults.point("after_poll", "notify")
        return taken

    def work(self, polled: list[Taken]) -> list[tuple[Taken, Webhook]]:
        """Records to webhooks."""
        found = []
        for each in polled:
            try:
                webhook = self._webhook(each)
            except (NotARecord, Unreadable, UnknownSchema) as error:
                metrics.WEBHOOKS_UNREADABLE.inc()
                log.error(
                    "%s: %s %d at %d is no record of ours: %s", self.name_, *each.place, each.offset, error
                )
                continue
            if webhook is not None and self._address.wants(webhook):
                found.append((each, webhook))
        return found

    def _webhook(self, taken: Taken) -> Webhook | None:
        topic = self._names[taken.place[0]]
        if topic == topics.ENTITLEMENTS.name:
            access = self._access.get(taken.place)
            return None if access is None else access.flip(taken.key, taken.value, taken.stamp)
        value = taken.value or b""
        if topic == topics.CHARGES.name and self._schemas is not None:
            schemas = self._schemas
            value = self.patience(lambda: as_json(value, schemas))
        return webhook_of(topic, value)

    def commit(self, worked: list[tuple[Taken, Webhook]]) -> None:
        """Send what is due, put the dead aside, then commit what is done."""
        for taken, webhook in worked:
            self._window.add(taken.place, taken.offset, webhook)
        chains = self._window.chains(clock.now())
        if chains:
            dead = self._runner.run(self._courier.round(chains, self._window.done))
            faults.point("after_delivery", "notify")
            self._dead.put([letter for _, letter in dead])
            for delivery, _ in dead:
                self._window.done(delivery)
            metrics.WEBHOOKS_PENDING.labels(self._name).set(len(self._window))
        self._commit_offsets()
        faults.point("after_commit", "notify")

    # Kafka

    def _commit_offsets(self) -> None:
        offsets = [TopicPartition(*place, offset) for place, offset in self._window.offsets().items()]
        try:
            if offsets:
                # Not waited for: where an offset is lost, its webhooks are sent again, with the same ids.
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            log.warning("%s: offsets could not be committed: %s", self.name_, error.args[0].str())

    def _taken(self, message: Message) -> Taken | None:
        check(message)
        place, offset = (message.topic(), message.partition()), message.offset()
        if message.error() is not None or not self._window.take(place, offset):
            return None
        value = message.value()
        if value is not None and not may_be(self._names[place[0]], value):
            return None
        return Taken(place, offset, message.key() or b"", value, message.timestamp()[1] * 1_000)

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        asked = [TopicPartition(each.topic, each.partition) for each in partitions]
        found = [self._start(consumer, each) for each in self.patience(lambda: committed(consumer, asked))]
        for each in found:
            place = each.topic, each.partition
            self._window.assign(place, each.offset)
            if self._names[each.topic] == topics.ENTITLEMENTS.name:
                self._access[place] = self._learnt(place, each.offset)
        consumer.incremental_assign(found)

    def _start(self, consumer: Any, found: TopicPartition) -> TopicPartition:
        """Where to read on: a new address begins with what comes from now on, and that is committed before anything comes."""
        begin, end = self.patience(lambda: watermarks(consumer, found))
        start = TopicPartition(found.topic, found.partition, max(begin, found.offset))
        if found.offset < 0:
            start = TopicPartition(found.topic, found.partition, end)
            try:
                self.patience(lambda: consumer.commit(offsets=[start], asynchronous=False))
            except KafkaException as error:
                if passing(error):
                    raise
                raise Anew(f"where to begin could not be committed ({error.args[0].str()})") from error
        elif found.offset < begin:
            log.error(
                "%s: %d records of %s %d were deleted before they were told of", self.name_, begin - found.offset,
                found.topic, found.partition,
            )  # fmt: skip
        return start

    def _learnt(self, place: Place, offset: int) -> Access:
        """What access was before the offset."""
        access = Access(clock.now())
        reader = Reader(self._settings, f"{self._group}-reader", *place)
        try:
            for message in reader.to(offset, self.patience):
                if message.offset() < offset:
                    access.learn(message.key() or b"", message.value())
        finally:
            reader.close()
        return access

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        for each in partitions:
            self._window.revoke((each.topic, each.partition))
            self._access.pop((each.topic, each.partition), None)
        consumer.incremental_unassign(partitions)
