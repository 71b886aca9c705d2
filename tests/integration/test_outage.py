"""A broker that was away for longer than its transactions may last: what it aborts when it is back holds up nobody."""

from __future__ import annotations

import pathlib

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from streams.stack import broker
from tests import servers
from tests.integration import ledger

TOPIC = "lines"
PARTITIONS = 16
PRODUCERS = 12
TIMEOUT_MS = 3_000
"""Below the broker's interval, so that its first look after the outage finds all of them expired."""
CALL_S = 30
PAST_S = 60


def open_transaction(bootstrap: str, number: int) -> Producer:
    """A producer with records in every partition that it has not committed."""
    made = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": f"open-{number}",
            "transaction.timeout.ms": TIMEOUT_MS,
            "log_level": 0,
        }
    )
    made.init_transactions(CALL_S)
    made.begin_transaction()
    for partition in range(PARTITIONS):
        made.produce(TOPIC, b"open", partition=partition)
    assert made.flush(CALL_S) == 0
    return made


def test_no_abort_is_lost_and_readers_get_past(tmp_path: pathlib.Path) -> None:
    config = servers.local_config(tmp_path / "own")
    broker.start(config, lambda words: None)
    try:
        admin = AdminClient({"bootstrap.servers": config.bootstrap_servers, "log_level": 0})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(CALL_S)
        held = [open_transaction(config.bootstrap_servers, number) for number in range(PRODUCERS)]
        servers.kill_broker(config)
        del held
        broker.start(config, lambda words: None)
        after = Producer({"bootstrap.servers": config.bootstrap_servers})
        for partition in range(PARTITIONS):
            after.produce(TOPIC, b"after", partition=partition)
        assert after.flush(CALL_S) == 0
        reader = ledger.Reader(config.bootstrap_servers, TOPIC)

        def past() -> bool:
            reader.poll()
            return len(reader.records) == PARTITIONS

        ledger.until(past, PAST_S, "what came after the outage", lambda: reader.at)
        reader.close()
        assert {value for _, value, _ in reader.records} == {b"after"}
    finally:
        broker.daemon(config).stop()
