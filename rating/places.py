"""Where a moment of usage falls in a subscription: its period, its window, the terms that hold."""

from __future__ import annotations

from typing import NamedTuple

from rating.catalog import Catalog
from rating.periods import window
from rating.timeline import Spell, Timeline, spell_at


class Place(NamedTuple):
    """A period, the number of the terms, and a window, cut where the period, the terms or the subscription end."""

    spell: Spell
    terms: int
    window: tuple[int, int]


def place(catalog: Catalog, known: Timeline, size: str, moment: int) -> Place:
    """The place of a moment at which the subscription runs."""
    sub, number = known.sub, known.at(moment)
    spell = spell_at(catalog, known, moment)
    start, end = window(moment, size, sub.timezone)
    low, high = max(start, spell.start, sub.start), min(end, spell.end)
    if number:
        low = max(low, known.terms[number].start)
    if number + 1 < len(known.terms):
        high = min(high, known.terms[number + 1].start)
    return Place(spell, number, (low, high))


def whole(catalog: Catalog, known: Timeline, size: str, low: int, high: int) -> Place | None:
    """The place that all moments of `[low, high]` share, or `None`."""
    if not (known.runs_at(low) and known.runs_at(high)):
        return None
    first = place(catalog, known, size, low)
    return first if high < first.window[1] else None
