"""Reads the compacted topics from their beginning and goes on: a thread that hands over what is committed, in order."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import threading
from collections.abc import Awaitable, Callable, Sequence

from confluent_kafka import OFFSET_BEGINNING, KafkaException, Message, TopicPartition

from schemas import topics
from streams.kafka import Stop, check, is_eof, partitions_of, plain_consumer
from streams.patience import Patience, Stopping
from streams.settings import Settings

FOLLOWED = (topics.DIRECTORY, topics.ENTITLEMENTS, topics.LIMITS)
CHUNK = 5_000
WAIT_S = 0.1
Take = Callable[[Sequence[Message]], Awaitable[None]]


class Following:
    """`take` gets chunks of records on the event loop, the next after it is done with the last.

    `ready` is set when every partition was read to its end once; `failed` is told, from the thread, what cannot be mended.
    """

    def __init__(self, settings: Settings, take: Take, failed: Callable[[str], None]) -> None:
        self._settings = settings
        self._take = take
        self._failed = failed
        self._stopped = threading.Event()
        self._patience = Patience("gateway", self._stopped.is_set)
        self._loop = asyncio.get_running_loop()
        self.at: dict[tuple[str, int], int] = {}
        """Up to where each partition is read and taken."""
        self._unread: set[tuple[str, int]] = set()
        self._thread = threading.Thread(target=self._run, name="gateway-follow", daemon=True)
        self.ready = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    async def stop(self) -> None:
        """End; what was handed over is done."""
        self._stopped.set()
        if self._thread.ident is not None:
            await self._loop.run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        try:
            consumer = plain_consumer(self._settings, "azotte-gateway-follow")
            try:
                places = [
                    TopicPartition(name, number, OFFSET_BEGINNING)
                    for name in (self._settings.topic(topic.name) for topic in FOLLOWED)
                    for number in range(self._patience(functools.partial(partitions_of, consumer, name)))
                ]
                self._unread = {(place.topic, place.partition) for place in places}
                consumer.assign(places)
                while not self._stopped.is_set():
                    self._hand_over(consumer.consume(CHUNK, WAIT_S))
            finally:
                consumer.close()
        except Stopping:
            return
        except Stop as error:
            self._failed(str(error))
        except KafkaException as error:
            self._failed(f"gateway: {error.args[0].str()}")

    def _hand_over(self, found: Sequence[Message]) -> None:
        records, reached = [], {}
        for message in found:
            place = message.topic(), message.partition()
            if is_eof(message):
                self._unread.discard(place)
                reached[place] = message.offset()
                continue
            check(message)
            if message.error() is None:
                records.append(message)
                reached[place] = message.offset() + 1
        if records:
            handed = asyncio.run_coroutine_threadsafe(_as_coroutine(self._take(records)), self._loop)
            while not self._stopped.is_set():
                try:
                    handed.result(WAIT_S)
                    break
                except concurrent.futures.TimeoutError:
                    continue
        self.at |= reached
        self.ready = self.ready or not self._unread


async def _as_coroutine(taken: Awaitable[None]) -> None:
    await taken
