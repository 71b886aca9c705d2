"""Topics as the table in `schemas.topics` has them: made where they are missing, compared where they are not."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from schemas import topics
from streams.connection import connection
from streams.settings import Settings
from streams.stack.errors import StackError

WAIT_S = 30
REPLICATION = 3


def ensure(settings: Settings) -> list[str]:
    """Make the topics that are missing; the names of those made. Raises `StackError` where the broker refuses."""
    admin = AdminClient(connection(settings) | {"log_level": 0})
    try:
        cluster = admin.list_topics(timeout=WAIT_S)
    except KafkaException as error:
        raise StackError(
            f"the broker at {settings.bootstrap_servers} does not answer: {error.args[0].str()}"
        ) from None
    log = cluster.topics.get(settings.topic(topics.LOG.name))
    aligned = len(log.partitions) if log is not None else settings.partitions
    wanted = [
        _new(settings, topic, aligned, len(cluster.brokers))
        for topic in _all(settings)
        if settings.topic(topic.name) not in cluster.topics
    ]
    for name, future in admin.create_topics(wanted).items() if wanted else ():
        try:
            future.result(WAIT_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise StackError(f"topic {name} cannot be made: {error.args[0].str()}") from None
    return [topic.topic for topic in wanted]


def problems(settings: Settings) -> list[str]:
    """A sentence for each topic that is missing or not as it should be."""
    admin = AdminClient(connection(settings) | {"log_level": 0})
    cluster = admin.list_topics(timeout=WAIT_S)
    found, there = [], []
    for topic in _all(settings):
        name = settings.topic(topic.name)
        if name in cluster.topics:
            there.append((name, topic))
        else:
            found.append(f"topic {name} is missing: run azotte up")
    log = cluster.topics.get(settings.topic(topics.LOG.name))
    asked = {name: ConfigResource(ResourceType.TOPIC, name) for name, _ in there}
    configs = (
        {resource.name: future for resource, future in admin.describe_configs(list(asked.values())).items()}
        if asked
        else {}
    )
    for name, topic in there:
        count = len(cluster.topics[name].partitions)
        if (
            topic.partitions is topics.Partitions.LOG_ALIGNED
            and log is not None
            and count != len(log.partitions)
        ):
            found.append(
                f"topic {name} has {count} partitions, the log {len(log.partitions)}: they must be equal"
            )
        config = configs[name].result(WAIT_S)
        policy, size = config["cleanup.policy"].value, int(config["max.message.bytes"].value)
        if set(policy.split(",")) != set(topic.config()["cleanup.policy"].split(",")):
            found.append(f"topic {name} has cleanup.policy {policy}, which loses or keeps the wrong records")
        if size < topic.message_bytes_max:
            found.append(
                f"topic {name} has max.message.bytes {size}: raise it to {topic.message_bytes_max}, or large records stop a worker"
            )
        if topic.append_time and config["message.timestamp.type"].value != "LogAppendTime":
            found.append(
                f"topic {name} takes the producers' timestamps: set message.timestamp.type to LogAppendTime, "
                "or receipt times are what producers say"
            )
    return found


def _all(settings: Settings) -> list[topics.Topic]:
    bound = [
        topics.Topic(
            name, topics.EVENTS.partitions, retention_ms=topics.EVENTS.retention_ms, append_time=True
        )
        for name in settings.tenant_topics
    ]
    return [*topics.TOPICS, *(topic for topic in bound if topic.name not in topics.BY_NAME)]


def _new(settings: Settings, topic: topics.Topic, aligned: int, brokers: int) -> NewTopic:
    counts = {
        topics.Partitions.ONE: 1,
        topics.Partitions.SETTING: settings.partitions,
        topics.Partitions.LOG_ALIGNED: aligned,
    }
    replicas = settings.replication or min(REPLICATION, brokers)
    config = topic.config()
    if replicas >= REPLICATION:
        config |= {"min.insync.replicas": "2", "unclean.leader.election.enable": "false"}
    return NewTopic(settings.topic(topic.name), counts[topic.partitions], replicas, config=config)
