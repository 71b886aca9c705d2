"""A charge in a billing period, cut into segments where the terms change, and what its bounds make of their prices.

A charge goes on through a cut where the next plan has one of the same key, meter and dimensions; else it ends there and
a new one begins at nothing. With `U(t)` its usage up to `t` and `p_k` the rule of segment `k`, the first segment costs
`p_1(U(t_2))`, each further one `p_k(U(t_k+1)) − p_k(U(t_k))`: so a cut that changes no price changes no total.

Figures (`included`, `maximum`, `commitment`) of segment `k` are `Σ P(x_j, [t_j, t_j+1)) + P(x_k, [t_k, e))` over the
earlier segments of the charge. `maximum` and `commitment` act as steps on the running amount of the segments that have
one; `minimum` and `true_up` count held time only, at the close.
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
    chain: list[tuple[int, int, Charge]] = []
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
        if chain and not _goes_on(chain[-1][2], charge):
            chain = []
        chain.append((start, end, charge))
        legs.append(_leg(known, spell, plan, chain))
    return legs


def _plain(spell: Spell, plan: Plan, charge: Charge) -> Leg:
    rule = charge.rule
    return Leg(spell.start, spell.stop, plan, charge, rule.included, _over_all(rule, rule.plain_bounds), True)


def _over_all(rule: Rule, bounds: Bounds) -> Bounds:
    """What holds over the whole period: of a commitment with windows, the maximum alone."""
    return bounds._replace(floor=None, committed=None) if rule.by_window else bounds


def _goes_on(before: Charge, after: Charge) -> bool:
    return (before.meter, before.dimensions) == (after.meter, after.dimensions)


def _leg(known: Timeline, spell: Spell, plan: Plan, chain: Sequence[tuple[int, int, Charge]]) -> Leg:
    start, end, charge = chain[-1]

    def figure(name: str, own: int) -> int:
        if not charge.prorate:
            return own
        earlier = sum(
            part(each.rule.figure(name) or 0, low, high, spell.start, spell.nominal)
            for low, high, each in chain[:-1]
        )
        return earlier + part(own, start, spell.nominal, spell.start, spell.nominal)

    def held(own: int) -> int:
        spans = held_spans(known, start, end)
        if not charge.prorate:
            return own if spans else 0
        return sum(part(own, a, b, spell.start, spell.nominal) for a, b in spans)

    rule = charge.rule
    allowance = figure("included", rule.included) if rule.included or len(chain) > 1 else 0
    bounds = _over_all(rule, rule.bounds(allowance, figure, held))
    return Leg(start, end, plan, charge, allowance, bounds, len(chain) == 1)


def held_spans(known: Timeline, start: int, end: int) -> list[tuple[int, int]]:
    """The parts of `[start, end)` in which the subscription runs and is not paused."""
    spans = [(max(start, known.sub.start), min(end, known.sub.end))]
    for low, high in known.sub.pauses:
        spans = [piece for a, b in spans for piece in ((a, min(b, low)), (max(a, high), b))]
    return [(a, b) for a, b in spans if a < b]


def totals(legs: Sequence[Leg], raws: Raws, closed: bool) -> dict[int, int]:
    """What the charge comes to over all its groups, by segment; in a closed period the last one bears what is missing
    to minimum and true-up. Raises `Overflow`."""
    if len(legs) == 1:
        (leg,) = legs
        raw = next((amount for start, amount in raws if start == leg.start), 0)
        return {leg.start: check_amount(leg.bounds.closed(raw) if closed else leg.bounds.running(raw))}
    found: dict[int, int] = {}
    amounts = dict(raws)
    running = floor = floored = 0
    for leg in legs:
        raw = amounts.get(leg.start, 0)
        bounds = leg.bounds
        if bounds.steps:
            cost = bounds.running(running + raw) - bounds.running(running)
            running += raw
        else:
            cost = raw
        found[leg.start] = check_amount(cost)
        if bounds.floor is not None:
            floor += bounds.floor
            floored += cost
    if closed and floor > floored:
        found[legs[-1].start] += floor - floored
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
