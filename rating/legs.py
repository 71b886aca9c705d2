"""A charge in a billing period, cut into segments where the terms change, and what its bounds make of their prices.

A charge goes on through a cut where the next plan has one of the same key, meter and dimensions; else it ends there and
a new one begins at nothing. With `U(t)` its usage up to `t` and `p_k` the rule of segment `k`, the first segment costs
`p_1(U(t_2))`, each further one `p_k(U(t_k+1)) − p_k(U(t_k))`: so a cut that changes no price changes no total.

Figures (`included`, `maximum`, `commitment`) of segment `k` are `Σ P(x_j, [t_j, t_j+1)) + P(x_k, [t_k, e))` over the
earlier segments of the charge. `maximum` and `commitment` act as steps on the running amount of the segments that have
one; `minimum` and `true_up` count held time only, at the close. With `prorate: false` a segment has its own figure, whole,
in place of all that: so also at the close, where the last one's is that was held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rating.catalog import Charge, Plan
from rating.charge import Rule
from rating.modifiers import Bounds
from rating.numbers import check_amount
from rating.proration import part
from rating.state import NEVER
from rating.step import Step
from rating.timeline import Spell, Timeline

Raws = tuple[tuple[int, int], ...]


class Leg(NamedTuple):
    """One segment of a charge: `[start, end)`, what it is priced by, the allowance in 10⁻¹² of the priced unit, the
    bounds in 10⁻³⁶. `first` where the charge begins here at nothing."""

    start: int
    end: int
    plan: Plan
    charge: Charge
    allowance: int
    bounds: Bounds
    first: bool

    @property
    def rule(self) -> Rule:
        return self.charge.rule


def legs_of(step: Step, known: Timeline, key: str, spell: Spell) -> list[Leg]:
    """The segments of a charge in a period, in order."""
    sub = known.sub
    terms = known.terms
    if len(terms) == 1 and sub.start <= spell.start and sub.end >= spell.nominal and not sub.pauses:
        plan = step.plan(sub, terms[0])
        charge = plan.charge(key)
        return [] if charge is None else [_plain(spell, plan, charge)]
    legs: list[Leg] = []
    chain: list[Leg] = []
    for number, each in enumerate(terms):
        start = max(each.start, spell.start, sub.start)
        end = terms[number + 1].start if number + 1 < len(terms) else NEVER
        end = min(end, spell.stop)
        if start >= end:
            continue
        plan = step.plan(sub, each)
        charge = plan.charge(key)
        if charge is None:
            chain = []
            continue
        if chain and not _goes_on(chain[-1].charge, charge):
            chain = []
        rule, period = charge.rule, (spell.start, spell.nominal)
        chain.append(Leg(start, end, plan, charge, rule.included, rule.plain_bounds, not chain))
        if rule.included or len(chain) > 1:
            chain[-1] = chain[-1]._replace(allowance=_figure(chain, period, "included", rule.included))
        legs.append(chain[-1]._replace(bounds=_over_all(rule, bounds_in(known, chain, period))))
    return legs


def _plain(spell: Spell, plan: Plan, charge: Charge) -> Leg:
    rule = charge.rule
    return Leg(spell.start, spell.stop, plan, charge, rule.included, _over_all(rule, rule.plain_bounds), True)


def _over_all(rule: Rule, bounds: Bounds) -> Bounds:
    """What holds over the whole period: of a commitment with windows, the maximum alone."""
    return bounds._replace(floor=None, committed=None) if rule.by_window else bounds


def _goes_on(before: Charge, after: Charge) -> bool:
    return (before.meter, before.dimensions) == (after.meter, after.dimensions)


def bounds_in(known: Timeline, chain: Sequence[Leg], interval: tuple[int, int]) -> Bounds:
    """What bounds a chain at its last segment, of what is agreed for an interval: its period, or a window in it."""
    last = chain[-1]
    bounds = last.rule.bounds(last.allowance, lambda name, own: _figure(chain, interval, name, own))
    return bounds._replace(floor=_floor(known, chain, interval))


def _figure(chain: Sequence[Leg], interval: tuple[int, int], name: str, own: int) -> int:
    if not chain[-1].charge.prorate:
        return own
    spans = [_within(leg.start, leg.end, interval) for leg in chain]
    earlier = sum(
        part(leg.rule.figure(name) or 0, low, high, *interval)
        for leg, (low, high) in zip(chain[:-1], spans, strict=False)
    )
    return earlier + part(own, spans[-1][0], interval[1], *interval)


def _floor(known: Timeline, chain: Sequence[Leg], interval: tuple[int, int]) -> int | None:
    found: int | None = None
    held_by = [held_spans(known, *_within(leg.start, leg.end, interval)) for leg in chain]
    last = max((number for number, spans in enumerate(held_by) if spans), default=-1)
    for number, (leg, spans) in enumerate(zip(chain, held_by, strict=True)):
        whole = number == last and not leg.charge.prorate

        def held(own: int, spans: Sequence[tuple[int, int]] = spans, whole: bool = whole) -> int:
            return own if whole else sum(part(own, low, high, *interval) for low, high in spans)

        own = leg.rule.floor(leg.allowance, held)
        if own is not None:
            found = own if whole else (found or 0) + own
    return found


def _within(low: int, high: int, interval: tuple[int, int]) -> tuple[int, int]:
    """The part of `[low, high)` in an interval; an empty one where they do not meet."""
    start, end = interval
    return min(max(low, start), end), max(min(high, end), start)


def held_spans(known: Timeline, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of `[start, end)` in which the subscription runs and is not paused."""
    spans = [(max(start, known.sub.start), min(end, known.sub.end))]
    for low, high in known.sub.pauses:
        spans = [piece for a, b in spans for piece in ((a, min(b, low)), (max(a, high), b))]
    return [(a, b) for a, b in spans if a < b]


def totals(legs: Sequence[Leg], raws: Raws, closed: bool) -> dict[int, int]:
    """What the charge comes to over all its groups, by segment; in a closed period the last one of each chain
    bears what is missing to minimum and true-up. Raises `Overflow`."""
    if len(legs) == 1:
        (leg,) = legs
        raw = next((amount for start, amount in raws if start == leg.start), 0)
        return {leg.start: check_amount(leg.bounds.closed(raw) if closed else leg.bounds.running(raw))}
    found: dict[int, int] = {}
    amounts = dict(raws)
    running = floored = 0
    for number, leg in enumerate(legs):
        if leg.first:
            running = floored = 0
        raw = amounts.get(leg.start, 0)
        cost = raw
        if leg.bounds.steps:
            cost = leg.bounds.running(running + raw) - leg.bounds.running(running)
            running += raw
        if leg.rule.floored:
            floored += cost
        if closed and leg.bounds.floor is not None and (number + 1 == len(legs) or legs[number + 1].first):
            cost += max(leg.bounds.floor - floored, 0)
        found[leg.start] = check_amount(cost)
    return found


def index_at(legs: Sequence[Leg], moment: int) -> int:
    """Which of the segments holds a moment."""
    found = 0
    for number, leg in enumerate(legs):
        if leg.start <= moment:
            found = number
    return found


def chain_of(legs: Sequence[Leg], index: int) -> tuple[int, int]:
    """The first segment of the charge that goes on to this one, and the one after its last."""
    low = index
    while not legs[low].first:
        low -= 1
    high = index + 1
    while high < len(legs) and not legs[high].first:
        high += 1
    return low, high
