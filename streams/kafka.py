"""How the stages talk to Kafka: the configuration of their clients, with the reason for each setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas import topics
from streams.connection import connection
from streams.patience import passes
from streams.settings import Settings

QUEUE_KIB = 65_536
METADATA_S = 10.0
ANSWER_S = 10.0
Config = dict[str, Any]


class Stop(Exception):
    """The process must end, loudly and before anything commits; the text says why and what to do."""


class Anew(Exception):
    """What a stage holds in memory cannot be trusted: it must close, and begin again from what is committed."""


def base(settings: Settings) -> Config:
    """What every client has."""
    return {
        # Unless set, a client that lost its broker may look for it again only every 10 s.
        "reconnect.backoff.max.ms": 1_000,
        **connection(settings),
        "log_level": 3,
        "topic.metadata.refresh.interval.ms": 10_000,
    }


def group_consumer(settings: Settings, group: str, reset: str, idle_s: int = 300) -> Consumer:
    """A member of a group that commits nothing by itself; it may be busy for `idle_s` between two polls."""
    return Consumer(
        base(settings)
        | {
            "client.id": "azotte",
            "group.id": settings.topic_prefix + group,
            "group.protocol": "classic",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": settings.session_timeout // 1_000,
            "heartbeat.interval.ms": settings.session_timeout // 4_000,
            "max.poll.interval.ms": idle_s * 1_000,
            # How long the end of a process waits for a request to a broker that is away; others are made again.
            "socket.timeout.ms": 10_000,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # Never `enable.partition.eof` here: an end moves the client's own position one too far, and a rebalance
            # goes on from there, so that a record is skipped (seen with librdkafka 2.12).
            "auto.offset.reset": reset,
            "fetch.queue.backoff.ms": 2,
            "fetch.wait.max.ms": 50,
            "queued.max.messages.kbytes": QUEUE_KIB,
            "fetch.message.max.bytes": topics.LARGE,
        }
    )


def gather(consumer: Consumer, most: int, seconds: float) -> list[Message]:
    """What is there, as soon as something is; `seconds` is how long to wait for the first.

    `consume(most, seconds)` alone waits for all of it: until there are `most`, or its whole time is over.
    """
    found: list[Message] = consumer.consume(1, seconds)
    if found and most > 1:
        found += consumer.consume(most - 1, 0)
    return found


def plain_consumer(settings: Settings, group: str, committed: bool = True) -> Consumer:
    """A consumer that assigns by itself and commits nothing."""
    return Consumer(
        base(settings)
        | {
            "group.id": settings.topic_prefix + group,
            "isolation.level": "read_committed" if committed else "read_uncommitted",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.wait.max.ms": 50,
            "fetch.queue.backoff.ms": 2,
            "queued.max.messages.kbytes": QUEUE_KIB,
        }
    )


def transactional_producer(settings: Settings, name: str) -> Producer:
    """A producer whose records count when its transaction commits; its `init_transactions` fences its predecessor."""
    return Producer(
        base(settings)
        | {
            "transactional.id": settings.topic_prefix + name,
            "transaction.timeout.ms": settings.transaction_timeout // 1_000,
            "compression.type": "lz4",
            "linger.ms": 5,
            "batch.num.messages": 100_000,
            "batch.size": 1_000_000,
            "message.max.bytes": topics.LARGE,
            "queue.buffering.max.messages": 5_000_000,
            "queue.buffering.max.kbytes": 1_048_576,
        }
    )


def plain_producer(settings: Settings) -> Producer:
    """A producer for what needs no transaction."""
    return Producer(
        base(settings)
        | {
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 0,
            "message.max.bytes": topics.LARGE,
        }
    )


def partitions_of(consumer: Consumer | Producer, topic: str) -> int:
    """How many partitions a topic has. Raises `KafkaException`, and `Stop` where there is none."""
    found = consumer.list_topics(topic, METADATA_S).topics[topic]
    if found.error is not None and passes(found.error):
        raise KafkaException(found.error)
    if found.error is not None or not found.partitions:
        raise Stop(f"topic {topic} is missing: run azotte up, or make it as docs/architecture.md says")
    return len(found.partitions)


def committed(consumer: Consumer, asked: Sequence[TopicPartition]) -> list[TopicPartition]:
    """The group's offsets, below 0 where there is none; a reader of committed records waits for pending ones.

    Raises `KafkaException` where one cannot be read now, `Stop` where it cannot at all: neither is the same as none.
    """
    found: list[TopicPartition] = consumer.committed(list(asked), ANSWER_S)
    for each in found:
        if each.error is not None and passes(each.error):
            raise KafkaException(each.error)
        if each.error is not None:
            raise Stop(f"the offset of {each.topic} {each.partition} cannot be read: {each.error.str()}")
    return found


def watermarks(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """The first offset that is there and the one after the last. Raises `KafkaException`."""
    found: tuple[int, int] | None = consumer.get_watermark_offsets(partition, ANSWER_S)
    if found is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    return found


def membership(consumer: Consumer) -> Any:
    """The group's metadata, which fences a commit of somebody who is not in the group any more. Raises `Anew`.

    A client that was thrown out forgets its member id at once, in its own thread, and tells of its lost partitions later.
    Metadata of in between names no member, and a transaction that sends offsets with it is fenced by nothing. The id comes
    back only after the loss was told, so what is asked for second judges the first.
    """
    found = consumer.consumer_group_metadata()
    if not consumer.memberid():
        raise Anew("not a member of the group any more")
    return found


def is_eof(message: Message) -> bool:
    """Whether the message says that a partition's end is reached."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def check(message: Message) -> None:
    """Raise `Stop` for an error that does not pass; after one that does, the client goes on by itself."""
    error = message.error()
    if error is None or passes(error) or error.code() in _REJOINS:
        return
    raise Stop(f"{message.topic()} {message.partition()} cannot be read at {message.offset()}: {error.str()}")


_REJOINS = frozenset(
    {KafkaError._MAX_POLL_EXCEEDED, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.ILLEGAL_GENERATION}
)
