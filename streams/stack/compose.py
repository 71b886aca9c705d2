"""`--docker`: the servers of `deploy/compose.yaml`, where a Docker engine answers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from streams.stack.errors import StackError

FILE = Path(__file__).parents[2] / "deploy" / "compose.yaml"
ENGINE_S = 15


def up() -> None:
    """Start Kafka and ClickHouse as containers and wait until they are healthy. Raises `StackError`."""
    _compose("up", "--detach", "--wait", "kafka", "clickhouse")


def down(purge: bool) -> None:
    """Stop them; with `purge` their volumes go too."""
    _compose("down", *(["--volumes"] if purge else []))


def _compose(*arguments: str) -> None:
    if shutil.which("docker") is None or not _engine_answers():
        raise StackError("no Docker engine answers here: start one, or leave --docker out to run without it")
    done = subprocess.run(["docker", "compose", "--file", str(FILE), *arguments], check=False)
    if done.returncode:
        raise StackError(f"docker compose {arguments[0]} failed: its own words are above")


def _engine_answers() -> bool:
    try:
        return (
            subprocess.run(["docker", "info"], capture_output=True, timeout=ENGINE_S, check=False).returncode
            == 0
        )
    except subprocess.TimeoutExpired:
        return False
