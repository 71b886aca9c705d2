"""A running level goes on without usage: where a period begins, or its end or an earlier period's level changes, what it
comes to is another, and the difference is a line."""

from __future__ import annotations

from rating import lines
from rating.aggregations import LEVEL
from rating.charges import Work
from rating.legs import Leg, chain_of, legs_of
from rating.levels import begun_after, groups_of
from rating.step import Step
from rating.timeline import Timeline, spell_at


def resettle(step: Step, known: Timeline, at: int) -> None:
    """A running level lasts to another moment now: what it comes to in the periods from `at` on."""
    keys = {
        charge.key
        for terms in known.terms
        for charge in step.plan(known.sub, terms).charges
        if step.catalog.meters[charge.meter].aggregation == LEVEL
    }
    if not keys:
        return
    for member, _ in list(step.cells.members(("charge", step.tenant, step.account, known.sub.id))):
        key, _, start = member.rpartition("|")
        if key in keys and spell_at(step.catalog, known, max(int(start), known.sub.start)).nominal > at:
            settle(step, known, key, int(start))


def settle(step: Step, known: Timeline, key: str, start: int) -> None:
    """Price a charge's levels in a period anew, without new usage; a level that is carried into it begins there."""
    spell = spell_at(step.catalog, known, max(start, known.sub.start))
    for leg in legs_of(step, known, key, spell):
        if not leg.first:
            continue
        meter = step.catalog.meters[leg.charge.meter]
        for values in groups_of(step, known.sub, key) if meter.aggregation == LEVEL else ():
            dims = lines.dims_of(leg.charge.dimensions, values)
            if dims is not None:
                _settle_group(Work(step, known, spell, leg.charge, meter, dims), leg)


def _settle_group(work: Work, first: Leg) -> None:
    if not work.group.slots and not work.context(work.start, work.values).carry:
        return
    low, high = chain_of(work.legs, work.legs.index(first))
    for index in range(low, high):
        work.begin("usage", index)
        work.add(None, index)
    work.finish()


def ripple(step: Step, known: Timeline, key: str, start: int) -> None:
    """Usage came for a period: the level that later ones began with is another now."""
    begun = {
        begin
        for values in groups_of(step, known.sub, key)
        for begin in begun_after(step, known.sub, key, start, values)
    }
    for begin in sorted(begun):
        settle(step, known, key, begin)
