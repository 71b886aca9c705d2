"""What the routes need of the rest of the gateway, so that tests can stand in for it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol

from aiohttp import web

from rating.reservations import HoldKey
from streams.gateway.keeper import Write


class Publishing(Protocol):
    """What puts events on the topic."""

    async def publish(self, records: list[tuple[bytes, bytes]]) -> None:
        """Returns when the broker has them. Raises `Away`."""


class Keeping(Protocol):
    """What keeps reservations."""

    def owns(self, number: int) -> bool:
        """Whether what is in a partition is decided here."""

    def write(self, write: Write) -> Awaitable[None]:
        """Done when it is kept. Raises `Lost`."""

    def written(self, key: HoldKey) -> Awaitable[None]:
        """Done when what was decided of it before is kept. Raises `Lost`."""


class Asking(Protocol):
    """What asks other gateways."""

    async def ask(self, number: int, request: web.Request, body: bytes) -> web.Response | None:
        """The answer of who has a partition, `None` where nobody answers now."""
