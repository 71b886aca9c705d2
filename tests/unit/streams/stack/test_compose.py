"""The containers agree with the local stack, and what watches them asks for what the program tells."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml

import streams.metrics
from streams.settings import Settings
from streams.stack import broker, compose
from streams.stack.config import StackConfig
from streams.stack.errors import StackError

DEPLOY = Path(__file__).parents[4] / "deploy"
ONLY_LOCAL = frozenset(
    {"process.roles", "node.id", "controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs"}
    | {"controller.listener.names", "listener.security.protocol.map", "log.cleaner.dedupe.buffer.size"}
    | {"offsets.topic.num.partitions", "transaction.state.log.num.partitions"}
    | {"num.network.threads", "num.io.threads"}
)
"""Where the broker is, and how small the machine."""


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


def test_the_container_s_broker_is_set_as_the_local_one(services: dict[str, Any], tmp_path: Path) -> None:
    lines = broker.properties(StackConfig.of(Settings(home=tmp_path))).read_text().splitlines()
    local = dict(line.split("=", 1) for line in lines)
    container = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in services["kafka"]["environment"].items()
    }
    wanted = {name: value for name, value in local.items() if name not in ONLY_LOCAL}
    assert len(wanted) == 12
    assert {name: container.get(name) for name in wanted} == wanted


def test_the_container_has_the_pinned_kafka(services: dict[str, Any]) -> None:
    from streams.stack.jars import KAFKA_VERSION

    assert services["kafka"]["image"].endswith(f":{KAFKA_VERSION}")


def test_every_command_and_setting_of_the_containers_exists(services: dict[str, Any]) -> None:
    from streams.cli.app import COMMANDS

    for name in ("topics", "worker", "sink", "gateway"):
        assert services[name]["command"][0] in COMMANDS
        known = {f"AZOTTE_{field.upper()}" for field in Settings.model_fields}
        assert set(services[name]["environment"]) <= known


def test_the_dashboard_asks_for_metrics_that_there_are() -> None:
    assert streams.metrics.EVENTS
    there = {sample.name for family in prometheus_client.REGISTRY.collect() for sample in family.samples}
    there |= {family.name for family in prometheus_client.REGISTRY.collect()}
    there |= {f"{family.name}_bucket" for family in prometheus_client.REGISTRY.collect()}
    there |= {f"{family.name}_total" for family in prometheus_client.REGISTRY.collect()}
    dashboard = json.loads((DEPLOY / "grafana" / "dashboards" / "azotte.json").read_text())
    asked = {
        metric
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for metric in re.findall(r"azotte_\w+", target["expr"])
    }
    assert len(asked) >= 12
    assert asked <= there


def test_prometheus_asks_each_service_at_its_port(services: dict[str, Any]) -> None:
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())["scrape_configs"][0]["dns_sd_configs"]
    ports = {name: each["port"] for each in scraped for name in each["names"]}
    assert ports == {"worker": 6066, "sink": 6066, "gateway": Settings().gateway_port}
    assert services["gateway"]["environment"]["AZOTTE_GATEWAY_HOST"] == "0.0.0.0"


def test_without_an_engine_it_is_one_sentence_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="no Docker engine answers here: start one, or leave --docker out"):
        compose.up(Settings(home=tmp_path))


def test_the_containers_stand_at_the_local_stack_s_ports(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[tuple[list[str], str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        ran.append((command, options.get("env", {}).get("AZOTTE_KAFKA_PORT", "")))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("shutil.which", lambda name: name)
    named = compose.up(Settings(home=tmp_path, kafka_port=19092, clickhouse_port=18123))
    config = StackConfig.of(named)
    assert (config.own_kafka, config.bootstrap_servers) == (False, "127.0.0.1:19092")
    assert (config.own_clickhouse, config.clickhouse_address) == (False, "http://127.0.0.1:18123")
    assert ran[-1][0][-2:] == ["kafka", "clickhouse"]
    assert ran[-1][1] == "19092"
