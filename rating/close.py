"""The close of a period: what is due although nothing was used, minimum and true-up, and what to invoice."""

from __future__ import annotations

from collections.abc import Iterator

from rating import groups, lines, numbers, windows
from rating.burndown import Usage, pay
from rating.catalog import Plan
from rating.charges import Work, priced_of
from rating.currencies import minor_digits
from rating.fees import length_of
from rating.legs import chain_of, held_spans, legs_of, totals
from rating.lines import Head
from rating.numbers import half_even
from rating.prices import Part
from rating.state import Closing, Subscription, Terms
from rating.step import Step
from rating.timeline import Spell, Timeline, length_at, spell_at, timeline


def close(step: Step, sub: Subscription, closing: Closing) -> None:
    """Book a period's end plus grace, charge by charge: flat amounts of what was not used, minimum and true-up."""
    known, spell = _spell(step, sub, closing)
    for key in _charges(step, known, spell, closing.length):
        _unused(step, known, spell, key)
        _close_charge(step, known, spell, key)
    for key in _fees(step, known, spell, closing.length):
        held = lines.charge_period(step, sub, key, spell.start)
        lines.save_period(step, sub, key, spell.start, held._replace(closed=True))


def tell(step: Step, sub: Subscription, closing: Closing) -> None:
    """Write the close lines of a period that is closed."""
    known, spell = _spell(step, sub, closing)
    for key in _charges(step, known, spell, closing.length):
        close_line(step, known, key, spell)
    for key in _fees(step, known, spell, closing.length):
        close_line(step, known, key, spell)


def tell_late(step: Step) -> None:
    """Close anew what a step moved after its close: one line a charge and period, whatever moved it."""
    for (name, key, start), end in step.late.items():
        sub = step.cells.get(("sub", step.tenant, step.account), name)
        known = timeline(step, sub)
        spell = spell_at(step.catalog, known, max(start, sub.start))._replace(end=end)
        close_line(step, known, key, spell)
    step.late.clear()


def _spell(step: Step, sub: Subscription, closing: Closing) -> tuple[Timeline, Spell]:
    known = timeline(step, sub)
    found = length_at(step.catalog, known, max(closing.start, sub.start), closing.length)
    return known, found._replace(end=closing.end)


def _plans(step: Step, known: Timeline, spell: Spell) -> Iterator[tuple[Terms, Plan]]:
    """The plans of a period, in order."""
    ends = [*(each.start for each in known.terms[1:]), spell.end]
    for terms, end in zip(known.terms, ends, strict=True):
        if terms.start < spell.end and end > spell.start:
            yield terms, step.plan(known.sub, terms)


def _charges(step: Step, known: Timeline, spell: Spell, length: str) -> list[str]:
    """Every charge of the period."""
    keys = {
        charge.key: None
        for _, plan in _plans(step, known, spell)
        if plan.period == length
        for charge in plan.charges
    }
    return [key for key in keys if legs_of(step, known, key, spell)]


def _fees(step: Step, known: Timeline, spell: Spell, length: str) -> list[str]:
    """What has lines in the period beside its charges: fees, and limits whose overshoot is waived."""
    keys = {
        fee.key: None
        for _, plan in _plans(step, known, spell)
        for fee in plan.fees
        if length_of(plan, fee) == length
    }
    cells, bucket = step.cells, ("charge", step.tenant, step.account, known.sub.id)
    found = [key for key in keys if cells.get(bucket, f"{key}|{spell.start}") is not None]
    plans = [plan for _, plan in _plans(step, known, spell)]
    if not any(plan.period == length for plan in plans):
        return found
    # What is left is of limits; one that a command set may be gone, and its lines stand all the same. A longer period of a
    # later plan's fee may begin with this one too.
    every = [step.plan(known.sub, terms) for terms in known.terms]
    named = {key for plan in every for key in (*plan.charges_by_key, *(fee.key for fee in plan.fees))}
    held = (member.partition("|") for member, _ in cells.members(bucket))
    return found + [key for key, _, start in held if start == str(spell.start) and key not in named]


def _unused(step: Step, known: Timeline, spell: Spell, key: str) -> None:
    """What a charge without any usage costs: the first tier's flat amount, a flat price; of a time that turned out to be
    paused throughout, not even that which was written before."""
    legs = legs_of(step, known, key, spell)
    for index, leg in enumerate(legs):
        if leg.first and not leg.charge.dimensions and not leg.rule.by_window:
            work = Work(step, known, spell, leg.charge, step.catalog.meters[leg.charge.meter], None)
            used = any(slot.start == leg.start for slot in work.group.slots)
            # One that is paused throughout has no flat amounts.
            if used != bool(held_spans(known, leg.start, legs[chain_of(legs, index)[1] - 1].end)):
                work.begin("usage", index, (spell.start, spell.end))
                work.add(None, index, at=spell.end - 1)
                work.finish()


def _close_charge(step: Step, known: Timeline, spell: Spell, key: str) -> None:
    """Minimum and true-up: what the closed total is over the running one."""
    legs = legs_of(step, known, key, spell)
    last = legs[-1]
    work = Work(step, known, spell, last.charge, step.catalog.meters[last.charge.meter], None)
    period = work.period._replace(closed=True)
    raws = dict(period.raws)
    for start, gap in windows.missing(work).items():
        raws[start] = raws.get(start, 0) + gap
    after = totals(legs, tuple(sorted(raws.items())), True)
    before = dict(period.totals)
    missing = sum(after.values()) - sum(before.get(start, 0) for start in after)
    period = period._replace(raws=tuple(sorted(raws.items())), totals=tuple(sorted((before | after).items())))
    if missing:
        group = lines.group(step, known.sub, key, spell.start)
        priced = priced_of(last.plan, last.charge)
        terms = known.terms[known.at(max(last.start, known.sub.start))]
        head = Head(known.sub, terms, last.plan, key, "minimum", last.charge.meter, {}, (spell.start, spell.end),
                    (spell.start, spell.end), last.charge.unit)  # fmt: skip
        line = lines.next_id(step, head, lines.NO_GROUP, group)
        period, paid = pay(step, period, missing, priced, Usage(key, last.charge.meter, spell.end - 1), line)
        part = Part(None, 0, None, paid.amount)
        group = lines.write(step, head, lines.NO_GROUP, group, 0, paid, [part], units=missing)
        lines.save_group(step, known.sub, key, spell.start, lines.NO_GROUP, group)
    lines.save_period(step, known.sub, key, spell.start, period)


def close_line(step: Step, known: Timeline, key: str, spell: Spell) -> None:
    """The line of kind `close`: its totals are those over all groups, `rounded` is what to invoice."""
    sub = known.sub
    held = lines.charge_period(step, sub, key, spell.start)
    terms, plan = list(_plans(step, known, spell))[-1]
    due = held.billed - held.credits
    digits = minor_digits(plan.currency)
    rounded_due, rounded_amount = _minor(due, digits), _minor(held.billed, digits)
    text = numbers.amount_text
    bucket = lines.group_bucket(step, sub, key, spell.start)
    quantity = sum(found.quantity for _, found in step.cells.members(bucket))
    fields = {
        "quantity_total": numbers.quantity_text(quantity), "amount_total": text(held.billed),
        "rounded": {
            "amount": text(rounded_amount), "credits_applied": text(rounded_amount - rounded_due),
            "amount_due": text(rounded_due), "remainder": text(due - rounded_due),
        },
    }  # fmt: skip
    legs = legs_of(step, known, key, spell)
    meter = legs[-1].charge.meter if legs else None
    period = (spell.start, spell.end)
    head = Head(sub, terms, plan, key, "close", meter, {}, period, period)
    group = step.cells.get(bucket, lines.NO_GROUP) or groups.EMPTY
    after = lines.write(
        step, head, lines.NO_GROUP, group, 0, lines.NOTHING, (), late=held.late > 0, close=fields
    )
    lines.save_group(step, sub, key, spell.start, lines.NO_GROUP, after)


def _minor(amount: int, digits: int) -> int:
    unit: int = 10 ** (numbers.AMOUNT_DIGITS - digits)
    return half_even(amount, unit) * unit
