"""Publishing from the command line: quick to say that no broker answers, sure to say what was not delivered.

A `Publisher` connects once, checks that the topic is there, and counts deliveries; leaving it waits for the last.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from streams.cli.output import fail

if TYPE_CHECKING:
    from confluent_kafka import Producer

    from streams.settings import Settings

CONNECT_S = 5.0
DELIVERY_S = 30
ERRORS_SHOWN = 10
Headers = list[tuple[str, bytes]]


def reach(settings: Settings) -> None:
    """End the command in one sentence where no broker takes a connection."""
    for server in settings.bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
        except OSError:
            continue
        return
    unreachable(settings)


def unreachable(settings: Settings) -> NoReturn:
    """End the command: no broker answers."""
    remedy = (
        "check AZOTTE_KAFKA_BOOTSTRAP_SERVERS" if settings.kafka_bootstrap_servers
        else "start the local stack with `azotte up`, or set AZOTTE_KAFKA_BOOTSTRAP_SERVERS"
    )  # fmt: skip
    fail(f"no broker answers at {settings.bootstrap_servers}: {remedy}")


def existing_topics(client: Any, settings: Settings, wanted: Iterable[str]) -> dict[str, int]:
    """The wanted topics (prefixed names) with their partition counts; ends the command where one is missing."""
    from confluent_kafka import KafkaException

    try:
        found = client.list_topics(timeout=CONNECT_S).topics
    except KafkaException as error:
        fail(
            f"the broker at {settings.bootstrap_servers} does not answer as Kafka does: {error.args[0].str()}"
        )
    for topic in wanted:
        if topic not in found:
            fail(
                f"the broker at {settings.bootstrap_servers} has no topic {topic}: make the topics with `azotte up`"
            )
    return {topic: len(found[topic].partitions) for topic in wanted}


class Publisher:
    """A producer for people: `send` each record with a label to name it by, and read `delivered` and `failed`."""

    def __init__(self, settings: Settings, topics: Iterable[str]) -> None:
        from confluent_kafka import Producer

        from streams.connection import connection

        reach(settings)
        self._producer: Producer = Producer(
            connection(settings)
            | {
                "client.id": "azotte-cli",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "linger.ms": 20,
                "delivery.timeout.ms": DELIVERY_S * 1000,
                "log_level": 0,
            }
        )
        existing_topics(self._producer, settings, topics)
        self.delivered = 0
        self.failed: list[str] = []
        self.failures = 0

    def send(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers, label: str) -> None:
        """Queue one record; blocks while the queue is full."""

        def done(error: Any, _: Any) -> None:
            if error is None:
                self.delivered += 1
            else:
                self._fault(f"{label}: {error.str()}")

        from confluent_kafka import KafkaException

        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=done)
            except BufferError:
                self._producer.poll(0.5)
                continue
            except KafkaException as error:
                self._fault(f"{label}: {error.args[0].str()}")
            break
        self._producer.poll(0)

    def _fault(self, sentence: str) -> None:
        self.failures += 1
        if len(self.failed) < ERRORS_SHOWN:
            self.failed.append(sentence)

    def flush(self) -> None:
        """Wait for what is on its way."""
        left = self._producer.flush(DELIVERY_S + CONNECT_S)
        if left:
            self._fault(f"{left} records: no answer from the broker within {DELIVERY_S} s")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()
