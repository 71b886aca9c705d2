"""A client of the database that the settings name, and inserts that go on where they can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import clickhouse_connect
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from sinks.clickhouse.rows import Insert

FIRST_PAUSE_S = 0.2
_PASSING_CODES = (159, 160, 202, 203, 209, 210, 241, 242, 252, 285, 319, 425, 999)
"""Timeouts, too many queries or parts, a lost network, memory, read-only for now: trying again can help."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where ClickHouse answers, and which database is ours."""

    host: str
    port: int
    user: str
    password: str
    secure: bool
    database: str


def connect(server: Server) -> Client:
    """A client of the database, which is made where it is missing. Raises `ClickHouseError`."""
    first = _client(server, "default")
    try:
        first.command(f"CREATE DATABASE IF NOT EXISTS `{server.database}`")
    finally:
        first.close()
    return _client(server, server.database)


def _client(server: Server, database: str) -> Client:
    return clickhouse_connect.get_client(
        host=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        secure=server.secure,
        database=database,
        autogenerate_session_id=False,
    )


def can_pass(error: Exception) -> bool:
    """Whether the same again may succeed: the server is away, busy or short of something."""
    if not isinstance(error, ClickHouseError):
        return isinstance(error, OSError)
    words = str(error)
    code = words.partition("code: ")[2].partition(",")[0].partition(" ")[0].rstrip(".")
    return not code.isdigit() or int(code) in _PASSING_CODES


def persist(
    act: Callable[[], None], pause: Callable[[float], bool], pause_max_s: float, told: Callable[[str], None]
) -> bool:
    """Do it until it is done; whether it was. `pause` waits, and answers false where we are to stop.

    Raises what cannot pass.
    """
    wait = FIRST_PAUSE_S
    while True:
        try:
            act()
            return True
        except (ClickHouseError, OSError) as error:
            if not can_pass(error):
                raise
            told(str(error).splitlines()[0][:200])
        if not pause(wait):
            return False
        wait = min(2 * wait, pause_max_s)


def insert(client: Client, rows: Insert) -> None:
    """One block into one table."""
    client.insert_arrow(rows.table, rows.rows)
