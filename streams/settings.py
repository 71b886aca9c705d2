"""Every setting of azotte, with its limits: from the environment (`AZOTTE_…`) and one TOML file; the environment wins.

The file is the one that `AZOTTE_CONFIG` names, else `azotte.toml` in the working folder; its keys are the field names
below. Durations are written `35d` or `25ms` and held as microseconds. `azotte settings table` writes the
documentation, `docs/settings.md`, from this class; `load_settings` is what programs call.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as SourceError

from schemas import topics
from streams.durations import read_duration
from streams.home import config_file, data_folder
from streams.notify.addresses import Address, read_addresses
from streams.settings_clickhouse import ClickHouse
from streams.settings_errors import SettingsInvalid, misspelt_variable, sentence, unreadable

Micros = Annotated[int, BeforeValidator(read_duration)]
"""A duration in microseconds."""
MINUTE = 60_000_000
MS = 1_000
SECOND = 1_000_000
DAY = 86_400_000_000


def _setting(default: Any, what: str, **bounds: Any) -> Any:
    return Field(default=default, description=what, **bounds)


class Settings(BaseSettings):
    """All settings, checked. Secrets are `SecretStr`: they show as stars wherever they are printed."""

    model_config = SettingsConfigDict(
        env_prefix="AZOTTE_", extra="forbid", frozen=True, env_ignore_empty=True
    )

    # fmt: off
    home: Path = _setting(None, "where the local stack keeps data, logs and fetched jars, and a worker its slots; "
        "unless set, the user's data folder", validate_default=True)
    kafka_port: int = _setting(9092, "port of the local stack's broker", ge=1, le=65_535)
    clickhouse_port: int = _setting(8123, "port of the local stack's ClickHouse", ge=1, le=65_535)

    kafka_bootstrap_servers: str | None = _setting(None, "brokers to use instead of the local stack's, "
        "`host:port[,host:port]`")
    kafka_security_protocol: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = _setting("plaintext",
        "how clients talk to those brokers")
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = _setting("PLAIN", "how they log in")
    kafka_sasl_username: str | None = _setting(None, "as whom they log in")
    kafka_sasl_password: SecretStr | None = _setting(None, "with which password")
    kafka_options: dict[str, SecretStr] = _setting({}, "more librdkafka properties of every client, as a TOML table "
        "or a JSON object")
    clickhouse_url: SecretStr | None = _setting(None, "ClickHouse to use instead of the local stack's, "
        "`http(s)://user:password@host:port/database`")
    schema_registry_url: SecretStr | None = _setting(None, "Confluent schema registry for Avro events; "
        "`mock://name` is one in memory")
    schema_folder: Path | None = _setting(None, "a folder of Avro schemas, `<id>.avsc` each, in place of a registry")

    topic_prefix: str = _setting("", "before every topic's name", pattern=r"^[a-zA-Z0-9._-]{0,100}$")
    partitions: int = _setting(8, "partitions of new topics; `rating.log.v1` keeps what it began with", ge=1, le=1000)
    replication: int | None = _setting(None, "replicas of new topics; unless set 3, or as many as there are brokers",
        ge=1, le=9)
    tenant_topics: dict[str, str] = _setting({}, "raw topics (without the prefix) that are bound to one tenant each, "
        "as a TOML table or a JSON object: `{\"usage.acme.v1\": \"acme\"}`")
    charges_format: Literal["json", "avro"] = _setting("json", "how `billing.charges.v1` is written; avro needs "
        "a schema registry or folder")

    accept_past: Micros = _setting("35d", "event times are accepted from this long before the log's clock; ids are "
        "kept and unrated usage waits as long", validate_default=True, ge=MINUTE, le=400 * DAY)
    accept_future: Micros = _setting("1h", "event times are accepted to this long after the event's receipt",
        validate_default=True, ge=0, le=7 * DAY)
    unknown_subject: Literal["keep", "reject"] = _setting("keep", "usage of a subject that nothing registers: kept "
        "as the account of that name, or rejected at once")
    event_bytes_max: int = _setting(262_144, "a larger usage event is rejected as `too_large`", ge=1024, le=1_000_000)

    stages: Literal["all", "control", "normalize", "rate", "notify"] = _setting("all", "the stages that a worker runs; "
        "all has notify where `webhooks` has an address")
    normalize_batch_events: int = _setting(20_000, "most events in one transaction of normalize", ge=1, le=200_000)
    pack_linger: Micros = _setting("25ms", "how long normalize gathers events before it packs them: longer makes "
        "fewer charge lines, and later ones", validate_default=True, ge=0, le=10 * SECOND)
    pack_linger_max: Micros = _setting("250ms", "and how long at most while rate is busy: it gathers for as long as "
        "rate's last transaction took", validate_default=True, ge=0, le=10 * SECOND)
    pack_events_max: int = _setting(2_000, "most events in one record of the log", ge=1, le=20_000)
    pack_bytes_max: int = _setting(900_000, "most bytes in one record of the log, uncompressed", ge=65_536,
        le=topics.LARGE)
    control_batch_records: int = _setting(500, "most commands in one transaction of control", ge=1, le=10_000)
    tick_interval: Micros = _setting("500ms", "how often control moves the log's clock", validate_default=True,
        ge=50 * MS, le=MINUTE)
    clock_skew_max: Micros = _setting("1s", "how far clocks of brokers and workers may differ: an idle partition "
        "holds the log's clock back by it", validate_default=True, ge=0, le=MINUTE)
    rate_batch_records: int = _setting(2_000, "most log records in one transaction of rate", ge=1, le=100_000)
    rate_batch_events: int = _setting(50_000, "most usage events in one transaction of rate; one record more may "
        "pass it", ge=1, le=1_000_000)
    expected_events_per_s: int = _setting(10, "usage events a second, over `accept_past`: a worker that starts warns "
        "where its disk cannot hold their ids", ge=1, le=10_000_000)
    drain_accounts_max: int = _setting(500, "most accounts whose due timers fire in one transaction", ge=1, le=100_000)
    transaction_timeout: Micros = _setting("10s", "the broker aborts a transaction that is open longer",
        validate_default=True, ge=SECOND, le=15 * MINUTE)
    session_timeout: Micros = _setting("6s", "a worker that is silent this long loses its partitions",
        validate_default=True, ge=SECOND, le=5 * MINUTE)

    sink_batch_rows: int = _setting(100_000, "most rows in one insert into ClickHouse", ge=1, le=2_000_000)
    sink_batch_bytes: int = _setting(32_000_000, "most bytes of records that the sink holds for one insert",
        ge=1_000_000, le=1_000_000_000)
    sink_linger: Micros = _setting("500ms", "how long the sink gathers rows for an insert", validate_default=True,
        ge=0, le=MINUTE)
    sink_retry_max: Micros = _setting("30s", "longest pause between two tries while ClickHouse is down",
        validate_default=True, ge=100 * MS, le=10 * MINUTE)

    gateway_host: str = _setting("127.0.0.1", "where `azotte gateway` serves its routes and pages")
    gateway_port: int = _setting(6070, "and at which port; 0 takes a free one", ge=0, le=65_535)
    gateway_url: str | None = _setting(None, "where other gateways reach this one, which they send on what its accounts are "
        "asked; unless set, `http://` and the host and port where it serves", pattern=r"^https?://[^\s/]+$")
    gateway_keys: Path | None = _setting(None, "the file of API keys, hashed, as `azotte gateway key` writes it and read "
        "again when it changes; unless set, `gateway-keys.toml` under `AZOTTE_HOME`")
    gateway_requests_per_s: int = _setting(5_000, "requests that one API key may make in a second, on average and at once",
        ge=1, le=1_000_000)
    gateway_body_bytes_max: int = _setting(4_000_000, "a larger request is refused", ge=1024, le=100_000_000)
    gateway_reservations_max: int = _setting(1_000_000, "most reservations that one gateway keeps, those that ended within a "
        "day included", ge=1, le=100_000_000)
    gateway_timeout: Micros = _setting("10s", "how long a request waits for the broker before it is told that it is away",
        validate_default=True, ge=SECOND, le=5 * MINUTE)
    webhooks: Annotated[dict[str, Address], BeforeValidator(read_addresses)] = _setting({}, "where webhooks go, as TOML "
        "tables or a JSON object: `{\"crm\": {\"url\": \"https://…\", \"secrets\": [\"whsec_…\"], \"types\": […], "
        "\"tenants\": […]}}`; see docs/webhooks.md")
    webhook_timeout: Micros = _setting("15s", "a receiver that has not answered by then has failed",
        validate_default=True, ge=100 * MS, le=MINUTE)
    webhook_tries: int = _setting(16, "a webhook that was tried so often becomes a dead letter", ge=1, le=50)
    webhook_first_pause: Micros = _setting("5s", "the pause after the first try, cut by chance to between half and "
        "the whole; each next one is twice as long", validate_default=True, ge=10 * MS, le=DAY)
    webhook_longest_pause: Micros = _setting("1h", "but never longer than this", validate_default=True, ge=10 * MS,
        le=DAY)
    webhook_in_flight: int = _setting(100, "most webhooks of one address that are in hand; a full hand reads on only "
        "when one is delivered or dead", ge=1, le=10_000)

    web_host: str = _setting("127.0.0.1", "where a worker serves `/healthz`, `/readyz` and `/metrics`")
    web_port: int = _setting(6066, "and at which port; 0 takes a free one", ge=0, le=65_535)
    log_level: Literal["debug", "info", "warning", "error"] = _setting("info", "how much is logged")
    # fmt: on

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is handed in wins over the environment, which wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @field_validator("home", mode="before")
    @classmethod
    def _home(cls, value: object) -> Path:
        return data_folder() if value is None else Path(str(value)).expanduser().absolute()

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _servers(cls, value: str | None) -> str | None:
        for server in (value or "").split(","):
            if value is not None and not re.fullmatch(
                r"\s*[^\s:,/]+:\d{1,5}\s*|\s*\[[0-9a-fA-F:.]+\]:\d{1,5}\s*", server
            ):
                raise ValueError("is not host:port, or several of them with commas between")
        return value

    @field_validator("clickhouse_url")
    @classmethod
    def _url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            ClickHouse.parse(value.get_secret_value())
        return value

    @field_validator("tenant_topics")
    @classmethod
    def _bound(cls, value: dict[str, str]) -> dict[str, str]:
        for topic, tenant in value.items():
            if not re.fullmatch(r"[a-zA-Z0-9._-]{1,200}", topic):
                raise ValueError(f"{topic!r} is not a topic's name")
            if topic != topics.EVENTS.name and topic in topics.BY_NAME:
                raise ValueError(f"{topic!r} is a topic of azotte's own: bind another one")
            if not re.fullmatch(r"[!-.0-~]{1,128}", tenant):
                raise ValueError(
                    f"{tenant!r} is not a tenant: 1 to 128 printable characters without space and /"
                )
        return value

    @model_validator(mode="after")
    def _relations(self) -> Self:
        for low, high, why in _RELATIONS:
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} may not be more than {high}: {why}")
        if self.charges_format == "avro" and not (self.schema_registry_url or self.schema_folder):
            raise ValueError(
                "charges_format avro needs schema_registry_url or schema_folder: set one of them"
            )
        if self.stages == "notify" and not self.webhooks:
            raise ValueError("stages notify needs an address in webhooks")
        if self.kafka_security_protocol.startswith("sasl") and not self.kafka_sasl_username:
            raise ValueError(
                f"kafka_security_protocol {self.kafka_security_protocol} needs kafka_sasl_username"
            )
        return self

    @property
    def bootstrap_servers(self) -> str:
        """The brokers that are in use: the settings' own, else the local stack's."""
        return self.kafka_bootstrap_servers or f"127.0.0.1:{self.kafka_port}"

    @property
    def clickhouse(self) -> ClickHouse:
        """The ClickHouse that is in use: the settings' own, else the local stack's."""
        if self.clickhouse_url is not None:
            return ClickHouse.parse(self.clickhouse_url.get_secret_value())
        return ClickHouse("http", "127.0.0.1", self.clickhouse_port)

    @property
    def event_topics(self) -> dict[str, str | None]:
        """The raw topics, prefixed, each with the tenant that it is bound to (`None`: any)."""
        bound: dict[str, str | None] = {topics.EVENTS.name: None, **self.tenant_topics}
        return {self.topic(name): tenant for name, tenant in bound.items()}

    def topic(self, base: str) -> str:
        """A topic's name in this deployment."""
        return self.topic_prefix + base

    def base(self, topic: str) -> str:
        """The base name of a topic of this deployment: the inverse of `topic`."""
        return topic.removeprefix(self.topic_prefix)


_RELATIONS = (
    ("event_bytes_max", "gateway_body_bytes_max", "one event must fit in a request"),
    ("accept_future", "accept_past", "an event accepted from the future must still be found as a duplicate"),
    ("event_bytes_max", "pack_bytes_max", "one event must fit in a pack"),
    ("pack_events_max", "normalize_batch_events", "a pack is made of one transaction's events"),
    ("webhook_first_pause", "webhook_longest_pause", "pauses only grow"),
    ("pack_linger", "pack_linger_max", "a busy worker gathers longer, not shorter"),
    ("pack_linger_max", "session_timeout", "a worker must not gather longer than it may be silent"),
    ("session_timeout", "transaction_timeout", "a transaction must outlive the silence that is allowed"),
)

SECRETS = frozenset(
    {"kafka_sasl_password", "kafka_options", "clickhouse_url", "schema_registry_url", "webhooks"}
)
"""Fields whose values no error and no listing shows."""


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises `SettingsInvalid`, whose text is one sentence, where they do not hold."""
    file, fields = config_file(), Settings.model_fields
    if os.environ.get("AZOTTE_CONFIG") and not file.is_file():
        raise SettingsInvalid(f"AZOTTE_CONFIG names {file}, which is not a file that can be read")
    if (misspelt := misspelt_variable(fields)) is not None:
        raise SettingsInvalid(misspelt)
    try:
        return Settings(**overrides)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        raise SettingsInvalid(sentence(errors, fields, SECRETS, file)) from None
    except SourceError as error:
        raise SettingsInvalid(unreadable(str(error))) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{file} is not a TOML file: {error}") from None
    except OSError as error:
        raise SettingsInvalid(f"{file} cannot be read: {error.strerror}") from None
