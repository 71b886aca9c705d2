"""A running level goes on without usage: where a period begins, or its end or an earlier level changes, what it comes to is
another, and the difference is a line."""

from __future__ import annotations

from collections.abc import Sequence

from rating import lines
from rating.aggregations import LEVEL
from rating.charges import Work
from rating.legs import Leg, chain_of, legs_of
from rating.levels import groups_of
from rating.state import Terms
from rating.step import Step
from rating.timeline import Spell, Timeline, spell_at


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
    ended = spell_at(step.catalog, known, known.sub.end) if known.sub.end <= known.sub.cursor else None
    if ended is not None and ended.start == known.sub.end:
        for key in keys:
            _withdraw(step, known, key, ended)


def settle(step: Step, known: Timeline, key: str, start: int) -> None:
    """Price a charge's levels in a period anew, without new usage; a level that is carried into it begins there."""
    spell = spell_at(step.catalog, known, max(start, known.sub.start))
    legs = legs_of(step, known, key, spell)
    if not legs:
        _withdraw(step, known, key, spell)
    for leg in legs:
        meter = step.catalog.meters[leg.charge.meter]
        if leg.first and meter.aggregation == LEVEL and _has_begun(known, leg):
            for dims in groups_of(step, known.sub, leg.charge, meter):
                _settle_group(Work(step, known, spell, leg.charge, meter, dims), leg)


def _settle_group(work: Work, first: Leg) -> None:
    low, high = chain_of(work.legs, work.legs.index(first))
    begin = max(work.spell.start, work.known.sub.start, first.start)
    if not work.group.slots and not work.context(work.start, work.values).carry(begin):
        return
    for index in range(low, high):
        if _has_begun(work.known, work.legs[index]):
            work.begin("usage", index)
            work.add(None, index)
    work.finish()


def _has_begun(known: Timeline, leg: Leg) -> bool:
    """Whether the subscription has come to a segment: what is ahead may still be changed."""
    return leg.start <= known.sub.cursor and leg.start < known.end


def _withdraw(step: Step, known: Timeline, key: str, spell: Spell) -> None:
    """A change at the very moment at which a period began left it without the charge: what began with it goes again."""
    before = Timeline(known.sub, tuple(each for each in known.terms if each.start < spell.start), known.end)
    if before.terms:
        withdraw(step, before, key, spell)


def cut_off(step: Step, old: Timeline, new: Timeline, since: int) -> None:
    """Take out the segments that a subscription has from a moment on and will not have: their usage is gone from them, but
    not a level that was carried, or a flat amount."""
    moment = max(since, old.sub.start)
    while moment <= old.sub.cursor and moment < old.end:
        spell = spell_at(step.catalog, old, moment)
        same = spell_at(step.catalog, new, max(spell.start, new.sub.start))
        keys = {charge.key: None for terms in old.terms for charge in step.plan(old.sub, terms).charges}
        for key in keys:
            legs = legs_of(step, old, key, spell)
            kept = _held_as(new, [each for each in legs_of(step, new, key, same) if each.start < new.end])
            if same.start != spell.start:
                kept = {}
            held = _held_as(old, legs)
            for index in reversed(range(len(legs))):
                start = legs[index].start
                if start >= since and kept.get(start) != held[start]:
                    _drop(step, old, spell, key, index)
        moment = spell.stop


def _held_as(known: Timeline, legs: Sequence[Leg]) -> dict[int, tuple[int, Terms]]:
    """The terms of each segment, and when its charge began: with other segments before it, it counts on from there."""
    begun = [legs[chain_of(legs, index)[0]].start for index in range(len(legs))]
    return {
        leg.start: (begin, known.terms[known.at(leg.start)]) for begin, leg in zip(begun, legs, strict=True)
    }


def _drop(step: Step, old: Timeline, spell: Spell, key: str, index: int) -> None:
    for values, group in list(step.cells.members(lines.group_bucket(step, old.sub, key, spell.start))):
        leg = legs_of(step, old, key, spell)[index]
        if any(slot.start == leg.start for slot in group.slots):
            meter = step.catalog.meters[leg.charge.meter]
            work = Work(step, old, spell, leg.charge, meter, lines.dims_of(leg.charge.dimensions, values))
            work.begin("usage", index)
            work.drop(index)
            work.finish()


def withdraw(step: Step, before: Timeline, key: str, spell: Spell) -> None:
    """Take what a charge still costs in a period out of it, on the timeline by which it was rated."""
    legs = legs_of(step, before, key, spell)
    bucket = lines.group_bucket(step, before.sub, key, spell.start)
    for values, group in list(step.cells.members(bucket)):
        dims = lines.dims_of(legs[-1].charge.dimensions, values) if legs and group.slots else None
        if dims is not None:
            meter = step.catalog.meters[legs[-1].charge.meter]
            work = Work(step, before, spell, legs[-1].charge, meter, dims)
            work.begin("usage", len(legs) - 1)
            work.withdraw(len(legs) - 1)
            work.finish()
