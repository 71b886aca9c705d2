"""The log of one partition, read again: what a change needs that is dated back over usage.

From the first record that was received at a moment or later, up to the one that is being rated. Such changes are rare, so
a reading of its own costs less than keeping every event in state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from confluent_kafka import TopicPartition

from rating.history import LogReader
from rating.records import Record
from rating.times import HOUR
from schemas import topics
from schemas.log import decode_record
from streams import clock
from streams.kafka import plain_consumer, watermarks
from streams.patience import Patience
from streams.reader import Reader
from streams.settings import Settings
from streams.stage import log

ANSWER_S = 10.0
SKEW = HOUR
"""The log's timestamps are the worker's clock, the receipts of usage the broker's: that much may the first be behind."""


def log_reader(settings: Settings, number: int, patience: Patience, end: Callable[[], int]) -> LogReader:
    """What reads the partition; `end` is the offset after the record that is being rated."""
    topic = settings.topic(topics.LOG.name)

    def read(since: int) -> Iterator[Record]:
        until, began = end(), clock.monotonic()
        start = _first(settings, topic, number, since - SKEW, patience)
        reader = Reader(settings, "azotte-history", topic, number, start)
        try:
            for message in reader.to(until, patience):
                if message.offset() < until:
                    yield decode_record(message.value() or b"")
            log.info(
                "rate: partition %d read again from %d to %d for a change that is dated back, in %.1f s",
                number,
                start,
                until,
                clock.monotonic() - began,
            )
        finally:
            reader.close()

    return read


def _first(settings: Settings, topic: str, number: int, since: int, patience: Patience) -> int:
    """The first offset whose record came at the moment (µs) or later; the log's end where there is none."""
    consumer = plain_consumer(settings, "azotte-history")
    asked = TopicPartition(topic, number, max(since, 0) // 1_000)
    try:
        (found,) = patience(lambda: consumer.offsets_for_times([asked], ANSWER_S))
        if found.offset >= 0:
            return int(found.offset)
        return patience(lambda: watermarks(consumer, TopicPartition(topic, number)))[1]
    finally:
        consumer.close()
