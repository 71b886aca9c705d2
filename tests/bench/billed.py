"""What a billing system has read so far: lines of a charges topic, committed ones only, and the tokens they bill."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer

from tests.bench.load import everywhere

CHUNK = 50_000
POLL_S = 0.02


class _Line(msgspec.Struct):
    quantity: str


_decoder = msgspec.json.Decoder(_Line)


class Billed:
    """Follows a charges topic from its beginning."""

    def __init__(self, servers: str, topic: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": "bench-billed",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "fetch.queue.backoff.ms": 2,
            }
        )
        self._consumer.assign(everywhere(topic, OFFSET_BEGINNING))
        self.lines = 0
        self.tokens = 0

    def until(self, tokens: int, seconds: float, detail: Callable[[], str]) -> float:
        """Read until so many tokens are billed; the moment of the last line. More than that fails."""
        deadline = time.perf_counter() + seconds
        while self.tokens < tokens:
            for message in self._consumer.consume(CHUNK, POLL_S):
                self.lines += 1
                self.tokens += int(_decoder.decode(message.value() or b"").quantity)
            assert time.perf_counter() < deadline, f"{self.tokens} of {tokens} tokens billed: {detail()}"
        moment = time.perf_counter()
        assert self.tokens == tokens, f"{self.tokens} tokens were billed, {tokens} used"
        return moment

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
