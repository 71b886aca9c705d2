"""The directory as it is on its compacted topic: read to the end at start, then followed."""

from __future__ import annotations

import msgspec
from confluent_kafka import OFFSET_BEGINNING, TopicPartition

from rating.directory import Directory
from schemas import topics
from streams.kafka import check, is_eof, plain_consumer
from streams.settings import Settings

CHUNK = 10_000
END_S = 10.0


class Follower:
    """Folds the topic into a `Directory`; only what is committed is seen."""

    def __init__(self, settings: Settings) -> None:
        self.directory = Directory()
        self._settings = settings
        self._topic = settings.topic(topics.DIRECTORY.name)
        self._consumer = plain_consumer(settings, "azotte-directory")
        self._consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])

    def to_end(self) -> None:
        """Read on to what is the end now, waiting for transactions that are open."""
        unseen = end_of(self._settings, self._topic)
        at = 0
        while at < unseen:
            for message in self._consumer.consume(CHUNK, 0.2):
                if is_eof(message):
                    at = max(at, message.offset())
                    continue
                check(message)
                if message.error() is not None:
                    continue
                self._put(message.key(), message.value())
                at = max(at, message.offset() + 1)

    def poll(self) -> None:
        """Read on what is there, without waiting."""
        for message in self._consumer.consume(CHUNK, 0):
            if is_eof(message):
                continue
            check(message)
            if message.error() is None:
                self._put(message.key(), message.value())

    def close(self) -> None:
        self._consumer.close()

    def _put(self, key: bytes, value: bytes | None) -> None:
        self.directory.put(key.decode(), None if value is None else msgspec.json.decode(value))


def end_of(settings: Settings, topic: str, partition: int = 0) -> int:
    """The offset after the last record, those of open transactions included."""
    consumer = plain_consumer(settings, "azotte-ends", committed=False)
    try:
        return int(consumer.get_watermark_offsets(TopicPartition(topic, partition), END_S)[1])
    finally:
        consumer.close()
