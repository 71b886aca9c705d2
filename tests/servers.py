"""The broker and the ClickHouse that integration tests run on.

Where a Docker engine answers they come from testcontainers, elsewhere from the local stack on free ports, with its data
in a folder of the test run. Jars that the user's own stack has fetched are used again; what is missing is fetched.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streams.home import data_folder
from streams.stack import broker, clickhouse
from streams.stack.config import StackConfig

ENGINE_S = 15


def docker_answers() -> bool:
    """Whether containers can be started here."""
    if shutil.which("docker") is None:
        return False
    try:
        return (
            subprocess.run(["docker", "info"], capture_output=True, timeout=ENGINE_S, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False


def local_config(home: Path) -> StackConfig:
    """A local stack of its own: free ports, data under `home`, the jars of the user's stack."""
    home.mkdir(parents=True, exist_ok=True)
    jars = data_folder() / "jars"
    jars.mkdir(parents=True, exist_ok=True)
    (home / "jars").symlink_to(jars, target_is_directory=True)
    kafka, tables = broker.free_port(), broker.free_port()
    return StackConfig(home, kafka, tables, f"127.0.0.1:{kafka}", f"http://127.0.0.1:{tables}", True, True)


@contextmanager
def kafka_server(home: Path) -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the block."""
    if docker_answers():
        from testcontainers.kafka import KafkaContainer

        with KafkaContainer("apache/kafka:4.3.1").with_kraft() as container:
            yield container.get_bootstrap_server()
        return
    config = local_config(home)
    broker.start(config, lambda words: None)
    try:
        yield config.bootstrap_servers
    finally:
        broker.daemon(config).stop()


@contextmanager
def clickhouse_server(home: Path) -> Iterator[str]:
    """The URL of a ClickHouse that lives as long as the block, without a database."""
    if docker_answers():
        from testcontainers.clickhouse import ClickHouseContainer

        with ClickHouseContainer("clickhouse/clickhouse-server:26.9") as container:
            port = container.get_exposed_port(8123)
            host = container.get_container_host_ip()
            yield f"http://{container.username}:{container.password}@{host}:{port}"
        return
    config = local_config(home)
    clickhouse.start(config, lambda words: None)
    try:
        yield config.clickhouse_address
    finally:
        clickhouse.daemon(config).stop()
