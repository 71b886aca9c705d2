"""What a pack holds of each account: its readings in bunches for rating, its events whole for waiting and rejections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rating.bunch import Bunch, PackOrigin
from rating.records import Pack
from rating.state import Waiting
from rating.times import HOUR

Readings = Mapping[int, Sequence[tuple[str, int | str, tuple[str, ...]]]]
"""What the meters read, by index of the event."""


def bunches(pack: Pack, counted: list[int]) -> dict[int, list[Bunch]]:
    """The readings of the events that count, by account number."""
    live = None if len(counted) == len(pack.account) else frozenset(counted)
    found: dict[tuple[int, int, int, int, str | None], Bunch] = {}
    mine: dict[int, list[Bunch]] = {}
    named = pack.subscription
    account_of, times, origin = pack.account, pack.time, PackOrigin(pack)
    for number, column in enumerate(pack.readings):
        for event, value, dim in zip(column.event, column.value, column.dim, strict=True):
            if live is not None and event not in live:
                continue
            account, time = account_of[event], times[event]
            key = (account, number, dim, time // HOUR, named.get(event) if named else None)
            bunch = found.get(key)
            if bunch is None:
                bunch = found[key] = Bunch(
                    column.meter, tuple(column.dims[dim]), key[3], key[4], [], [], [], origin
                )
                mine.setdefault(account, []).append(bunch)
            bunch.times.append(time)
            bunch.events.append(event)
            bunch.values.append(value)
    return mine


def readings_of(pack: Pack) -> Readings:
    """The readings of a pack by event."""
    found: dict[int, list[tuple[str, int | str, tuple[str, ...]]]] = {}
    for column in pack.readings:
        for event, value, dim in zip(column.event, column.value, column.dim, strict=True):
            found.setdefault(event, []).append((column.meter, value, tuple(column.dims[dim])))
    return found


def event_of(pack: Pack, index: int, readings: Readings) -> Waiting:
    """One event, whole."""
    topic, partition = pack.origins[pack.origin[index]]
    return Waiting(
        pack.subscription.get(index), pack.sources[pack.source[index]], pack.id[index], pack.types[pack.type[index]],
        pack.subjects[pack.subject[index]], pack.time[index], pack.received[index], pack.data[index], pack.revision,
        tuple(readings.get(index, ())), (topic, partition, pack.offset[index]), pack.backfill.get(index), False,
        tuple(sorted(pack.groups[index].items())) if index in pack.groups else (),
    )  # fmt: skip
