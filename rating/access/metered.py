"""The amounts of a metered entitlement: what is included, used, left, and beyond."""

from __future__ import annotations

from typing import NamedTuple

from rating.access.allowances import included, segments, used
from rating.access.refills import next_refill
from rating.catalog import Entitlement, Plan
from rating.limits.standing import balance
from rating.numbers import amount_text, quantity_text
from rating.state import NEVER
from rating.step import Step
from rating.timeline import Spell, Timeline, spell_at


class Amounts(NamedTuple):
    """As a record shows them; `resets_at` is when an exhausted one is full again, `NEVER` where that is not known."""

    included: str | None
    used: str
    balance: str | None
    overage: str
    exhausted: bool
    resets_at: int


def metered(step: Step, known: Timeline, plan: Plan, entitlement: Entitlement) -> Amounts:
    """The amounts now. Without `included` and `unit` there is no bound, unless `overage` is denied in so many words."""
    spell = spell_at(step.catalog, known, step.now)
    chain = segments(step, known, entitlement.feature, spell, step.now)
    meter = step.catalog.meters[step.catalog.features[entitlement.feature].meter or ""]
    count = used(step, known, meter, chain[0].start, spell)
    denied = entitlement.overage == "denied"
    if entitlement.unit is not None:
        left = balance(step, entitlement.unit)
        denied = denied or (entitlement.overage is None and entitlement.unit not in plan.conversion_rates)
        beyond = amount_text(_unpaid(step, known, plan, entitlement.unit, spell))
        exhausted = denied and left <= 0
        refill = next_refill(step, entitlement.unit) if exhausted else NEVER
        return Amounts(None, quantity_text(count), amount_text(left), beyond, exhausted, refill)
    allowance = included(chain, spell)
    if allowance is None and not denied:
        return Amounts(None, quantity_text(count), None, "0", False, NEVER)
    allowance = allowance or 0
    denied = denied or (entitlement.overage is None and meter.key not in plan.charges_by_meter)
    return Amounts(
        quantity_text(allowance),
        quantity_text(count),
        quantity_text(max(allowance - count, 0)),
        quantity_text(max(count - allowance, 0)),
        denied and count >= allowance,
        min(spell.stop, known.end),
    )


def _unpaid(step: Step, known: Timeline, plan: Plan, unit: str, spell: Spell) -> int:
    """The units of the period that no grant paid, in 10⁻³⁶."""
    bucket = ("charge", step.tenant, step.account, known.sub.id)
    found = (
        step.cells.get(bucket, f"{each.key}|{spell.start}") for each in plan.charges if each.unit == unit
    )
    return sum(held.units - held.units_paid for held in found if held is not None)
