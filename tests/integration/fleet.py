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

from confluent_kafka import Consumer, IsolationLevel, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from schemas import topics
from streams.patience import passing

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
        stamps = {} if append_time else {"message.timestamp.type": "CreateTime"}
        wanted = [
            NewTopic(
                self.topic(topic),
                len(self._places(topic)),
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
        self,
        name: str,
        *arguments: str,
        extra: Mapping[str, str] | None = None,
        program: str = "azotte",
    ) -> subprocess.Popen[bytes]:
        """Start `azotte ARGUMENTS`, or another program beside it, under a name; its output goes to `<name>.log`."""
        self.starts += 1
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(pathlib.Path(sys.executable).with_name(program)), *arguments],
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

    def end(self, name: str, seconds: float = STOP_S) -> None:
        """SIGTERM: it must go by itself, in time, and content."""
        process = self.running[name]
        process.terminate()
        assert process.wait(seconds) == 0, self.logs()
        del self.running[name]

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
            {
                "bootstrap.servers": self.servers,
                "enable.idempotence": True,
                "message.max.bytes": 8_000_000,
                # Without bound: a bench publishes more commands at once than the client holds by default.
                "queue.buffering.max.messages": 0,
            }
        )
        for command in commands:
            key = f"{command['tenant']}/{command.get('account', '')}"
            producer.produce(self.topic(topics.COMMANDS), json.dumps(command).encode(), key)
            producer.poll(0)
        assert producer.flush(30) == 0

    def offsets(self, group: str, topic: topics.Topic) -> dict[int, int]:
        """How many records of each of a topic's partitions a group is done with, as far as the broker can say now."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": self.prefix + group})
        try:
            found = consumer.committed(self._places(topic), 10)
            return {each.partition: max(0, each.offset) for each in found if each.error is None}
        except KafkaException as error:
            # The broker has just started, or the group has just been made and has no coordinator yet.
            if not passing(error):
                raise
            return {}
        finally:
            consumer.close()

    def ends(self, topic: topics.Topic, committed: bool = False) -> dict[int, int]:
        """The offset after each partition's last record; those of open transactions count unless `committed`."""
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        admin = AdminClient({"bootstrap.servers": self.servers})
        asked = {place: OffsetSpec.latest() for place in self._places(topic)}
        found = admin.list_offsets(asked, isolation_level=level, request_timeout=10)
        return {place.partition: int(future.result(15).offset) for place, future in found.items()}

    def done_with(self, group: str, topic: topics.Topic) -> int:
        """The same for a topic of one partition."""
        return self.offsets(group, topic).get(0, 0)

    def _places(self, topic: topics.Topic) -> list[TopicPartition]:
        count = 1 if topic.partitions is topics.Partitions.ONE else self.partitions
        return [TopicPartition(self.topic(topic), number) for number in range(count)]
