"""CONTROL around its batch: what one transaction has, the clock's ticks, and how it comes back."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from rating.directory import LOG, Directory
from rating.records import Command, LogSettings, Tick
from rating.times import HOUR
from schemas.log import decode_record
from streams.control import service as module
from streams.control.service import ControlStage
from streams.kafka import Stop
from streams.transaction import Aborted
from tests.unit.streams.fakes import Consumer, Message, settings
from tests.unit.streams.kafka_errors import AWAY, FENCED
from tests.unit.streams.normalize.test_service import Transactions

NOW = 1_772_323_200_000_000
RAW = "usage.events.v1"
CANCEL = {
    "id": "c1",
    "tenant": "acme",
    "account": "cust-1",
    "type": "cancel",
    "time": "2026-03-01T00:00:00Z",
    "subscription": "s",
    "at": "now",
}


class Ticker:
    """Keeps what was produced."""

    def __init__(self) -> None:
        self.ticks: list[tuple[int, int]] = []

    def produce(self, topic: str, value: bytes, partition: int) -> None:
        found = decode_record(value)
        assert isinstance(found, Tick)
        self.ticks.append((partition, found.clock))

    def poll(self, timeout: float) -> None:
        """Nothing to serve."""


class Bench:
    """A stage that owns the commands' partition from offset 2, over 3 partitions of the log and 2 raw ones."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, began_with: int | None = 3) -> None:
        monkeypatch.setattr("streams.clock.now", lambda: NOW)
        self.now = 0.0
        monkeypatch.setattr("streams.clock.monotonic", lambda: self.now)
        self.directories = 0
        self.began_with = began_with

        def follower(given: Any) -> Any:
            self.directories += 1
            directory = Directory()
            if self.began_with is not None:
                directory.put(
                    LOG, {"partitions": self.began_with, "accept_past": 35 * 24 * HOUR, "accept_future": HOUR}
                )
            return SimpleNamespace(directory=directory, to_end=lambda patience: None, close=lambda: None)

        monkeypatch.setattr(module, "Follower", follower)
        slot: Any = SimpleNamespace(folder=tmp_path / "0", number=0)
        self.stage = ControlStage(settings(), slot, lambda words: None)
        self.consumer, self.receipts, self.ticker, self.transactions = (
            Consumer(),
            Consumer(),
            Ticker(),
            Transactions(),
        )
        for name in ("consumer", "receipts", "ticker", "transactions"):
            setattr(self.stage, f"_{name}", getattr(self, name))
        self.stage._log_partitions, self.stage._raw = 3, {RAW: 2}

    def own(self, offset: int = 2) -> None:
        self.consumer.answers.append([TopicPartition("billing.commands.v1", 0, offset)])
        self.stage._assigned(self.consumer, [TopicPartition("billing.commands.v1", 0)])

    def reached(self, *receipts: int | None) -> None:
        """What the normalizers say that they have reached, by raw partition."""
        self.receipts.answers.append(
            [
                TopicPartition(RAW, number, 1, "" if each is None else str(each))
                for number, each in enumerate(receipts)
            ]
        )

    def cycle(self, *messages: Message) -> Any:
        self.consumer.batches.append(messages)
        polled = self.stage.poll()
        if polled is not None:
            self.stage.commit(self.stage.work(polled))
        return polled


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    return Bench(monkeypatch, tmp_path)


def command(offset: int, **changed: Any) -> Message:
    value = json.dumps({**CANCEL, **changed}).encode()
    return Message(offset, value, b"acme/cust-1", topic="billing.commands.v1", stamp=NOW // 1_000)


def test_a_new_log_begins_with_the_settings_that_rating_depends_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = Bench(monkeypatch, tmp_path, began_with=None)
    bench.own()
    bench.cycle()
    ((outs, offsets, _),) = bench.transactions.done
    directory, *log = outs
    assert (directory.topic, directory.key) == ("rating.directory.v1", LOG.encode())
    assert [(each.topic, each.partition) for each in log] == [
        ("rating.log.v1", number) for number in range(3)
    ]
    assert {decode_record(each.value) for each in log} == {LogSettings(35 * 24 * HOUR, HOUR, 3)}
    assert [offset[:2] for offset in offsets] == [(0, 2)]


def test_commands_and_rejections_are_one_transaction_and_the_next_sees_what_they_did(bench: Bench) -> None:
    bench.own()
    bench.reached(0, 0)
    bench.cycle(command(2), command(3, type="cancle"), command(4, id="c2"))
    ((outs, offsets, group),) = bench.transactions.done
    assert [out.topic for out in outs] == [
        "rating.directory.v1",
        "rating.log.v1",
        "usage.rejected.v1",
        "rating.log.v1",
    ]
    assert isinstance(decode_record(outs[1].value), Command)
    assert (outs[2].key, json.loads(outs[2].value)["type"]) == (b"acme/cust-1", "cancle")
    assert ([offset[:2] for offset in offsets], group) == ([(0, 5)], "generation 1")


def test_an_abort_reads_the_directory_again_and_keeps_the_commands(bench: Bench) -> None:
    bench.own()
    bench.reached(0, 0)
    bench.transactions.fail = Aborted("as the test says")
    bench.consumer.answers.append([TopicPartition("billing.commands.v1", 0, 2)])
    bench.cycle(command(2))
    assert (bench.directories, bench.transactions.done) == (2, [])
    bench.now = 0.1
    bench.cycle()
    ((outs, offsets, _),) = bench.transactions.done
    assert (len(outs), [offset[:2] for offset in offsets]) == (2, [(0, 3)])


def test_the_clock_is_the_smallest_receipt_that_all_raw_partitions_reached(bench: Bench) -> None:
    bench.own()
    for receipts, ticked in (((5, None), None), ((7, 6), 6), ((9, 6), None), ((9, 8), 8), ((4, 4), None)):
        bench.ticker.ticks.clear()
        bench.reached(*receipts)
        bench.now += 1
        bench.cycle()
        assert bench.ticker.ticks == ([] if ticked is None else [(number, ticked) for number in range(3)])


def test_it_ticks_once_an_interval_and_waits_with_a_broker_that_is_away(bench: Bench) -> None:
    bench.own()
    bench.receipts.answers.append(AWAY)
    bench.cycle()
    bench.reached(5, 5)
    bench.cycle()
    assert not bench.ticker.ticks
    bench.now = 1
    bench.cycle()
    assert len(bench.ticker.ticks) == 3
    bench.receipts.answers.append(FENCED)
    bench.now = 2
    with pytest.raises(type(FENCED)):
        bench.cycle()


def test_a_worker_that_does_not_own_the_commands_is_ready_and_silent(bench: Bench) -> None:
    assert bench.cycle() is None
    assert bench.stage.ready
    bench.own()
    bench.stage._revoked(bench.consumer, [])
    assert bench.cycle(command(2)) is None
    assert not bench.ticker.ticks


def test_changed_settings_are_written_into_the_log(bench: Bench) -> None:
    bench.own()
    bench.stage._settings = settings(accept_past="40d")
    bench.cycle()
    ((outs, _, _),) = bench.transactions.done
    assert {decode_record(out.value) for out in outs[1:]} == {LogSettings(40 * 24 * HOUR, HOUR, 3)}
    bench.reached(0, 0)
    assert bench.cycle() is None


def test_a_log_of_another_size_stops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bench = Bench(monkeypatch, tmp_path, began_with=8)
    with pytest.raises(Stop, match="has 3 partitions, but it began with 8"):
        bench.own()


def test_a_group_without_an_offset_begins_where_the_topic_does(bench: Bench) -> None:
    bench.consumer.marks = (4, 9)
    bench.own(-1001)
    assert [each.offset for each in bench.consumer.assigned] == [4]
