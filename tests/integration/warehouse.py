"""The sink under test: records put on the topics as rating puts them, and the tables as an analyst sees them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from rating.catalog import revision_value
from rating.records import Pack
from schemas import topics
from schemas.catalog import check_catalog
from schemas.log import encode_record
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.sink_records import REJECTED_HEADERS, TIME

WAIT_S = 60
CATALOG = {
    "meters": [
        {"key": "tokens", "event_type": "llm.completion", "aggregation": "sum", "value": "$.tokens",
         "group_by": {"model": "$.model", "region": "$.region"}},
        {"key": "requests", "event_type": "llm.completion", "aggregation": "count"},
        {"key": "users", "event_type": "llm.completion", "aggregation": "unique", "value": "$.user",
         "group_by": {"model": "$.model"}},
    ],
}  # fmt: skip


class Put(NamedTuple):
    """A record for a topic's partition."""

    topic: topics.Topic
    value: Any
    partition: int = 0
    key: str = "acme/cust-1"


class Warehouse:
    """One fleet's topics and its database."""

    def __init__(self, fleet: Fleet) -> None:
        assert fleet.clickhouse is not None
        self.fleet = fleet
        self._producer = Producer(
            {
                "bootstrap.servers": fleet.servers,
                "transactional.id": fleet.prefix,
                "message.max.bytes": 8_000_000,
            }
        )
        self._producer.init_transactions(30)
        doc = check_catalog(CATALOG).doc
        assert doc is not None
        self.put([Put(topics.CATALOG, revision_value("acme", 1, TIME, "c-1", doc), key="acme/1")])

    def put(self, records: Iterable[Put], commit: bool = True) -> None:
        """Publish in one transaction; without `commit` it is aborted."""
        self._producer.begin_transaction()
        for topic, value, partition, key in records:
            headers = REJECTED_HEADERS if topic is topics.REJECTED else []
            self._producer.produce(self.fleet.topic(topic), _bytes(value), key, partition, headers=headers)
            self._producer.poll(0)
        assert self._producer.flush(30) == 0
        if commit:
            self._producer.commit_transaction(30)
        else:
            self._producer.abort_transaction(30)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer. Raises `ClickHouseError`."""
        client = clickhouse_connect.get_client(dsn=self.fleet.clickhouse)
        try:
            return [tuple(row) for row in client.query(sql).result_rows]
        finally:
            client.close()

    def until(self, sql: str, wanted: list[tuple[Any, ...]]) -> None:
        """Wait until the answer is the wanted one."""
        last: list[object] = [None]

        def holds() -> bool:
            try:
                last[0] = self.ask(sql)
            except ClickHouseError as error:
                last[0] = str(error)[:300]
            return last[0] == wanted

        ledger.until(holds, WAIT_S, sql, lambda: f"{last[0]}\n{self.fleet.logs()}")

    def count(self, table: str, wanted: int) -> None:
        """Wait until a table has so many rows."""
        self.until(f"SELECT count() FROM {table}", [(wanted,)])

    def committed(self, topic: topics.Topic) -> int:
        """How many offsets of a topic the sink's group has done with, over all partitions."""
        consumer = Consumer({"bootstrap.servers": self.fleet.servers, "group.id": self._group})
        try:
            name = self.fleet.topic(topic)
            asked = [
                TopicPartition(name, each) for each in consumer.list_topics(name, 10).topics[name].partitions
            ]
            return sum(max(0, each.offset) for each in consumer.committed(asked, 10))
        finally:
            consumer.close()

    def forget_offsets(self) -> None:
        """Make the group begin anew; the sink must not run."""
        admin = AdminClient({"bootstrap.servers": self.fleet.servers})

        def gone() -> bool:
            (future,) = admin.delete_consumer_groups([self._group]).values()
            return future.exception(10) is None

        ledger.until(gone, WAIT_S, "the end of the group's last member")

    def remake(self, topic: topics.Topic) -> None:
        """Delete a topic and make it again."""
        admin = AdminClient({"bootstrap.servers": self.fleet.servers})
        name = self.fleet.topic(topic)
        admin.delete_topics([name])[name].result(30)
        ledger.until(lambda: name not in admin.list_topics(timeout=10).topics, WAIT_S, "the deletion")
        new = NewTopic(name, self.fleet.partitions, 1)

        def made() -> bool:
            return admin.create_topics([new])[name].exception(30) is None

        ledger.until(made, WAIT_S, "the topic again")
        asked = {TopicPartition(name, 0): OffsetSpec.latest()}

        def led() -> bool:
            # A client of its own each time: one that knew the old topic keeps asking for it.
            fresh = AdminClient({"bootstrap.servers": self.fleet.servers})
            return all(each.exception(10) is None for each in fresh.list_offsets(asked).values())

        ledger.until(led, WAIT_S, "its leader")

    @property
    def _group(self) -> str:
        return f"{self.fleet.prefix}azotte-sink"


def row_count(url: str, table: str) -> int:
    """How many rows a table has; none where it is not there yet."""
    try:
        with clickhouse_connect.get_client(dsn=url) as client:
            return int(client.query(f"SELECT count() FROM {table}").result_rows[0][0])
    except ClickHouseError:
        return 0


def _bytes(value: Any) -> bytes | None:
    if isinstance(value, Pack):
        return encode_record(value)
    return value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
