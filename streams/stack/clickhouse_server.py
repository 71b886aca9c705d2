"""ClickHouse's HTTP interface over chDB: the same engine, in this process, on a real port.

`python -m streams.stack.clickhouse_server HOST PORT FOLDER` serves it until SIGTERM. Queries run in threads, so a long
one stops neither inserts nor other queries. No users and no grants: it listens on this machine only, and any user name
and password will do. Sessions are not kept: a `session_id` is taken and means nothing.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import signal
import sys
import uuid
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lz4.frame
import zstandard
from aiohttp import web

from streams.stack import clickhouse_request
from streams.stack.clickhouse_engine import Answer, Engine
from streams.stack.errors import BadRequest, EngineError

THREADS = 8
BODY_BYTES_MAX = 1 << 30
END_S = 5.0
"""What queries that still run at the end are given; `down` waits longer than this."""
HEALTHY = "Ok.\n"
_CODE = re.compile(r"Code: (\d+)")
_STATUS = {"60": 404, "81": 404, "47": 404, "62": 400, "159": 408, "241": 500}
_UNKNOWN = "1002"
_TYPES = (
    (("JSONEachRow", "JSONCompactEachRow", "JSONLines"), "application/x-ndjson; charset=UTF-8"),
    (("JSON",), "application/json; charset=UTF-8"),
    (("TabSeparated", "TSV"), "text/tab-separated-values; charset=UTF-8"),
    (("CSV",), "text/csv; charset=UTF-8; header=absent"),
    (("Native", "RowBinary", "Arrow", "Parquet", "ORC", "Avro"), "application/octet-stream"),
)
_PACKERS = {
    "lz4": lz4.frame.compress,
    "zstd": lambda body: zstandard.ZstdCompressor().compress(body),
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


class Server:
    """The routes, over one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="query")
        self._running = 0

    def application(self) -> web.Application:
        """What answers. Bodies are unpacked here, since aiohttp does not know lz4."""
        app = web.Application(client_max_size=BODY_BYTES_MAX, handler_args={"auto_decompress": False})
        app.router.add_get("/ping", self._ping)
        app.router.add_get("/replicas_status", self._ping)
        app.router.add_route("*", "/", self._query)
        return app

    def close(self) -> bool:
        """Take no more queries; whether none is running any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        return self._running == 0

    async def _ping(self, request: web.Request) -> web.Response:
        return web.Response(text=HEALTHY)

    async def _query(self, request: web.Request) -> web.Response:
        query_id = request.query.get("query_id") or str(uuid.uuid4())
        try:
            asked = await _asked(request)
        except BadRequest as error:
            return _failed(f"Code: 354. DB::Exception: {error}", query_id)
        if asked.empty:
            if request.method in ("GET", "HEAD"):
                return web.Response(text=HEALTHY)
            return _failed("Code: 62. DB::Exception: Syntax error: Empty query", query_id)
        self._running += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._engine.run, asked)
        work.add_done_callback(self._done)
        try:
            answer = await asyncio.shield(work)
        except EngineError as error:
            return _failed(str(error), query_id)
        return _answered(request, answer, query_id)

    def _done(self, work: asyncio.Future[Answer]) -> None:
        self._running -= 1
        if not work.cancelled():
            work.exception()  # Its client may have left; then nobody else asks.


async def _asked(request: web.Request) -> clickhouse_request.Asked:
    encoding = request.headers.get("Content-Encoding", "")
    form: Mapping[str, str] = {}
    body = b""
    if request.content_type == "multipart/form-data":
        form = {name: str(value) for name, value in (await request.post()).items()}
    else:
        body = clickhouse_request.unpacked(await request.read(), encoding)
    return clickhouse_request.read(request.query, request.headers, form, body)


def _answered(request: web.Request, answer: Answer, query_id: str) -> web.Response:
    body, headers = answer.body, {
        "X-ClickHouse-Format": answer.format,
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Summary": json.dumps(answer.summary),
        "X-ClickHouse-Timezone": "UTC",
        "X-ClickHouse-Server-Display-Name": "azotte-local",
        "Content-Type": _content_type(answer.format),
    }  # fmt: skip
    accepted = request.headers.get("Accept-Encoding", "") if _wants_packed(request) else ""
    for name in (part.split(";")[0].strip() for part in accepted.split(",")):
        if name in _PACKERS:
            body, headers["Content-Encoding"] = _PACKERS[name](body), name
            break
    return web.Response(body=body, headers=headers)


def _wants_packed(request: web.Request) -> bool:
    return request.query.get("enable_http_compression") in ("1", "true")


def _failed(message: str, query_id: str) -> web.Response:
    found = _CODE.search(message)
    code = found[1] if found else _UNKNOWN
    status = _STATUS.get(code, 400 if found else 500)
    headers = {"X-ClickHouse-Exception-Code": code, "X-ClickHouse-Query-Id": query_id}
    return web.Response(status=status, text=message.rstrip() + "\n", headers=headers)


def _content_type(shape: str) -> str:
    for names, found in _TYPES:
        if shape.startswith(names):
            return found
    return "text/plain; charset=UTF-8"


async def serve(host: str, port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT, then close the engine."""
    engine = Engine(folder)
    server = Server(engine)
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=END_S)
    await runner.setup()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await web.TCPSite(runner, host, port).start()
    await ended.wait()
    await runner.cleanup()
    if not server.close():
        # A thread that still computes would hold the process; what was inserted is on disk.
        os._exit(0)
    engine.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
