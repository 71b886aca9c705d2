"""One query as ClickHouse's HTTP interface takes it: from the address, the headers and the body, to its parts.

The address holds `query`, `database`, `default_format`, `param_NAME`, and settings by their own names; the body holds
the query, its end, or an insert's data. Values of parameters come escaped as in TabSeparated, as the engine reads them.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import lz4.frame
import zstandard

from streams.stack.errors import BadRequest

HEAD_BYTES = 262_144
"""Where in a body the query of an insert must end and its data begin."""
TRANSPORT = frozenset(
    {"query", "query_id", "database", "default_format", "compress", "decompress", "enable_http_compression"}
    | {
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "user",
        "password",
        "quota_key",
        "role",
    }
    | {"buffer_size", "wait_end_of_query", "stacktrace", "client_protocol_version", "readonly"}
    | {"send_progress_in_http_headers", "http_headers_progress_interval_ms"}
    | {"cancel_http_readonly_queries_on_client_close"}
)
"""What the address may hold that is no setting of the engine: it concerns connections, or users, of which it has none."""
_NAME = r"(?:`[^`]+`|\"[^\"]+\"|\w+)"
_INSERT = re.compile(
    rf"\s*INSERT\s+INTO\s+(?:TABLE\s+)?(?:FUNCTION\s+\w+\s*\([^()]*\)|{_NAME}(?:\s*\.\s*{_NAME})?)"
    r"(?:\s*\([^()]*\))?(?:\s*SETTINGS\s+\w+\s*=\s*(?:'[^']*'|[\w.]+)(?:\s*,\s*\w+\s*=\s*(?:'[^']*'|[\w.]+))*)?",
    re.IGNORECASE,
)
_DATA = re.compile(r"\s*FORMAT\s+(?P<format>\w+)[ \t]*;?(?:\r?\n)?", re.IGNORECASE)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*(?:SETTINGS\b[^()]*)?;?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Insert:
    """An insert whose rows come in the request: `into` up to the columns, the rows' format, the rows."""

    into: str
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """One query. `format` is that of its answer; `insert` is there where the request carries rows."""

    query: str
    insert: Insert | None
    database: str
    format: str
    parameters: dict[str, str]
    settings: dict[str, str]

    @property
    def empty(self) -> bool:
        return not self.query.strip()


def read(
    arguments: Mapping[str, str], headers: Mapping[str, str], form: Mapping[str, str], body: bytes
) -> Asked:
    """The query of a request whose body is unpacked. Raises `BadRequest`."""
    every = {**arguments, **form}
    default = every.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
    query, insert = _parts(every.get("query", ""), body, default)
    named = _FORMAT.search(query)
    return Asked(
        query=query,
        insert=insert,
        database=every.get("database") or headers.get("X-ClickHouse-Database") or "default",
        format=named[1] if named else default,
        parameters={
            name.removeprefix("param_"): value for name, value in every.items() if name.startswith("param_")
        },
        settings={
            name: value
            for name, value in every.items()
            if name not in TRANSPORT and not name.startswith("param_")
        },
    )


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its `Content-Encoding`. Raises `BadRequest`."""
    try:
        if encoding in ("", "identity"):
            return body
        if encoding == "gzip":
            return gzip.decompress(body)
        if encoding == "deflate":
            return zlib.decompress(body)
        if encoding == "lz4":
            return bytes(lz4.frame.decompress(body))
        if encoding == "zstd":
            return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(body))
    except (OSError, EOFError, zlib.error, zstandard.ZstdError, RuntimeError) as error:
        raise BadRequest(f"the body is not {encoding}: {error}") from None
    raise BadRequest(f"Content-Encoding {encoding} is not one of gzip, deflate, lz4, zstd")


def _parts(query: str, body: bytes, default: str) -> tuple[str, Insert | None]:
    if not query:
        return _from_body(body)
    head = _INSERT.match(query)
    if head is None:
        return _joined(query, body), None
    data = _DATA.match(query, head.end())
    if data is not None:
        return query, Insert(head[0], data["format"], query[data.end() :].encode() + body)
    if query[head.end() :].strip(" \t\r\n;"):
        # VALUES or SELECT: what the body adds is text of the same query.
        return _joined(query, body), None
    return query, Insert(head[0], default, body)


def _from_body(body: bytes) -> tuple[str, Insert | None]:
    """A body that holds the query itself, and for an insert the rows behind it, which need not be text."""
    start = body[:HEAD_BYTES].decode("utf-8", "surrogateescape")
    head = _INSERT.match(start)
    data = _DATA.match(start, head.end()) if head else None
    if head is None or data is None:
        return _text(body), None
    rows = body[len(start[: data.end()].encode("utf-8", "surrogateescape")) :]
    return start[: data.end()], Insert(head[0], data["format"], rows)


def _joined(query: str, body: bytes) -> str:
    return f"{query}\n{_text(body)}" if body.strip() else query


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"the query is not UTF-8: {error}") from None
