"""Where the local stack lives and what of it is ours to start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class StackConfig:
    """The local stack of one `AZOTTE_HOME`. `own_kafka` and `own_clickhouse` are false where settings name another."""

    home: Path
    kafka_port: int
    clickhouse_port: int
    bootstrap_servers: str
    clickhouse_address: str
    own_kafka: bool
    own_clickhouse: bool

    @classmethod
    def of(cls, settings: Settings) -> StackConfig:
        """The stack that the settings describe."""
        return cls(
            home=settings.home,
            kafka_port=settings.kafka_port,
            clickhouse_port=settings.clickhouse_port,
            bootstrap_servers=settings.bootstrap_servers,
            clickhouse_address=settings.clickhouse.address,
            own_kafka=settings.kafka_bootstrap_servers is None,
            own_clickhouse=settings.clickhouse_url is None,
        )

    @property
    def jars(self) -> Path:
        """Fetched jars; they outlive `down --purge`."""
        return self.home / "jars"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def kafka_data(self) -> Path:
        return self.home / "kafka"

    @property
    def clickhouse_data(self) -> Path:
        return self.home / "clickhouse"
