"""A stage: one consumer, one transactional producer, one batch in flight, its work done by a Faust agent on a channel.

    poll (a thread) → channel → agent: `work` → commit (the thread)

The thread is the stage's own, and everything of the consumer happens there: `consume` is called only while no batch is in
flight, so partitions come and go between batches, never within one.
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

from schemas.registry import Away
from streams import clock
from streams.kafka import Stop, passing

log = logging.getLogger("azotte")
PAUSE_S = 0.5
Result = TypeVar("Result")


class Batch:
    """What one transaction is about, on its way through the channel."""

    def __init__(self, work: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.done: asyncio.Future[Any] = loop.create_future()

    def run(self) -> None:
        """The agent's part. It never raises: what went wrong is the batch's result."""
        try:
            self.done.set_result(self.work())
        except BaseException as error:  # noqa: BLE001 - handed to the stage, which stops the process
            self.done.set_exception(error)


class Stage(Service, abc.ABC):
    """Subclasses give `open`, `poll`, `work`, `commit` and `close`; all but `work` run in the stage's thread."""

    name_ = "stage"

    def __init__(self, failed: Callable[[str], None]) -> None:
        super().__init__()
        self._failed = failed
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=self.name_)
        self.channel: Any = None
        self.ready = False
        self._closers: list[Callable[[], object]] = []

    def open(self) -> None:
        """Join the group."""

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
        """Close what `open` opened, as far as it came."""
        while self._closers:
            self._closers.pop()()

    @Service.task
    async def _cycle(self) -> None:
        try:
            await self._retried(self.open)
            while not self.should_stop:
                await self._once()
        except Stop as error:
            self._failed(str(error))
        except KafkaException as error:
            self._failed(f"{self.name_}: {error.args[0].str()}")
        except Exception as error:
            log.exception("%s stopped", self.name_)
            self._failed(f"{self.name_}: {type(error).__name__}: {error}")
        finally:
            await self._in_thread(self.close)

    async def _once(self) -> None:
        polled = await self._in_thread(self.poll)
        if polled is None:
            return
        batch = Batch(lambda: self.work(polled), asyncio.get_running_loop())
        await self.channel.put(batch)
        worked = await batch.done
        await self._in_thread(lambda: self.commit(worked))

    async def _retried(self, call: Callable[[], None]) -> None:
        while True:
            try:
                await self._in_thread(call)
                return
            except KafkaException as error:
                await self._in_thread(self.close)
                if not passing(error):
                    raise
                log.warning(
                    "%s: the broker does not answer (%s), trying again", self.name_, error.args[0].str()
                )
                await self.sleep(PAUSE_S)
                if self.should_stop:
                    return

    def answered(self, call: Callable[[], Result]) -> Result:
        """What a call to the broker or the schema registry gives, waiting for it to answer.

        Raises `Stop` where we are to stop meanwhile, and what is no lost connection as it is.
        """
        while True:
            try:
                return call()
            except Away as error:
                words = str(error)
            except KafkaException as error:
                if not passing(error):
                    raise
                words = f"the broker does not answer ({error.args[0].str()})"
            if self.should_stop:
                raise Stop(f"{self.name_}: {words}")
            log.warning("%s: %s, trying again", self.name_, words)
            pause()

    async def _in_thread(self, call: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    async def on_stop(self) -> None:
        """Nothing: the cycle sees `should_stop` and closes."""


def pause() -> None:
    """Wait a little, in a stage's thread."""
    clock.pause(PAUSE_S)
