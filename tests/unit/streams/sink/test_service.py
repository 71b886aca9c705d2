"""SINK around its inserts: what it reads on from, what it commits when, and lines in Avro."""

from __future__ import annotations

import json
import uuid
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from confluent_kafka import KafkaError, TopicPartition

from schemas.charges import encoder
from schemas.registry import Memory
from sinks.clickhouse.tables import Taken
from streams.kafka import Stop
from streams.sink.service import SinkStage
from tests.unit.schemas.test_charges import LINE
from tests.unit.streams.fakes import Consumer, Message, settings
from tests.unit.streams.kafka_errors import AWAY, raised

CHARGES, EVENTS = "billing.charges.v1", "usage.rejected.v1"


def stage(**fields: Any) -> SinkStage:
    found = SinkStage(
        settings(clickhouse_url="http://house:1/azotte", sink_linger="0s", **fields), lambda words: None
    )
    setattr(found, "_origins", SimpleNamespace(check=lambda: None))  # noqa: B010 - a stand-in
    return found


def taken(value: bytes | None, offset: int = 0, topic: str = CHARGES) -> Taken:
    return Taken(topic, 0, offset, 5, b"acme/cust-1", value)


def tables(found: SinkStage, *records: Taken) -> dict[str, int]:
    return {each.table: each.rows.num_rows for each in found.work(list(records)).rows}


def ready(found: SinkStage) -> SinkStage:
    setattr(found, "_meters", SimpleNamespace())  # noqa: B010 - charge lines need none
    return found


def test_a_line_in_avro_is_the_row_of_the_same_line_in_json() -> None:
    name = uuid.uuid4().hex
    found = ready(stage(schema_registry_url=f"mock://{name}"))
    values = [msgspec.json.encode(LINE), encoder(CHARGES, Memory(name))(LINE)]
    one, other = (found.work([taken(value)]).rows for value in values)
    assert one[0].table == other[0].table == "charges_rows"
    assert one[0].rows.to_pylist() == other[0].rows.to_pylist()


@pytest.mark.parametrize("value", [b"\x00\x00\x00\x00\x09x", b"\x00", b"{", b"", None])
def test_a_line_that_cannot_be_read_is_kept_and_its_neighbours_go_on(value: bytes | None) -> None:
    found = ready(stage(schema_registry_url=f"mock://{uuid.uuid4().hex}"))
    sound = json.dumps(LINE).encode()
    assert tables(found, taken(sound), taken(value, 1), taken(sound, 2)) == {
        "charges_rows": 2,
        "errors_rows": 1,
    }


def test_a_batch_says_up_to_where_and_how_old_it_is() -> None:
    sound = json.dumps(LINE).encode()
    worked = ready(stage(topic_prefix="p.")).work([taken(sound, 7), taken(sound, 9)])
    assert (worked.offsets, worked.oldest) == ({(f"p.{CHARGES}", 0): 10}, 5)


def assign(found: SinkStage, offset: int, begins: int, topic: str = CHARGES) -> list[int]:
    consumer: Any = Consumer(committed=[[TopicPartition(topic, 0, offset)]], marks=(begins, 100))
    found._assigned(consumer, [TopicPartition(topic, 0)])
    return [each.offset for each in consumer.assigned]


@pytest.mark.parametrize(("offset", "begins", "start"), [(5, 0, 5), (-1001, 0, 0), (-1001, 3, 3), (5, 5, 5)])
def test_it_reads_on_from_what_it_committed_or_from_the_beginning(
    offset: int, begins: int, start: int
) -> None:
    assert assign(stage(), offset, begins) == [start]


def test_records_that_were_deleted_before_they_were_inserted_stop_it_where_they_bill(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Stop, match="was deleted up to 9, and 4 records before it were never inserted"):
        assign(stage(), 5, 9)
    assert assign(stage(), 5, 9, EVENTS) == [9]
    assert "4 records of usage.rejected.v1 0 outlived their retention" in caplog.text


def test_an_offset_is_taken_once_and_another_workers_partition_never() -> None:
    found = stage()
    assign(found, 5, 0)
    messages: list[Any] = [
        Message(number, b"{}", topic=CHARGES, partition=part)
        for number, part in ((4, 0), (5, 0), (5, 0), (5, 1), (6, 0))
    ]
    assert [each.offset for each in found._taken(messages)] == [5, 6]
    found._revoked(Consumer(), [TopicPartition(CHARGES, 0)])
    assert found._taken(messages) == []


class Committing(Consumer):
    """Keeps the offsets that are committed, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error
        self.done: dict[int, int] = {}

    def commit(self, offsets: Any, asynchronous: bool) -> None:
        if self.error is not None:
            raise self.error
        self.done |= {each.partition: each.offset for each in offsets}


@pytest.mark.parametrize("error", [None, AWAY, raised(KafkaError.ILLEGAL_GENERATION)])
def test_offsets_are_committed_after_the_insert_and_a_refusal_costs_nothing(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ready(stage())
    inserted: list[str] = []
    monkeypatch.setattr(found, "_insert", lambda rows: inserted.append(rows.table))
    consumer: Any = Committing(error)
    assign(found, 5, 0)
    found._consumer = consumer
    found.commit(found.work([taken(json.dumps(LINE).encode(), 5)]))
    assert inserted == ["charges_rows"]
    assert consumer.done == ({0: 6} if error is None else {})


def test_a_batch_of_a_partition_that_is_gone_commits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ready(stage())
    monkeypatch.setattr(found, "_insert", lambda rows: None)
    consumer: Any = Committing()
    found._consumer = consumer
    found.commit(found.work([taken(json.dumps(LINE).encode(), 5)]))
    assert consumer.done == {}
