"""Migrations: numbered SQL files, each applied once, its checksum kept. An applied file that changed is an error.

Every statement may run twice (`IF NOT EXISTS`, `OR REPLACE`), so an applier that was killed in the middle, or two at the
same time, come to the same end; a migration is noted when all of it is done.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from clickhouse_connect.driver import Client

_KEPT = """CREATE TABLE IF NOT EXISTS sink_migrations (number UInt32, name String, sha256 String)
ENGINE = ReplacingMergeTree ORDER BY number"""


class MigrationError(Exception):
    """The database is not what this program makes; the text says how it differs and what to do."""


class Migration(NamedTuple):
    """One file. Its statements are separated by a semicolon and an empty line."""

    number: int
    name: str
    sha256: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """All files, in order."""
    folder = files(__package__).joinpath("migrations")
    return sorted(
        migration(path.name, path.read_text("utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    )


def migration(name: str, text: str) -> Migration:
    """A file `0001_what.sql` by its content."""
    statements = tuple(part.strip().rstrip(";") for part in text.split(";\n\n") if part.strip())
    return Migration(int(name.partition("_")[0]), name, hashlib.sha256(text.encode()).hexdigest(), statements)


def migrate(client: Client, wanted: list[Migration] | None = None) -> list[str]:
    """Bring the database up to date; the names of what was applied. Raises `MigrationError`, `ClickHouseError`."""
    wanted = migrations() if wanted is None else wanted
    client.command(_KEPT)
    rows = client.query("SELECT number, name, sha256 FROM sink_migrations FINAL").result_rows
    applied = {number: (name, sha256) for number, name, sha256 in rows}
    _check(wanted, applied)
    done = []
    for each in wanted:
        if each.number not in applied:
            for statement in each.statements:
                client.command(statement)
            client.insert("sink_migrations", [[each.number, each.name, each.sha256]])
            done.append(each.name)
    return done


def _check(wanted: list[Migration], applied: dict[int, tuple[str, str]]) -> None:
    known = {each.number: each for each in wanted}
    for number, (name, sha256) in sorted(applied.items()):
        if number not in known:
            raise MigrationError(
                f"the database has migration {name}, which this program does not know: run a newer azotte"
            )
        if known[number].sha256 != sha256:
            raise MigrationError(
                f"migration {known[number].name} was applied with other content: restore the file and write a new one"
                " for the change, or use another database"
            )
