"""The other gateways: who has which partition, and asking them.

Who has one says where it answers with the offset that it commits of it (`members`). An owner that is gone is still named
until the next one has said so: it does not answer, or says that it is not the owner, and the broker is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
from aiohttp import web
from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas import topics
from streams import clock
from streams.gateway.members import GROUP, owners
from streams.kafka import Stop, committed, plain_consumer
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

    def __init__(self, settings: Settings, partitions: int) -> None:
        """`partitions` is how many `billing.reservations.v1` has."""
        self._settings = settings
        topic = settings.topic(topics.RESERVATIONS.name)
        self._places = [TopicPartition(topic, number) for number in range(partitions)]
        self._client: Consumer | None = None
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
        if self._client is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._client.close)

    def _look(self) -> Mapping[int, str] | None:
        # Not the admin client's `describe_consumer_groups`: librdkafka aborts the process where a broker goes away while it
        # asks a coordinator (its issue 4605).
        try:
            if self._client is None:
                self._client = plain_consumer(self._settings, GROUP, committed=False)
            client = self._client
            found = unless_away(lambda: committed(client, self._places))
        except (KafkaException, Stop):
            return None
        return None if found is None else owners(found)
