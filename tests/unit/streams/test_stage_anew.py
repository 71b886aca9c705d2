"""A stage that meets a broker's error begins again from what is committed: nothing is skipped, nothing done twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from streams import stage
from streams.kafka import Anew, Stop
from streams.stage import Batch, Stage
from tests.unit.streams.kafka_errors import AWAY, FORBIDDEN

RECORDS = list(range(10))
BATCH = 3
PATIENT_S = 20
BOUND_S = 0.2


class Channel:
    """Hands each batch to a thread, as the agent does."""

    async def put(self, batch: Batch) -> None:
        asyncio.get_running_loop().run_in_executor(None, batch.run)


class Copy(Stage):
    """Copies `RECORDS` to `done`; its position is in memory, and what is committed is `len(done)`.

    `raising` has, for a step, what it raises after the step's work was begun: `poll` has consumed by then.
    """

    name_ = "copy"

    def __init__(
        self,
        failed: Callable[[str], None],
        raising: dict[str, list[Exception]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(failed)
        self.loop_ = loop
        self.channel = Channel()
        self.raising = raising
        self.done: list[int] = []
        self.opened = 0
        self.closed = 0
        self.complete = asyncio.Event()

    def open(self) -> None:
        self.opened += 1
        self._closers.append(self._close)
        self.position = len(self.done)
        self._maybe("open")

    def poll(self) -> list[int] | None:
        found = RECORDS[self.position : self.position + BATCH]
        self.position += len(found)
        self._maybe("poll")
        return found or None

    def work(self, polled: list[int]) -> list[int]:
        self._maybe("work")
        return polled

    def commit(self, worked: list[int]) -> None:
        self._maybe("commit")
        self.done += worked
        if len(self.done) >= len(RECORDS):
            self.loop_.call_soon_threadsafe(self.complete.set)

    def _close(self) -> None:
        self.closed += 1

    def _maybe(self, step: str) -> None:
        if self.raising.get(step):
            raise self.raising[step].pop(0)


def run(raising: dict[str, list[Exception]]) -> tuple[Copy, list[str]]:
    """Run the stage until it has copied everything, or failed."""
    words: list[str] = []

    async def main() -> Copy:
        made: Copy

        def failed(why: str) -> None:
            words.append(why)
            made.complete.set()

        made = Copy(failed, raising, asyncio.get_running_loop())
        await made.start()
        await asyncio.wait_for(made.complete.wait(), PATIENT_S)
        await made.stop()
        return made

    return asyncio.run(main()), words


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PAUSE_S", 0.01)


@pytest.mark.parametrize("step", ["open", "poll", "work", "commit"])
@pytest.mark.parametrize("error", [AWAY, Anew("thrown out")], ids=["away", "anew"])
def test_nothing_that_was_consumed_is_skipped(step: str, error: Exception) -> None:
    copy, words = run({step: [error, error]})
    assert copy.done == RECORDS
    assert words == []
    assert copy.opened == copy.closed == 3


@pytest.mark.parametrize("step", ["open", "poll", "work", "commit"])
@pytest.mark.parametrize("error", [FORBIDDEN, Stop("no"), ValueError("ours")], ids=["kafka", "stop", "ours"])
def test_what_does_not_pass_ends_the_process(step: str, error: Exception) -> None:
    copy, words = run({step: [error]})
    assert len(words) == 1
    assert copy.done == []
    assert copy.opened == copy.closed == 1


def test_without_an_error_it_opens_once() -> None:
    copy, words = run({})
    assert (copy.done, words, copy.opened, copy.closed) == (RECORDS, [], 1, 1)


class Held(Copy):
    """Closes when it is let, or never."""

    def __init__(self, failed: Callable[[str], None], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(failed, {}, loop)
        self.let = threading.Event()

    def _close(self) -> None:
        self.let.wait()
        super()._close()


async def stopped(let: bool) -> Held:
    """A stage that copied everything and was stopped, its close let or not."""
    held = Held(lambda why: None, asyncio.get_running_loop())
    await held.start()
    await held.complete.wait()
    if let:
        held.let.set()
    await held.stop()
    return held


def test_a_stage_that_stops_has_closed() -> None:
    assert asyncio.run(stopped(let=True)).closed == 1


def test_a_close_that_waits_for_a_group_that_cannot_be_left_holds_up_no_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stage, "END_S", BOUND_S)
    began = time.monotonic()
    held = asyncio.run(stopped(let=False))
    assert BOUND_S <= time.monotonic() - began < PATIENT_S
    assert held.closed == 0
    assert "copy: its clients did not close within 0.2 s, ending without" in caplog.text
    assert all(each.daemon for each in threading.enumerate() if each.name == "copy")
    held.let.set()
