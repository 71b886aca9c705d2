"""`azotte query`: ask ClickHouse."""

from __future__ import annotations

import re
import sys
from typing import Annotated, Any

import typer

from streams.cli.clickhouse import plain, shown, with_client
from streams.cli.output import WRONG_USAGE, fail, note, print_json, print_table

_FORMAT = re.compile(r"\bFORMAT\s+\w+\s*;?\s*$", re.IGNORECASE)


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
    if _FORMAT.search(sql):
        sys.stdout.buffer.write(with_client(lambda client: client.raw_query(sql.strip().rstrip(";"))))
        return
    found: Any = with_client(lambda client: client.query(sql))
    if not any(found.column_names):
        note("no rows")
    elif json:
        for row in found.result_rows:
            print_json(dict(zip(found.column_names, map(plain, row), strict=True)))
    else:
        print_table(found.column_names, [[shown(value) for value in row] for row in found.result_rows])
