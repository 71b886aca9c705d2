"""The level that a `time_weighted_sum` carries from one period into the next.

Each period of a charge notes by how much it changed the level, or which level it set last; what a period begins with
follows from the notes before it, as far back as the charge goes on without a break: one that begins anew begins at
nothing. Usage that comes late for an earlier period moves every later one that has begun.
"""

from __future__ import annotations

from typing import NamedTuple

from rating.aggregations import LEVEL, Values, last_level
from rating.catalog import Charge, Meter
from rating.legs import Leg, chain_of
from rating.state import Group, Subscription
from rating.step import Step
from rating.timeline import Timeline

FORGOTTEN = -1
"""The start of the note that stands for all periods whose state is gone."""


class Note(NamedTuple):
    """What a period did: the change, or the level set last (`None`: none was). `anew` where the charge that its end has
    began at nothing in it."""

    start: int
    level: int | None
    anew: bool


def bucket(step: Step, sub: Subscription, charge: str) -> tuple[str, ...]:
    """Where a charge's notes are, a group each."""
    return ("level", step.tenant, step.account, sub.id, charge)


def notes_of(step: Step, sub: Subscription, charge: str, values: str) -> list[Note]:
    """A group's notes, oldest first."""
    return [Note(*each) for each in step.cells.get(bucket(step, sub, charge), values) or ()]


def carried(step: Step, known: Timeline, charge: Charge, meter: Meter, start: int, values: str) -> int:
    """The level with which a period begins, in 10⁻¹²."""
    if meter.aggregation != LEVEL or not _goes_on(step, known, charge, start):
        return 0
    before = [each for each in notes_of(step, known.sub, charge.key, values) if each.start < start]
    return _folded(before, meter.value_is == "level").level or 0


def _folded(notes: list[Note], sets: bool) -> Note:
    """Notes as one."""
    level: int | None = None
    for each in notes:
        if each.anew:
            level = each.level
        elif sets:
            level = level if each.level is None else each.level
        else:
            level = (level or 0) + (each.level or 0)
    return Note(FORGOTTEN, level, True)


def _goes_on(step: Step, known: Timeline, charge: Charge, start: int) -> bool:
    """Whether the charge was held just before the period."""
    if start <= known.sub.start:
        return False
    found = step.plan(known.sub, known.terms[known.index(start - 1)]).charge(charge.key)
    return found is not None and (found.meter, found.dimensions) == (charge.meter, charge.dimensions)


def note(
    step: Step, known: Timeline, charge: Charge, meter: Meter, legs: list[Leg], start: int, values: str, group: Group
) -> None:
    """Note what the group does to the level in its period."""
    if meter.aggregation != LEVEL or legs[-1].charge.meter != meter.key:
        return
    low, _ = chain_of(legs, len(legs) - 1)
    begin = legs[low].start
    found: int | None
    if meter.value_is == "level":
        at = ("value", step.tenant, step.account, known.sub.id, charge.key, str(start), values)
        found = last_level(Values(step.cells, at), begin)
    else:
        found = sum(slot.kept[0] for slot in group.slots if slot.kept and slot.start >= begin)
    anew = begin > max(start, known.sub.start) or not _goes_on(step, known, charge, start)
    others = [each for each in notes_of(step, known.sub, charge.key, values) if each.start != start]
    notes = tuple(tuple(each) for each in sorted([*others, Note(start, found, anew)], key=lambda each: each.start))
    step.cells.put(bucket(step, known.sub, charge.key), values, notes)


def begun_after(step: Step, sub: Subscription, charge: str, start: int, values: str) -> list[int]:
    """The periods after this one that have begun with a level of the group."""
    return [each.start for each in notes_of(step, sub, charge, values) if each.start > start]


def groups_of(step: Step, sub: Subscription, charge: str) -> list[str]:
    """The groups that have a level, by their key."""
    return [values for values, _ in step.cells.members(bucket(step, sub, charge))]


def forget(step: Step, sub: Subscription, charge: str, sets: bool, before: int) -> None:
    """Put the notes of periods that are forgotten into one."""
    for values in groups_of(step, sub, charge):
        notes = notes_of(step, sub, charge, values)
        old = [each for each in notes if each.start < before]
        if len(old) > 1:
            kept = [_folded(old, sets), *(each for each in notes if each.start >= before)]
            step.cells.put(bucket(step, sub, charge), values, tuple(tuple(each) for each in kept))
