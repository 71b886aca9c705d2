"""Dead letters: webhooks that no try delivered, on `webhooks.undelivered.v1` until `azotte webhooks retry` sends them.

The key is the address and the webhook's id, the value the body as it was signed, and headers say why. The topic is
compacted: one that died twice stands there once, and a tombstone says that it was delivered after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas import topics
from streams.kafka import Anew, plain_producer
from streams.patience import Patience, passes
from streams.settings import Settings

REASON_MAX = 500
FLUSH_S = 0.2


class Letter(NamedTuple):
    """One dead letter. `place` is where the record stands that it was made of, `tried` how often it was sent."""

    address: str
    id: str
    body: bytes | None
    reason: str = ""
    tried: int = 0
    place: tuple[str, int, int] = ("", 0, 0)

    @property
    def key(self) -> bytes:
        """What it is named by."""
        return f"{self.address}/{self.id}".encode()

    def headers(self) -> list[tuple[str, bytes]]:
        """Why it is there."""
        topic, partition, offset = self.place
        named = {
            "reason": self.reason[:REASON_MAX],
            "tries": self.tried,
            "origin_topic": topic,
            "origin_partition": partition,
            "origin_offset": offset,
        }
        return [(name, str(value).encode("utf-8", "replace")) for name, value in named.items()]


def read_letter(message: Message) -> Letter:
    """A letter as it stands on the topic; without a body it is a tombstone."""
    address, _, name = (message.key() or b"").decode("utf-8", "replace").partition("/")
    found = {key: (value or b"").decode("utf-8", "replace") for key, value in message.headers() or ()}
    place = found.get("origin_topic", ""), _number(found, "origin_partition"), _number(found, "origin_offset")
    return Letter(address, name, message.value(), found.get("reason", ""), _number(found, "tries"), place)


def _number(headers: dict[str, str], name: str) -> int:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else 0


class DeadLetters:
    """Writes them, and returns when the broker has them."""

    def __init__(self, settings: Settings, patience: Patience) -> None:
        self._topic = settings.topic(topics.UNDELIVERED.name)
        self._patience = patience
        self._producer: Producer = plain_producer(settings)

    def put(self, letters: Sequence[Letter]) -> None:
        """Publish them. Raises `Stopping`, `Anew`, and `KafkaException` for what does not pass."""
        left = list(letters)
        while left:
            left = self._put(left)

    def _put(self, letters: Sequence[Letter]) -> list[Letter]:
        """Those that were not written, for a reason that passes: the client has waited minutes for it by then."""
        failed: list[tuple[Letter, KafkaError]] = []
        for letter in letters:

            def told(error: KafkaError | None, _: Message, letter: Letter = letter) -> None:
                if error is not None:
                    failed.append((letter, error))

            headers = letter.headers() if letter.body is not None else None
            self._producer.produce(self._topic, letter.body, letter.key, headers=headers, on_delivery=told)
        while self._producer.flush(FLUSH_S):
            self._patience.check()
        for _, error in failed:
            if error.fatal():
                raise Anew(f"the producer of dead letters failed: {error.str()}")
            if not passes(error):
                raise KafkaException(error)
        return [letter for letter, _ in failed]
