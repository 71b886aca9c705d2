"""A step that no signal cuts in half: a process is started and noted, or neither."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """A Ctrl-C, or another signal that this program answers with an error, takes effect when the block is left.

    Only the main thread is ever interrupted by a signal, so elsewhere there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    answers = {number: answer for number in SIGNALS if callable(answer := signal.getsignal(number))}
    for number in answers:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, answer in answers.items():
            signal.signal(number, answer)
    if came:
        answers[signal.Signals(came[0])](came[0], None)
