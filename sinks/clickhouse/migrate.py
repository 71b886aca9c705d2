"""Migrations: numbered SQL files, each applied once, its checksum kept. An applied file that changed is an error."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from clickhouse_connect.driver import Client

_KEPT = "CREATE TABLE IF NOT EXISTS sink_migrations (number UInt32, name String, sha256 String) ENGINE = ReplacingMergeTree ORDER BY number"


class MigrationError(Exception):
    """The database is not what this program makes; the text says how it differs."""


class Migration(NamedTuple):
    """One file. Its statements are separated by a semicolon and an empty line."""

    number: int
    name: str
    sha256: str
    statements: tuple[str, ...]


def migrations() -> list[Migration]:
    """All files, in order."""
    found = []
    for path in files(__package__).joinpath("migrations").iterdir():
        if not path.name.endswith(".sql"):
            continue
        text = path.read_text()
        number, _, _ = path.name.partition("_")
        statements = tuple(part.strip().rstrip(";") for part in text.split(";\n\n") if part.strip())
        found.append(Migration(int(number), path.name, hashlib.sha256(text.encode()).hexdigest(), statements))
    return sorted(found)


def migrate(client: Client) -> list[str]:
    """Bring the database up to date; the names of what was applied. Every statement may run twice, so may two of us."""
    client.command(_KEPT)
    rows = client.query("SELECT number, name, sha256 FROM sink_migrations FINAL").result_rows
    applied = {number: (name, sha256) for number, name, sha256 in rows}
    done = []
    for migration in migrations():
        held = applied.pop(migration.number, None)
        if held is not None and held[1] != migration.sha256:
            raise MigrationError(
                f"migration {migration.name} was applied with other content: restore the file, and write a new one for the change"
            )
        if held is None:
            for statement in migration.statements:
                client.command(statement)
            client.insert("sink_migrations", [[migration.number, migration.name, migration.sha256]])
            done.append(migration.name)
    if applied:
        names = ", ".join(name for name, _ in applied.values())
        raise MigrationError(
            f"the database has migrations that this program does not know ({names}): run a newer azotte"
        )
    return done
