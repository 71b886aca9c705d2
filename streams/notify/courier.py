"""One round of sending: each chain from its first webhook on, until one is not taken; the chains beside each other.

What was not taken waits for its next try, and what was tried for the last time is dead. A round begins no try after
`ROUND_S`, so a chain behind a slow receiver does not keep the stage from its group; and it ends at once when it is to stop,
which costs what is under way no try.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

import aiohttp

from sinks.webhooks import post, signing
from sinks.webhooks.schedule import Schedule
from streams import clock, metrics
from streams.notify.dead import Letter
from streams.notify.window import Delivery
from streams.patience import log
from streams.settings import Settings

ROUND_S = 10.0
PARALLEL = 16
"""Requests to one address at a time."""
LOOK_S = 0.1
Dead = tuple[Delivery, Letter]


class Courier:
    """Takes webhooks to one address. `now` (µs) and `chance` in `[0, 1)` are handed in."""

    def __init__(
        self,
        settings: Settings,
        name: str,
        stopping: Callable[[], bool],
        now: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        address = settings.webhooks[name]
        self._name = name
        self._url = address.url.get_secret_value()
        self._keys = address.keys
        self._timeout_s = settings.webhook_timeout / 1e6
        self._schedule = Schedule(
            settings.webhook_tries, settings.webhook_first_pause, settings.webhook_longest_pause
        )
        self._stopping, self._now, self._chance = stopping, now, chance

    async def round(
        self, chains: Sequence[Sequence[Delivery]], done: Callable[[Delivery], None]
    ) -> list[Dead]:
        """Send what is due. `done` hears of each that was delivered; those that are dead are the result."""
        dead: list[Dead] = []
        until = clock.monotonic() + ROUND_S
        gate = asyncio.Semaphore(PARALLEL)
        async with post.session(self._timeout_s) as session:

            async def send(delivery: Delivery) -> post.Answer | None:
                # What waits for its turn has not begun: its time runs from its own request on.
                async with gate:
                    if clock.monotonic() > until or self._stopping():
                        return None
                    return await self.send(session, delivery.webhook.id, delivery.webhook.body)

            await self._all(self._chain(send, chain, done, dead) for chain in chains)
        return dead

    async def _all(self, chains: Iterable[Coroutine[Any, Any, None]]) -> None:
        left = {asyncio.create_task(each) for each in chains}
        while left:
            over, left = await asyncio.wait(left, timeout=LOOK_S)
            for each in over:
                if not each.cancelled():
                    each.result()
            if self._stopping():
                for each in left:
                    each.cancel()

    async def _chain(
        self,
        send: Callable[[Delivery], Awaitable[post.Answer | None]],
        chain: Sequence[Delivery],
        done: Callable[[Delivery], None],
        dead: list[Dead],
    ) -> None:
        for delivery in chain:
            answer = await send(delivery)
            if answer is None:
                return
            if answer.taken:
                done(delivery)
                continue
            delivery.tried += 1
            pause = self._pause(delivery, answer)
            if pause is not None:
                delivery.due = self._now() + pause
                log.warning(
                    "notify: %s does not take %s (%s), try %d of %d, again in %.1f s", self._name, delivery.webhook.id,
                    answer.words, delivery.tried, self._schedule.tries, pause / 1e6,
                )  # fmt: skip
                return
            dead.append((delivery, self._letter(delivery, answer)))

    async def send(self, session: aiohttp.ClientSession, name: str, body: bytes) -> post.Answer:
        """One try, signed with its own time."""
        began = clock.monotonic()
        headers = signing.headers(name, self._now() // 1_000_000, body, self._keys)
        answer = await post.post(session, self._url, headers, body)
        metrics.WEBHOOK.labels(self._name).observe(clock.monotonic() - began)
        metrics.WEBHOOKS.labels(self._name, "delivered" if answer.taken else "failed").inc()
        return answer

    def _pause(self, delivery: Delivery, answer: post.Answer) -> int | None:
        return (
            None if answer.gone else self._schedule.pause(delivery.tried, self._chance(), answer.retry_after)
        )

    def _letter(self, delivery: Delivery, answer: post.Answer) -> Letter:
        metrics.WEBHOOKS.labels(self._name, "dead").inc()
        log.error(
            "notify: %s did not take %s in %d tries (%s): it is a dead letter now, `azotte webhooks retry` sends it",
            self._name, delivery.webhook.id, delivery.tried, answer.words,
        )  # fmt: skip
        webhook = delivery.webhook
        return Letter(
            self._name,
            webhook.id,
            webhook.body,
            answer.words,
            delivery.tried,
            (*delivery.place, delivery.offset),
        )
