"""Reading what comes out, from where the topics ended when the demo began: charge lines and rejected events."""

from __future__ import annotations

from typing import Any

from schemas import topics
from streams import clock
from streams.cli.output import fail
from streams.cli.publish import CONNECT_S, existing_topics
from streams.cli.values import NoValue, value_of
from streams.connection import connection, schemas_of
from streams.demo.tally import Tally
from streams.settings import Settings

RETRIABLE = ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE")


class Outputs:
    """A consumer of the charges and the rejected topic, without a group."""

    def __init__(self, settings: Settings) -> None:
        from confluent_kafka import Consumer, TopicPartition

        self._charges = settings.topic(topics.CHARGES.name)
        self._rejected = settings.topic(topics.REJECTED.name)
        self._schemas = schemas_of(settings)
        self._consumer = Consumer(
            connection(settings)
            | {
                "group.id": "azotte-demo",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
                "fetch.queue.backoff.ms": 20,
                "log_level": 0,
            }
        )
        counts = existing_topics(self._consumer, settings, [self._charges, self._rejected])
        places = []
        for topic, count in counts.items():
            for partition in range(count):
                place = TopicPartition(topic, partition)
                place.offset = self._consumer.get_watermark_offsets(place, timeout=CONNECT_S)[1]
                places.append(place)
        self._consumer.assign(places)
        self.begin = {place.partition: place.offset for place in places if place.topic == self._charges}
        """Where the charges topic ended before, by partition."""
        self.last: dict[int, int] = {}
        """The last charge line that was read, by partition."""

    def read(self, tally: Tally, timeout: float) -> None:
        """Count what is there; waits at most `timeout` seconds for the first record."""
        for message in self._consumer.consume(500, timeout):
            error = message.error()
            if error is not None:
                if error.name() in RETRIABLE or error.retriable():
                    continue
                fail(f"{message.topic()} cannot be read: {error.str()}")
            if message.topic() == self._charges:
                tally.charge(self._line(message), clock.monotonic())
                self.last[message.partition()] = message.offset()
            else:
                headers: dict[str, Any] = dict(message.headers() or [])
                tally.refused(headers.get("error", b"?").decode())

    def _line(self, message: Any) -> Any:
        try:
            return value_of(message, self._schemas)
        except NoValue as error:
            fail(f"{message.topic()} {message.partition()} at {message.offset()} {error}")

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
