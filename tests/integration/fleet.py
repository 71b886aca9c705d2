"""A deployment under test: topics of its own on the shared broker, and `azotte` processes that can be killed."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas import topics
from streams.kafka import passing

STOP_S = 30


@dataclass(slots=True)
class Fleet:
    """Processes over one topic prefix. `folder` holds their home and their logs."""

    servers: str
    prefix: str
    folder: pathlib.Path
    partitions: int = 4
    clickhouse: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    starts: int = 0

    def topic(self, topic: topics.Topic) -> str:
        """The full name of a topic."""
        return self.prefix + topic.name

    def make_topics(self, append_time: bool = False) -> None:
        """All topics, with the producer's timestamps so that a test decides what is received when, or the broker's."""
        admin = AdminClient({"bootstrap.servers": self.servers})
        count = {topics.Partitions.ONE: 1}
        stamps = {} if append_time else {"message.timestamp.type": "CreateTime"}
        wanted = [
            NewTopic(
                self.topic(topic),
                count.get(topic.partitions, self.partitions),
                1,
                config=topic.config() | {"retention.ms": "-1"} | stamps,
            )
            for topic in topics.TOPICS
        ]
        for future in admin.create_topics(wanted).values():
            future.result(30)

    def environment(self) -> dict[str, str]:
        """What every `azotte` process of this fleet runs with."""
        found = {
            "AZOTTE_HOME": str(self.folder / "home"),
            "AZOTTE_KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "AZOTTE_TOPIC_PREFIX": self.prefix,
            "AZOTTE_PARTITIONS": str(self.partitions),
            "AZOTTE_WEB_PORT": "0",
        }
        if self.clickhouse is not None:
            found["AZOTTE_CLICKHOUSE_URL"] = self.clickhouse
        return {**os.environ, **found, **self.settings}

    def start(
        self, name: str, *arguments: str, extra: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `azotte ARGUMENTS` under a name; its output goes to `<name>.log`."""
        self.starts += 1
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(pathlib.Path(sys.executable).with_name("azotte")), *arguments],
                env=self.environment() | dict(extra or {}),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.running[name] = process
        return process

    def kill(self, name: str) -> None:
        """SIGKILL: no word to anybody."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(STOP_S)

    def stop(self) -> None:
        """End everything, politely first."""
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(STOP_S)
        self.running.clear()

    def log(self, name: str) -> str:
        """What a process said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self) -> str:
        """What each of them said last, 4,000 characters, for a failing assertion."""
        return "\n".join(
            f"--- {path.stem}\n{self.log(path.stem)[-4_000:]}" for path in sorted(self.folder.glob("*.log"))
        )

    def command(self, commands: Iterable[Mapping[str, object]]) -> None:
        """Publish commands in their order."""
        producer = Producer(
            {"bootstrap.servers": self.servers, "enable.idempotence": True, "message.max.bytes": 8_000_000}
        )
        for command in commands:
            key = f"{command['tenant']}/{command.get('account', '')}"
            producer.produce(self.topic(topics.COMMANDS), json.dumps(command).encode(), key)
            producer.poll(0)
        assert producer.flush(30) == 0

    def done_with(self, group: str, topic: topics.Topic) -> int:
        """How many records of a topic's first partition a group is done with, as far as the broker can say."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": self.prefix + group})
        try:
            (found,) = consumer.committed([TopicPartition(self.topic(topic), 0)], 10)
            return max(0, int(found.offset))
        except KafkaException as error:
            # A group that has just been made has no coordinator yet.
            if not passing(error):
                raise
            return 0
        finally:
            consumer.close()
