"""A stage: one consumer, one transactional producer, one batch in flight, its work done by a Faust agent on a channel.

    poll (a thread) → channel → agent: `work` → commit (the thread)

The thread is the stage's own, and everything of the consumer happens there: `consume` is called only while no batch is in
flight, so partitions come and go between batches, never within one.

A stage waits, with its `patience`, for a broker that is away. Where an error of the broker comes out of it all the same,
what was consumed may be lost in memory, so the stage closes and opens again: it goes on from what is committed.
"""

from __future__ import annotations

import abc
import asyncio
import logging
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaException
from mode import Service

from streams import clock
from streams.kafka import Anew, Stop
from streams.lane import Lane
from streams.patience import PAUSE_S, Patience, Stopping, passing

log = logging.getLogger("azotte")
END_S = 8.0
"""From being told to stop until a stage is gone, whatever its clients wait for: half of what a container is given to end."""


class Batch:
    """What one transaction is about, on its way through the channel."""

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.done: asyncio.Future[Any] = loop.create_future()

    def run(self) -> None:
        """The agent's part, in a thread. It never raises: what went wrong is the batch's result."""
        loop = self.done.get_loop()
        try:
            worked = self.work()
        except BaseException as error:  # noqa: BLE001 - handed to the stage, which stops the process
            loop.call_soon_threadsafe(_settle, self.done, None, error)
        else:
            loop.call_soon_threadsafe(_settle, self.done, worked, None)


def _settle(done: asyncio.Future[Any], worked: Any, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(worked)
    else:
        done.set_exception(error)


class Stage(Service, abc.ABC):
    """Subclasses give `open`, `poll`, `work`, `commit` and `close`; all but `work` run in the stage's thread."""

    name_ = "stage"

    def __init__(self, failed: Callable[[str], None]) -> None:
        super().__init__()
        self._failed = failed
        self._lane = Lane(self.name_)
        self._closers: list[Callable[[], object]] = []
        self.patience = Patience(self.name_, lambda: self.should_stop)
        self.channel: Any = None
        self.ready = False
        self.took = 0.0
        """Seconds from the last poll to its commit; nothing where there was nothing to do."""

    @abc.abstractmethod
    def open(self) -> None:
        """Join the group, with nothing in memory; what `close` must undo goes to `_closers`."""

    @abc.abstractmethod
    def poll(self) -> Any | None:
        """The next batch's input, or `None` where there is nothing to do."""

    @abc.abstractmethod
    def work(self, polled: Any) -> Any:
        """What is to be committed: pure but for overlays."""

    @abc.abstractmethod
    def commit(self, worked: Any) -> None:
        """Make it so."""

    def close(self) -> None:
        """Leave the group; the last that was opened goes first."""
        while self._closers:
            self._closers.pop()()

    @Service.task
    async def _cycle(self) -> None:
        try:
            while not self.should_stop:
                await self._life()
        except Stopping:
            log.info("%s: stopped while it waited for an answer", self.name_)
        except Stop as error:
            self._failed(str(error))
        except KafkaException as error:
            self._failed(f"{self.name_}: {error.args[0].str()}")
        except Exception as error:
            log.exception("%s stopped", self.name_)
            self._failed(f"{self.name_}: {type(error).__name__}: {error}")

    async def _life(self) -> None:
        """From joining the group until we are to stop, or what is in memory cannot be trusted."""
        try:
            await self._lane(self.open)
            while not self.should_stop:
                await self._once()
            return
        except Anew as error:
            words = str(error)
        except KafkaException as error:
            if not passing(error):
                raise
            words = error.args[0].str()
        log.warning("%s: %s; beginning again from what is committed", self.name_, words)
        await self._lane(self.close)
        await self.sleep(PAUSE_S)

    async def _once(self) -> None:
        polled = await self._lane(self.poll)
        if polled is None:
            self.took = 0.0
            return
        began = clock.monotonic()
        batch = Batch(lambda: self.work(polled), asyncio.get_running_loop())
        await self.channel.put(batch)
        worked = await batch.done
        await self._lane(lambda: self.commit(worked))
        self.took = clock.monotonic() - began

    async def on_stop(self) -> None:
        """Nothing: the cycle is cancelled, and a call that it waits for ends in its thread."""

    async def on_shutdown(self) -> None:
        """Close, and leave a close that is late to itself: the group misses us after its session's timeout anyway."""
        if not await self._lane.end(self.close, END_S):
            log.warning("%s: its clients did not close within %g s, ending without", self.name_, END_S)
