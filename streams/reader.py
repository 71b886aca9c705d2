"""One partition of a topic as a reader outside every group sees it: only what is committed, from an offset to an end."""

from __future__ import annotations

from collections.abc import Iterator

from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition

from streams import clock
from streams.kafka import check, is_eof, plain_consumer, watermarks
from streams.patience import Patience, log
from streams.settings import Settings

CHUNK = 20_000
WAIT_S = 0.2
TELL_S = 30.0


class Reader:
    """A consumer of one partition, and how far it has come: `at` is the offset after the last that was seen."""

    def __init__(
        self, settings: Settings, group: str, topic: str, number: int = 0, start: int = OFFSET_BEGINNING
    ) -> None:
        self.at = max(start, 0)
        self._name = f"{topic} {number}"
        self._consumer = plain_consumer(settings, group)
        self._consumer.assign([TopicPartition(topic, number, start)])

    def to(self, end: int, patience: Patience) -> Iterator[Message]:
        """Committed records up to `end`, and what comes with them; waits for transactions that are open before it.

        Raises `Stopping`, and `Stop` where the topic cannot be read.
        """
        told = clock.monotonic()
        while self.at < end:
            patience.check()
            before = self.at
            yield from self.there(WAIT_S)
            if self.at > before:
                told = clock.monotonic()
            elif clock.monotonic() - told > TELL_S:
                told = clock.monotonic()
                log.warning("%s waits at %d for what is open before %d", self._name, self.at, end)

    def there(self, wait_s: float = 0) -> Iterator[Message]:
        """What is there."""
        for message in self._consumer.consume(CHUNK, wait_s):
            if is_eof(message):
                self.at = max(self.at, message.offset())
                continue
            check(message)
            if message.error() is None:
                self.at = max(self.at, message.offset() + 1)
                yield message

    def close(self) -> None:
        """Leave the topic."""
        self._consumer.close()


def end_of(settings: Settings, topic: str, patience: Patience, number: int = 0) -> int:
    """The offset after the last record, those of open transactions included."""
    consumer = plain_consumer(settings, "azotte-ends", committed=False)
    try:
        return patience(lambda: watermarks(consumer, TopicPartition(topic, number)))[1]
    finally:
        consumer.close()
