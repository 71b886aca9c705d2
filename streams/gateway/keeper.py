"""Keeps reservations: a member of a group that owns partitions of `billing.reservations.v1`, and writes what is decided.

    decide (the event loop) → write → one transaction for all that came meanwhile → answer

A partition is restored from the topic before anything is decided on it: past the end that it had when it was assigned,
open transactions included. Every transaction sends offsets with the group's metadata, so that a member that was thrown out
commits nothing. An event that a reservation becomes is in the same transaction as its record, with its place on the raw
topic: both or none. While a transaction is under way nothing is taken from the topics (`turn`), so no figure that counts an
event is seen before it is known where the event is.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, TopicPartition

from rating.records import Position
from rating.reservations import Book, Hold, HoldKey
from schemas import topics
from schemas.reservations import encode_hold, encode_key
from streams import faults
from streams.gateway.members import GROUP
from streams.gateway.placing import Placing, Writing
from streams.gateway.restore import restored
from streams.kafka import group_consumer, membership, partitions_of
from streams.normalize.service import _host
from streams.settings import Settings
from streams.slot import Slot
from streams.stage import Stage, log
from streams.transaction import Aborted, Out

TURN_S = 0.05
"""How long a member that has nothing to write goes without serving its group."""
LINGER_S = 0.001


class Lost(Exception):
    """Whether it was written is not known, or another gateway has the partition now: ask again, with the same id."""


class Write(NamedTuple):
    """A reservation to write; with `event`, key and value of a usage event, both together. `forget` writes a tombstone."""

    number: int
    hold: Hold
    event: tuple[bytes, bytes] | None = None
    forget: bool = False


class _Waiting(NamedTuple):
    """A write, and who waits for it."""

    write: Write
    answers: tuple[asyncio.Future[None], ...]

    def settle(self) -> None:
        """It is written."""
        for answer in self.answers:
            if not answer.done():
                answer.set_result(None)

    def lose(self) -> None:
        """It is not, or nobody knows."""
        for answer in self.answers:
            if not answer.done():
                answer.set_exception(Lost())
                # Whoever waited may have left.
                answer.exception()


class Keeper(Stage):
    """See the module. Everything but `open`, `poll`, `commit` and `close` runs on the event loop."""

    name_ = "gateway"

    def __init__(
        self, settings: Settings, slot: Slot, book: Book, failed: Callable[[str], None], address: str = ""
    ) -> None:
        """`address` is where other gateways reach this one."""
        super().__init__(failed)
        self._address = address
        self._settings = settings
        self._book = book
        self._topic, self._events = (
            settings.topic(topic.name) for topic in (topics.RESERVATIONS, topics.EVENTS)
        )
        self._transactions = Placing(settings, f"{GROUP}-{_host(slot)}", self.name_, self.patience)
        self._pending: dict[HoldKey, _Waiting] = {}
        self._on_way: dict[HoldKey, _Waiting] = {}
        self._joined = False
        self._wake = asyncio.Event()
        self._numbers: dict[int, int] = {}
        self._unannounced: set[int] = set()
        self._changes: list[tuple[int, list[Hold] | None]] = []
        self._kept: dict[int, set[HoldKey]] = {}
        self.turn = asyncio.Lock()

    def owns(self, number: int) -> bool:
        """Whether what is in a partition is decided here."""
        return number in self._kept

    def write(self, write: Write) -> asyncio.Future[None]:
        """Done when the broker has it; `Lost` where that does not come to pass. What is decided of it while it waits is written
        with it.

        It waits from this very call on, so nothing comes between what was decided and this: not the end of its partition.
        """
        key = write.hold.key
        before = self._pending.get(key)
        answers = (asyncio.get_running_loop().create_future(),) if before is None else before.answers
        # As it is now: while it is on its way, more may be decided of it, which another record will say.
        event = write.event if before is None else write.event or before.write.event
        write = write._replace(hold=replace(write.hold), event=event)
        self._kept[write.number].add(key)
        self._pending[key] = _Waiting(write, answers)
        self._wake.set()
        return asyncio.shield(answers[0])

    def written(self, key: HoldKey) -> asyncio.Future[None]:
        """Done when what was decided of a reservation up to this call is written; `Lost` as with `write`."""
        waiting = self._pending.get(key) or self._on_way.get(key)
        if waiting is not None:
            return asyncio.shield(waiting.answers[0])
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def open(self) -> None:
        self._numbers, self._unannounced = {}, set()
        self._transactions.open()
        self._consumer = group_consumer(self._settings, GROUP, "latest")
        self._closers.append(self._consumer.close)
        for topic in (self._topic, self._events):
            self.patience(functools.partial(partitions_of, self._consumer, topic))
        self._consumer.subscribe(
            [self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def poll(self) -> Any:
        """Serve the group; its metadata, which fences what is written with it."""
        # Nothing is read here: assigned partitions are paused.
        self._consumer.consume(1, 0)
        self._announce()
        if self._numbers:
            return membership(self._consumer)
        # There may be more gateways than partitions: one that has none sends on what it is asked.
        self._joined = bool(self._consumer.memberid())
        return None

    def _announce(self) -> None:
        """Say where those are asked that came to us: the others send on to whoever said so last (`members`)."""
        if not self._unannounced:
            return
        try:
            self._consumer.commit(offsets=self._offsets(self._unannounced), asynchronous=False)
        except KafkaException as error:
            # A rebalance, or no broker: again at the next turn, for what is ours then.
            log.info("gateway: its partitions could not be announced yet (%s)", error.args[0].str())
        else:
            self._unannounced.clear()

    def _offsets(self, numbers: Iterable[int]) -> list[TopicPartition]:
        return [
            TopicPartition(self._topic, number, self._numbers[number], self._address)
            for number in sorted(numbers)
        ]

    def work(self, polled: Any) -> Any:
        return polled

    def commit(self, worked: tuple[Sequence[Write], Any]) -> None:
        """Write in one transaction, again where it was aborted. Raises `Anew` where what happened is not known."""
        writes, group = worked
        touched = {write.number for write in writes}
        offsets = self._offsets(touched)
        while True:
            try:
                self._transactions.publish(self._writings(writes), offsets, group)
                faults.point("after_commit", self.name_)
                return
            except Aborted as error:
                log.warning("gateway: a transaction was aborted (%s), trying again", error)
                # Served in between, so that a member that was thrown out hears of it and stops trying.
                group = self.poll()
                if touched & {number for number, _ in self._changes}:
                    raise Lost from None

    async def _once(self) -> None:
        await self._until_there_is_something()
        async with self.turn:
            group = await self._lane(self.poll)
            self._apply()
            if self._pending:
                self._on_way, self._pending = self._pending, {}
            if self._on_way and group is not None:
                await self._written(group)
        self.ready = self.ready or self._joined or bool(self._kept)

    async def _written(self, group: Any) -> None:
        writes = [waiting.write for waiting in self._on_way.values()]
        try:
            await self._lane(lambda: self.commit((writes, group)))
        except Lost:
            self._again()
        else:
            self._settle()

    async def _until_there_is_something(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), TURN_S)
            # Whoever asked at the same moment is in the same transaction.
            await asyncio.sleep(LINGER_S)
        except TimeoutError:
            pass
        self._wake.clear()

    async def _life(self) -> None:
        try:
            await super()._life()
        finally:
            self._again()
            self._changes.clear()
            for number in list(self._kept):
                self._drop(number)

    def _again(self) -> None:
        """What is on its way waits again, with what was decided of it since: what is not ours any more will be lost."""
        on_way, self._on_way = self._on_way, {}
        for key, waiting in on_way.items():
            later = self._pending.get(key)
            if later is not None:
                waiting = waiting._replace(
                    write=later.write._replace(event=later.write.event or waiting.write.event),
                    answers=(*waiting.answers, *later.answers),
                )
            self._pending[key] = waiting

    def _settle(self) -> None:
        for key, waiting in self._on_way.items():
            origin = self._transactions.places.get(key)
            if origin is not None:
                self._book.place(key, origin)
            if waiting.write.forget:
                self._book.drop(key)
                self._kept[waiting.write.number].discard(key)
            waiting.settle()
        self._on_way = {}

    def _apply(self) -> None:
        """Partitions that came and went, in their order."""
        for number, holds in self._changes:
            self._drop(number)
            if holds is not None:
                self._kept[number] = {hold.key for hold in holds}
                for hold in holds:
                    self._book.put(hold)
        self._changes.clear()

    def _drop(self, number: int) -> None:
        for key in self._kept.pop(number, ()):
            self._book.drop(key)
            waiting = self._pending.pop(key, None)
            if waiting is not None:
                waiting.lose()

    def _writings(self, writes: Sequence[Write]) -> Iterator[Writing]:
        for write in writes:
            hold = write.hold
            event = None if write.event is None else Out(self._events, -1, *write.event)
            yield Writing(hold.key, event, functools.partial(self._record, write))

    def _record(self, write: Write, origin: Position | None) -> Out:
        value = None if write.forget else encode_hold(write.hold, origin or write.hold.origin)
        return Out(self._topic, write.number, encode_key(write.hold.key), value)

    def _assigned(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        places = []
        for each in partitions:
            end, holds = restored(self._settings, each.partition, self.patience)
            self._numbers[each.partition] = end
            self._unannounced.add(each.partition)
            self._changes.append((each.partition, holds))
            places.append(TopicPartition(self._topic, each.partition, end))
        consumer.incremental_assign(places)
        consumer.pause(places)

    def _revoked(self, consumer: Any, partitions: Sequence[TopicPartition]) -> None:
        for each in partitions:
            self._numbers.pop(each.partition, None)
            self._unannounced.discard(each.partition)
            self._changes.append((each.partition, None))
        consumer.incremental_unassign(partitions)
