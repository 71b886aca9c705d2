"""`azotte up`, `status`, `down`: the life of a local stack of its own, as a user at a terminal sees it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from schemas.topics import BY_NAME, TOPICS, Partitions
from streams.settings import Settings
from streams.stack import broker, clickhouse, doctor
from streams.stack.config import StackConfig
from streams.stack.process import free_port, port_is_free
from tests.servers import local_config

WAIT_S = 120


class Terminal:
    """A shell whose environment describes one stack."""

    def __init__(self, config: StackConfig) -> None:
        self.config = config
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AZOTTE_")}
        self.environment = kept | {
            "AZOTTE_HOME": str(config.home),
            "AZOTTE_KAFKA_PORT": str(config.kafka_port),
            "AZOTTE_CLICKHOUSE_PORT": str(config.clickhouse_port),
            "AZOTTE_PARTITIONS": "2",
        }
        self.settings = Settings(
            home=config.home,
            kafka_port=config.kafka_port,
            clickhouse_port=config.clickhouse_port,
            partitions=2,
        )

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "streams.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment | more,
            text=True,
        )

    def azotte(self, *arguments: str, **more: str) -> tuple[int, str, str]:
        """Exit status, standard output, standard error."""
        with self.start(*arguments, **more) as process:
            output, errors = process.communicate(timeout=WAIT_S)
            return process.returncode, output, errors

    def done(self, *arguments: str) -> str:
        status, output, errors = self.azotte(*arguments)
        assert status == 0, errors
        return output

    @property
    def pids(self) -> tuple[int | None, int | None]:
        return broker.daemon(self.config).pid(), clickhouse.daemon(self.config).pid()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(local_config(tmp_path / "home"))
    yield made
    made.azotte("down", "--purge")


def test_a_stack_is_started_once_found_again_and_purged(terminal: Terminal) -> None:
    config = terminal.config
    described = json.loads(terminal.done("up"))
    assert described == {
        "kafka": {"bootstrap_servers": config.bootstrap_servers, "state": "running"},
        "clickhouse": {"url": config.clickhouse_address, "state": "running"},
    }
    pids = terminal.pids
    assert json.loads(terminal.done("up")) == described
    assert (terminal.pids, None in pids) == (pids, False)
    assert json.loads(terminal.done("status", "--json")) == described
    found = {check.name: check.state for check in doctor.run(terminal.settings)}
    assert found == {
        "python": "ok", "home": "ok", "disk": "ok", "java": "ok", "jars": "ok", "kafka": "ok", "clickhouse": "ok",
        "topics": "ok", "tables": "ok", "clock": "ok",
    }  # fmt: skip
    assert terminal.done("query", "SELECT count() AS n FROM charges", "--json").strip() == '{"n": 0}'
    assert terminal.done("down").strip() == "stopped kafka and clickhouse"
    assert (terminal.pids, port_is_free(config.kafka_port)) == ((None, None), True)
    assert config.kafka_data.exists()
    assert json.loads(terminal.done("status", "--json"))["kafka"]["state"] == "stopped"
    assert json.loads(terminal.done("up")) == described
    terminal.done("down", "--purge")
    assert not config.kafka_data.exists()
    assert not config.clickhouse_data.exists()


def test_the_broker_keeps_each_topic_as_the_table_of_topics_says(terminal: Terminal) -> None:
    terminal.done("up")
    admin = AdminClient({"bootstrap.servers": terminal.config.bootstrap_servers})
    counts = {name: len(found.partitions) for name, found in admin.list_topics(timeout=30).topics.items()}
    asked = {topic: ConfigResource(ResourceType.TOPIC, topic.name) for topic in TOPICS}
    told = admin.describe_configs(list(asked.values()))
    for topic, resource in asked.items():
        assert counts[topic.name] == (1 if topic.partitions is Partitions.ONE else 2), topic.name
        found = told[resource].result(30)
        assert {name: found[name].value for name in topic.config()} == topic.config(), topic.name
    kept = told[asked[BY_NAME["usage.events.v1"]]].result(30)
    assert kept["message.timestamp.type"].value == "LogAppendTime"


def test_two_at_once_start_one_stack_and_its_data_outlives_it(terminal: Terminal) -> None:
    both = [terminal.start("up"), terminal.start("up")]
    answers = [process.communicate(timeout=WAIT_S) for process in both]
    assert [process.returncode for process in both] == [0, 0], answers
    assert answers[0][0] == answers[1][0]
    said = answers[0][1] + answers[1][1]
    assert said.count("starting Kafka") == said.count("starting ClickHouse") == 1
    assert f"{len(TOPICS)} topics made" in said
    terminal.done("down")
    status, _, errors = terminal.azotte("up")
    assert (status, "topics made" in errors) == (0, False), errors


@pytest.mark.parametrize("words", ["starting ClickHouse", "formatting Kafka", "starting Kafka"])
def test_a_ctrl_c_leaves_nothing_running(terminal: Terminal, words: str) -> None:
    with terminal.start("up") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if words in line:
                process.send_signal(signal.SIGINT)
                break
        _, errors = process.communicate(timeout=WAIT_S)
    assert process.returncode != 0
    assert "Traceback" not in errors
    assert terminal.pids == (None, None)
    assert port_is_free(terminal.config.kafka_port)
    assert port_is_free(terminal.config.clickhouse_port)


def test_a_taken_port_ends_it_with_one_sentence(terminal: Terminal, kafka: str) -> None:
    port = kafka.rpartition(":")[2]
    status, output, errors = terminal.azotte("up", AZOTTE_KAFKA_PORT=port)
    assert (status, output) == (1, "")
    assert errors.splitlines()[-1].endswith(
        f"port {port} is taken by another program: stop it, or set AZOTTE_KAFKA_PORT to a free port"
    )
    assert terminal.pids == (None, None)


def test_another_port_than_it_was_started_with_is_told(terminal: Terminal) -> None:
    terminal.done("up")
    status, _, errors = terminal.azotte("up", AZOTTE_CLICKHOUSE_PORT=str(free_port()))
    assert status == 1
    assert "does not answer" in errors
    assert "azotte down" in errors
    assert None not in terminal.pids


def test_servers_that_were_killed_are_started_again_with_their_data(terminal: Terminal) -> None:
    terminal.done("up")
    with clickhouse_connect.get_client(dsn=terminal.config.clickhouse_address) as client:
        client.command("CREATE TABLE kept (a UInt64) ENGINE MergeTree ORDER BY a")
        client.insert("kept", [[1], [2]], ["a"])
    producer = Producer({"bootstrap.servers": terminal.config.bootstrap_servers})
    producer.produce("usage.events.v1", b"kept", partition=0)
    assert producer.flush(WAIT_S) == 0
    for daemon in (broker.daemon(terminal.config), clickhouse.daemon(terminal.config)):
        pid = daemon.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    assert json.loads(terminal.done("status", "--json"))["clickhouse"]["state"] == "stopped"
    terminal.done("up")
    with clickhouse_connect.get_client(dsn=terminal.config.clickhouse_address) as client:
        assert client.query("SELECT sum(a) FROM kept").result_rows == [(3,)]
    consumer = Consumer({"bootstrap.servers": terminal.config.bootstrap_servers, "group.id": "none"})
    try:
        ends = consumer.get_watermark_offsets(TopicPartition("usage.events.v1", 0), timeout=30)
    finally:
        consumer.close()
    assert ends == (0, 1)
