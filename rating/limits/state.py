"""What is kept of limits: the values of the cells `bound` and `gauge` (`rating.state` names all cells)."""

from __future__ import annotations

from typing import Any, NamedTuple


class Bound(NamedTuple):
    """A limit that has been looked at: `doc` as JSON, how many records it wrote, and the subscription whose plan it changed
    (`only`), with the terms to go back to (`back`, as JSON, "" where there are none); it stays in force as long, and `until`
    they are back. One that is `away` holds no more, and goes on from there when it comes back."""

    doc: str
    records: int = 0
    only: str | None = None
    back: str = ""
    away: bool = False
    until: int = 0


class Gauge(NamedTuple):
    """One window `[start, end)` of a limit, of one subject or (``""``) of all. `kept` is what its aggregation keeps, or a sum
    in 10⁻³⁶. `reached` thresholds have a record; `acting` while `amount` is reached; until `quiet` none is written."""

    subject: str
    start: int
    end: int
    kept: Any = None
    reached: int = 0
    acting: bool = False
    quiet: int = 0
