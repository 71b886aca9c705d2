"""A partition's state, brought back: never an old state with a new offset.

In this order: the stable committed offset; where the changelog ends, open transactions included; the changelog, read
`read_committed`, past that end. The state carries its input position, and reading goes on from there: a committed offset
that is there and unequal stops the partition.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from rating.engine import Engine
from rating.records import Position, Record
from schemas import topics
from schemas.cells import decode_key, decode_value
from schemas.log import decode_record
from streams import clock
from streams.follower import end_of
from streams.kafka import Stop, check, committed, is_eof, plain_consumer
from streams.rate.ids import IdStore
from streams.rate.store import Store
from streams.settings import Settings
from streams.stage import log

CHUNK = 20_000
OFFSETS_S = 30.0
POSITION = ("position",)
ID_CHUNK_RECORDS = 200


class Partition:
    """One partition of the log in this worker: its state, its ids, its engine, and the next offset to read."""

    def __init__(self, number: int, store: Store, ids: IdStore, position: int) -> None:
        self.number = number
        self.store = store
        self.ids = ids
        self.position = position
        self.engine = Engine(store, ids, number)
        self.parked = -1


def restore(settings: Settings, consumer: Consumer, folder: Path, number: int) -> Partition:
    """Bring a partition back. Raises `Stop` where its state cannot be trusted."""
    began = clock.monotonic()
    topic = settings.topic(topics.LOG.name)
    offset = _offset(consumer, topic, number)
    store = _changelog(settings, number)
    held = store.get(POSITION)
    if held is not None and offset is not None and offset != held:
        raise Stop(
            f"rate: partition {number} of {topic} has a state at {held} but a committed offset {offset}: "
            f"reset the group's offset to {held} if the state is right"
        )
    position = held if held is not None else offset
    if position is None:
        low, _ = consumer.get_watermark_offsets(TopicPartition(topic, number), OFFSETS_S)
        if low != 0:
            raise Stop(
                f"rate: partition {number} of {topic} has neither state nor offset, and its log begins at {low}, not 0"
            )
        position = 0
    elif held is None and position != 0:
        raise Stop(
            f"rate: partition {number} of {topic} has offset {position} but no state: restore {topics.STATE.name}, or reset the offset to 0"
        )
    ids = _ids(settings, folder, topic, number, position)
    log.info(
        "rate: partition %d restored, %d cells, at %d, in %.1f s",
        number,
        store.count,
        position,
        clock.monotonic() - began,
    )
    return Partition(number, store, ids, position)


def _offset(consumer: Consumer, topic: str, number: int) -> int | None:
    (found,) = committed(consumer, [TopicPartition(topic, number)], OFFSETS_S)
    return None if found.offset < 0 else int(found.offset)


def _changelog(settings: Settings, number: int) -> Store:
    topic = settings.topic(topics.STATE.name)
    store = Store()
    for _, key, value in _records(settings, topic, number, OFFSET_BEGINNING, end_of(settings, topic, number)):
        bucket, member = decode_key(key or b"")
        store.load(bucket, member, None if value is None else decode_value(bucket, value))
    return store


def _records(
    settings: Settings, topic: str, number: int, start: int, end: int
) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """Committed records of `[start, end)`; waits for what is open in it."""
    if end == 0:
        return
    consumer = plain_consumer(settings, "azotte-restore")
    try:
        consumer.assign([TopicPartition(topic, number, start)])
        at = max(start, 0)
        while at < end:
            for message in consumer.consume(CHUNK, 0.2):
                if is_eof(message):
                    at = max(at, message.offset())
                    continue
                check(message)
                if message.error() is not None:
                    continue
                at = max(at, message.offset() + 1)
                if message.offset() < end:
                    yield message.offset(), message.key(), message.value()
    finally:
        consumer.close()


def _ids(settings: Settings, folder: Path, topic: str, number: int, position: int) -> IdStore:
    """The set of seen ids, complete up to the position."""
    ids = IdStore(folder / str(number))
    at, moment = ids.position()
    if at > position:
        log.warning("rate: the ids of partition %d are ahead of its state, building them anew", number)
        ids.wipe()
        at, moment = 0, 0
    if at == position:
        return ids
    rebuilt = Store()
    engine = Engine(rebuilt, ids, number)
    engine.begin_at(moment)
    began = clock.monotonic()
    start = at if at else OFFSET_BEGINNING
    for seen, (offset, _, value) in enumerate(_records(settings, topic, number, start, position), 1):
        if offset >= position:
            break
        record: Record = decode_record(value or b"")
        engine.recount(record, Position(topics.LOG.name, number, offset))
        if seen % ID_CHUNK_RECORDS == 0:
            ids.commit(offset + 1, engine.clock)
            rebuilt.merge()
    ids.commit(position, engine.clock)
    log.info(
        "rate: ids of partition %d brought up from %d to %d in %.1f s",
        number,
        at,
        position,
        clock.monotonic() - began,
    )
    return ids
