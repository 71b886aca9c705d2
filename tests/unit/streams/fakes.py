"""Stand-ins for Kafka's clients: they answer what a test says and keep what they were told."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError

from streams.settings import Settings

Answer = Callable[[], Any] | Exception | Any


def settings(**fields: Any) -> Settings:
    """Settings of nobody's environment."""
    return Settings(kafka_bootstrap_servers="127.0.0.1:1", **fields)


class Message:
    """A record as a consumer hands it over; with `error` what a consumer tells instead."""

    def __init__(
        self, offset: int, value: bytes | None = b"{}", key: bytes | None = None, topic: str = "t", partition: int = 0,
        error: KafkaError | None = None, stamp: int = 0,
    ) -> None:  # fmt: skip
        self._all = offset, value, key, topic, partition, error, stamp

    def offset(self) -> int:
        return self._all[0]

    def value(self) -> bytes | None:
        return self._all[1]

    def key(self) -> bytes | None:
        return self._all[2]

    def topic(self) -> str:
        return self._all[3]

    def partition(self) -> int:
        return self._all[4]

    def error(self) -> KafkaError | None:
        return self._all[5]

    def timestamp(self) -> tuple[int, int]:
        return 1, self._all[6]

    def headers(self) -> None:
        return None


def end(offset: int) -> Message:
    """The end of a partition."""
    return Message(offset, error=KafkaError(KafkaError._PARTITION_EOF))


class Consumer:
    """Hands over batches in order, then nothing; `committed` and watermarks are what a test says."""

    def __init__(
        self, *batches: Sequence[Message], committed: Iterable[Answer] = (), marks: tuple[int, int] = (0, 0)
    ) -> None:
        self.batches = deque(batches)
        self.answers = deque(committed)
        self.marks = marks
        self.assigned: list[Any] = []
        self.closed = False

    def assign(self, partitions: Sequence[Any]) -> None:
        self.assigned = list(partitions)

    incremental_assign = assign

    def incremental_unassign(self, partitions: Sequence[Any]) -> None:
        self.assigned = []

    def consume(self, most: int, timeout: float = 0) -> list[Message]:
        return list(self.batches.popleft()) if self.batches else []

    def committed(self, partitions: Sequence[Any], timeout: float = 0) -> Any:
        return _answer(self.answers.popleft())

    def get_watermark_offsets(self, partition: Any, timeout: float = 0) -> tuple[int, int]:
        return self.marks

    def consumer_group_metadata(self) -> str:
        return "generation 1"

    def memberid(self) -> str:
        return "member 1"

    def close(self) -> None:
        self.closed = True


class Producer:
    """A transactional producer; `script` has for each call a list of answers, an exception being raised."""

    def __init__(self, **script: list[Answer]) -> None:
        self.script = {name: deque(answers) for name, answers in script.items()}
        self.calls: list[str] = []
        self.sent: list[tuple[Any, ...]] = []

    def _do(self, name: str) -> None:
        self.calls.append(name)
        answers = self.script.get(name)
        if answers:
            _answer(answers.popleft())

    def init_transactions(self, timeout: float) -> None:
        self._do("init")

    def begin_transaction(self) -> None:
        self._do("begin")

    def produce(self, topic: str, value: Any, key: Any, partition: int, headers: Any = None) -> None:
        self._do("produce")
        self.sent.append((topic, partition, key, value, headers))

    def poll(self, timeout: float) -> None:
        self._do("poll")

    def send_offsets_to_transaction(self, offsets: Any, group: Any, timeout: float) -> None:
        self._do("offsets")
        self.sent.append(("offsets", offsets, group))

    def commit_transaction(self, timeout: float) -> None:
        self._do("commit")

    def abort_transaction(self, timeout: float) -> None:
        self._do("abort")


def _answer(answer: Answer) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer() if callable(answer) else answer


class Clock:
    """Time that only pauses move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1_000.0
        self.pauses: list[float] = []
        monkeypatch.setattr("streams.clock.monotonic", lambda: self.at)
        monkeypatch.setattr("streams.clock.pause", self.pause)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += seconds
