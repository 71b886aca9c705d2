"""The commands that publish, against a real broker: what a user typed is what stands on the topics."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from rating.times import format_time
from streams import clock
from streams.settings import Settings
from streams.stack import topics_admin

Record = tuple[bytes | None, bytes | None, dict[str, str]]


class Deployment:
    """A topic prefix of its own on the broker of the run."""

    def __init__(self, servers: str, home: Path) -> None:
        self.settings = Settings(
            home=home,
            kafka_bootstrap_servers=servers,
            topic_prefix=f"cli-{uuid.uuid4().hex[:8]}.",
            partitions=2,
        )
        self.environment = os.environ | {
            "AZOTTE_HOME": str(home),
            "AZOTTE_KAFKA_BOOTSTRAP_SERVERS": servers,
            "AZOTTE_TOPIC_PREFIX": self.settings.topic_prefix,
            "AZOTTE_PARTITIONS": "2",
        }

    def azotte(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "streams.cli", *arguments]
        return subprocess.run(
            command, input=given, capture_output=True, timeout=60, check=False, env=self.environment
        )

    def done(self, *arguments: str, given: bytes = b"") -> str:
        answer = self.azotte(*arguments, given=given)
        assert answer.returncode == 0, answer.stderr.decode()
        return answer.stdout.decode()

    def read(self, base: str) -> list[Record]:
        """Everything on a topic, partition by partition."""
        topic = self.settings.topic(base)
        consumer = Consumer({
            "bootstrap.servers": self.settings.bootstrap_servers, "group.id": "cli-test", "auto.offset.reset": "earliest",
        })  # fmt: skip
        found: list[Record] = []
        try:
            for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
                place = TopicPartition(topic, partition, 0)
                _, end = consumer.get_watermark_offsets(place, timeout=10)
                consumer.assign([place])
                count = 0
                while count < end:
                    for message in consumer.consume(end - count, 5.0):
                        assert message.error() is None
                        headers = {name: value.decode() for name, value in message.headers() or []}
                        found.append((message.key(), message.value(), headers))
                        count += 1
        finally:
            consumer.close()
        return found

    def put(self, base: str, *records: tuple[bytes, bytes, dict[str, str]]) -> None:
        producer = Producer({"bootstrap.servers": self.settings.bootstrap_servers})
        for key, value, headers in records:
            producer.produce(self.settings.topic(base), value, key, headers=list(headers.items()))
        assert producer.flush(10) == 0


@pytest.fixture
def deployment(kafka: str, tmp_path: Path) -> Deployment:
    found = Deployment(kafka, tmp_path)
    topics_admin.ensure(found.settings)
    return found


def event(number: int, **more: Any) -> bytes:
    attributes = {"specversion": "1.0", "id": str(number), "source": "test", "type": "t", "subject": "acme"}
    return json.dumps(attributes | more).encode()


def test_commands_stand_on_their_topic_as_they_were_typed(deployment: Deployment) -> None:
    answer = deployment.done(
        "subscribe", "acme", "pro", "--subscription", "main", "--start", "2026-11-01T00:00:00Z", "--subject", "u1",
        "--subject", "u2", "--timezone", "Europe/Berlin", "--id", "c1", "--time", "2026-11-02T00:00:00Z", "--json",
    )  # fmt: skip
    printed = json.loads(answer)
    deployment.done(
        "grant", "acme", "12.50", "USD", "--grant", "g", "--priority", "0", "--charge", "base", "--id", "c2"
    )
    deployment.done("cancel", "acme", "main", "--at", "now", "--id", "c3")
    deployment.done(
        "retract", "acme", "--was", '{"id": "1", "source": "s", "data": {"n": 1.10}}', "--id", "c4"
    )
    limit = (
        "limit",
        "set",
        "acme",
        "cap",
        "--metric",
        "spend",
        "--amount",
        "500",
        "--currency",
        "USD",
        "--hard",
    )
    deployment.done(*limit, "--id", "c5")
    records = deployment.read("billing.commands.v1")
    assert {key for key, _, _ in records} == {b"default/acme"}
    subscribe, grant, cancel, retract, cap = (json.loads(value or b"") for _, value, _ in records)
    assert subscribe == printed == {
        "id": "c1", "tenant": "default", "account": "acme", "type": "subscribe", "time": "2026-11-02T00:00:00.000000Z",
        "subscription": "main", "plan": "pro", "start": "2026-11-01T00:00:00.000000Z", "timezone": "Europe/Berlin",
        "subjects": ["u1", "u2"],
    }  # fmt: skip
    assert (grant["amount"], grant["priority"], grant["applies_to"]) == ("12.50", 0, {"charges": ["base"]})
    assert (cancel["subscription"], cancel["at"]) == ("main", "now")
    assert (retract["source"], retract["event_id"]) == ("s", "1")
    assert (cap["type"], cap["limit"]) == (
        "set_limit",
        {"key": "cap", "metric": "spend", "amount": "500", "currency": "USD", "hard": True},
    )
    assert b'"n":1.10' in (records[3][1] or b"").replace(b" ", b"")


def test_events_are_published_byte_for_byte_and_bad_lines_are_named(
    deployment: Deployment, tmp_path: Path
) -> None:
    lines = [event(1), b"nope", event(2, data={"n": 1}), b'{"id": "3"}']
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(lines))
    answer = deployment.azotte("produce", str(file), "--json")
    assert answer.returncode == 1
    assert json.loads(answer.stdout) == {"published": 2, "failed": 0, "bad_lines": [2, 4]}
    assert b"line 2 left out: not a JSON object" in answer.stderr
    assert sorted(deployment.read("usage.events.v1"), key=str) == [
        (b"acme", lines[0], {}),
        (b"acme", lines[2], {}),
    ]


def test_events_come_from_stdin_and_at_a_rate(deployment: Deployment) -> None:
    begin = clock.monotonic()
    deployment.done("produce", "-", "--rate", "20", given=b"\n".join(event(number) for number in range(21)))
    assert clock.monotonic() - begin >= 1
    assert len(deployment.read("usage.events.v1")) == 21


def test_a_csv_is_published_through_its_mapping(deployment: Deployment, tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("TIMESTAMP,ContextTokens\n2026-11-16 18:17:03.9799600,374\n")
    deployment.done(
        "produce", str(file), "--map", "time=TIMESTAMP", "--map", "data.input_tokens=ContextTokens",
        "--set", "source=trace", "--set", "type=llm.completion", "--set", "subject=acme",
    )  # fmt: skip
    ((_, value, _),) = deployment.read("usage.events.v1")
    assert json.loads(value or b"") == {
        "specversion": "1.0", "id": "trace-1", "source": "trace", "type": "llm.completion", "subject": "acme",
        "time": "2026-11-16T18:17:03.9799600Z", "data": {"input_tokens": 374},
    }  # fmt: skip


def test_an_event_that_is_too_large_for_the_broker_is_named(deployment: Deployment) -> None:
    answer = deployment.azotte("produce", "-", given=event(1, data={"x": "x" * 2_000_000}) + b"\n" + event(2))
    assert answer.returncode == 1
    assert b"not delivered: line 1:" in answer.stderr
    assert len(deployment.read("usage.events.v1")) == 1


def rejection(code: str, stage: str = "normalize", topic: str = "usage.events.v1") -> dict[str, str]:
    return {
        "content-type": "application/json", "error": code, "error_detail": "why", "stage": stage,
        "origin_topic": topic, "origin_partition": "0", "origin_offset": "7",
    }  # fmt: skip


def test_rejected_events_are_published_again_as_they_came(deployment: Deployment) -> None:
    prefix = deployment.settings.topic_prefix
    raw, log = prefix + "usage.events.v1", prefix + "rating.log.v1"
    commands = prefix + "billing.commands.v1"
    deployment.put(
        "usage.rejected.v1",
        (b"k1", event(1), rejection("bad_value", topic=raw)),
        (b"k2", event(2), rejection("unrated", "rate", log)),
        (b"k3", b"{}", rejection("bad_command", "control", commands)),
    )
    counted = json.loads(deployment.done("redrive", "--dry-run", "--json"))
    assert counted == {"redriven": {"bad_value": 1, "unrated": 1}, "failed": 0, "dry_run": True}
    assert deployment.read("usage.events.v1") == []
    deployment.done("redrive", "--code", "unrated")
    assert deployment.read("usage.events.v1") == [(b"k2", event(2), {"content-type": "application/json"})]
    deployment.done("redrive")
    assert len(deployment.read("usage.events.v1")) == 3
    assert deployment.read("billing.commands.v1") == []
    deployment.done("redrive", "--code", "bad_command")
    assert deployment.read("billing.commands.v1") == [(b"k3", b"{}", {"content-type": "application/json"})]


def test_redriving_begins_where_it_is_told(deployment: Deployment) -> None:
    deployment.put("usage.rejected.v1", (b"k1", event(1), rejection("too_new")))
    later = format_time(clock.now() + 60_000_000)
    assert "nothing to publish again" in deployment.done("redrive", "--since", later)
    assert "too_new" in deployment.done("redrive", "--since", "1h")


def test_topics_that_are_not_there_are_one_sentence(kafka: str, tmp_path: Path) -> None:
    empty = Deployment(kafka, tmp_path)
    for arguments in (("grant", "acme", "5", "USD"), ("produce", "-"), ("redrive",)):
        answer = empty.azotte(*arguments)
        assert answer.returncode == 1
        assert b"make the topics with `azotte up`" in answer.stderr
        assert len(answer.stderr.splitlines()) == 1
