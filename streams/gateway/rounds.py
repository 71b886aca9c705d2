"""What the gateway does now and then: ends holds whose events nothing will count, and forgets reservations that are over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from rating.reservations import Book, Hold, HoldKey, Place
from rating.times import DAY
from schemas import topics
from streams import clock, metrics
from streams.gateway.keeper import Keeper, Write
from streams.gateway.trail import Look, Trail
from streams.gateway.world import World
from streams.kafka import Stop, committed, plain_consumer, watermarks
from streams.normalize.service import GROUP as NORMALIZE
from streams.patience import passing
from streams.rate.service import GROUP as RATE
from streams.settings import Settings

EVERY_S = 1.0
KEPT = DAY
"""How long a reservation is known after its end: a request that is sent again within it has the same answer."""
FORGET_MAX = 1_000


class Rounds:
    """Goes round every second until it is cancelled. `at` says up to where each partition of the topics is read."""

    def __init__(
        self, settings: Settings, world: World, book: Book, keeper: Keeper, at: Mapping[Place, int]
    ) -> None:  # fmt: skip
        self._settings, self._world, self._book, self._keeper = settings, world, book, keeper
        self._told = [settings.topic(topic.name) for topic in (topics.ENTITLEMENTS, topics.LIMITS)]
        self._log = settings.topic(topics.LOG.name)
        self._trail = Trail(
            self._number, lambda number: tuple(at.get((topic, number), -1) for topic in self._told)
        )
        self._clients: tuple[Consumer, Consumer] | None = None

    async def run(self, failed: Callable[[str], None]) -> None:
        """Until cancelled; `failed` is told what cannot be mended."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self._once()
        except (Stop, KafkaException) as error:
            failed(f"gateway: {error}")
        finally:
            for client in self._clients or ():
                client.close()

    async def _once(self) -> None:
        now = clock.now()
        self._book.expire(now)
        metrics.GATEWAY_RESERVATIONS.set(len(self._book))
        holds = [hold for hold in self._book.under_way() if hold.origin is not None]
        if holds:
            numbers = sorted({self._number(hold) for hold in holds})
            places = sorted({(hold.origin.topic, hold.origin.partition) for hold in holds if hold.origin})
            look = await asyncio.get_running_loop().run_in_executor(None, self._look, places, numbers)
            if look is not None:
                async with self._keeper.turn:
                    self._settle(self._trail.past(self._book.under_way(), look))
        self._forget(self._book.forgettable(now - KEPT, FORGET_MAX))

    def _settle(self, keys: Sequence[HoldKey]) -> None:
        for key in keys:
            self._book.settle(key)

    def _forget(self, keys: Sequence[HoldKey]) -> None:
        for key in keys:
            hold = self._book.get(key)
            if hold is not None and self._keeper.owns(self._number(hold)):
                task = asyncio.ensure_future(self._keeper.write(Write(self._number(hold), hold, forget=True)))
                task.add_done_callback(_heard)

    def _number(self, hold: Hold) -> int:
        return self._world.partition(hold.key.tenant, hold.key.account)

    def _look(self, places: Sequence[Place], numbers: Sequence[int]) -> Look | None:
        """One look, in the order that `Trail` needs; `None` where the broker does not answer now."""
        try:
            if self._clients is None:
                self._clients = (
                    plain_consumer(self._settings, NORMALIZE, committed=False),
                    plain_consumer(self._settings, RATE, committed=False),
                )
            normalize, rate = self._clients
            normalized = committed(normalize, [TopicPartition(*place) for place in places])
            log_end = self._ends(self._log, numbers)
            rated = committed(rate, [TopicPartition(self._log, number) for number in numbers])
            told = [self._ends(topic, numbers) for topic in self._told]
        except KafkaException as error:
            if passing(error):
                return None
            raise
        return Look(
            {(each.topic, each.partition): each.offset for each in normalized},
            log_end,
            {each.partition: each.offset for each in rated},
            {number: tuple(ends[number] for ends in told) for number in numbers},
        )

    def _ends(self, topic: str, numbers: Sequence[int]) -> dict[int, int]:
        assert self._clients is not None
        return {number: watermarks(self._clients[0], TopicPartition(topic, number))[1] for number in numbers}


def _heard(task: asyncio.Future[None]) -> None:
    """A tombstone that was lost is written by whoever restores the partition: nobody waits for it."""
    if not task.cancelled():
        task.exception()
