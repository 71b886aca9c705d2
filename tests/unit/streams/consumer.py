"""A consumer and transactions in memory, as a stage meets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from confluent_kafka import TopicPartition

from streams.transaction import Aborted, Out

Place = tuple[str, int]


class Message(NamedTuple):
    """A record, as the client gives it; its time is its offset."""

    place: Place
    at: int
    body: bytes

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self.place[0]

    def partition(self) -> int:
        return self.place[1]

    def offset(self) -> int:
        return self.at

    def key(self) -> None:
        return None

    def value(self) -> bytes:
        return self.body

    def headers(self) -> None:
        return None

    def timestamp(self) -> tuple[int, int]:
        return 1, self.at


class Log:
    """A consumer of partitions that are read in turns."""

    def __init__(self, records: dict[Place, Sequence[bytes]]) -> None:
        self.records = records
        self.next = dict.fromkeys(records, 0)
        self.held: set[Place] = set()
        self.member: str | None = "member"

    def consume(self, most: int, seconds: float) -> list[Message]:
        found: list[Message] = []
        while len(found) < most:
            there = [
                (at, place)
                for place, at in self.next.items()
                if at < len(self.records[place]) and place not in self.held
            ]
            if not there:
                break
            at, place = min(there)
            found.append(Message(place, at, self.records[place][at]))
            self.next[place] = at + 1
        return found

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(*place) for place in self.next]

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        self.held |= {(each.topic, each.partition) for each in partitions}

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        self.held -= {(each.topic, each.partition) for each in partitions}

    def incremental_unassign(self, partitions: Sequence[TopicPartition]) -> None:
        for each in partitions:
            del self.next[each.topic, each.partition]

    def consumer_group_metadata(self) -> bytes:
        return b"group"

    def memberid(self) -> str | None:
        return self.member


class Stage(Protocol):
    """What a stage does in a cycle."""

    def poll(self) -> Any: ...

    def work(self, polled: Any) -> Any: ...

    def commit(self, worked: Any) -> None: ...


Staged = TypeVar("Staged", bound=Stage)


@dataclass(frozen=True)
class Rig(Generic[Staged]):
    """A stage between a consumer and transactions in memory."""

    stage: Staged
    log: Log
    commits: Commits

    @staticmethod
    def around(stage: Staged, records: dict[Place, Sequence[bytes]]) -> Rig[Staged]:
        """The rig of a stage that was not opened."""
        found = Rig(stage, Log(records), Commits())
        inside = cast(Any, stage)
        inside._consumer, inside._transactions = found.log, found.commits
        return found

    def round(self) -> None:
        """One cycle."""
        polled = self.stage.poll()
        assert polled is not None
        self.stage.commit(self.stage.work(polled))


class Commits:
    """Transactions that happen, but for so many that do not."""

    def __init__(self) -> None:
        self.aborts = 0
        self.outs: list[list[Out]] = []
        self.offsets: list[dict[Place, int]] = []

    def commit(self, outs: Sequence[Out], offsets: Sequence[TopicPartition], group: Any) -> None:
        self.outs.append(list(outs))
        self.offsets.append({(each.topic, each.partition): each.offset for each in offsets})
        if self.aborts:
            self.aborts -= 1
            raise Aborted("planned")
