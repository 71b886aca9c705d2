"""The ClickHouse engine in this process: chDB over one folder, asked by many threads.

Each query has a connection of its own (a tenth of a millisecond), so nothing that one sets, its database, its settings,
its temporary tables, is there for the next; one more, kept open, holds the engine. chDB allows one process a folder, so
only the server imports this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from streams.stack.clickhouse_request import Asked, Insert
from streams.stack.errors import EngineError

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


_connect: Any = chdb.connect
"""Typed in some builds of chDB and untyped in others."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said: bytes in `format`, and the counts of `X-ClickHouse-Summary`."""

    body: bytes
    format: str
    summary: dict[str, str]


class Engine:
    """One folder's engine. `run` may be called by many threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._kept = _connect(self._folder)

    def run(self, asked: Asked) -> Answer:
        """Run one query. Raises `EngineError`."""
        try:
            connection = _connect(self._folder)
            try:
                return _run(connection, asked)
            finally:
                connection.close()
        except Exception as error:  # noqa: BLE001 - chDB raises RuntimeError and its own kinds alike
            raise EngineError(str(error)) from None

    def close(self) -> None:
        """Close the engine; no query may be running."""
        self._kept.close()


def _run(connection: Any, asked: Asked) -> Answer:
    connection.query(f"USE {_quoted(asked.database)}")
    listed = [
        f"{name} = {_literal(value)}" for name, value in asked.settings.items() if _IDENTIFIER.fullmatch(name)
    ]
    if listed:
        connection.query(f"SET {', '.join(listed)}")
    if asked.insert is not None:
        return _insert(connection, asked.insert)
    result = connection.query(asked.query, asked.format, params=asked.parameters or None)
    summary = {
        "read_rows": str(result.rows_read()),
        "read_bytes": str(result.bytes_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }
    return Answer(bytes(result.bytes()), asked.format, summary)


def _insert(connection: Any, insert: Insert) -> Answer:
    with connection.send_insert(insert.into, insert.format) as inserter:
        if insert.data:
            inserter.append(insert.data)
        written = inserter.finish()
    rows, size = str(written.rows_written), str(written.bytes_written)
    summary = {"read_rows": rows, "read_bytes": size, "written_rows": rows, "written_bytes": size}
    return Answer(b"", insert.format, summary)


def _literal(value: str) -> str:
    if _NUMBER.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
