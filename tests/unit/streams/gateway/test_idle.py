"""Connections that ask nothing: a client that is slow on purpose holds one for a while, not for ever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from streams import clock
from streams.gateway.idle import IDLE_S, Idle
from tests.unit.streams.gateway.gate import Gate, world


class Held:
    """A connection that says whether it was closed."""

    closed = False

    def force_close(self) -> None:
        self.closed = True


def test_a_connection_is_closed_when_it_was_not_heard_for_long() -> None:
    idle, old, new = Idle(10), Held(), Held()
    idle.look([old], 0)
    idle.look([old, new], IDLE_S)
    assert not old.closed
    idle.look([old, new], IDLE_S + 1)
    assert (old.closed, new.closed) == (True, False)


def test_who_never_ends_a_request_is_let_go_and_who_asks_is_heard_anew(tmp_path: Path) -> None:
    gate = Gate(tmp_path, world())

    async def slow(client: Any) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.server.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
        await reader.readuntil(b"ok\n")
        began = clock.monotonic()
        writer.write(b"GET /healthz HTTP/1.1\r\nHos")
        await writer.drain()
        connections = client.server.runner.server.connections
        gate.routes.idle.look(connections, began + IDLE_S - 1)
        assert not any(each.transport is None for each in connections)
        gate.routes.idle.look(connections, clock.monotonic() + IDLE_S + 1)
        try:
            return await asyncio.wait_for(reader.read(), 5)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    assert Idle(60).longest_s == 240
    assert gate.run(slow) == b""
