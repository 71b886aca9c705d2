"""The directory is read to an end that counts open transactions, then followed."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError

from rating.directory import subject_key
from streams import follower as module
from streams.follower import Follower
from streams.kafka import Stop
from streams.patience import Patience
from streams.reader import end_of
from tests.unit.streams.fakes import Consumer, Message, end, settings

HELD = b'{"account": "cust-1", "since": 0, "removed": null, "previous": []}'
LOST = KafkaError(KafkaError._TRANSPORT)
GONE = KafkaError(KafkaError._AUTO_OFFSET_RESET)
PATIENCE = Patience("normalize", lambda: False)
WAYS = {"to_end": lambda found: found.to_end(PATIENCE), "poll": Follower.poll}


def row(offset: int, name: str, value: bytes | None = HELD) -> Message:
    return Message(offset, value, subject_key("acme", name).encode())


def follow(
    monkeypatch: pytest.MonkeyPatch, unseen: int, *batches: list[Message]
) -> tuple[Follower, Consumer]:
    consumer = Consumer(*batches)
    monkeypatch.setattr("streams.reader.plain_consumer", lambda *_, **__: consumer)
    monkeypatch.setattr(module, "end_of", lambda *_: unseen)
    return Follower(settings(topic_prefix="p.")), consumer


def test_it_reads_to_the_end_and_no_further_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = follow(
        monkeypatch, 3, [row(0, "a")], [], [row(1, "b"), row(2, "a", None)], [row(3, "c")]
    )
    found.to_end(PATIENCE)
    assert [found.directory.known("acme", name) for name in "abc"] == [False, True, False]
    assert [(each.topic, each.offset) for each in consumer.assigned] == [("p.rating.directory.v1", -2)]
    found.poll()
    assert found.directory.known("acme", "c")
    found.close()
    assert consumer.closed


def test_the_end_of_a_transaction_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = follow(monkeypatch, 4, [row(0, "a")], [end(2)], [end(4)])
    found.to_end(PATIENCE)
    assert not consumer.batches


def test_an_empty_topic_needs_no_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    found, consumer = follow(monkeypatch, 0, [row(0, "a")])
    found.to_end(PATIENCE)
    assert len(consumer.batches) == 1


@pytest.mark.parametrize("way", ["to_end", "poll"])
def test_a_lost_connection_is_waited_out_and_a_lost_place_stops(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    found, _ = follow(monkeypatch, 1, [Message(-1, b"lost", b"x", error=LOST), row(0, "a")])
    WAYS[way](found)
    assert found.directory.known("acme", "a")
    found, _ = follow(monkeypatch, 1, [Message(-1, b"lost", b"x", error=GONE)])
    with pytest.raises(Stop, match="cannot be read"):
        WAYS[way](found)


def test_an_end_counts_what_is_not_committed_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer(marks=(3, 17))
    seen: list[Any] = []

    def made(*_: Any, **options: Any) -> Consumer:
        seen.append(options)
        return consumer

    monkeypatch.setattr("streams.reader.plain_consumer", made)
    assert end_of(settings(), "t", PATIENCE) == 17
    assert seen == [{"committed": False}]
    assert consumer.closed
