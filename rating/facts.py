"""What a step's usage was: noted while it is rated, read afterwards by what watches an account, limits and entitlements."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rating.bunch import Bunch, Origin
from rating.timeline import Timeline

WATCHED = "limited"
"""The cell of an account that has limits or entitlements though its catalog's plans have none."""


class Used(NamedTuple):
    """A bunch that a subscription's time was asked for: added with sign 1, taken back with −1. `user` is the account that
    used it, the subscription's own or one below."""

    known: Timeline
    bunch: Bunch
    sign: int
    user: str


class Spent(NamedTuple):
    """What one event moved a charge by: money in 10⁻³⁶."""

    subscription: str
    meter: str
    origin: Origin
    event: int
    time: int
    amount: int
    user: str


@dataclass(slots=True)
class Facts:
    """`by_event` where some limit needs to know what each event cost."""

    by_event: bool
    used: list[Used] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)
    seen: list[Any] = field(default_factory=list)
    """The windows of limits (`rating.limits.crossings.Seen`) as they stand after the step."""
    holds: list[Any] = field(default_factory=list)
    """The limits that hold after the step (`rating.limits.bounds.Held`)."""
    limited: bool = True
    """Whether limits or entitlements watch the account: rules alone need only the usage."""
    new: bool = False
    """Whether the account had no subscription before the step."""
    told: Sequence[Sequence[Any]] = ()
    """The figures that accounts told, in a step of their tenant (`rating.limits.tenant`)."""

    def clear(self) -> None:
        """Nothing came of the step."""
        self.used.clear()
        self.spent.clear()

    def by(self, users: Container[str]) -> Facts:
        """What some accounts used."""
        used = [each for each in self.used if each.user in users]
        return Facts(self.by_event, used, [each for each in self.spent if each.user in users])

    def dimensions(self) -> dict[tuple[int, int, str], tuple[str, ...]]:
        """By `(id of the origin, event, meter)`, the dimensions in which the meter read the event."""
        return {
            (id(used.bunch.origin), event, used.bunch.meter): used.bunch.dims
            for used in self.used
            for event in used.bunch.events
        }


class Row(NamedTuple):
    """One event of a meter that counts: `source id` orders events of the same time."""

    time: int
    key: str
    subject: str
    dims: tuple[str, ...]
    value: int | str
    sign: int


def rows(found: Iterable[Facts], meter: str, subscription: str | None) -> Iterator[Row]:
    """The meter's events of a subscription, or of the account, where each counts once however many rate it."""
    counted: set[tuple[int, int, int]] = set()
    for used in (each for facts in found for each in facts.used):
        bunch, origin = used.bunch, used.bunch.origin
        if bunch.meter != meter or subscription not in (None, used.known.sub.id):
            continue
        for time, event, value in zip(bunch.times, bunch.events, bunch.values, strict=True):
            name = id(origin), event, used.sign
            if name not in counted and used.known.runs_at(time):
                counted.add(name)
                yield Row(time, origin.key(event), origin.subject(event), bunch.dims, value, used.sign)
