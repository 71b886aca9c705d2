"""A dead letter is written until the broker has it, and read as it was written."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.kafka import Anew
from streams.notify.dead import DeadLetters, Letter, read_letter
from streams.patience import Patience
from tests.unit.streams.fakes import settings

LETTER = Letter("crm", "acme/a/chat@2026-11-22T10:00:00Z", b"{}", "answered 500", 16, ("p.billing.x", 3, 7))


class Producer:
    """Delivers with the errors that a test says, one for each record, then well."""

    def __init__(self, *errors: KafkaError | None) -> None:
        self.errors = deque(errors)
        self.sent: list[tuple[Any, ...]] = []
        self._told: list[Any] = []

    def produce(self, topic: str, value: Any, key: Any, headers: Any, on_delivery: Any) -> None:
        self.sent.append((topic, key, value, headers))
        self._told.append(on_delivery)

    def flush(self, seconds: float) -> int:
        for told in self._told:
            told(self.errors.popleft() if self.errors else None, None)
        self._told.clear()
        return 0


def writer(producer: Producer) -> DeadLetters:
    found = DeadLetters(settings(topic_prefix="p."), Patience("notify", lambda: False))
    setattr(found, "_producer", producer)  # noqa: B010 - a stand-in
    return found


class Message:
    """A record of the topic."""

    def __init__(self, sent: tuple[Any, ...]) -> None:
        self._sent = sent

    def key(self) -> Any:
        return self._sent[1]

    def value(self) -> Any:
        return self._sent[2]

    def headers(self) -> Any:
        return self._sent[3]


def test_a_letter_is_read_as_it_was_written() -> None:
    producer = Producer()
    writer(producer).put([LETTER, LETTER._replace(body=None)])
    one, tombstone = (read_letter(Message(each)) for each in producer.sent)
    assert producer.sent[0][0] == "p.webhooks.undelivered.v1"
    assert one == LETTER
    assert tombstone == Letter("crm", LETTER.id, None)
    assert producer.sent[1][3] is None


def test_what_the_broker_does_not_take_now_is_written_again() -> None:
    producer = Producer(None, KafkaError(KafkaError._MSG_TIMED_OUT))
    other = LETTER._replace(id="2")
    writer(producer).put([LETTER, other])
    assert [each[1] for each in producer.sent] == [LETTER.key, other.key, other.key]


def test_what_it_never_takes_is_an_error() -> None:
    with pytest.raises(KafkaException):
        writer(Producer(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))).put([LETTER])
    with pytest.raises(Anew, match="dead letters failed"):
        writer(Producer(KafkaError(KafkaError._FENCED, "gone", fatal=True))).put([LETTER])
