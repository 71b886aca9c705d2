"""RATE around the engine: one transaction has lines, cells, position and offsets; an abort leaves no trace."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from rating.directory import Directory
from rating.records import LogSettings, Record, Tick
from rating.state import STATE_VERSION
from rating.times import DAY, HOUR, parse_time
from schemas import topics
from schemas.cells import decode_key, decode_value
from schemas.charges import as_json
from schemas.log import encode_record
from schemas.registry import Memory
from schemas.rejected import RawRecord
from streams import metrics
from streams.control.batch import take
from streams.kafka import Stop
from streams.normalize.batch import Meterings, Rules, normalize
from streams.rate.ids import IdStore
from streams.rate.outs import Outs
from streams.rate.restore import POSITION, VERSION, Partition
from streams.rate.service import RateStage
from streams.rate.store import Store
from streams.transaction import Aborted
from tests.contract import world
from tests.unit.streams.fakes import Consumer, Message, settings
from tests.unit.streams.normalize.test_service import Transactions

LOG = "rating.log.v1"


def log_of(*inputs: tuple[str, Any]) -> list[Record]:
    """The records of a log of one partition that commands, events and clocks make."""
    directory, meterings = Directory(), Meterings()
    rules = Rules(1, HOUR, 10_000, 100, 100_000)
    found: list[Record] = [LogSettings(35 * DAY, HOUR, 1)]
    for offset, (kind, value) in enumerate(inputs):
        if kind == "tick":
            found.append(Tick(parse_time(value)))
            continue
        record = RawRecord("raw", 0, offset, parse_time(value["time"]), None, json.dumps(value).encode())
        if kind == "command":
            output: Any = take(record, directory, 1, HOUR)
            for key, row in output.directory:
                directory.put(key, row)
            found += [each for _, each in output.log]
        else:
            found += [pack for _, pack in normalize([record], directory, meterings, rules).packs]
    return found


CATALOG = {
    "id": "catalog",
    "tenant": "acme",
    "type": "apply_catalog",
    "time": "2026-01-01T00:00:00Z",
    "catalog": world.CATALOG,
}
USED = log_of(("command", CATALOG), world.INPUT[0], ("event", world.FIRST), ("tick", "2026-01-05T11:00:00Z"))
CLOSED = log_of(
    ("command", CATALOG), world.INPUT[0], ("event", world.FIRST), ("tick", "2026-02-01T02:00:00Z")
)


class Bench:
    """A stage that owns partition 0 of the log, from its beginning."""

    def __init__(self, tmp_path: Path, **fields: Any) -> None:
        slot: Any = SimpleNamespace(folder=tmp_path / "0", number=0)
        self.stage = RateStage(settings(**fields), slot, lambda words: None)
        self.partition = Partition(0, Store(), IdStore(tmp_path / "ids"), 0)
        self.consumer, self.transactions = Consumer(), Transactions()
        for name in ("consumer", "transactions"):
            setattr(self.stage, f"_{name}", getattr(self, name))
        self.stage._partitions = {0: self.partition}
        self.stage._closers.append(lambda: self.stage._forget([0]))
        self.stage._tell(self.partition)
        self.stage._outs = Outs(self.stage._settings, 8, self.stage.patience)

    def cycle(self, *messages: Message) -> Any:
        self.consumer.batches.append(messages)
        polled = self.stage.poll()
        if polled is not None:
            self.stage.commit(self.stage.work(polled))
        return polled

    def out(self, topic: topics.Topic) -> list[Any]:
        """What the last transaction published on a topic."""
        outs, _, _ = self.transactions.done[-1]
        return [out for out in outs if out.topic == topic.name]

    def cells(self) -> dict[Any, Any]:
        """What the last transaction wrote of state."""
        keyed = [(decode_key(out.key), out.value) for out in self.out(topics.STATE)]
        return {key: None if value is None else decode_value(key[0], value) for key, value in keyed}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.stage.close()


def messages(log: list[Record], start: int = 0) -> list[Message]:
    return [
        Message(offset, encode_record(record), topic=LOG)
        for offset, record in enumerate(log)
        if offset >= start
    ]


def test_lines_cells_position_and_offsets_are_one_transaction(bench: Bench) -> None:
    bench.cycle(*messages(USED))
    lines = [json.loads(out.value) for out in bench.out(topics.CHARGES)]
    assert {line["charge"] for line in lines} == {"base", "input", "calls", "people"}
    assert all((out.partition, out.key) == (0, b"acme/cust-1") for out in bench.out(topics.CHARGES))
    assert bench.cells()[POSITION, ""] == len(USED)
    assert bench.cells()[VERSION, ""] == STATE_VERSION
    _, offsets, group = bench.transactions.done[-1]
    assert ([offset[:2] for offset in offsets], group) == ([(0, len(USED))], "generation 1")
    assert bench.partition.ids.reach() == (len(USED), parse_time("2026-01-05T11:00:00Z"), 35 * DAY)
    assert bench.partition.store.get(POSITION) == len(USED)
    assert bench.stage.ready


def test_however_the_log_is_polled_the_lines_are_the_same(bench: Bench, tmp_path: Path) -> None:
    bench.cycle(*messages(USED))
    whole = [out.value for out in bench.out(topics.CHARGES)]
    other = Bench(tmp_path / "other")
    single = []
    for message in messages(USED):
        other.cycle(message)
        single += [out.value for out in other.out(topics.CHARGES)]
    other.stage.close()
    assert single == whole


def test_a_record_is_rated_once_and_another_workers_never(bench: Bench) -> None:
    bench.cycle(*messages(USED))
    stranger = Message(9, encode_record(Tick(1)), topic=LOG, partition=5)
    bench.cycle(*messages(USED), stranger)
    assert len(bench.transactions.done) == 1
    assert bench.partition.position == len(USED)


def test_an_abort_leaves_no_trace_and_the_same_comes_again(bench: Bench) -> None:
    bench.cycle(*messages(USED[:3]))
    before = bench.partition.position
    bench.transactions.fail = Aborted("as the test says")
    bench.cycle(*messages(USED, start=3))
    assert bench.partition.position == before
    assert list(bench.partition.store.changes()) == []
    assert bench.partition.ids.reach().position == before
    bench.cycle()
    assert bench.partition.position == len(USED)
    assert {json.loads(out.value)["charge"] for out in bench.out(topics.CHARGES)} >= {
        "input",
        "calls",
        "people",
    }


def test_timers_drain_without_input_and_send_the_offset_that_did_not_move(bench: Bench) -> None:
    bench.cycle(*messages(CLOSED))
    drained = [json.loads(out.value)["kind"] for out in bench.out(topics.CHARGES)]
    for _ in range(20):
        if bench.cycle() is None:
            break
        drained += [json.loads(out.value)["kind"] for out in bench.out(topics.CHARGES)]
        assert [offset[:2] for offset in bench.transactions.done[-1][1]] == [(0, len(CLOSED))]
    assert {"close", "minimum", "fee", "usage"} <= set(drained)
    assert bench.cycle() is None


def test_a_record_of_a_newer_program_stops_and_names_its_place(bench: Bench) -> None:
    with pytest.raises(Stop, match=r"rating\.log\.v1 0 at 0 holds a record of kind"):
        bench.cycle(Message(0, b"\x92\xa1z\x01", topic=LOG))


def test_what_is_over_a_bound_waits_for_the_next_transaction(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rate_batch_events=1)
    again = {**world.FIRST, "id": "e9"}
    log = log_of(("command", CATALOG), world.INPUT[0], ("event", world.FIRST), ("event", again))
    bench.cycle(*messages(log))
    assert bench.partition.position == len(log) - 1
    bench.cycle()
    assert bench.partition.position == len(log)
    bench.stage.close()


def partitions_told() -> set[str]:
    return {
        sample.labels["partition"]
        for gauge in metrics.OF_PARTITION
        for metric in gauge.collect()
        for sample in metric.samples
    }


def test_a_partition_that_is_revoked_takes_its_gauges_and_its_waiting_records_along(bench: Bench) -> None:
    bench.cycle(*messages(USED))
    assert "0" in partitions_told()
    bench.stage._revoked(bench.consumer, [TopicPartition(LOG, 0)])
    assert not partitions_told()
    assert bench.cycle(*messages(CLOSED, start=len(USED))) is None


def test_charge_lines_are_written_in_avro_where_the_settings_say_so(bench: Bench, tmp_path: Path) -> None:
    bench.cycle(*messages(USED))
    plain = [json.loads(out.value) for out in bench.out(topics.CHARGES)]
    name = uuid.uuid4().hex
    avro = Bench(tmp_path / "avro", charges_format="avro", schema_registry_url=f"mock://{name}")
    avro.cycle(*messages(USED))
    values = [out.value for out in avro.out(topics.CHARGES)]
    avro.stage.close()
    assert all(value[:1] == b"\x00" for value in values)
    assert [json.loads(as_json(value, Memory(name))) for value in values] == plain
