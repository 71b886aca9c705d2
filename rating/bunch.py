"""Readings on their way to a charge: of one meter, with the same dimensions, within one hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from json import loads
from typing import Any, NamedTuple, Protocol

from rating.records import Pack
from rating.state import Waiting
from rating.times import HOUR


class Origin(Protocol):
    """Where the events of a bunch are: looked at only by what needs more of them than times and values."""

    def key(self, event: int) -> str:
        """`source id`: it orders events of the same time."""

    def data(self, event: int) -> Mapping[str, Any]:
        """The event's data, numbers exact."""

    def subject(self, event: int) -> str:
        """The event's subject."""

    def groups(self, event: int) -> Mapping[str, str]:
        """The groups that the subject is in."""


class PackOrigin:
    """Events of a pack, by their index."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def key(self, event: int) -> str:
        pack = self._pack
        return f"{pack.sources[pack.source[event]]} {pack.id[event]}"

    def data(self, event: int) -> Mapping[str, Any]:
        return loads(self._pack.data[event], parse_float=Decimal)  # type: ignore[no-any-return]  # checked: an object

    def subject(self, event: int) -> str:
        return self._pack.subjects[self._pack.subject[event]]

    def groups(self, event: int) -> Mapping[str, str]:
        return self._pack.groups.get(event, {})


class EventsOrigin:
    """Events that are there whole."""

    def __init__(self, events: Sequence[Waiting]) -> None:
        self._events = events

    def key(self, event: int) -> str:
        found = self._events[event]
        return f"{found.source} {found.id}"

    def data(self, event: int) -> Mapping[str, Any]:
        return loads(self._events[event].data, parse_float=Decimal)  # type: ignore[no-any-return]  # as above

    def subject(self, event: int) -> str:
        return self._events[event].subject

    def groups(self, event: int) -> Mapping[str, str]:
        return dict(self._events[event].groups)


class Bunch(NamedTuple):
    """`times`, `events` (their numbers in `origin`) and `values` stand side by side; `hour` counts from the epoch."""

    meter: str
    dims: tuple[str, ...]
    hour: int
    subscription: str | None
    times: list[int]
    events: list[int]
    values: list[int | str]
    origin: Origin


class Slice(NamedTuple):
    """What a step adds to one group in one window: times, the events' numbers, values."""

    times: list[int]
    events: list[int]
    values: list[int | str]
    origin: Origin


def bunches_of(events: Iterable[Waiting]) -> list[Bunch]:
    """Whole events as rating takes them."""
    listed = list(events)
    origin = EventsOrigin(listed)
    found: dict[tuple[str, tuple[str, ...], int, str | None], Bunch] = {}
    for number, event in enumerate(listed):
        for meter, value, dims in event.readings:
            key = (meter, tuple(dims), event.time // HOUR, event.subscription)
            held = found.get(key)
            if held is None:
                held = found[key] = Bunch(*key, [], [], [], origin)
            held.times.append(event.time)
            held.events.append(number)
            held.values.append(value)
    return list(found.values())
