"""The running level of a `time_weighted_sum`: the meter's own, whether a charge is on it or not.

A subscription's usage of such a meter is noted by period and dimensions: by how much it changed the level, or which level
it set last. So a period, or a charge that begins within one, knows the level that it begins with: it is carried on from
what was used before, since the subscription's start. Usage that comes late moves everything after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rating.bunch import Bunch
from rating.catalog import Charge, Meter
from rating.numbers import quantity
from rating.state import Subscription
from rating.step import Step
from rating.timeline import Timeline, spell_at

FORGOTTEN = -1
"""The start of the note that stands for all periods whose state is gone."""
Note = tuple[int, Any]
"""A period's start, and the change of the level in 10⁻¹², or the last event that set it, `(time and key, level)`."""


def _notes(step: Step, sub: Subscription, meter: Meter) -> tuple[str, ...]:
    return ("level", step.tenant, step.account, sub.id, meter.key)


def _events(step: Step, sub: Subscription, meter: Meter, start: int) -> tuple[str, ...]:
    return ("leveled", step.tenant, step.account, sub.id, meter.key, str(start))


def record(step: Step, known: Timeline, meter: Meter, bunch: Bunch, sign: int) -> None:
    """Note usage, or take it out of the notes."""
    dims = json.dumps(bunch.dims, ensure_ascii=False, separators=(",", ":"))
    bucket = _notes(step, known.sub, meter)
    before = step.cells.get(bucket, dims) or ()
    notes = dict(before)
    anew: set[int] = set()
    for time, event, value in zip(bunch.times, bunch.events, bunch.values, strict=True):
        if not known.runs_at(time):
            continue
        start, level = spell_at(step.catalog, known, time).start, quantity(value)
        name = f"{time:020d}|{bunch.origin.key(event)}"
        step.cells.put(
            _events(step, known.sub, meter, start), f"{dims}|{name}", str(level) if sign > 0 else None
        )
        last = notes.get(start)
        if meter.value_is == "change":
            notes[start] = (last or 0) + sign * level
        elif sign > 0:
            notes[start] = max(filter(None, ((name, level), last)), key=_name)
        elif last is not None and last[0] == name:
            anew.add(start)
    for start in anew:
        notes[start] = _last(step, known.sub, meter, start, f"{dims}|")
    changed = tuple(sorted(notes.items(), key=_start))
    if changed != before:
        step.cells.put(bucket, dims, changed)


def _last(step: Step, sub: Subscription, meter: Meter, start: int, series: str) -> Any:
    """The last event of a series that set its level in a period."""
    members = list(step.cells.members(_events(step, sub, meter, start)))
    mine = [(name.removeprefix(series), int(found)) for name, found in members if name.startswith(series)]
    return max(mine, default=None)


def carried(
    step: Step, known: Timeline, charge: Charge, meter: Meter, dims: tuple[str, ...], start: int, at: int
) -> int:
    """The level with which a charge begins at `at`, in the period that starts at `start`; in 10⁻¹²."""
    if meter.value_is == "level":
        return max(_set_before(step, known, charge, meter, dims, start, at), default=("", 0))[1]
    level = 0
    for series in _series(step, known.sub, charge, meter, dims):
        notes = step.cells.get(_notes(step, known.sub, meter), series) or ()
        level += sum(change for begin, change in notes if begin < start)
    if at > max(start, known.sub.start):
        level += sum(found for _, found in _within(step, known, charge, meter, dims, start, at))
    return level


def _set_before(
    step: Step, known: Timeline, charge: Charge, meter: Meter, dims: tuple[str, ...], start: int, at: int
) -> Iterator[tuple[str, int]]:
    for series in _series(step, known.sub, charge, meter, dims):
        for begin, last in step.cells.get(_notes(step, known.sub, meter), series) or ():
            if begin < start and last is not None:
                yield last[0], last[1]
    if at > max(start, known.sub.start):
        yield from _within(step, known, charge, meter, dims, start, at)


def _within(
    step: Step, known: Timeline, charge: Charge, meter: Meter, dims: tuple[str, ...], start: int, at: int
) -> Iterator[tuple[str, int]]:
    """What the period has before a moment in it: nothing where the subscription begins with it."""
    matching = {f"{series}|" for series in _series(step, known.sub, charge, meter, dims)}
    for member, value in step.cells.members(_events(step, known.sub, meter, start)):
        for series in matching:
            name = member.removeprefix(series)
            if name != member and int(name[:20]) < at:
                yield name, int(value)


def _series(step: Step, sub: Subscription, charge: Charge, meter: Meter, dims: tuple[str, ...]) -> list[str]:
    """The meter's series that belong to a group of a charge."""
    places = [meter.dimensions.index(name) for name in charge.dimensions]
    return [
        series
        for series, _ in step.cells.members(_notes(step, sub, meter))
        if tuple(json.loads(series)[place] for place in places) == dims
    ]


def groups_of(step: Step, sub: Subscription, charge: Charge, meter: Meter) -> list[tuple[str, ...]]:
    """The groups of a charge that have a level."""
    places = [meter.dimensions.index(name) for name in charge.dimensions]
    found = {
        tuple(json.loads(series)[place] for place in places): None
        for series, _ in step.cells.members(_notes(step, sub, meter))
    }
    return list(found)


def forget(step: Step, sub: Subscription, meters: Iterable[Meter], start: int, before: int) -> None:
    """Put the notes of periods that are forgotten into one, and drop their events."""
    for meter in meters:
        events = _events(step, sub, meter, start)
        for member, _ in list(step.cells.members(events)):
            step.cells.put(events, member, None)
        for series, notes in list(step.cells.members(_notes(step, sub, meter))):
            old = [found for begin, found in notes if begin < before]
            if len(old) > 1:
                kept: Any = sum(old) if meter.value_is == "change" else max(filter(None, old), default=None)
                rest = [each for each in notes if each[0] >= before]
                step.cells.put(_notes(step, sub, meter), series, ((FORGOTTEN, kept), *rest))


def _name(event: tuple[str, int]) -> str:
    return event[0]


def _start(note: Note) -> int:
    return note[0]
