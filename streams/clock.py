"""The one module that asks what time it is. Everything else takes a time, or this module's functions."""

from __future__ import annotations

import time


def now() -> int:
    """Microseconds since the epoch, UTC."""
    return time.time_ns() // 1_000


def monotonic() -> float:
    """Seconds of a clock that never goes back: for pauses and latencies within one process."""
    return time.monotonic()


def pause(seconds: float) -> None:
    """Wait, in a thread that has nothing else to do."""
    time.sleep(seconds)
