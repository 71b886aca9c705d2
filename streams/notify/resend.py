"""Sending dead letters again: each that is not delivered by now, once; a tombstone follows those that were taken.

The topic is read twice. First keys alone, to know which record of each key is the last one, and whether that is a
tombstone; then the bodies, a few in hand at a time. So memory goes by how many are dead, not by what they say.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from confluent_kafka import Message

from schemas import topics
from sinks.webhooks import post
from streams import clock
from streams.kafka import partitions_of, plain_consumer
from streams.notify.courier import PARALLEL, Courier
from streams.notify.dead import DeadLetters, Letter, read_letter
from streams.patience import Patience
from streams.reader import Reader, end_of
from streams.settings import Settings

GROUP = "azotte-webhooks-retry"
HAND = 200
Place = tuple[int, int]


class Resend:
    """The dead letters that there are when it is made, written since a time (µs)."""

    def __init__(self, settings: Settings, since: int) -> None:
        self._settings = settings
        self._topic = settings.topic(topics.UNDELIVERED.name)
        self._patience = Patience("webhooks", lambda: False)
        self._ends = self._all_ends()
        self._last: dict[bytes, Place] = {}
        for place, message in self._read():
            key = message.key() or b""
            self._last.pop(key, None)
            if message.value() is not None and message.timestamp()[1] * 1_000 >= since:
                self._last[key] = place
        self.sent = self.failed = 0

    def left(self) -> Counter[str]:
        """How many of each address are dead still."""
        return Counter(key.decode("utf-8", "replace").partition("/")[0] for key in self._last)

    def send(self, addresses: Collection[str]) -> Iterator[str]:
        """Send those of these addresses; a line for each that was not taken."""
        couriers = {
            name: Courier(self._settings, name, lambda: False, clock.now, random.random) for name in addresses
        }
        writer = DeadLetters(self._settings, self._patience)
        hand: list[Letter] = []
        for place, message in self._read():
            letter = read_letter(message)
            if letter.address in couriers and self._last.get(letter.key) == place:
                hand.append(letter)
            if len(hand) == HAND:
                yield from self._deliver(hand, couriers, writer)
                hand.clear()
        yield from self._deliver(hand, couriers, writer)

    def _deliver(
        self, hand: Sequence[Letter], couriers: dict[str, Courier], writer: DeadLetters
    ) -> Iterator[str]:
        answers = asyncio.run(_answers(hand, couriers, self._settings.webhook_timeout / 1e6))
        taken = [letter for letter, answer in zip(hand, answers, strict=True) if answer.taken]
        writer.put([letter._replace(body=None) for letter in taken])
        for letter in taken:
            del self._last[letter.key]
        self.sent += len(taken)
        self.failed += len(hand) - len(taken)
        for letter, answer in zip(hand, answers, strict=True):
            if not answer.taken:
                yield f"{letter.address} does not take {letter.id}: {answer.words}"

    def _all_ends(self) -> list[int]:
        consumer = plain_consumer(self._settings, GROUP)
        try:
            count = self._patience(lambda: partitions_of(consumer, self._topic))
        finally:
            consumer.close()
        return [end_of(self._settings, self._topic, self._patience, number) for number in range(count)]

    def _read(self) -> Iterator[tuple[Place, Message]]:
        for number, end in enumerate(self._ends):
            reader = Reader(self._settings, GROUP, self._topic, number)
            try:
                for message in reader.to(end, self._patience):
                    if message.offset() < end:
                        yield (number, message.offset()), message
            finally:
                reader.close()


async def _answers(
    hand: Sequence[Letter], couriers: dict[str, Courier], timeout_s: float
) -> list[post.Answer]:
    gate = asyncio.Semaphore(PARALLEL)

    async def one(letter: Letter) -> post.Answer:
        async with gate:
            return await couriers[letter.address].send(session, letter.id, letter.body or b"")

    async with post.session(timeout_s) as session:
        return await asyncio.gather(*map(one, hand))
