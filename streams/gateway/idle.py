"""Connections that ask nothing for long are closed: each takes a file descriptor, of which slow clients could hold them all.

aiohttp waits for the first request of a connection without end, and for the next one an hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from streams import clock

IDLE_S = 75.0
"""As much as reverse proxies commonly give, whose pools of connections expect it."""
LOOK_S = 5.0


class Connection(Protocol):
    """What is needed of aiohttp's."""

    def force_close(self) -> None:
        """Close it, whatever it does."""


class Idle:
    """When each connection was heard last: a request began, or it was seen for the first time."""

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: how long a request waits for its body, for an owner and for the broker, each."""
        self.longest_s = max(IDLE_S, 4 * timeout_s)
        self._heard: dict[Connection, float] = {}

    def middleware(self) -> Middleware:
        """Hears of every request."""

        @web.middleware
        async def heard(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._heard[request.protocol] = clock.monotonic()
            return await handler(request)

        return heard

    def look(self, connections: Iterable[Connection], now: float) -> None:
        """Close those that were not heard for `longest_s`, which no request takes, and forget those that are gone. `now` is
        monotonic."""
        self._heard = {each: self._heard.get(each, now) for each in connections}
        for each, heard in self._heard.items():
            if now - heard > self.longest_s:
                each.force_close()

    async def watch(self, runner: web.AppRunner) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            if runner.server is not None:
                self.look(runner.server.connections, clock.monotonic())
