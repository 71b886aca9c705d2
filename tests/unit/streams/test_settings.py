"""Settings: where they come from, which wins, what does not hold and how that is told; secrets never show."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.durations import read_duration, show_duration
from streams.settings import Settings, load_settings
from streams.settings_clickhouse import ClickHouse
from streams.settings_docs import documentation, in_force
from streams.settings_errors import SettingsInvalid

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("AZOTTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal() -> str:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_contracts_defaults() -> None:
    settings = load_settings()
    assert (settings.kafka_port, settings.clickhouse_port, settings.partitions) == (9092, 8123, 8)
    assert settings.accept_past == 35 * 86_400_000_000
    assert settings.accept_future == 3_600_000_000
    assert settings.bootstrap_servers == "127.0.0.1:9092"
    assert settings.clickhouse == ClickHouse("http", "127.0.0.1", 8123)
    assert settings.event_topics == {"usage.events.v1": None}


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "azotte.toml").write_text(
        'partitions = 3\naccept_past = "7d"\n[tenant_topics]\n"usage.a" = "a"\n'
    )
    monkeypatch.setenv("AZOTTE_PARTITIONS", "5")
    settings = load_settings()
    assert (settings.partitions, settings.accept_past) == (5, 7 * 86_400_000_000)
    assert settings.event_topics == {"usage.events.v1": None, "usage.a": "a"}


def test_azotte_config_names_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "azotte.toml").write_text("partitions = 3")
    (tmp_path / "other.toml").write_text("partitions = 4")
    monkeypatch.setenv("AZOTTE_CONFIG", str(tmp_path / "other.toml"))
    assert load_settings().partitions == 4


def test_a_prefix_stands_before_every_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZOTTE_TOPIC_PREFIX", "eu.")
    settings = load_settings()
    assert settings.topic("rating.log.v1") == "eu.rating.log.v1"
    assert settings.base("eu.rating.log.v1") == "rating.log.v1"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("AZOTTE_PARTITIONS", "0", "AZOTTE_PARTITIONS '0' is less than 1"),
        ("AZOTTE_KAFKA_PORT", "70000", "AZOTTE_KAFKA_PORT '70000' is more than 65535"),
        ("AZOTTE_KAFKA_PORT", "x", "AZOTTE_KAFKA_PORT 'x' is not a whole number"),
        ("AZOTTE_ACCEPT_PAST", "35", "AZOTTE_ACCEPT_PAST '35' is not a duration: write a number with ms, s"),
        ("AZOTTE_ACCEPT_FUTURE", "8d", "AZOTTE_ACCEPT_FUTURE 8d is more than 7d"),
        ("AZOTTE_ACCEPT_PAST", "30m", "accept_future may not be more than accept_past"),
        ("AZOTTE_UNKNOWN_SUBJECT", "drop", "'drop' is not one of keep, reject"),
        ("AZOTTE_KAFKA_BOOTSTRAP_SERVERS", "kafka", "is not host:port"),
        ("AZOTTE_TENANT_TOPICS", "acme", 'AZOTTE_TENANT_TOPICS is not a JSON object: write it like {"name"'),
        ("AZOTTE_TENANT_TOPICS", '{"billing.charges.v1": "a"}', "is a topic of azotte's own"),
        ("AZOTTE_TENANT_TOPICS", '{"usage.a": "a/b"}', "'a/b' is not a tenant"),
        ("AZOTTE_CHARGES_FORMAT", "avro", "charges_format avro needs schema_registry_url or schema_folder"),
        ("AZOTTE_KAFKA_SECURITY_PROTOCOL", "sasl_ssl", "needs kafka_sasl_username"),
        (
            "AZOTTE_KAFKA_PORTS",
            "1",
            "AZOTTE_KAFKA_PORTS, which is no setting; did you mean AZOTTE_KAFKA_PORT?",
        ),
        ("AZOTTE_CONFIG", "none.toml", "AZOTTE_CONFIG names none.toml, which is not a file"),
    ],
)
def test_what_does_not_hold_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert told in refusal()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('acept_past = "1d"', "azotte.toml has acept_past, which is no setting; did you mean accept_past?"),
        ('accept_past = "1y"', "accept_past in azotte.toml '1y' is not a duration"),
        ("partitions =", "azotte.toml is not a TOML file"),
    ],
)
def test_the_files_mistakes_are_one_sentence(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "azotte.toml").write_text(content)
    assert told in refusal()


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@/db", "ftp://user:hunter2@host/db", "http://user:hunter2@host:x/db"]
)
def test_a_wrong_url_is_told_without_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AZOTTE_CLICKHOUSE_URL", url)
    text = refusal()
    assert "AZOTTE_CLICKHOUSE_URL is not http(s)://user:password@host:port/database" in text
    assert "hunter2" not in text


def test_secrets_never_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZOTTE_CLICKHOUSE_URL", "https://ana:hunter2@db.example:9440/usage")
    monkeypatch.setenv("AZOTTE_KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("AZOTTE_SCHEMA_REGISTRY_URL", "https://ana:hunter2@registry.example")
    monkeypatch.setenv("AZOTTE_KAFKA_OPTIONS", '{"ssl.key.password": "hunter2"}')
    settings = load_settings()
    shown = dict(in_force(settings))
    for text in (
        repr(settings),
        str(settings),
        repr(settings.clickhouse),
        repr(shown),
        settings.model_dump_json(),
    ):
        assert "hunter2" not in text
    assert shown["clickhouse_url"] == "https://ana:********@db.example:9440/usage"
    assert settings.clickhouse.password == "hunter2"
    assert settings.clickhouse.database == "usage"


def test_a_url_may_leave_out_what_is_usual() -> None:
    assert ClickHouse.parse("https://db.example") == ClickHouse(
        "https", "db.example", 8443, "default", "", "azotte"
    )
    assert ClickHouse.parse("http://a%40b:p%2Fq@h/x") == ClickHouse("http", "h", 8123, "a@b", "p/q", "x")


@pytest.mark.parametrize(
    ("text", "micros"), [("25ms", 25_000), ("0s", 0), ("90s", 90_000_000), ("35d", 3_024_000_000_000)]
)
def test_durations_are_read_and_shown(text: str, micros: int) -> None:
    assert read_duration(text) == micros
    assert read_duration(show_duration(micros)) == micros


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().partitions = 3


def test_every_setting_is_documented_and_the_documentation_is_current() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == documentation(), "run `azotte settings table > docs/settings.md`"
