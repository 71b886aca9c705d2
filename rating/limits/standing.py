"""Values of limits that stand in state already: what a period's charges come to, and what is left of a balance."""

from __future__ import annotations

from rating import burndown
from rating.charges import priced_of
from rating.legs import legs_of
from rating.state import ChargePeriod
from rating.step import Step
from rating.timeline import Spell, Timeline


def spent(step: Step, known: Timeline, spell: Spell) -> int:
    """The usage charges of a period before credits, in 10⁻³⁶ of the currency; fees, waived overshoot and what a close adds
    apart."""
    bucket = ("charge", step.tenant, step.account, known.sub.id)
    keys = {
        charge.key: None
        for terms in known.terms
        if terms.start < spell.stop
        for charge in step.plan(known.sub, terms).charges
    }
    return sum(
        _money(step, known, key, spell, held)
        for key in keys
        if (held := step.cells.get(bucket, f"{key}|{spell.start}")) is not None
    )


def _money(step: Step, known: Timeline, key: str, spell: Spell, held: ChargePeriod) -> int:
    totals = dict(held.totals)
    return sum(
        priced_of(leg.plan, leg.charge).money(totals.get(leg.start, 0))
        for leg in legs_of(step, known, key, spell)
    )


def balance(step: Step, unit: str) -> int:
    """What the account's grants of a unit have left that can pay now, in 10⁻³⁶."""
    return sum(
        grant.balance
        for _, grant in burndown.grants(step)
        if grant.unit == unit and not grant.ended and grant.effective <= step.now < grant.expires
    )


def moments(step: Step) -> list[int]:
    """When grants begin or cease to pay."""
    return [
        moment
        for _, grant in burndown.grants(step)
        if not grant.ended
        for moment in (grant.effective, grant.expires)
    ]
