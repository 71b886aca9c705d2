"""Every client is told where the brokers are and how to log in; secrets show nowhere else."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from schemas.registry import Folder, Memory, Registry
from streams import kafka
from streams.connection import connection, schemas_of
from tests.unit.streams.fakes import settings

SECRET = "s3cr3t-word"
LOGIN: dict[str, Any] = {
    "kafka_security_protocol": "sasl_ssl", "kafka_sasl_username": "me", "kafka_sasl_password": SECRET,
    "kafka_options": {"ssl.key.password": SECRET}, "clickhouse_url": f"http://me:{SECRET}@house:8123/azotte",
    "schema_registry_url": f"http://me:{SECRET}@registry:8081",
}  # fmt: skip


def test_a_local_broker_needs_an_address_alone() -> None:
    assert connection(settings()) == {"bootstrap.servers": "127.0.0.1:1", "security.protocol": "plaintext"}


def test_a_login_stands_in_what_a_client_is_given() -> None:
    assert connection(settings(**LOGIN)) == {
        "bootstrap.servers": "127.0.0.1:1", "security.protocol": "sasl_ssl", "sasl.mechanism": "PLAIN",
        "sasl.username": "me", "sasl.password": SECRET, "ssl.key.password": SECRET,
    }  # fmt: skip


def test_more_options_win() -> None:
    found = connection(settings(kafka_options={"security.protocol": "ssl", "client.id": "mine"}))
    assert (found["security.protocol"], found["client.id"]) == ("ssl", "mine")


def test_every_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    class Client:
        def __init__(self, config: dict[str, Any]) -> None:
            seen.append(config)

        def init_transactions(self, timeout: float) -> None:
            """As if it had."""

    monkeypatch.setattr(kafka, "Consumer", Client)
    monkeypatch.setattr(kafka, "Producer", Client)
    given = settings(topic_prefix="p.", **LOGIN)
    kafka.group_consumer(given, "g", "error")
    kafka.plain_consumer(given, "g")
    kafka.plain_consumer(given, "g", committed=False)
    kafka.transactional_producer(given, "t")
    kafka.plain_producer(given)
    assert all(config["sasl.password"] == SECRET for config in seen)
    group, committed, uncommitted, transactional, _ = seen
    assert (group["group.id"], group["isolation.level"], group["auto.offset.reset"]) == (
        "p.g",
        "read_committed",
        "error",
    )
    assert group["partition.assignment.strategy"] == "cooperative-sticky"
    assert not any(config["enable.auto.commit"] for config in (group, committed, uncommitted))
    assert "enable.partition.eof" not in group
    assert (committed["isolation.level"], uncommitted["isolation.level"]) == (
        "read_committed",
        "read_uncommitted",
    )
    assert transactional["transactional.id"] == "p.t"


def test_a_secret_shows_neither_in_settings_nor_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    given = settings(**LOGIN)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("azotte").info("%s %r %s", given, given, given.clickhouse)
    shown = caplog.text + repr(given) + str(given) + repr(given.clickhouse) + given.clickhouse.address
    shown += str(given.model_dump()) + given.model_dump_json() + repr(schemas_of(given))
    assert SECRET not in shown


def test_schemas_come_from_where_the_settings_say(tmp_path: Path) -> None:
    assert schemas_of(settings()) is None
    assert isinstance(schemas_of(settings(schema_registry_url="http://registry:8081")), Registry)
    assert isinstance(schemas_of(settings(schema_registry_url="mock://here")), Memory)
    assert isinstance(schemas_of(settings(schema_folder=tmp_path)), Folder)
