"""Transactions in which an event and the record that says where it stands are written together: both or none."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from rating.records import Position
from rating.reservations import HoldKey
from streams.transaction import Out, Transactions

FLUSH_S = 1.0


class Writing(NamedTuple):
    """A reservation's record, made when it is known where its event is, if it has one."""

    key: HoldKey
    event: Out | None
    record: Callable[[Position | None], Out]


class Placing(Transactions):
    """Transactions that learn where their events are before they write of them. `places` has those of the last one."""

    places: dict[HoldKey, Position]

    def publish(self, writings: Iterable[Writing], offsets: Sequence[TopicPartition], group: Any) -> None:
        """As `commit`, which see for what it raises."""
        self._writings = list(writings)
        self.places = {}
        self.commit((), offsets, group)

    def _produce(self, producer: Producer, outs: Any) -> None:
        self.places = {}
        for each in self._writings:
            if each.event is not None:
                event = each.event
                producer.produce(
                    event.topic, event.value, event.key, on_delivery=functools.partial(self._placed, each.key)
                )
        waiting = sum(each.event is not None for each in self._writings)
        while waiting and len(self.places) < waiting:
            self._patience.check()
            if not producer.flush(FLUSH_S) and len(self.places) < waiting:
                raise KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT))
        super()._produce(producer, [each.record(self.places.get(each.key)) for each in self._writings])

    def _placed(self, key: HoldKey, error: Any, message: Any) -> None:
        if error is None:
            self.places[key] = Position(message.topic(), message.partition(), message.offset())
