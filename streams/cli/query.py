"""`azotte query`: ask ClickHouse."""

from __future__ import annotations

import logging
import re
import sys
from typing import Annotated, Any

import typer

from streams.cli.output import WRONG_USAGE, fail, note, print_json, print_table, settings_or_fail

_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)
_BESIDE = re.compile(r" \(for url [^)]*\)")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(query)


def query(
    sql: Annotated[str, typer.Argument(help="What to ask.", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="Print rows as JSON, a line each.")] = False,
) -> None:
    """Ask ClickHouse and print the rows; with FORMAT at its end, what ClickHouse answers, unchanged."""
    if not sql.strip().rstrip(";"):
        fail("SQL is empty: give a query, for example 'SELECT count() FROM charges'", WRONG_USAGE)
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    # What it logs is said below, in one sentence.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    server = settings_or_fail().clickhouse
    try:
        client = clickhouse_connect.get_client(
            host=server.host, port=server.port, username=server.user, password=server.password,
            secure=server.scheme == "https", database=server.database,
        )  # fmt: skip
        if _FORMAT.search(sql):
            sys.stdout.buffer.write(client.raw_query(sql.strip().rstrip(";")))
            return
        found = client.query(sql)
    except (ClickHouseError, OSError) as error:
        fail(_words(error, server.address))
    if not any(found.column_names):
        note("no rows")
    elif json:
        for row in found.result_rows:
            print_json(dict(zip(found.column_names, map(_plain, row), strict=True)))
    else:
        print_table(found.column_names, [[_shown(value) for value in row] for row in found.result_rows])


def _words(error: Exception, address: str) -> str:
    text = str(error)
    if "HTTPConnectionPool" in text or isinstance(error, OSError):
        return f"no ClickHouse answers at {address}: run azotte up, or set AZOTTE_CLICKHOUSE_URL"
    _, found, words = text.partition("DB::Exception: ")
    return _BESIDE.sub("", (words if found else text).splitlines()[0])[:500]


def _plain(value: Any) -> Any:
    """A value as JSON has it: exact numbers and times as text."""
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else _shown(value)


def _shown(value: Any) -> object:
    from datetime import datetime
    from decimal import Decimal

    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "") + "Z"
    return value
