"""A running level goes on without usage: where a period begins, or its end or an earlier level changes, what it comes to is
another, and the difference is a line."""

from __future__ import annotations

from rating.aggregations import LEVEL
from rating.charges import Work
from rating.legs import Leg, chain_of, legs_of
from rating.levels import groups_of
from rating.step import Step
from rating.timeline import Timeline, spell_at


def resettle(step: Step, known: Timeline, at: int) -> None:
    """Price the levels of every period that has begun, from `at` on, anew."""
    keys = {
        charge.key: None
        for terms in known.terms
        for charge in step.plan(known.sub, terms).charges
        if step.catalog.meters[charge.meter].aggregation == LEVEL
    }
    if not keys:
        return
    moment = max(at, known.sub.start)
    while moment <= known.sub.cursor and moment < known.end:
        spell = spell_at(step.catalog, known, moment)
        for key in keys:
            settle(step, known, key, spell.start)
        moment = spell.stop


def settle(step: Step, known: Timeline, key: str, start: int) -> None:
    """Price a charge's levels in a period anew, without new usage; a level that is carried into it begins there."""
    spell = spell_at(step.catalog, known, max(start, known.sub.start))
    for leg in legs_of(step, known, key, spell):
        meter = step.catalog.meters[leg.charge.meter]
        if leg.first and meter.aggregation == LEVEL:
            for dims in groups_of(step, known.sub, leg.charge, meter):
                _settle_group(Work(step, known, spell, leg.charge, meter, dims), leg)


def _settle_group(work: Work, first: Leg) -> None:
    low, high = chain_of(work.legs, work.legs.index(first))
    begin = max(work.spell.start, work.known.sub.start, first.start)
    if not work.group.slots and not work.context(work.start, work.values).carry(begin):
        return
    for index in range(low, high):
        work.begin("usage", index)
        work.add(None, index)
    work.finish()
