"""The local ClickHouse: the server process over chDB."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable

from streams.stack.config import StackConfig
from streams.stack.errors import StackError
from streams.stack.process import Daemon, port_is_free

READY_S = 60.0
HOST = "127.0.0.1"


def daemon(config: StackConfig) -> Daemon:
    """The server's process."""
    return Daemon("clickhouse", config.home, config.logs)


def start(config: StackConfig, progress: Callable[[str], None]) -> None:
    """Start the server and wait until it answers. Raises `StackError`."""
    if not port_is_free(config.clickhouse_port):
        raise StackError(
            f"port {config.clickhouse_port} is taken by another program: stop it, or set AZOTTE_CLICKHOUSE_PORT to a free port"
        )
    progress("starting ClickHouse")
    config.clickhouse_data.mkdir(parents=True, exist_ok=True)
    running = daemon(config)
    process = running.start(
        [
            sys.executable,
            "-m",
            "streams.stack.clickhouse_server",
            HOST,
            str(config.clickhouse_port),
            str(config.clickhouse_data),
        ]
    )
    running.wait_until(lambda: answers(config.clickhouse_address), process, READY_S)


def answers(address: str, seconds: float = 2.0) -> bool:
    """Whether a ClickHouse answers there."""
    scheme, _, host = address.partition("://")
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(host, timeout=seconds)
    try:
        connection.request("GET", "/ping")
        with connection.getresponse() as answer:
            return answer.status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
