"""A broker that is killed with transactions under way: readers get past them, and each is there whole or not at all."""

from __future__ import annotations

import pathlib
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.stack import broker
from streams.stack.config import StackConfig
from tests import servers
from tests.integration import ledger

TOPIC = "lines"
PARTITIONS = 16
PRODUCERS = 12
TIMEOUT_MS = 3_000
"""Below the broker's interval, so that its first look after the outage finds all of them expired."""
CALL_S = 30
PAST_S = 60
COMMITS = 60
UNHEARD = "[TransactionCoordinator id=1] Connection to node 1"
"""What the broker says of markers that nobody takes; whether they are lost is then a matter of milliseconds."""


@pytest.fixture
def config(tmp_path: pathlib.Path) -> Iterator[StackConfig]:
    """A broker to kill, with the topic."""
    found = servers.local_config(tmp_path / "own")
    broker.start(found, lambda words: None)
    try:
        admin = AdminClient({"bootstrap.servers": found.bootstrap_servers, "log_level": 0})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(CALL_S)
        yield found
    finally:
        broker.daemon(found).stop()


def begun(bootstrap: str, number: int) -> Producer:
    """A producer that owns its transactional id."""
    made = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": f"open-{number}",
            "transaction.timeout.ms": TIMEOUT_MS,
            "log_level": 0,
        }
    )
    made.init_transactions(CALL_S)
    return made


def write(producer: Producer, value: bytes) -> None:
    """A record in every partition, not committed."""
    producer.begin_transaction()
    for partition in range(PARTITIONS):
        producer.produce(TOPIC, value, partition=partition)


def past(config: StackConfig) -> list[bytes | None]:
    """What is committed, read to a record that is put behind it on each partition."""
    after = Producer({"bootstrap.servers": config.bootstrap_servers})
    for partition in range(PARTITIONS):
        after.produce(TOPIC, b"after", partition=partition)
    assert after.flush(CALL_S) == 0
    reader = ledger.Reader(config.bootstrap_servers, TOPIC)

    def all_read() -> bool:
        reader.poll()
        return sum(value == b"after" for _, value, _ in reader.records) == PARTITIONS

    ledger.until(all_read, PAST_S, "what came after the outage", lambda: reader.at)
    reader.close()
    return [value for _, value, _ in reader.records if value != b"after"]


def test_no_abort_is_lost_and_readers_get_past(config: StackConfig) -> None:
    held = [begun(config.bootstrap_servers, number) for number in range(PRODUCERS)]
    for producer in held:
        write(producer, b"open")
        assert producer.flush(CALL_S) == 0
    servers.kill_broker(config)
    del held
    broker.start(config, lambda words: None)
    assert past(config) == []


def committed(producer: Producer, over: threading.Event) -> bool:
    """Commit, asking again while it is only slow; `False` once it is over."""
    while True:
        try:
            producer.commit_transaction(1.0)
            return True
        except KafkaException as error:
            if over.is_set() or not error.args[0].retriable():
                return False


@contextmanager
def committing(producers: Sequence[Producer]) -> Iterator[threading.Semaphore]:
    """They commit without a pause while the block runs, or until the broker is gone; each commit is told."""
    over, told = threading.Event(), threading.Semaphore(0)

    def commit(number: int) -> None:
        step = 0
        try:
            while not over.is_set():
                step += 1
                write(producers[number], f"{number}-{step}".encode())
                if not committed(producers[number], over):
                    return
                told.release()
        except KafkaException:
            return

    with ThreadPoolExecutor(len(producers)) as pool:
        done = [pool.submit(commit, number) for number in range(len(producers))]
        try:
            yield told
        finally:
            over.set()
        for each in done:
            each.result()


def test_a_commit_that_a_kill_cut_off_is_there_whole_and_readers_get_past(config: StackConfig) -> None:
    producers = [begun(config.bootstrap_servers, number) for number in range(PRODUCERS)]
    with committing(producers) as told:
        for _ in range(COMMITS):
            assert told.acquire(timeout=CALL_S)
        servers.kill_broker(config)
    del producers
    broker.start(config, lambda words: None)
    found = Counter(past(config))
    assert len(found) >= COMMITS
    assert set(found.values()) == {PARTITIONS}
    log = (config.logs / "kafka-server.log").read_text()
    assert UNHEARD not in log, "markers were sent before the broker took connections"
