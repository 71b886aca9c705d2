"""A client of the database that the settings name, and what to do when it does not take something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import clickhouse_connect
from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DatabaseError,
    DataError,
    NotSupportedError,
    ProgrammingError,
)  # fmt: skip

from sinks.clickhouse.tables import Insert

FIRST_PAUSE_S = 0.2
CONNECT_S = 5
ANSWER_S = 300
PASSING = frozenset(
    {3, 32, 95, 96, 198, 203, 209, 210, 279, 297, 319, 1000}  # the network, or a connection that was cut
    | {159, 160, 202, 236, 373, 394, 439, 473, 574, 733, 735, 738, 745}  # busy, or starting and stopping
    | {74, 75, 76, 241, 243, 252, 425, 499, 573, 1001}  # short of memory, disk, parts
    | {225, 242, 285, 286, 289, 416, 999}  # replicas and their keeper
)
"""Server errors that may be gone the next time. Any other is a fault of the tables or of the rows, and stays."""
EVERY_PARTITION = {"max_partitions_per_insert_block": 0}
"""A block may hold rows of more months than the server's default of 100: a long replay does."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where ClickHouse answers, and which database is ours."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    secure: bool
    database: str


def connect(server: Server) -> Client:
    """A client of the database, which is made where it is missing. Raises `ClickHouseError`."""
    first = _client(server, "default")
    try:
        # Asked first, since a user who may not make databases may still write to one that is there.
        if first.command(f"EXISTS DATABASE `{server.database}`") != 1:
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
        connect_timeout=CONNECT_S,
        send_receive_timeout=ANSWER_S,
    )


def can_pass(error: Exception) -> bool:
    """Whether the same again may succeed: the server is away, busy or short of something."""
    if isinstance(error, OSError):
        return True
    code = getattr(error, "code", None)
    if code is not None:
        return code in PASSING
    # Without a code no ClickHouse has answered: the network, a proxy before it, or a server that is starting.
    faults = (DataError, ProgrammingError, NotSupportedError)
    return isinstance(error, DatabaseError) and not isinstance(error, faults)


def persist(
    act: Callable[[], None], pause: Callable[[float], bool], pause_max_s: float, told: Callable[[str], None]
) -> bool:
    """Do it until it is done; whether it was. Pauses double up to `pause_max_s`.

    `pause` waits, and answers false where we are to stop; `told` hears why it has to. Raises what cannot pass.
    """
    wait = FIRST_PAUSE_S
    while True:
        try:
            act()
            return True
        except (ClickHouseError, OSError) as error:
            if not can_pass(error):
                raise
            told(sentence(error))
        if not pause(min(wait, pause_max_s)):
            return False
        wait = min(2 * wait, pause_max_s)


def insert(client: Client, rows: Insert, rows_max: int) -> None:
    """Into one table, in blocks of at most `rows_max`; some may be there when it raises, and come again."""
    for first in range(0, rows.rows.num_rows, rows_max):
        client.insert_arrow(rows.table, rows.rows.slice(first, rows_max), settings=EVERY_PARTITION)


def sentence(error: Exception) -> str:
    """What went wrong, in ClickHouse's words where it has any."""
    text = " ".join(str(error).split())
    _, found, words = text.partition("DB::Exception: ")
    if found:
        return words.partition(" (for url")[0][:300]
    if isinstance(error, OSError) or "HTTPConnectionPool" in text or "HTTPSConnectionPool" in text:
        return "no connection"
    return text[:300]
