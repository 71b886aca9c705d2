"""A partition's state, brought back: never an old state with a new offset.

In this order: the stable committed offset; where the changelog ends, open transactions included; the changelog, read
`read_committed`, past that end. The state carries its input position, and reading goes on from there: a committed offset
that is there and unequal stops the partition. So does a state of another version: it is never gone on with by other rules.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from rating import logclock
from rating.effects import Effect
from rating.engine import Engine
from rating.history import LogReader, no_log
from rating.records import Position, Record
from rating.state import STATE_VERSION
from schemas import topics
from schemas.cells import decode_key, decode_value
from schemas.log import decode_record
from streams import clock
from streams.kafka import Stop, committed, watermarks
from streams.patience import Patience
from streams.rate.history import log_reader
from streams.rate.ids import IdStore, Reach
from streams.rate.store import Store
from streams.reader import Reader, end_of
from streams.settings import Settings
from streams.stage import log

POSITION = ("position",)
VERSION = ("version",)
"""The cell that says by which rules the state was made."""
ID_CHUNK_RECORDS = 200


class Partition:
    """One partition of the log in this worker: its state, its ids, its engine, and the next offset to read.

    `log` makes what reads the partition again, up to an offset that it is told.
    """

    def __init__(
        self,
        number: int,
        store: Store,
        ids: IdStore,
        position: int,
        log: Callable[[Callable[[], int]], LogReader] = lambda end: no_log,
    ) -> None:
        self.number = number
        self.store = store
        self.ids = ids
        self.position = position
        self.engine = Engine(store, ids, number, log(lambda: self.position))
        self.parked = -1

    def apply(self, record: Record, offset: int) -> list[Effect]:
        """Rate the record at an offset."""
        self.position = offset + 1
        return self.engine.apply(record, Position(topics.LOG.name, self.number, offset))

    def mark(self) -> None:
        """Put into the state how far it is, and by which rules."""
        self.store.put(POSITION, "", self.position)
        if self.store.get(VERSION) != STATE_VERSION:
            self.store.put(VERSION, "", STATE_VERSION)

    def keep(self) -> None:
        """The transaction is committed: cells, then ids."""
        self.store.merge()
        self.ids.commit(Reach(self.position, self.engine.clock, logclock.accept_past(self.store)))

    def drop(self) -> None:
        """It did not happen: back to what is committed."""
        self.store.drop()
        self.ids.drop()
        self.engine.reset()
        self.position = self.store.get(POSITION) or 0


def restore(
    settings: Settings, consumer: Consumer, folder: Path, number: int, patience: Patience
) -> Partition:
    """Bring a partition back. Raises `Stop` where its state cannot be trusted, `Stopping` where we are to stop."""
    began = clock.monotonic()
    topic = settings.topic(topics.LOG.name)
    place = TopicPartition(topic, number)
    (found,) = patience(lambda: committed(consumer, [place]))
    offset = None if found.offset < 0 else int(found.offset)
    store = _changelog(settings, number, patience)
    held = store.get(POSITION)
    made = store.get(VERSION)
    if held is not None and made != STATE_VERSION:
        raise Stop(
            f"rate: partition {number} of {topic} has a state of version {made or 'none'}, not {STATE_VERSION}: run the release "
            f"that made it; CHANGELOG.md says under 'invalidates state' how to move on"
        )
    if held is not None and offset is not None and offset != held:
        raise Stop(
            f"rate: partition {number} of {topic} has a state at {held} but a committed offset {offset}: "
            f"reset the group's offset to {held} if the state is right"
        )
    position = held if held is not None else offset
    if position is None:
        low, _ = patience(lambda: watermarks(consumer, place))
        if low != 0:
            raise Stop(
                f"rate: partition {number} of {topic} has neither state nor offset, and its log begins at {low}, not 0"
            )
        position = 0
    elif held is None and position != 0:
        raise Stop(
            f"rate: partition {number} of {topic} has offset {position} but no state: restore {topics.STATE.name}, or reset the offset to 0"
        )
    ids = IdStore(folder / str(number))
    try:
        _bring_up(ids, settings, number, position, patience)
    except BaseException:
        ids.close()
        raise
    log.info(
        "rate: partition %d restored, %d cells, at %d, in %.1f s",
        number,
        store.count,
        position,
        clock.monotonic() - began,
    )
    return Partition(number, store, ids, position, lambda end: log_reader(settings, number, patience, end))


def _changelog(settings: Settings, number: int, patience: Patience) -> Store:
    topic = settings.topic(topics.STATE.name)
    store = Store()
    end = end_of(settings, topic, patience, number)
    reader = Reader(settings, "azotte-restore", topic, number)
    try:
        for message in reader.to(end, patience):
            value = message.value()
            bucket, member = decode_key(message.key() or b"")
            if message.offset() < end:
                store.load(bucket, member, None if value is None else decode_value(bucket, value))
    finally:
        reader.close()
    return store


def _bring_up(ids: IdStore, settings: Settings, number: int, position: int, patience: Patience) -> None:
    """Make the set of seen ids complete up to the position, from the log."""
    reach = ids.reach()
    if reach.position > position:
        log.warning("rate: the ids of partition %d are ahead of its state, building them anew", number)
        ids.wipe()
        reach = ids.reach()
    if reach.position == position:
        return
    rebuilt = Store()
    engine = Engine(rebuilt, ids, number)
    engine.begin_at(reach.clock)
    if reach.accept_past:
        logclock.settle(rebuilt, reach.accept_past)
    began = clock.monotonic()
    reader = Reader(
        settings,
        "azotte-restore",
        settings.topic(topics.LOG.name),
        number,
        reach.position or OFFSET_BEGINNING,
    )
    try:
        for seen, message in enumerate(reader.to(position, patience), 1):
            offset = message.offset()
            if offset >= position:
                break
            record: Record = decode_record(message.value() or b"")
            engine.recount(record, Position(topics.LOG.name, number, offset))
            if seen % ID_CHUNK_RECORDS == 0:
                rebuilt.merge()
                ids.commit(Reach(offset + 1, engine.clock, logclock.accept_past(rebuilt)))
    finally:
        reader.close()
    ids.commit(Reach(position, engine.clock, logclock.accept_past(rebuilt)))
    log.info(
        "rate: ids of partition %d brought up from %d to %d in %.1f s",
        number,
        reach.position,
        position,
        clock.monotonic() - began,
    )
