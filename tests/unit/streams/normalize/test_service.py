"""NORMALIZE around its batch: what it commits, how far it says it has come, and how it goes back."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from rating.directory import LOG
from rating.times import HOUR
from schemas.log import decode_record
from streams.kafka import Stop
from streams.normalize import service as module
from streams.normalize.service import NormalizeStage
from streams.transaction import Aborted
from tests.unit.schemas.records import NOW, structured
from tests.unit.streams.fakes import Consumer, Message, settings
from tests.unit.streams.kafka_errors import AWAY, FENCED

TOPIC = "usage.events.v1"
SKEW = 1_000_000


class Transactions:
    """Keeps what was committed; an exception instead is raised once."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.fail: Exception | None = None

    def commit(self, outs: Any, offsets: Any, group: Any) -> None:
        failed, self.fail = self.fail, None
        if failed is not None:
            raise failed
        self.done.append(
            (list(outs), [(each.partition, each.offset, each.metadata) for each in offsets], group)
        )


class Admin:
    """Says where partitions end."""

    def __init__(self) -> None:
        self.ends: dict[int, int | Exception] = {}

    def list_offsets(self, asked: Any, **options: Any) -> Any:
        found = {}
        for partition in asked:
            future: Future[Any] = Future()
            end = self.ends[partition.partition]
            if isinstance(end, Exception):
                future.set_exception(end)
            else:
                future.set_result(SimpleNamespace(offset=end))
            found[partition] = future
        return found


class Bench:
    """A stage with fakes for what it talks to, the owner of raw partition 0 from offset 5."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        metadata: str = "",
        begins: int = 0,
        offset: int = 5,
    ) -> None:
        monkeypatch.setattr("streams.clock.now", lambda: NOW)
        self.now = 0.0
        monkeypatch.setattr("streams.clock.monotonic", lambda: self.now)
        slot: Any = SimpleNamespace(folder=tmp_path / "0", number=0)
        self.stage = NormalizeStage(
            settings(pack_linger="0s", tick_interval="500ms"), slot, lambda words: None
        )
        self.consumer, self.admin, self.transactions = Consumer(marks=(begins, 99)), Admin(), Transactions()
        held = Follower()
        for name, fake in (
            ("consumer", self.consumer),
            ("admin", self.admin),
            ("transactions", self.transactions),
            ("follower", held),
        ):
            setattr(self.stage, f"_{name}", fake)
        self.stage._log_partitions = 4
        found = TopicPartition(TOPIC, 0, offset, metadata)
        self.consumer.answers.append([found])
        self.stage._assigned(self.consumer, [found])

    def cycle(self, *messages: Message) -> Any:
        """One poll, work and commit; what was polled."""
        self.consumer.batches.clear()
        self.consumer.batches.append(messages)
        polled = self.stage.poll()
        if polled is not None:
            self.stage.commit(self.stage.work(polled))
        return polled


class Follower:
    """A directory that has the log's settings."""

    def __init__(self, partitions: int = 4) -> None:
        from rating.directory import Directory

        self.directory = Directory()
        self.directory.put(
            LOG, {"partitions": partitions, "accept_past": 35 * 24 * HOUR, "accept_future": HOUR}
        )

    def poll(self) -> None:
        """Nothing new."""


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    return Bench(monkeypatch, tmp_path)


def usage(offset: int, **changed: Any) -> Message:
    return Message(offset, structured(**changed).value, topic=TOPIC, stamp=NOW // 1_000 + offset)


def test_packs_and_offsets_with_the_receipt_reached_are_one_transaction(bench: Bench) -> None:
    bench.cycle(usage(5), usage(6, id="e2"))
    ((outs, offsets, group),) = bench.transactions.done
    (out,) = outs
    assert (out.topic, out.key) == ("rating.log.v1", None)
    assert getattr(decode_record(out.value), "id") == ["e1", "e2"]  # noqa: B009 - a pack
    assert offsets == [(0, 7, str(NOW + 6_000))]
    assert group == "generation 1"
    assert bench.stage.ready


@pytest.mark.parametrize(("took", "gathered"), [(None, 0.02), (0.0, 0.02), (0.1, 0.1), (3.0, 0.2)])
def test_it_gathers_while_rate_is_busy_within_the_settings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, took: float | None, gathered: float
) -> None:
    def consume(most: int, timeout: float = 0) -> list[Message]:
        bench.now += min(timeout, 0.005)
        return [usage(5 + round(bench.now * 1_000))]

    monkeypatch.setattr(bench.consumer, "consume", consume)
    bench.stage._settings = settings(pack_linger="20ms", pack_linger_max="200ms")
    rate: Any = None if took is None else SimpleNamespace(took=took)
    bench.stage.rate = rate
    begun = bench.now
    assert bench.stage.poll() is not None
    assert bench.now - begun == pytest.approx(gathered, abs=0.006)


def test_a_rejected_record_keeps_key_value_and_headers(bench: Bench) -> None:
    bench.cycle(Message(5, b"{", b"mine", topic=TOPIC, stamp=1))
    ((outs, _, _),) = bench.transactions.done
    (out,) = outs
    assert (out.topic, out.partition, out.key, out.value) == ("usage.rejected.v1", -1, b"mine", b"{")
    assert dict(out.headers)["error"] == b"malformed"


def test_an_offset_is_read_once_and_another_workers_partition_never(bench: Bench) -> None:
    other = Message(5, structured().value, topic=TOPIC, partition=3)
    polled = bench.cycle(usage(4), usage(5), usage(5), other, usage(6, id="e2"))
    assert [record.offset for record in polled.records] == [5, 6]


def test_what_was_aborted_comes_again_though_the_broker_sends_nothing_more(bench: Bench) -> None:
    bench.transactions.fail = Aborted("as the test says")
    bench.cycle(usage(5), usage(6, id="e2"))
    assert not bench.transactions.done
    assert [record.offset for record in bench.cycle().records] == [5, 6]
    ((_, offsets, _),) = bench.transactions.done
    assert offsets == [(0, 7, str(NOW + 6_000))]


def test_an_idle_partition_says_the_time_that_was_before_its_end_was_asked_for(bench: Bench) -> None:
    bench.admin.ends = {0: 5}
    bench.cycle()
    ((outs, offsets, _),) = bench.transactions.done
    assert (outs, offsets) == ([], [(0, 5, str(NOW - SKEW))])
    bench.now = 10
    assert bench.cycle() is None


def test_one_that_has_more_to_come_says_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "plain_consumer", lambda *_: Consumer())
    bench.admin.ends = {0: 6}
    assert bench.cycle() is None
    assert not bench.transactions.done


def test_it_asks_once_a_tick_and_waits_with_a_broker_that_is_away(bench: Bench) -> None:
    bench.admin.ends = {0: AWAY}
    assert bench.cycle() is None
    bench.admin.ends = {0: 5}
    assert bench.cycle() is None
    bench.now = 1
    assert bench.cycle() is not None
    bench.admin.ends, bench.now = {0: FENCED}, 2
    with pytest.raises(type(FENCED)):
        bench.cycle()


def test_a_time_that_was_told_before_is_not_told_again_smaller(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = Bench(monkeypatch, tmp_path, metadata=str(NOW + 1))
    bench.admin.ends = {0: 5}
    assert bench.cycle() is None


def test_a_group_without_an_offset_begins_where_the_topic_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = Bench(monkeypatch, tmp_path, begins=3, offset=-1001)
    assert [each.offset for each in bench.consumer.assigned] == [3]


def test_a_log_of_another_size_stops(bench: Bench) -> None:
    held: Any = Follower(partitions=8)
    bench.stage._follower = held
    with pytest.raises(Stop, match="has 4 partitions, but it began with 8: a new count needs a new log"):
        bench.stage.poll()


def test_an_unset_log_is_waited_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(seconds: float) -> None:
        bench.now += seconds

    monkeypatch.setattr("streams.clock.pause", pause)
    bench.stage._follower.directory.log = None
    assert bench.cycle(usage(5)) is None
    assert bench.now > 0


def test_what_is_revoked_is_read_no_more(bench: Bench) -> None:
    bench.stage._revoked(bench.consumer, [TopicPartition(TOPIC, 0)])
    bench.admin.ends = {}
    assert bench.cycle(usage(5)) is None
