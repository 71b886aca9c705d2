"""Section 8: the settings that the contract names, and what they are unless set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.settings import load_settings

NAMED = (
    "HOME", "KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_URL", "KAFKA_PORT", "CLICKHOUSE_PORT", "TOPIC_PREFIX", "PARTITIONS",
    "ACCEPT_PAST", "ACCEPT_FUTURE", "UNKNOWN_SUBJECT",
)  # fmt: skip
GIVEN = ("given", "broker:1", "http://me:pw@house:2/db", "3", "4", "eu.", "5", "7d", "2h", "reject")
DAY = 86_400_000_000


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AZOTTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_every_setting_of_the_contract_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(NAMED, GIVEN, strict=True):
        monkeypatch.setenv(f"AZOTTE_{name}", value)
    settings = load_settings()
    assert settings.home.name == "given"
    assert settings.bootstrap_servers == "broker:1"
    assert (settings.clickhouse.host, settings.clickhouse.port, settings.clickhouse.database) == (
        "house",
        2,
        "db",
    )
    assert (settings.kafka_port, settings.clickhouse_port) == (3, 4)
    assert (settings.topic_prefix, settings.partitions) == ("eu.", 5)
    assert (settings.accept_past, settings.accept_future, settings.unknown_subject) == (
        7 * DAY,
        DAY // 12,
        "reject",
    )


def test_what_they_are_unless_set() -> None:
    settings = load_settings()
    assert settings.bootstrap_servers.endswith(":9092")
    assert (settings.clickhouse.port, settings.clickhouse.database) == (8123, "azotte")
    assert (settings.topic_prefix, settings.partitions) == ("", 8)
    assert (settings.accept_past, settings.accept_future) == (35 * DAY, DAY // 24)
    assert settings.unknown_subject == "keep"


def test_the_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('partitions = 3\ntopic_prefix = "file."\n')
    monkeypatch.setenv("AZOTTE_CONFIG", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("AZOTTE_PARTITIONS", "9")
    settings = load_settings()
    assert (settings.partitions, settings.topic_prefix) == (9, "file.")
