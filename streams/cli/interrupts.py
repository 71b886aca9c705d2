"""Ctrl-C: a `KeyboardInterrupt` as always, and a note that there was one.

A library may make another error of it, or lose it, while it is imported; the note tells what that error is.
"""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

STATUS = 1
SENTENCE = "interrupted"


class Interrupts:
    """Takes Ctrl-C from the interpreter while it is open; a process that was told to ignore it goes on to.

    `to_the_end`: after it Ctrl-C ends the process at once, for an interpreter that only waits for its threads.
    """

    def __init__(self, to_the_end: bool) -> None:
        self.seen = False
        self._to_the_end = to_the_end

    def __enter__(self) -> Interrupts:
        self._ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._ours:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, self._end if self._to_the_end else signal.default_int_handler)

    def _note(self, number: int, frame: FrameType | None) -> NoReturn:
        self.seen = True
        raise KeyboardInterrupt

    def _end(self, number: int, frame: FrameType | None) -> NoReturn:
        if not self.seen:  # Who pressed twice was told at the first.
            os.write(2, f"azotte: {SENTENCE}\n".encode())
        os._exit(STATUS)
