"""One Kafka transaction: outputs and offsets together, or nothing.

An error that passes is waited out. One before the commit means that nothing happened (`Aborted`: drop what was computed
and rewind). One of the commit itself leaves open what happened (`Anew`: read what is committed). A producer that failed
says not another word: the next one takes its transactional id, which fences it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, NoReturn

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from streams import clock, faults, metrics
from streams.kafka import Anew, Stop, transactional_producer
from streams.patience import Patience, passes
from streams.settings import Settings

FAILURES_MAX = 20
"""So many in a row, none of them the broker's absence, will not mend by themselves."""
SLOW_COMMIT_S = 1.0
PAUSE_S = 0.2
CALL_S = 5.0
"""Then the call is made again and goes on where it was; between two, the process may be told to stop."""
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
    """A transactional producer, replaced where it failed or its last commit makes that wise."""

    def __init__(self, settings: Settings, name: str, stage: str, patience: Patience) -> None:
        self._settings = settings
        self._name = name
        self._stage = stage
        self._patience = patience
        self._producer: Producer | None = None
        self._failures = 0

    def commit(self, outs: Iterable[Out], offsets: Sequence[TopicPartition], group: Any) -> None:
        """Publish `outs` and the offsets of `group` (its metadata at the poll).

        Raises `Aborted` where it did not happen, `Anew` where that is not known, `Stop` where trying again cannot help,
        and `Stopping`, which may leave it open: the process is at its end, and whoever is next reads what is committed.
        """
        began = clock.monotonic()
        producer = self.open()
        try:
            producer.begin_transaction()
            self._produce(producer, outs)
            faults.point("after_produce", self._stage)
            self._call(lambda: producer.send_offsets_to_transaction(list(offsets), group, CALL_S))
            faults.point("after_offsets", self._stage)
        except KafkaException as error:
            self._abort(producer, error)
        committing = clock.monotonic()
        try:
            again = self._call(lambda: producer.commit_transaction(CALL_S))
        except KafkaException as error:
            # The broker may have done it and died before it said so.
            self._failed(error)
            self._check_size(error)
            raise Anew(f"whether a transaction was committed is not known ({_words(error)})") from error
        self._failures = 0
        if again or clock.monotonic() - committing > SLOW_COMMIT_S:
            self._producer = None
        metrics.TRANSACTION.labels(self._stage).observe(clock.monotonic() - began)

    def open(self) -> Producer:
        """Take the transactional id: what its last owner left open is aborted, and nobody waits for its timeout."""
        if self._producer is None:
            producer = transactional_producer(self._settings, self._name)
            self._call(lambda: producer.init_transactions(CALL_S))
            self._producer = producer
        return self._producer

    def _produce(self, producer: Producer, outs: Iterable[Out]) -> None:
        produce = producer.produce
        for number, out in enumerate(outs):
            while True:
                try:
                    produce(out.topic, out.value, out.key, out.partition, headers=out.headers)
                    break
                except BufferError:
                    self._patience.check()
                    producer.poll(QUEUE_POLL_S)
            if not number & 0x3FFF:
                producer.poll(0)

    def _call(self, call: Callable[[], object]) -> bool:
        """Call again while the error passes: the client goes on where it was, also with a commit that it has sent.

        Whether it took more than one call.
        """
        calls = 0

        def tried() -> KafkaException | None:
            nonlocal calls
            calls += 1
            try:
                call()
            except KafkaException as error:
                if error.args[0].txn_requires_abort():
                    return error
                raise
            return None

        refused = self._patience(tried)
        if refused is not None:
            raise refused
        return calls > 1

    def _abort(self, producer: Producer, error: KafkaException) -> NoReturn:
        """End what was not committed. A producer that cannot is fenced, by the broker or by the next one."""
        reason = error.args[0]
        self._failed(error)
        if not reason.fatal():
            try:
                self._call(lambda: producer.abort_transaction(CALL_S))
                self._check_size(error)
                if not (reason.txn_requires_abort() or passes(reason)):
                    raise Stop(f"{self._stage}: a transaction cannot be made ({_words(error)})") from error
            except KafkaException as second:
                raise Aborted(f"{_words(error)}, then {_words(second)}") from error
        raise Aborted(_words(error)) from error

    def _check_size(self, error: KafkaException) -> None:
        """Raise `Stop` for a record that is too large: it would be computed again and refused again."""
        if error.args[0].code() == KafkaError.MSG_SIZE_TOO_LARGE:
            raise Stop(
                f"{self._stage}: a record is too large ({_words(error)}): raise max.message.bytes of its topic"
            ) from error

    def _failed(self, error: KafkaException) -> None:
        metrics.ABORTED.labels(self._stage).inc()
        self._producer = None
        self._failures += 1
        if self._failures > FAILURES_MAX:
            raise Stop(
                f"{self._stage}: {self._failures} transactions failed in a row ({_words(error)})"
            ) from error
        self._patience.pause(PAUSE_S)


def _words(error: KafkaException) -> str:
    reason: KafkaError = error.args[0]
    return f"the producer is fenced or broken: {reason.str()}" if reason.fatal() else reason.str()
