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
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from confluent_kafka import KafkaException
from mode import Service

from streams.kafka import Anew, Stop
from streams.patience import PAUSE_S, Patience, Stopping, passing

log = logging.getLogger("azotte")
Result = TypeVar("Result")


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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.name_)
        self._closers: list[Callable[[], object]] = []
        self.patience = Patience(self.name_, lambda: self.should_stop)
        self.channel: Any = None
        self.ready = False

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
        finally:
            # Shielded: a cancelled call that its thread has not begun is never made, and the group would wait for us.
            await asyncio.shield(self._in_thread(self.close))

    async def _life(self) -> None:
        """From joining the group until we are to stop, or what is in memory cannot be trusted."""
        try:
            await self._in_thread(self.open)
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
        await self._in_thread(self.close)
        await self.sleep(PAUSE_S)

    async def _once(self) -> None:
        polled = await self._in_thread(self.poll)
        if polled is None:
            return
        batch = Batch(lambda: self.work(polled), asyncio.get_running_loop())
        await self.channel.put(batch)
        worked = await batch.done
        await self._in_thread(lambda: self.commit(worked))

    async def _in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def on_stop(self) -> None:
        """Nothing: the cycle sees `should_stop` and closes."""
