"""One Kafka transaction: outputs and offsets together, or nothing.

A retriable error is tried again, one that asks for it aborts (`Aborted`: drop what was computed and rewind), a fatal one
ends the process (`Stop`): a producer that was fenced must not say another word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from streams import clock, faults, metrics
from streams.kafka import Stop, passing, transactional_producer
from streams.settings import Settings

TRIES_MAX = 20
SLOW_COMMIT_S = 1.0
PAUSE_S = 0.2
CALL_S = 30.0
QUEUE_POLL_S = 1.0


class Aborted(Exception):
    """The transaction did not happen."""


class Out(NamedTuple):
    """A record to publish, its topic's full name. `partition` -1 leaves it to the key."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]] | None = None


class Transactions:
    """A transactional producer, replaced where its last commit makes that wise."""

    def __init__(self, settings: Settings, name: str, stage: str) -> None:
        self._settings = settings
        self._name = name
        self._stage = stage
        self._producer: Producer | None = None

    def commit(self, outs: Iterable[Out], offsets: Sequence[TopicPartition], group: Any) -> None:
        """Publish `outs` and the offsets of `group` (its metadata at the poll). Raises `Aborted` or `Stop`."""
        began = clock.monotonic()
        producer = self._open()
        try:
            self._run(producer.begin_transaction)
            self._produce(producer, outs)
            faults.point("after_produce", self._stage)
            if offsets:
                self._run(lambda: producer.send_offsets_to_transaction(list(offsets), group, CALL_S))
            faults.point("after_offsets", self._stage)
            committing = clock.monotonic()
            again = self._run(lambda: producer.commit_transaction(CALL_S))
        except KafkaException as error:
            self._abort(producer, error)
        if again or clock.monotonic() - committing > SLOW_COMMIT_S:
            self._producer = None
        metrics.TRANSACTION.labels(self._stage).observe(clock.monotonic() - began)

    def _open(self) -> Producer:
        if self._producer is None:
            try:
                self._producer = transactional_producer(self._settings, self._name)
            except KafkaException as error:
                if not passing(error):
                    raise
                # Nothing has begun: the stage goes back and comes again, as long as the broker is away.
                raise Aborted(error.args[0].str()) from error
        return self._producer

    def _produce(self, producer: Producer, outs: Iterable[Out]) -> None:
        produce = producer.produce
        for number, out in enumerate(outs):
            while True:
                try:
                    produce(out.topic, out.value, out.key, out.partition, headers=out.headers)
                    break
                except BufferError:
                    producer.poll(QUEUE_POLL_S)
            if not number & 0x3FFF:
                producer.poll(0)

    def _run(self, call: Callable[[], object]) -> bool:
        """Call, again where that may help; whether it took more than one try."""
        for tried in range(TRIES_MAX):
            try:
                call()
                return tried > 0
            except KafkaException as error:
                if tried == TRIES_MAX - 1 or not error.args[0].retriable():
                    raise
                clock.pause(PAUSE_S)
        raise AssertionError("the last try returns or raises")

    def _abort(self, producer: Producer, error: KafkaException) -> None:
        reason = error.args[0]
        metrics.ABORTED.labels(self._stage).inc()
        self._producer = None
        if reason.fatal():
            raise Stop(
                f"{self._stage}: the producer is fenced or broken ({reason.str()}): another worker has its place"
            ) from error
        try:
            producer.abort_transaction(CALL_S)
        except KafkaException as second:
            if second.args[0].fatal():
                raise Stop(
                    f"{self._stage}: a transaction could not be aborted ({second.args[0].str()})"
                ) from second
        if reason.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            # It would be computed again and refused again, for ever.
            raise Stop(
                f"{self._stage}: a record is too large ({reason.str()}): raise max.message.bytes of its topic"
            )
        raise Aborted(reason.str()) from error
