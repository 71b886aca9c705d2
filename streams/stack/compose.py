"""`--docker`: the servers of `deploy/compose.yaml`, where a Docker engine answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pydantic import SecretStr

from streams.settings import Settings
from streams.stack.errors import StackError

FILE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
ENGINE_S = 15


def up(settings: Settings) -> Settings:
    """Start Kafka and ClickHouse as containers, at the local stack's ports, and wait until they are healthy.

    Answers the settings that name them, so that `stack.up` starts none. Raises `StackError`.
    """
    _compose(settings, "up", "--detach", "--wait", "kafka", "clickhouse")
    return settings.model_copy(
        update={
            "kafka_bootstrap_servers": f"127.0.0.1:{settings.kafka_port}",
            "clickhouse_url": SecretStr(f"http://127.0.0.1:{settings.clickhouse_port}"),
        }
    )


def down(settings: Settings, purge: bool) -> None:
    """Stop them and what else the file has; with `purge` their volumes go too. Raises `StackError`."""
    everything = ("--profile", "*")
    _compose(settings, *everything, "down", *(["--volumes"] if purge else []))


def _compose(settings: Settings, *arguments: str) -> None:
    if shutil.which("docker") is None or not _engine_answers():
        raise StackError("no Docker engine answers here: start one, or leave --docker out to run without it")
    ports = {
        "AZOTTE_KAFKA_PORT": str(settings.kafka_port),
        "AZOTTE_CLICKHOUSE_PORT": str(settings.clickhouse_port),
    }
    command = ["docker", "compose", "--file", str(FILE), *arguments]
    # Its words go where ours go that are no result.
    done = subprocess.run(command, stdout=sys.stderr, env=os.environ | ports, check=False)
    if done.returncode:
        raise StackError(f"docker compose failed with status {done.returncode}: its own words are above")


def _engine_answers() -> bool:
    try:
        return (
            subprocess.run(["docker", "info"], capture_output=True, timeout=ENGINE_S, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False
