"""How the stages talk to Kafka: the configuration of their clients, with the reason for each setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from schemas import topics
from streams.connection import connection
from streams.settings import Settings

QUEUE_KIB = 65_536
METADATA_S = 10.0
Config = dict[str, Any]


class Stop(Exception):
    """The process must end, loudly and before anything commits; the text says why and what to do."""


def base(settings: Settings) -> Config:
    """What every client has."""
    return {**connection(settings), "log_level": 3, "topic.metadata.refresh.interval.ms": 10_000}


def group_consumer(settings: Settings, group: str, reset: str, idle_s: int = 300) -> Consumer:
    """A member of a group that commits nothing by itself; it may be busy for `idle_s` between two polls."""
    return Consumer(
        base(settings)
        | {
            "group.id": settings.topic_prefix + group,
            "group.protocol": "classic",
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": settings.session_timeout // 1_000,
            "heartbeat.interval.ms": settings.session_timeout // 4_000,
            "max.poll.interval.ms": idle_s * 1_000,
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
    """A producer whose records count when its transaction commits; `init_transactions` fences its predecessor."""
    producer = Producer(
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
    producer.init_transactions(60)
    return producer


def plain_producer(settings: Settings) -> Producer:
    """A producer for what needs no transaction."""
    return Producer(base(settings) | {"enable.idempotence": True, "compression.type": "lz4", "linger.ms": 0})


def partitions_of(consumer: Consumer | Producer, topic: str) -> int:
    """How many partitions a topic has. Raises `Stop` where there is none."""
    found = consumer.list_topics(topic, METADATA_S).topics[topic]
    if found.error is not None or not found.partitions:
        raise Stop(f"topic {topic} is missing: run azotte up, or make it as docs/architecture.md says")
    return len(found.partitions)


def is_eof(message: Message) -> bool:
    """Whether the message says that a partition's end is reached."""
    error = message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF


def check(message: Message) -> None:
    """Raise for an error that is not only a lost connection, after which the client goes on by itself."""
    error = message.error()
    if error is None or error.retriable() or error.code() in _PASSING:
        return
    raise Stop(f"{message.topic()} {message.partition()} cannot be read at {message.offset()}: {error.str()}")


_PASSING = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TIMED_OUT,
        KafkaError._RESOLVE,
        KafkaError._MAX_POLL_EXCEEDED,
    }
)


def passing(error: KafkaException) -> bool:
    """Whether the broker may answer the next time."""
    reason = error.args[0]
    return bool(reason.retriable() or reason.code() in _AWAY)


_AWAY = frozenset(
    {
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._RESOLVE,
        KafkaError._WAIT_COORD,
        # What a broker says while it starts, or while groups and partitions move to another one. The client calls some of
        # these final where it does not try again by itself (seen with librdkafka 2.12).
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.BROKER_NOT_AVAILABLE,
        KafkaError.NETWORK_EXCEPTION,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
    }
)


def committed(
    consumer: Consumer, partitions: Sequence[TopicPartition], seconds: float
) -> list[TopicPartition]:
    """The group's stable offsets, below 0 where there is none.

    Raises `Stop` where one cannot be read, and `KafkaException` where it may be the next time: never "none" for that.
    """
    found: list[TopicPartition] = consumer.committed(list(partitions), seconds)
    for each in found:
        if each.error is not None:
            error = KafkaException(each.error)
            if passing(error):
                raise error
            raise Stop(f"the offset of {each.topic} {each.partition} cannot be read: {each.error}")
    return found
