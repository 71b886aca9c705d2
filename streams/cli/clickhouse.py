"""Asking ClickHouse from the command line: rows, or one sentence; values as people and as JSON have them."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from streams.cli.output import fail, settings_or_fail

Result = TypeVar("Result")
Row = dict[str, Any]
_BESIDE = re.compile(r" \(for url [^)]*\)")


def with_client(ask: Callable[[Any], Result]) -> Result:
    """What `ask` gets of a client; the command ends where ClickHouse is away or refuses."""
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    # What it logs is said below, in one sentence.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    server = settings_or_fail().clickhouse
    try:
        return ask(
            clickhouse_connect.get_client(
                host=server.host, port=server.port, username=server.user, password=server.password,
                secure=server.scheme == "https", database=server.database,
            )
        )  # fmt: skip
    except (ClickHouseError, OSError) as error:
        fail(_words(error, server.address))


def rows(sql: str, parameters: Mapping[str, str]) -> list[Row]:
    """The rows of a query, `{name:Type}` in it bound by the server."""
    found = with_client(lambda client: client.query(sql, parameters=dict(parameters)))
    return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]


def _words(error: Exception, address: str) -> str:
    text = str(error)
    if "HTTPConnectionPool" in text or isinstance(error, OSError):
        return f"no ClickHouse answers at {address}: run azotte up, or set AZOTTE_CLICKHOUSE_URL"
    _, found, words = text.partition("DB::Exception: ")
    return _BESIDE.sub("", (words if found else text).splitlines()[0])[:500]


def plain(value: Any) -> Any:
    """A value as JSON has it: exact numbers and times as text."""
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else shown(value)


def shown(value: Any) -> object:
    """A value as a table shows it."""
    from datetime import datetime
    from decimal import Decimal

    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "") + "Z"
    return value
