"""The broker and the ClickHouse that integration tests run on.

Where a Docker engine answers they come from testcontainers, elsewhere from the local stack on free ports, with its data
in a folder of the test run. Jars that the user's own stack has fetched are used again; what is missing is fetched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from streams.home import data_folder
from streams.stack import broker, clickhouse, compose
from streams.stack.config import StackConfig
from streams.stack.process import free_port

ENGINE_S = 15
START_S = 120


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
    kafka, tables = free_port(), free_port()
    return StackConfig(home, kafka, tables, f"127.0.0.1:{kafka}", f"http://127.0.0.1:{tables}", True, True)


@contextmanager
def kafka_server(home: Path) -> Iterator[str]:
    """Bootstrap servers of a broker that lives as long as the block."""
    if docker_answers():
        with _kafka_container() as servers:
            yield servers
        return
    config = local_config(home)
    broker.start(config, lambda words: None)
    try:
        yield config.bootstrap_servers
    finally:
        broker.daemon(config).stop()


def kill_broker(config: StackConfig) -> None:
    """SIGKILL, and its end: it is our child."""
    pid = broker.daemon(config).pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@contextmanager
def clickhouse_server(home: Path) -> Iterator[str]:
    """The URL of a ClickHouse that lives as long as the block, without a database."""
    if docker_answers():
        with _clickhouse_container() as address:
            yield address
        return
    config = local_config(home)
    clickhouse.start(config, lambda words: None)
    try:
        yield config.clickhouse_address
    finally:
        clickhouse.daemon(config).stop()


@contextmanager
def _kafka_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    service = _service("kafka")
    port = free_port()
    container = DockerContainer(service["image"]).with_bind_ports(9092, port)
    container.with_envs(**{name: str(value) for name, value in service["environment"].items()})
    host = container.get_docker_client().host()
    container.with_envs(
        KAFKA_ADVERTISED_LISTENERS=f"HOST://{host}:{port},INSIDE://localhost:19092",
        KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
    )
    container.waiting_for(LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(START_S))
    with container:
        yield f"{host}:{port}"


@contextmanager
def _clickhouse_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import HttpWaitStrategy

    service = _service("clickhouse")
    container = DockerContainer(service["image"]).with_exposed_ports(8123)
    container.with_envs(**{name: str(value) for name, value in service["environment"].items()})
    ready = HttpWaitStrategy(8123, "/ping").for_status_code(200).with_startup_timeout(START_S)
    with container.waiting_for(ready):
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(8123)}"


def _service(name: str) -> dict[str, Any]:
    """A server as `deploy/compose.yaml` has it: the same image, the same settings."""
    found: dict[str, Any] = yaml.safe_load(compose.FILE.read_text())["services"][name]
    return found
