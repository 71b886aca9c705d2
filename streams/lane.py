"""A thread of a stage's own: it makes calls one after the other, and holds up nobody's end.

    lane = Lane("rate")
    found = await lane(consumer_poll)
    await lane.end(consumer_close, 8)

A client's call may wait for as long as its broker is away: a consumer's `close` waits for a group that it cannot leave. So
the thread is a daemon, unlike those of an executor, which the interpreter joins before it ends.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

Result = TypeVar("Result")


class Lane:
    """Calls come from one event loop; the thread begins with the first and ends after the last."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._begun = False

    def __call__(self, call: Callable[[], Result]) -> asyncio.Future[Result]:
        """What the call answers or raises. One that is cancelled before its turn is never made."""
        future: Future[Result] = Future()
        self._calls.put(lambda: _make(call, future))
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        return asyncio.wrap_future(future)

    async def end(self, call: Callable[[], object], seconds: float) -> bool:
        """Make the last call. Whether it was done within so long; one that is late is left to itself.

        Raises what the call raises.
        """
        last = self(call)
        self._calls.put(None)
        # Unlike `wait_for` this cancels nothing: where we are cancelled, the call is made all the same.
        await asyncio.wait([last], timeout=seconds)
        if last.done():
            last.result()
            return True
        last.cancel()
        return False

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _make(call: Callable[[], Result], future: Future[Result]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - whoever waits raises it
        future.set_exception(error)
    else:
        future.set_result(result)
