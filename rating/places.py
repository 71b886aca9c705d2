"""Where a moment of usage falls in a subscription: its period and window, and how far around that holds."""

from __future__ import annotations

from typing import NamedTuple

from rating.periods import Calendar, Period, window
from rating.state import Subscription


class Place(NamedTuple):
    """A period and a window, cut where the period or the subscription ends."""

    period: tuple[int, int]
    window: tuple[int, int]


def calendar(sub: Subscription, length: str) -> Calendar:
    """How the subscription counts periods of this length."""
    return Calendar(length, sub.timezone, sub.anchor if sub.anchor >= 0 else None)


def period_at(sub: Subscription, length: str, moment: int) -> Period:
    """The nominal period that holds the moment."""
    return calendar(sub, length).at(moment)


def runs_at(sub: Subscription, moment: int) -> bool:
    """Whether the subscription rates usage of the moment."""
    return sub.start <= moment < sub.end


def place(sub: Subscription, length: str, size: str, moment: int) -> Place:
    """The place of a moment at which the subscription runs."""
    period = period_at(sub, length, moment)
    start, end = window(moment, size, sub.timezone)
    low, high = max(start, period.start, sub.start), min(end, period.end, sub.end)
    return Place((period.start, min(period.end, sub.end)), (low if start < low else start, min(end, high)))


def whole(sub: Subscription, length: str, size: str, low: int, high: int) -> Place | None:
    """The place that all moments of `[low, high]` share, or `None`."""
    if not (runs_at(sub, low) and runs_at(sub, high)):
        return None
    first = place(sub, length, size, low)
    return first if first == place(sub, length, size, high) else None
