"""The log's clock as a partition has read it: the largest tick, and which tick passed which moment.

A timer's source is the first tick whose clock is at or after its due time, so ticks are kept until all that they made
due has fired.
"""

from __future__ import annotations

from rating.cells import Cells
from rating.times import DAY, HOUR

CLOCK = ("clock",)
ACCEPT_PAST = 35 * DAY
"""Until the log's own settings say otherwise."""


def read(cells: Cells) -> int:
    """Everything received before this moment has been read; 0 before the first tick."""
    return cells.get(CLOCK) or 0


def put(cells: Cells, clock: int) -> None:
    """Set the clock, without a tick to remember."""
    cells.put(CLOCK, "", clock)


def advance(cells: Cells, clock: int, offset: int, keep: bool) -> None:
    """A tick at an offset of the log; `keep` where earlier ticks have timers that have not fired yet."""
    put(cells, clock)
    ticks = (cells.get(CLOCK, "ticks") or ()) if keep else ()
    cells.put(CLOCK, "ticks", (*ticks, (clock, offset)))


def tick_of(cells: Cells, due: int) -> int:
    """The offset of the tick that passed the moment."""
    ticks: tuple[tuple[int, int], ...] = cells.get(CLOCK, "ticks") or ()
    return next((offset for clock, offset in ticks if clock >= due), 0)


def forget_ticks(cells: Cells) -> None:
    """Everything due has fired: only the last tick still matters."""
    ticks: tuple[tuple[int, int], ...] = cells.get(CLOCK, "ticks") or ()
    if len(ticks) > 1:
        cells.put(CLOCK, "ticks", (ticks[-1],))


def settle(cells: Cells, accept_past: int, accept_future: int = HOUR) -> None:
    """The log's own settings."""
    cells.put(CLOCK, "accept_past", accept_past)
    cells.put(CLOCK, "accept_future", accept_future)


def accept_future(cells: Cells) -> int:
    """How long after its receipt an event's time is accepted, in microseconds."""
    found = cells.get(CLOCK, "accept_future")
    return HOUR if found is None else int(found)


def accept_past(cells: Cells) -> int:
    """How long before the clock an event's time is accepted, in microseconds."""
    return cells.get(CLOCK, "accept_past") or ACCEPT_PAST
