"""`azotte gateway` as a process: its parts, its port, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from aiohttp import web
from confluent_kafka import Message

from rating.reservations import Book
from schemas import topics
from streams.gateway.desk import Desk
from streams.gateway.events import Publisher
from streams.gateway.follow import Following
from streams.gateway.keeper import Keeper
from streams.gateway.keys import Keys, KeysInvalid
from streams.gateway.peers import Peers
from streams.gateway.rounds import Rounds
from streams.gateway.web import Routes
from streams.gateway.world import World
from streams.kafka import Stop, partitions_of, plain_producer
from streams.patience import Patience
from streams.settings import Settings
from streams.slot import NoSlot, Slot
from streams.slot import take as take_slot
from streams.web import listen, url

END_S = 5.0
"""What requests that are under way at the end are given."""


def keys_path(settings: Settings) -> Path:
    """Where the API keys stand."""
    return settings.gateway_keys or settings.home / "gateway-keys.toml"


def run(settings: Settings, told: Callable[[str], None]) -> str | None:
    """Serve until SIGTERM or SIGINT; the words of a failure, or `None`. `told` is given the address. Raises `Stop`."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("aiohttp").setLevel(logging.ERROR)
    try:
        keys = Keys(keys_path(settings))
    except KeysInvalid as error:
        raise Stop(str(error)) from None
    try:
        # Beside a worker's slots: the number names the producer, and a worker's ids lie in its own.
        slot = take_slot(settings.home / "gateway")
    except NoSlot as error:
        raise Stop(str(error)) from None
    return asyncio.run(_serve(settings, keys, slot, told))


async def _serve(settings: Settings, keys: Keys, slot: Slot, told: Callable[[str], None]) -> str | None:
    loop, ended, failures = asyncio.get_running_loop(), asyncio.Event(), []

    def failed(words: str) -> None:
        failures.append(words)
        loop.call_soon_threadsafe(ended.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    listening = listen(settings.gateway_host, settings.gateway_port, name="gateway")
    partitions = await loop.run_in_executor(None, _partitions, settings)
    world, book = World(partitions), Book()
    keeper = Keeper(settings, slot, book, failed, settings.gateway_url or url(listening))
    peers = Peers(settings, partitions)
    directory, limits = settings.topic(topics.DIRECTORY.name), settings.topic(topics.LIMITS.name)

    async def take(messages: Sequence[Message]) -> None:
        async with keeper.turn:
            for message in messages:
                if message.topic() == directory:
                    world.put_directory(message)
                elif message.topic() == limits:
                    world.put_limit(message)
                else:
                    world.put_entitlement(message)

    following, publisher = Following(settings, take, failed), Publisher(settings)
    rounds = Rounds(settings, world, book, keeper, following.at)

    def waiting() -> str | None:
        if not following.ready:
            return "it reads the entitlements"
        return None if keeper.ready else "it waits for its part of the reservations"

    routes = Routes(settings, keys, Desk(world, book), publisher, keeper, peers, waiting)
    runner = web.AppRunner(routes.application(), access_log=None, shutdown_timeout=END_S)
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        told(url(listening))
        following.start()
        await keeper.start()
        beside = [asyncio.create_task(rounds.run(failed)), asyncio.create_task(routes.idle.watch(runner))]
        await ended.wait()
        for each in beside:
            each.cancel()
    finally:
        await runner.cleanup()
        await keeper.stop()
        await peers.close()
        await following.stop()
        await loop.run_in_executor(None, publisher.close)
    return failures[0] if failures else None


def _partitions(settings: Settings) -> int:
    producer = plain_producer(settings)
    patience = Patience("gateway", lambda: False)
    return patience(lambda: partitions_of(producer, settings.topic(topics.LOG.name)))
