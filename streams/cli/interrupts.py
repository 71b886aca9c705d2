"""Ctrl-C: a `KeyboardInterrupt` as always, and a note that there was one.

A library may make another error of it, or lose it, while it is imported; the note tells what that error is.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

STATUS = 1
AGAIN_S = 0.01
SENTENCE = "interrupted"


class Interrupts:
    """Takes Ctrl-C from the interpreter while it is open; a process that was told to ignore it goes on to.

    `to_the_end`: after it Ctrl-C ends the process at once, for an interpreter that only waits for its threads; once
    those are gone it is ignored, since the work is done and the status stands.
    """

    def __init__(self, to_the_end: bool) -> None:
        self.seen = False
        self._to_the_end = to_the_end

    def __enter__(self) -> Interrupts:
        self._ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._ours:
            signal.signal(signal.SIGINT, self._note)
            self._told_before, sys.unraisablehook = sys.unraisablehook, self._again
            if self._to_the_end:
                # The interpreter gives a handler back before it ends, and the process would die of the signal instead.
                atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, self._end if self._to_the_end else signal.default_int_handler)
            sys.unraisablehook = self._told_before

    def _note(self, number: int, frame: FrameType | None) -> NoReturn:
        self.seen = True
        raise KeyboardInterrupt

    def _again(self, lost: UnraisableHookArgs) -> None:
        """What is raised in a callback, of which an import has some, is lost: raise it once more, after it."""
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            self._told_before(lost)
            return
        signal.signal(signal.SIGALRM, self._note)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_S)

    def _end(self, number: int, frame: FrameType | None) -> NoReturn:
        if not self.seen:  # Who pressed twice was told at the first.
            os.write(2, f"azotte: {SENTENCE}\n".encode())
        os._exit(STATUS)
