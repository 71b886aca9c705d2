"""A signal during a step that must be whole takes effect after it, as it would have before."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest

from streams.uninterrupted import uninterrupted


def test_a_ctrl_c_waits_until_the_step_is_done() -> None:
    noted: list[str] = []

    def started() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            noted.append("started")

    with pytest.raises(KeyboardInterrupt):
        started()
    assert noted == ["started"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_the_program_made_of_a_signal_is_asked_afterwards(number: signal.Signals) -> None:
    told: list[int] = []

    def answer(number: int, frame: FrameType | None) -> None:
        told.append(number)

    before = signal.signal(number, answer)
    try:
        with uninterrupted():
            os.kill(os.getpid(), number)
            assert told == []
    finally:
        signal.signal(number, before)
    assert told == [number]


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_it_is_a_step_like_any() -> None:
    def step() -> str:
        with uninterrupted():
            return "done"

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(step).result() == "done"
