"""The other gateways: who has which partition, and asking them. A member's `client.id` says where it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
from aiohttp import web
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas import topics
from streams import clock
from streams.gateway.members import GROUP, address_of
from streams.kafka import ANSWER_S, base
from streams.patience import unless_away
from streams.settings import Settings

FORWARDED = "X-Azotte-Forwarded"
"""On a request that another gateway sent on: it is answered here or not at all, so nothing goes round in circles."""
KNOWN_S = 1.0
"""How long an answer of the broker about the group is good for."""
TRY_S = 2.0
"""A peer that says nothing for so long may be frozen, and replaced meanwhile: its owner is asked for anew."""
_KEPT = ("Authorization", "Content-Type")
_RETURNED = ("Retry-After", "WWW-Authenticate", "Allow")


class Peers:
    """The group as the broker last told of it."""

    def __init__(self, settings: Settings) -> None:
        self._group = settings.topic_prefix + GROUP
        self._topic = settings.topic(topics.RESERVATIONS.name)
        self._admin = AdminClient(base(settings))
        self._timeout = aiohttp.ClientTimeout(total=TRY_S)
        self._owners: Mapping[int, str] = {}
        self._known = float("-inf")
        self._asking = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, number: int, request: web.Request, body: bytes) -> web.Response | None:
        """The answer of who has a partition, `None` where nobody answers now: the same may be asked again."""
        address = await self._owner(number)
        return None if address is None else await self._forward(address, request, body)

    async def _owner(self, number: int) -> str | None:
        """The address of who has a partition, as far as the broker tells."""
        async with self._asking:
            if clock.monotonic() - self._known > KNOWN_S:
                found = await asyncio.get_running_loop().run_in_executor(None, self._look)
                self._owners = self._owners if found is None else found
                self._known = clock.monotonic()
        return self._owners.get(number)

    async def _forward(self, address: str, request: web.Request, body: bytes) -> web.Response | None:
        """The peer's answer; `None` where it does not answer, or is not the owner either: the same may be asked again."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, auto_decompress=False)
        headers = {name: request.headers[name] for name in _KEPT if name in request.headers}
        try:
            async with self._session.request(
                request.method,
                address + request.path_qs,
                data=body or None,
                headers=headers | {FORWARDED: "1"},
            ) as answer:
                text = await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            self._forget()
            return None
        if answer.status == 503:
            self._forget()
            return None
        kept = {name: answer.headers[name] for name in _RETURNED if name in answer.headers}
        if "Content-Type" in answer.headers:
            kept["Content-Type"] = answer.headers["Content-Type"]
        return web.Response(status=answer.status, body=text, headers=kept)

    def _forget(self) -> None:
        """What is known turned out to be old."""
        self._known = float("-inf")

    async def close(self) -> None:
        """Leave them."""
        if self._session is not None:
            await self._session.close()

    def _look(self) -> dict[int, str] | None:
        def ask() -> Any:
            asked = self._admin.describe_consumer_groups([self._group], request_timeout=ANSWER_S)
            return asked[self._group].result()

        try:
            described = unless_away(ask)
        except KafkaException:
            return None
        if described is None:
            return None
        found = {}
        for member in described.members:
            address = address_of(member.client_id)
            if address is not None and member.assignment is not None:
                for place in member.assignment.topic_partitions:
                    if place.topic == self._topic:
                        found[place.partition] = address
        return found
