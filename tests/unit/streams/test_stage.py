"""A stage has one batch in flight, waits for a broker that is away, and ends loudly where it cannot go on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from streams import stage as module
from streams.kafka import Stop
from streams.stage import Batch, Stage
from tests.unit.streams.kafka_errors import AWAY, FORBIDDEN, TIMED_OUT

END = object()


class Channel:
    """An agent that takes each batch at once, in a thread of its own."""

    async def put(self, batch: Batch) -> None:
        await asyncio.get_running_loop().run_in_executor(None, batch.run)


class Script(Stage):
    """Does what it is told: `polls` in order, each an input, an exception, or the end."""

    name_ = "script"

    def __init__(
        self,
        polls: list[Any],
        opens: list[Exception] | None = None,
        work: Callable[[Any], Any] = lambda each: each,
    ) -> None:
        self.told: list[str] = []
        super().__init__(self._tell)
        self.polls, self.opens, self._work = polls, opens or [], work
        self.calls: list[str] = []
        self.threads: set[int] = set()
        self.over = asyncio.Event()
        self.channel = Channel()

    def _say(self, call: str) -> None:
        self.calls.append(call)
        self.threads.add(threading.get_ident())

    def open(self) -> None:
        self._say("open")
        self._closers.append(lambda: self.calls.append("close client"))
        if self.opens:
            raise self.opens.pop(0)

    def poll(self) -> Any:
        found = self.polls.pop(0) if self.polls else END
        if isinstance(found, Exception):
            raise found
        if found is END:
            self.loop.call_soon_threadsafe(self.over.set)
            return None
        self._say(f"poll {found}")
        return found

    def work(self, polled: Any) -> Any:
        self.calls.append(f"work {polled}")
        assert threading.get_ident() not in self.threads
        return self._work(polled)

    def commit(self, worked: Any) -> None:
        self._say(f"commit {worked}")

    def close(self) -> None:
        self._say("close")
        super().close()

    def _tell(self, why: str) -> None:
        self.told.append(why)
        self.over.set()


def run(stage: Callable[[], Script]) -> Script:
    """Run a stage until its script ends or it fails."""

    async def main() -> Script:
        made = stage()
        made.loop = asyncio.get_running_loop()
        await made.start()
        await asyncio.wait_for(made.over.wait(), 10)
        await made.stop()
        return made

    return asyncio.run(main())


def test_one_batch_is_in_flight_and_all_but_the_work_is_in_one_thread() -> None:
    found = run(lambda: Script([1, 2]))
    assert found.calls[:7] == ["open", "poll 1", "work 1", "commit 1", "poll 2", "work 2", "commit 2"]
    assert len(found.threads) == 1
    assert found.told == []


def test_it_knows_how_long_its_last_batch_took_and_that_it_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("streams.clock.monotonic", lambda: now[0])

    class Slow(Script):
        def commit(self, worked: Any) -> None:
            now[0] += 0.25

        def poll(self) -> Any:
            now[0] += 60
            took.append(self.took)
            return super().poll()

    took: list[float] = []
    run(lambda: Slow([1, None, None]))
    assert took[:3] == [0.0, 0.25, 0.0]


def test_a_broker_that_is_down_at_start_is_told_and_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0)
    found = run(lambda: Script([1], opens=[AWAY, TIMED_OUT]))
    again = ["open", "close", "close client"]
    assert found.calls[:8] == [*again, *again, "open", "poll 1"]
    assert caplog.text.count("beginning again from what is committed") == 2
    assert found.told == []


BROKEN = [
    (Stop("the log is short"), "the log is short"),
    (FORBIDDEN, f"script: {FORBIDDEN.args[0].str()}"),
    (RuntimeError("odd"), "script: RuntimeError: odd"),
]


def test_what_was_opened_is_closed_once_and_last_first() -> None:
    async def main() -> list[str]:
        stage = Script([])
        stage.loop = asyncio.get_running_loop()
        stage._closers += [lambda: stage.calls.append("first"), lambda: stage.calls.append("second")]
        Stage.close(stage)
        Stage.close(stage)
        return stage.calls

    assert asyncio.run(main()) == ["second", "first"]


@pytest.mark.parametrize(("error", "told"), BROKEN)
def test_what_cannot_go_on_is_told_once_and_closes(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    for stage in (
        lambda: Script([1, error, 2]),
        lambda: Script([1], opens=[error]),
        lambda: Script([1, 2], work=lambda _: (_ for _ in ()).throw(error).__next__()),
    ):
        found = run(stage)
        assert found.told == [told]
        assert "close client" in found.calls[-2:]
        assert "commit 2" not in found.calls


def test_a_batch_never_raises_in_its_agent() -> None:
    async def main() -> None:
        batch = Batch(lambda: 1 // 0, asyncio.get_running_loop())
        batch.run()
        with pytest.raises(ZeroDivisionError):
            await batch.done

    asyncio.run(main())


def test_a_stage_that_is_to_stop_waits_for_no_answer_and_fails_of_nothing() -> None:
    def ask() -> int:
        raise AWAY

    found: list[Script] = []

    def stage() -> Script:
        def work(polled: Any) -> Any:
            found[0].loop.call_soon_threadsafe(found[0].over.set)
            return found[0].patience(ask)

        found.append(Script([1], work=work))
        return found[0]

    assert run(stage).told == []
    assert "commit" not in " ".join(found[0].calls)
