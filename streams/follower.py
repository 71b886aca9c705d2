"""The directory as it is on its compacted topic: read to the end at start, then followed."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from confluent_kafka import Message

from rating.directory import Directory
from schemas import topics
from streams.patience import Patience
from streams.reader import Reader, end_of
from streams.settings import Settings


class Follower:
    """Folds the topic into a `Directory`; only what is committed is seen."""

    def __init__(self, settings: Settings) -> None:
        self.directory = Directory()
        self._settings = settings
        self._topic = settings.topic(topics.DIRECTORY.name)
        self._reader = Reader(settings, "azotte-directory", self._topic)

    def to_end(self, patience: Patience) -> None:
        """Read on to what is the end now, waiting for transactions that are open."""
        self._put(self._reader.to(end_of(self._settings, self._topic, patience), patience))

    def poll(self) -> None:
        """Read on what is there, without waiting."""
        self._put(self._reader.there())

    def close(self) -> None:
        """Leave the topic."""
        self._reader.close()

    def _put(self, messages: Iterable[Message]) -> None:
        for message in messages:
            key, value = message.key(), message.value()
            assert key is not None, "every row of the directory has a key"
            self.directory.put(key.decode(), None if value is None else msgspec.json.decode(value))
