"""A lane makes its calls in one thread, in their order, and is left behind where the last one is late."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from streams.lane import Lane

LATE_S = 0.05
PATIENT_S = 10


def test_calls_are_made_in_their_order_by_one_thread_which_ends_after_the_last() -> None:
    threads: list[threading.Thread] = []

    def call(number: int) -> Callable[[], int]:
        def made() -> int:
            threads.append(threading.current_thread())
            return number

        return made

    async def main() -> list[int]:
        lane = Lane("lane")
        asked = [lane(call(1)), lane(call(2))]
        assert await lane.end(call(3), PATIENT_S)
        return [await each for each in asked]

    assert asyncio.run(main()) == [1, 2]
    assert len(threads) == 3
    assert len(set(threads)) == 1
    assert threads[0].name == "lane"
    threads[0].join(PATIENT_S)
    assert not threads[0].is_alive()


@pytest.mark.parametrize("last", [False, True], ids=["call", "last call"])
def test_what_a_call_raises_is_raised_to_whoever_waits(last: bool) -> None:
    async def main() -> None:
        lane = Lane("lane")
        if last:
            await lane.end(lambda: 1 // 0, PATIENT_S)
        await lane(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_a_call_that_is_cancelled_before_its_turn_is_never_made() -> None:
    made: list[str] = []
    let = threading.Event()

    async def main() -> None:
        lane = Lane("lane")
        lane(let.wait)
        lane(lambda: made.append("cancelled")).cancel()
        # The cancel goes to the thread's side with the loop's next round.
        await asyncio.sleep(0)
        let.set()
        assert await lane.end(lambda: made.append("last"), PATIENT_S)

    asyncio.run(main())
    assert made == ["last"]


@pytest.mark.parametrize("behind", [False, True], ids=["late itself", "behind a late one"])
def test_a_last_call_that_is_late_is_left_to_a_daemon(behind: bool) -> None:
    let = threading.Event()
    began: list[threading.Thread] = []

    def wait() -> None:
        began.append(threading.current_thread())
        let.wait()

    async def main() -> bool:
        lane = Lane("lane")
        if behind:
            lane(wait)
        return await lane.end((lambda: None) if behind else wait, LATE_S)

    assert asyncio.run(main()) is False
    assert began[0].daemon
    assert began[0].is_alive()
    # What comes after the loop is closed is told to nobody, quietly.
    let.set()
    began[0].join(PATIENT_S)
    assert not began[0].is_alive()
