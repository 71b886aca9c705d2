"""While rating has enough in memory its partitions are held: nothing comes, and what comes after is all of it, once."""

from __future__ import annotations

import pathlib
import uuid
from collections import defaultdict
from typing import Any, cast

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.kafka import group_consumer
from streams.rate.service import RateStage
from streams.settings import load_settings
from streams.slot import take
from tests.integration import ledger

PARTITIONS, RECORDS = 3, 2_000
CALL_S = 30
HELD_POLLS = 20


def test_what_is_held_comes_later_and_once(
    kafka: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZOTTE_KAFKA_BOOTSTRAP_SERVERS", kafka)
    settings, topic = load_settings(), f"held-{uuid.uuid4().hex[:8]}"
    # It must outlive what it promised.
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(CALL_S)
    producer = Producer({"bootstrap.servers": kafka})
    for number in range(RECORDS):
        for partition in range(PARTITIONS):
            producer.produce(topic, str(number).encode(), partition=partition)
    assert producer.flush(CALL_S) == 0
    slot = take(tmp_path / "home")
    stage = RateStage(settings, slot, pytest.fail)
    consumer: Consumer = group_consumer(settings, topic, "earliest")
    cast(Any, stage)._consumer = consumer
    consumer.subscribe([topic])
    found: dict[int, list[int]] = defaultdict(list)
    held: list[Any] = []

    def all_came() -> bool:
        stage._hold(False)
        for message in consumer.consume(97, 0.5):
            assert message.error() is None
            found[message.partition()].append(message.offset())
        if consumer.assignment():
            stage._hold(True)
            held.extend(message for _ in range(HELD_POLLS) for message in consumer.consume(1, 0))
        return sum(map(len, found.values())) >= PARTITIONS * RECORDS

    ledger.until(
        all_came, 120, "every record", lambda: {each: len(offsets) for each, offsets in found.items()}
    )
    consumer.close()
    slot.close()
    assert held == []
    assert dict(found) == {partition: list(range(RECORDS)) for partition in range(PARTITIONS)}
