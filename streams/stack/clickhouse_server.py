"""ClickHouse's HTTP interface over chDB: the same engine, in this process, on a real port.

`python -m streams.stack.clickhouse_server HOST PORT FOLDER` serves it until SIGTERM. It is alone in importing chDB,
which allows one process a folder. Queries run in threads, each on a connection of its own, so a long one stops neither
inserts nor other queries. No users and no grants: it listens on this machine only.

What it knows of the interface: GET and POST, `query` in the address or the body, `database`, `param_*`, settings,
`default_format`, inserts in any input format, compressed bodies both ways, `X-ClickHouse-*` headers, error codes.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import signal
import sys
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import chdb
import lz4.frame
import zstandard
from aiohttp import web

THREADS = 8
BODY_BYTES_MAX = 1 << 30
HEALTHY = "Ok.\n"
_OWN = frozenset(
    {"query", "database", "default_format", "compress", "decompress", "enable_http_compression", "session_id"}
    | {
        "session_timeout",
        "session_check",
        "user",
        "password",
        "quota_key",
        "query_id",
        "buffer_size",
        "wait_end_of_query",
    }
    | {
        "client_protocol_version",
        "role",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
    }
    | {"cancel_http_readonly_queries_on_client_close", "readonly"}
)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_INSERT = re.compile(r"^\s*INSERT\s+INTO\b", re.IGNORECASE)
_INSERT_DATA = re.compile(
    r"^(?P<into>\s*INSERT\s+INTO\s+.*?)\s*\bFORMAT\s+(?P<format>\w+)[ \t]*;?\s*$", re.IGNORECASE | re.DOTALL
)
_CODE = re.compile(r"Code: (\d+)")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Asked:
    """One query with its data, as it came over HTTP."""

    query: str
    data: bytes
    database: str
    format: str
    parameters: dict[str, str]
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine said."""

    body: bytes
    format: str
    summary: dict[str, str]


class EngineError(Exception):
    """The engine refused a query; the text is its own, with its code."""


class Engine:
    """Connections to one folder, each used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._all: list[Any] = []
        for _ in range(THREADS):
            self._open()

    def run(self, asked: Asked) -> Answer:
        """Run one query. Raises `EngineError`."""
        connection = self._free.get()
        try:
            return _run(connection, asked)
        except EngineError:
            raise
        except Exception as error:  # noqa: BLE001 - chDB raises RuntimeError and its own kinds alike
            raise EngineError(str(error)) from None
        finally:
            self._free.put(connection)

    def close(self) -> None:
        for connection in self._all:
            connection.close()

    def _open(self) -> None:
        connect: Any = chdb.connect
        connection = connect(self._folder)
        self._all.append(connection)
        self._free.put(connection)


def _run(connection: Any, asked: Asked) -> Answer:
    connection.query(f"USE {_quoted(asked.database)}")
    insert = _INSERT_DATA.match(asked.query)
    if insert is not None and _INSERT.match(asked.query):
        return _insert(connection, asked, insert["into"], insert["format"])
    if (
        asked.data
        and _INSERT.match(asked.query)
        and not re.search(r"\bVALUES\b|\bSELECT\b", asked.query, re.I)
    ):
        return _insert(connection, asked, asked.query, asked.format)
    query = asked.query
    named = _FORMAT.search(query)
    shape = named[1] if named else asked.format
    if named:
        query = query[: named.start()]
    if asked.settings and re.match(r"\s*(SELECT|WITH|INSERT)\b", query, re.IGNORECASE):
        query = _with_settings(query, asked.settings)
    result = connection.query(query, shape, params=asked.parameters or None)
    return Answer(bytes(result.bytes()), shape, _summary(result))


def _insert(connection: Any, asked: Asked, into: str, shape: str) -> Answer:
    with connection.send_insert(into, shape) as inserter:
        if asked.data:
            inserter.append(asked.data)
        written = inserter.finish()
    rows = str(getattr(written, "rows_written", 0))
    return Answer(b"", shape, {"written_rows": rows, "read_rows": rows})


def _with_settings(query: str, settings: dict[str, str]) -> str:
    stripped = query.rstrip().rstrip(";")
    if re.search(r"\bSETTINGS\b[^)]*$", stripped, re.IGNORECASE):
        return stripped
    listed = ", ".join(
        f"{name} = {_literal(value)}" for name, value in settings.items() if _IDENTIFIER.fullmatch(name)
    )
    return f"{stripped}\nSETTINGS {listed}" if listed else stripped


def _literal(value: str) -> str:
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _quoted(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _summary(result: Any) -> dict[str, str]:
    return {
        "read_rows": str(result.rows_read()),
        "read_bytes": str(result.bytes_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }


class Server:
    """The routes, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES_MAX, handler_args={"auto_decompress": False})
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/replicas_status", self._ping)
        app.router.add_route("*", "/", self._query)
        return app

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response(text=HEALTHY)

    async def _query(self, request: web.Request) -> web.Response:
        query_id = request.query.get("query_id") or str(uuid.uuid4())
        try:
            asked = await _asked(request)
        except (ValueError, OSError, EOFError, zlib.error, zstandard.ZstdError, RuntimeError) as error:
            return _failed(f"Code: 354. DB::Exception: the body cannot be read: {error}", query_id)
        if not asked.query.strip():
            if request.method == "GET":
                return web.Response(text=HEALTHY)
            return _failed("Code: 62. DB::Exception: Syntax error: Empty query", query_id)
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._engine.run, asked)
        except EngineError as error:
            return _failed(str(error), query_id)
        return _answered(request, answer, query_id)


async def _asked(request: web.Request) -> Asked:
    arguments = request.query
    body = _decompressed(await request.read(), request.headers.get("Content-Encoding", ""))
    query = arguments.get("query", "")
    files: dict[str, str] = {}
    if request.content_type == "multipart/form-data":
        files, body = await _form(request, body)
    if not query:
        query, body = _split(files.pop("query").encode() if "query" in files else body)
    every = {**arguments, **files}
    return Asked(
        query=query,
        data=body,
        database=arguments.get("database") or request.headers.get("X-ClickHouse-Database") or "default",
        format=arguments.get("default_format")
        or request.headers.get("X-ClickHouse-Format")
        or "TabSeparated",
        parameters={
            name.removeprefix("param_"): value for name, value in every.items() if name.startswith("param_")
        },
        settings={
            name: value
            for name, value in arguments.items()
            if name not in _OWN and not name.startswith("param_")
        },
    )


async def _form(request: web.Request, body: bytes) -> tuple[dict[str, str], bytes]:
    fields = await request.post()
    return {name: str(value) for name, value in fields.items()}, b""


def _split(body: bytes) -> tuple[str, bytes]:
    """A body that holds the query itself; what follows an `INSERT … FORMAT X` and a line's end is its data."""
    head = body[:65_536]
    if re.match(rb"\s*INSERT\s+INTO\b", head, re.IGNORECASE):
        found = re.search(rb"\bFORMAT\s+\w+[ \t]*(\r?\n|;|$)", head, re.IGNORECASE)
        if found:
            return body[: found.end()].decode().rstrip().rstrip(";"), body[found.end() :]
    return body.decode(), b""


def _decompressed(body: bytes, encoding: str) -> bytes:
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
    raise ValueError(f"Content-Encoding {encoding} is not one of gzip, deflate, lz4, zstd")


def _answered(request: web.Request, answer: Answer, query_id: str) -> web.Response:
    response = web.Response(
        body=answer.body,
        headers={
            "X-ClickHouse-Format": answer.format,
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Summary": json.dumps(answer.summary),
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Server-Display-Name": "azotte-local",
            "Content-Type": _content_type(answer.format),
        },
    )
    _compress(request, response)
    return response


def _compress(request: web.Request, response: web.Response) -> None:
    if request.query.get("enable_http_compression") != "1" or not isinstance(response.body, bytes):
        return
    accepted = [part.split(";")[0].strip() for part in request.headers.get("Accept-Encoding", "").split(",")]
    packers = {"lz4": lz4.frame.compress, "zstd": zstandard.ZstdCompressor().compress, "gzip": gzip.compress}
    for name in accepted:
        if name in packers:
            response.body = packers[name](response.body)
            response.headers["Content-Encoding"] = name
            return


def _failed(message: str, query_id: str) -> web.Response:
    found = _CODE.search(message)
    code = found[1] if found else "1002"
    status = {"60": 404, "81": 404, "62": 400, "47": 404, "159": 408, "241": 500}.get(
        code, 500 if not found else 400
    )
    headers = {"X-ClickHouse-Exception-Code": code, "X-ClickHouse-Query-Id": query_id}
    return web.Response(status=status, text=message.rstrip() + "\n", headers=headers)


def _content_type(shape: str) -> str:
    if shape.startswith("JSON"):
        return (
            "application/json; charset=UTF-8"
            if "EachRow" not in shape
            else "application/x-ndjson; charset=UTF-8"
        )
    if shape.startswith(("TabSeparated", "TSV")):
        return "text/tab-separated-values; charset=UTF-8"
    if shape.startswith("CSV"):
        return "text/csv; charset=UTF-8; header=absent"
    return (
        "application/octet-stream"
        if shape in ("Native", "RowBinary", "Arrow", "ArrowStream", "Parquet")
        else "text/plain; charset=UTF-8"
    )


async def serve(host: str, port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT, then close the engine."""
    engine = Engine(folder)
    runner = web.AppRunner(Server(engine).application(), access_log=None)
    await runner.setup()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await web.TCPSite(runner, host, port).start()
    await ended.wait()
    await runner.cleanup()
    engine.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
