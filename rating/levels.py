"""The level that a `time_weighted_sum` carries from one period into the next.

Each period of a charge notes by how much it changed the level, or which level it set last; what a period begins with
follows from the notes before it. Usage that comes late for an earlier period moves every later one that has begun.
"""

from __future__ import annotations

from typing import Any

from rating.aggregations import LEVEL, Values, last_level
from rating.catalog import Charge, Meter
from rating.state import Group, Subscription
from rating.step import Step

FORGOTTEN = -1
"""The start of the note that stands for all periods whose state is gone."""
Notes = tuple[tuple[int, int | None], ...]


def bucket(step: Step, sub: Subscription, charge: str) -> tuple[str, ...]:
    """Where a charge's notes are, a group each."""
    return ("level", step.tenant, step.account, sub.id, charge)


def carried(step: Step, sub: Subscription, charge: Charge, meter: Meter, start: int, values: str) -> int:
    """The level with which a period begins, in 10⁻¹²."""
    if meter.aggregation != LEVEL:
        return 0
    notes: Notes = step.cells.get(bucket(step, sub, charge.key), values) or ()
    before = [found for begin, found in notes if begin < start]
    if meter.value_is == "level":
        return next((found for found in reversed(before) if found is not None), 0)
    return sum(found or 0 for found in before)


def note(
    step: Step, sub: Subscription, charge: Charge, meter: Meter, start: int, values: str, group: Group
) -> None:
    """Note what the group does to the level in its period."""
    if meter.aggregation != LEVEL:
        return
    found: int | None
    if meter.value_is == "level":
        at = ("value", step.tenant, step.account, sub.id, charge.key, str(start), values)
        found = last_level(Values(step.cells, at))
    else:
        found = sum(slot.kept[0] for slot in group.slots if slot.kept)
    notes: Notes = step.cells.get(bucket(step, sub, charge.key), values) or ()
    others = tuple(each for each in notes if each[0] != start)
    step.cells.put(bucket(step, sub, charge.key), values, tuple(sorted((*others, (start, found)), key=_start)))


def begun_after(step: Step, sub: Subscription, charge: str, start: int, values: str) -> list[int]:
    """The periods after this one that have begun with a level of the group."""
    notes: Notes = step.cells.get(bucket(step, sub, charge), values) or ()
    return [begin for begin, _ in notes if begin > start]


def groups_of(step: Step, sub: Subscription, charge: str) -> list[str]:
    """The groups that have a level, by their key."""
    return [values for values, _ in step.cells.members(bucket(step, sub, charge))]


def forget(step: Step, sub: Subscription, charge: str, before: int) -> None:
    """Put the notes of periods that are forgotten into one; of a charge whose notes are all old, it stays."""
    for values, notes in list(step.cells.members(bucket(step, sub, charge))):
        old = [found for begin, found in notes if begin < before]
        if len(old) > 1:
            last = next((found for found in reversed(old) if found is not None), None)
            kept = last if _sets(step, charge) else sum(found or 0 for found in old)
            rest = tuple(each for each in notes if each[0] >= before)
            step.cells.put(bucket(step, sub, charge), values, ((FORGOTTEN, kept), *rest))


def _sets(step: Step, charge: str) -> bool:
    for plan in step.catalog.plans.values():
        found = plan.charge(charge)
        if found is not None:
            return step.catalog.meters[found.meter].value_is == "level"
    return False


def _start(note: tuple[int, Any]) -> int:
    return note[0]
