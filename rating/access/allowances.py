"""Metered entitlements: what is included in a period, and what is used of it.

Both run over the period as a charge's do: an entitlement goes on through a change of plan that keeps the feature, its
allowance is what the parts of the period give, and its usage counts on. Where a trial ends, or a plan without the feature
was between, a new one begins at nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rating.aggregations import LEVEL, Entries, Span, Values, aggregation_of
from rating.bunch import Bunch
from rating.catalog import Charge, Entitlement, Meter
from rating.facts import Facts
from rating.levels import carried
from rating.proration import part
from rating.state import NEVER
from rating.step import Step
from rating.timeline import Spell, Timeline, spell_at


class Segment(NamedTuple):
    """A part `[start, end)` of a period in which a plan gives a feature."""

    start: int
    end: int
    entitlement: Entitlement
    trial: bool


def segments(step: Step, known: Timeline, feature: str, spell: Spell, moment: int) -> list[Segment]:
    """The parts of the period in which the entitlement that holds at a moment has run, up to that one."""
    chain: list[Segment] = []
    terms = known.terms
    for number, each in enumerate(terms):
        start = max(each.start, spell.start, known.sub.start)
        end = min(terms[number + 1].start if number + 1 < len(terms) else NEVER, spell.stop)
        if start >= end:
            continue
        if start > moment:
            break
        found = step.plan(known.sub, each).entitlement(feature)
        if found is None:
            chain = []
            continue
        if chain and chain[-1].trial != each.trial:
            chain = []
        chain.append(Segment(start, end, found, each.trial))
    return chain


def included(chain: list[Segment], spell: Spell) -> int | None:
    """The allowance, in 10⁻¹²; `None` where the plan sets none."""
    last = chain[-1]
    own = last.entitlement.included
    if own is None:
        return None
    if not last.entitlement.prorate:
        return own
    earlier = sum(
        part(each.entitlement.included or 0, each.start, each.end, spell.start, spell.nominal)
        for each in chain[:-1]
    )
    return earlier + part(own, last.start, spell.nominal, spell.start, spell.nominal)


def _bucket(step: Step, sub: str) -> tuple[str, ...]:
    return ("used", step.tenant, step.account, sub)


def _values(step: Step, sub: str, meter: str, start: int) -> Values:
    return Values(step.cells, ("value", step.tenant, step.account, sub, f"={meter}", str(start)))


def used(step: Step, known: Timeline, meter: Meter, start: int, spell: Spell) -> int:
    """What counts for an entitlement that began at `start` of the period, in 10⁻¹²."""
    sub = known.sub
    kept = step.cells.get(_bucket(step, sub.id), f"{meter.key}|{start}")
    carry = 0
    if meter.aggregation == LEVEL:
        carry = carried(step, known, Charge("", meter.key, (), None, True, {}), meter, (), spell.start, start)
    span = Span(spell.start, spell.nominal, start, min(spell.stop, known.end), carry)
    values = _values(step, sub.id, meter.key, start)
    return aggregation_of(meter, sub.timezone).quantity([(start, kept)], span, values)


def count(step: Step, facts: Facts) -> None:
    """Let a step's usage count for the metered entitlements of the plan of its time."""
    for known, bunch, sign, _ in facts.used:
        features = [each.key for each in step.catalog.features.values() if each.meter == bunch.meter]
        if not features:
            continue
        found: dict[int, list[int]] = {}
        for number, start in _starts(step, known, bunch, features):
            found.setdefault(start, []).append(number)
        meter = step.catalog.meters[bunch.meter]
        aggregation = aggregation_of(meter, known.sub.timezone)
        for start, numbers in found.items():
            member = f"{meter.key}|{start}"
            kept = {start: step.cells.get(_bucket(step, known.sub.id), member)}
            entries = Entries(
                [bunch.times[number] for number in numbers],
                [bunch.values[number] for number in numbers],
                [bunch.origin.key(bunch.events[number]) for number in numbers] if aggregation.keyed else (),
            )
            aggregation.update(kept, start, entries, sign, _values(step, known.sub.id, meter.key, start))
            step.cells.put(_bucket(step, known.sub.id), member, kept[start])


def _starts(step: Step, known: Timeline, bunch: Bunch, features: list[str]) -> Iterator[tuple[int, int]]:
    """Each event's number with the start of every entitlement that it counts for; none of a period that is over."""
    places: dict[tuple[int, int], set[int]] = {}
    for number, time in enumerate(bunch.times):
        if not known.runs_at(time):
            continue
        spell = spell_at(step.catalog, known, time)
        if spell.end <= step.now:
            continue
        place = spell.start, known.at(time)
        starts = places.get(place)
        if starts is None:
            chains = (segments(step, known, feature, spell, time) for feature in features)
            starts = places[place] = {chain[0].start for chain in chains if chain}
        for start in starts:
            yield number, start


def forget(step: Step, known: Timeline, before: int) -> None:
    """Drop what counted in periods that ended by `before`."""
    bucket = _bucket(step, known.sub.id)
    for member, _ in list(step.cells.members(bucket)):
        meter, _, start = member.rpartition("|")
        if int(start) < before:
            step.cells.put(bucket, member, None)
            values = ("value", step.tenant, step.account, known.sub.id, f"={meter}", start)
            for name, _ in list(step.cells.members(values)):
                step.cells.put(values, name, None)
