"""Where a moment of usage falls in a subscription: its period, its window, the terms that hold."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rating.catalog import Catalog
from rating.periods import Calendar, window
from rating.state import NEVER
from rating.timeline import Spell, Timeline, calendar_of, spell_at, spell_of


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
    if len(known.terms) == 1:
        calendar = calendar_of(catalog, known.sub, known.terms[0])
        return _on_one(calendar, known.sub.start, known.sub.end, known.end, size, low, high)
    if not (known.runs_at(low) and known.runs_at(high)):
        return None
    first = place(catalog, known, size, low)
    return first if high < first.window[1] else None


@lru_cache(maxsize=65_536)
def _on_one(
    calendar: Calendar, start: int, end: int, stop: int, size: str, low: int, high: int
) -> Place | None:
    """The same where the terms never change. All that it depends on is in its arguments, so it is the same for all
    subscriptions that began together, hour by hour."""
    if not (start <= low and high < stop):
        return None
    spell = spell_of(calendar, low, NEVER, end)
    first, last = window(low, size, calendar.timezone)
    first, last = max(first, spell.start, start), min(last, spell.end)
    return Place(spell, 0, (first, last)) if high < last else None
