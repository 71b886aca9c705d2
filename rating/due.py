"""A grant that is set back pays what is due already in the open period, oldest first, with lines of kind `adjustment`."""

from __future__ import annotations

from rating import lines
from rating.burndown import Priced, Usage, pay_due, unpaid
from rating.catalog import Plan
from rating.charges import priced_of
from rating.lines import Head
from rating.state import Subscription, Terms
from rating.step import Step
from rating.timeline import spell_at, timeline


def pay_what_is_due(step: Step, effective: int) -> None:
    """Let the account's grants pay what is due in open periods that began at or after `effective`."""
    for sub in step.subscriptions():
        bucket = ("charge", step.tenant, step.account, sub.id)
        for member, held in sorted(step.cells.members(bucket), key=lambda each: each[1].order):
            charge, _, start = member.rpartition("|")
            if not held.closed and max(int(start), sub.start) >= effective:
                _adjust(step, sub, charge, int(start))


def _adjust(step: Step, sub: Subscription, charge: str, start: int) -> None:
    known = timeline(step, sub)
    spell = spell_at(step.catalog, known, max(start, sub.start))
    terms, plan = _last(step, sub, charge, start, spell.nominal)
    found = plan.charge(charge)
    meter = None if found is None else found.meter
    priced = Priced(plan.currency) if found is None else priced_of(plan, found)
    period = lines.charge_period(step, sub, charge, start)
    if not any(unpaid(period, priced)):
        return
    group = lines.group(step, sub, charge, start)
    head = Head(sub, terms, plan, charge, "adjustment", meter, {}, (start, spell.end), (start, spell.end),
                None if found is None else found.unit)  # fmt: skip
    line = lines.next_id(step, head, lines.NO_GROUP, group)
    usage = Usage(charge, meter, max(start, sub.start))
    period, paid = pay_due(step, period, priced, usage, line)
    if not any(paid):
        return
    after = lines.write(step, head, lines.NO_GROUP, group, 0, paid, ())
    lines.save_group(step, sub, charge, start, lines.NO_GROUP, after)
    lines.save_period(step, sub, charge, start, period)


def _last(step: Step, sub: Subscription, charge: str, start: int, end: int) -> tuple[Terms, Plan]:
    """The last terms of the period that have the charge or fee."""
    found = sub.terms[0], step.plan(sub, sub.terms[0])
    for terms in sub.terms:
        if terms.start < end:
            plan = step.plan(sub, terms)
            keys = (*plan.charges_by_key, *(fee.key for fee in plan.fees))
            if charge in keys or terms.start <= start:
                found = terms, plan
    return found
