"""Transactions on a broker that stops answering, and members that were thrown out: what is committed is told rightly."""

from __future__ import annotations

import os
import pathlib
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import OFFSET_INVALID, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from streams import faults, transaction
from streams.kafka import Anew, committed, group_consumer, membership, plain_consumer, watermarks
from streams.patience import Patience
from streams.settings import Settings, load_settings
from streams.stack import broker
from streams.transaction import Out, Transactions
from tests import servers
from tests.integration import ledger

CALL_S = 30


class Place:
    """A topic of one partition with ten records, and its one reader."""

    def __init__(self, bootstrap: str, monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
        self.servers = bootstrap
        self.topic = f"lines-{uuid.uuid4().hex[:8]}"
        for name, value in {"kafka_bootstrap_servers": bootstrap, "topic_prefix": "", **settings}.items():
            monkeypatch.setenv(f"AZOTTE_{name.upper()}", value)
        self.settings: Settings = load_settings()
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(self.topic, 1, 1)])[self.topic].result(CALL_S)
        self.at = TopicPartition(self.topic, 0)
        self.put(10)

    def put(self, count: int) -> None:
        """Records for the group to read."""
        producer = Producer({"bootstrap.servers": self.servers})
        for number in range(count):
            producer.produce(self.topic, f"in-{number}".encode(), partition=0)
        assert producer.flush(CALL_S) == 0

    def member(self, idle_s: int = 300) -> Consumer:
        """A member of the group that has the partition and has read from it."""
        consumer = group_consumer(self.settings, self.topic, "earliest", idle_s)
        consumer.subscribe([self.topic])
        ledger.until(lambda: bool(consumer.consume(1, 0.5)), CALL_S, "a record")
        return consumer

    def committed(self) -> int:
        """The group's offset, as whoever reads on next asks for it: waits for what is pending."""
        consumer = group_consumer(self.settings, self.topic, "earliest")
        try:
            (found,) = Patience("test", lambda: False)(lambda: committed(consumer, [self.at]))
            return int(found.offset)
        finally:
            consumer.close()

    def lines(self) -> list[bytes | None]:
        """Every committed line but the ten; waits for what is open."""
        consumer = plain_consumer(self.settings, "end", committed=False)
        _, end = watermarks(consumer, self.at)
        consumer.close()
        reader = ledger.Reader(self.servers, self.topic)
        try:
            reader.read_to({0: end})
            return [value for _, value, _ in reader.records if value is not None and value.startswith(b"out")]
        finally:
            reader.close()


@contextmanager
def own_broker(folder: pathlib.Path) -> Iterator[tuple[str, int]]:
    """A broker that a test may stop: its address and its process."""
    config = servers.local_config(folder / "own")
    broker.start(config, lambda words: None)
    try:
        pid = broker.daemon(config).pid()
        assert pid is not None
        yield config.bootstrap_servers, pid
    finally:
        broker.daemon(config).stop()


class Thawing(Patience):
    """Wakes the broker when a call has timed out so often."""

    def __init__(self, pid: int, after: int) -> None:
        super().__init__("test", lambda: False)
        self._pid = pid
        self.left = after

    def pause(self, seconds: float = 0.2) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(self._pid, signal.SIGCONT)
        super().pause(seconds)


@pytest.mark.parametrize(("timeout", "tries"), [("60s", 1), ("6s", 5)], ids=["in time", "too late"])
def test_a_broker_that_freezes_during_a_commit_leaves_no_doubt(
    timeout: str, tries: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_broker(tmp_path) as (address, pid):
        place = Place(address, monkeypatch, transaction_timeout=timeout)
        consumer = place.member()
        group = membership(consumer)
        patience = Thawing(pid, tries)

        def freeze(name: str, stage: str) -> None:
            if name == "after_offsets":
                os.kill(pid, signal.SIGSTOP)

        monkeypatch.setattr(faults, "point", freeze)
        monkeypatch.setattr(transaction, "CALL_S", 2.0)
        known = True
        try:
            Transactions(place.settings, "writer", "test", patience).commit(
                [Out(place.topic, 0, None, b"out")], [TopicPartition(place.topic, 0, 5)], group
            )
        except Anew:
            known = False
        os.kill(pid, signal.SIGCONT)
        assert patience.left < tries, "the commit was answered before it timed out"
        consumer.close()
        found = place.committed(), place.lines()
        if timeout == "60s" or known:
            assert (*found, known) == (5, [b"out"], True)
        else:
            assert found in ((5, [b"out"]), (OFFSET_INVALID, []))


def test_who_was_thrown_out_of_the_group_commits_nothing(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(kafka, monkeypatch)
    consumer = place.member(idle_s=6)
    assert membership(consumer)
    # Not a poll in between: the client's own thread finds out, and its partitions are still to be taken from it.
    ledger.until(lambda: not consumer.memberid(), CALL_S, "the end of the membership")
    assert consumer.assignment()
    with pytest.raises(Anew):
        membership(consumer)
    consumer.close()
