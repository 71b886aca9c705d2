"""A fleet whose worker notifies, and records put on the topics as rating puts them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from schemas import topics
from schemas.webhooks import BY_TOPIC, TYPES
from streams.patience import passing
from tests.integration import ledger
from tests.integration.fleet import Fleet
from tests.receiver import Receiver

WAIT_S = 60
OLD, NEW = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "AAAA" * 8
CHAT = "acme/cust-1/chat"


class Notices:
    """A fleet whose worker notifies, and records put on the topics as rating puts them: in transactions."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._addresses: dict[str, dict[str, Any]] = {}
        self._producer = Producer({"bootstrap.servers": fleet.servers, "transactional.id": fleet.prefix})
        self._producer.init_transactions(30)

    def address(self, name: str, receiver: Receiver, **fields: Any) -> None:
        self._addresses[name] = {"url": receiver.url, "secrets": [OLD], **fields}
        self.fleet.settings["AZOTTE_WEBHOOKS"] = json.dumps(self._addresses)

    def start(self, name: str = "worker", **extra: str) -> None:
        """Start the worker and wait until every address has a beginning: records from then on are told of."""
        self.fleet.start(name, "worker", "--stage", "notify", extra=extra)
        for address, fields in self._addresses.items():
            begun(self.fleet, address, fields.get("types", TYPES))

    def put(self, topic: topics.Topic, *records: Any, key: str = "acme/cust-1", commit: bool = True) -> None:
        self._producer.begin_transaction()
        for record in records:
            value = None if record is None else json.dumps(record).encode()
            self._producer.produce(self.fleet.topic(topic), value, key, 1)
        assert self._producer.flush(30) == 0
        (self._producer.commit_transaction if commit else self._producer.abort_transaction)(30)

    def run(self, *arguments: str) -> str:
        """What `azotte ARGUMENTS` prints, done or not."""
        command = [sys.executable, "-m", "streams.cli", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=self.fleet.environment()
        ).stdout

    def came(self, receiver: Receiver, *wanted: str) -> None:
        """Wait until each of these has come, and fail on any other."""

        def all_came() -> bool:
            return set(receiver.ids()) >= set(wanted)

        ledger.until(all_came, WAIT_S, f"{wanted}", lambda: f"{receiver.ids()}\n{self.fleet.logs()}")
        assert set(receiver.ids()) == set(wanted)

    def done_with(self, name: str, topic: topics.Topic, offset: int) -> None:
        """Wait until the address has committed up to an offset."""

        def done() -> bool:
            return self.fleet.offsets(f"azotte-notify-{name}", topic)[1] >= offset

        ledger.until(done, WAIT_S, f"offset {offset}", self.fleet.logs)


def begun(fleet: Fleet, address: str, types: Collection[str]) -> None:
    """Wait until the address has a beginning on every topic that it reads."""
    read = [topic for topic, names in BY_TOPIC.items() if set(names) & set(types)]
    places = [
        TopicPartition(fleet.topic(topic), number) for topic in read for number in range(fleet.partitions)
    ]

    def there() -> bool:
        return all(each.offset >= 0 for each in _committed(fleet, f"azotte-notify-{address}", places))

    ledger.until(there, WAIT_S, f"a beginning of {address}", fleet.logs)


def _committed(fleet: Fleet, group: str, places: list[TopicPartition]) -> list[TopicPartition]:
    consumer = Consumer({"bootstrap.servers": fleet.servers, "group.id": fleet.prefix + group})
    try:
        found: list[TopicPartition] = consumer.committed(places, 10)
        return found
    except KafkaException as error:
        if not passing(error):
            raise
        return [TopicPartition(each.topic, each.partition, -1) for each in places]
    finally:
        consumer.close()
