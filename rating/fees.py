"""Fees: what each comes to in its period follows from how the subscription is held, and the difference is written.

Walk the moments at which what is held changes, from `x` to `y` (`quantity × amount`). A prorated change at `t` moves the
period's cost by `P(y, [t, e)) − P(x, [t, e))`, so the cost is the sum of `P(x, span)` over the spans held; one that is not
prorated moves it to the largest figure held. A fee in advance writes each difference as it comes, one in arrears the whole
at its period's or the subscription's end. However late a change comes, the walk is the same.
"""

from __future__ import annotations

from typing import NamedTuple

from rating import lines, numbers
from rating.burndown import Priced, Usage, pay
from rating.catalog import Fee, Plan
from rating.lines import Head
from rating.prices import Part
from rating.proration import part
from rating.state import FeePeriod, Subscription, Terms
from rating.step import Step
from rating.timeline import Spell, Timeline, length_at

_SCALE = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)
ONCE = "once"


class Held(NamedTuple):
    """A fee that is held, on which terms, and its `quantity × amount` in 10⁻¹²."""

    fee: Fee
    plan: Plan
    terms: Terms
    cost: int


def held(step: Step, sub: Subscription, terms: Terms, at: int) -> dict[str, Held]:
    """The fees of a subscription on these terms, with the quantities of a moment."""
    own = {key: count for since, key, count in sub.quantities if since <= at}
    plan = step.plan(sub, terms)
    return {fee.key: Held(fee, plan, terms, fee.cost(own.get(fee.key))) for fee in plan.fees}


def length_of(plan: Plan, fee: Fee) -> str:
    """The calendar length that the fee is counted in."""
    return plan.period if fee.every in ("period", ONCE) else fee.every


def settle(step: Step, known: Timeline, at: int) -> None:
    """Write what fees in advance come to now, in the periods that hold `at` and that end there."""
    known = booked_only(known)
    found: dict[tuple[str, str], None] = {}
    for each in known.terms:
        for item in held(step, known.sub, each, at).values():
            if item.fee.timing == "advance":
                found[item.fee.key, ONCE if item.fee.every == ONCE else length_of(item.plan, item.fee)] = None
    for member, state in step.cells.members(("fee", step.tenant, step.account, known.sub.id)):
        key, _, rest = member.partition("|")
        if state.booked and _written(step, known, key, state).fee.timing == "advance":
            found[key, rest.rpartition("|")[2]] = None
    for key, length in found:
        if length == ONCE:
            _once(step, known, key, at)
            continue
        spells = {
            length_at(step.catalog, known, moment, length)
            for moment in (at - 1, at)
            if moment >= known.sub.start
        }
        for spell in sorted(spells):
            # What is held in arrears by another plan is written when its period is over.
            timing = "advance" if spell.end > at else None
            _settle(step, known, key, spell, (max(spell.start, at), spell.nominal), timing)
    _withdraw(step, known, at)


def _withdraw(step: Step, known: Timeline, at: int) -> None:
    """Give back what was written of a period that a change at the very moment of its beginning put another in place of."""
    for member, state in list(step.cells.members(("fee", step.tenant, step.account, known.sub.id))):
        key, _, rest = member.partition("|")
        start, _, length = rest.rpartition("|")
        if not start or not state.booked:
            continue
        spell = length_at(step.catalog, known, max(int(start), known.sub.start), length)
        if spell.start != int(start):
            gone = Spell(int(start), at, at, length, at)
            _settle(step, known, key, gone, (at, at))


def arrears(step: Step, known: Timeline, length: str, at: int) -> None:
    """Write what the fees in arrears came to in the period of a length that ends at `at`."""
    known = booked_only(known)
    spell = length_at(step.catalog, known, at - 1, length)
    if spell.end != at:
        return
    low = max(known.sub.start, spell.start)
    keys: dict[str, bool] = {}
    for terms in known.terms:
        for item in held(step, known.sub, terms, at).values() if terms.start < at else ():
            if item.fee.timing == "arrears" and length_of(item.plan, item.fee) == length:
                keys[item.fee.key] = item.fee.every == ONCE
    for key, once in keys.items():
        if once:
            _once(step, known, key, at)
        else:
            _settle(step, known, key, spell, (low, at))


def booked_only(known: Timeline) -> Timeline:
    """What is booked of the subscription's time: a change that waits may yet be withdrawn."""
    return Timeline(known.sub, known.sub.terms, known.sub.end)


def _settle(
    step: Step, known: Timeline, key: str, spell: Spell, window: tuple[int, int], timing: str | None = None
) -> None:
    target, last = _target(step, known, key, spell, timing)
    bucket, member = ("fee", step.tenant, step.account, known.sub.id), f"{key}|{spell.start}|{spell.length}"
    before = step.cells.get(bucket, member) or FeePeriod(0)
    if target == before.booked:
        return
    last = last or _written(step, known, key, before)
    step.cells.put(bucket, member, FeePeriod(target, tuple(last.terms)))
    _line(step, known, last, spell, window, target - before.booked)


def _target(
    step: Step, known: Timeline, key: str, spell: Spell, timing: str | None
) -> tuple[int, Held | None]:
    """What a fee comes to in a period as everything stands, and as what it was held last; of what is held with this timing
    alone, where one is named."""
    sub = known.sub
    prorated = dict(sub.prorated)
    target = largest = cost = 0
    last: Held | None = None
    for at in _moments(known, spell):
        item = _held_at(step, known, key, at, spell)
        if item is not None and timing not in (None, item.fee.timing):
            item = None
        new = 0 if item is None else item.cost
        last = item or last
        if new == cost or last is None:
            continue
        own = last.fee.prorate if not largest or at not in prorated else prorated[at]
        if own:
            target += part(new, at, spell.nominal, spell.start, spell.nominal)
            target -= part(cost, at, spell.nominal, spell.start, spell.nominal)
        else:
            target += max(new - largest, 0)
        cost, largest = new, max(largest, new)
    return target, last


def _written(step: Step, known: Timeline, key: str, before: FeePeriod) -> Held:
    """A fee that is held no more, as it was written last."""
    terms = Terms(*before.terms)
    return held(step, known.sub, terms, terms.start)[key]


def _moments(known: Timeline, spell: Spell) -> list[int]:
    """When what is held may change in a period, in order."""
    sub = known.sub
    found = {max(spell.start, sub.start), sub.end, spell.stop, *(each.start for each in known.terms)}
    found |= {moment for pause in sub.pauses for moment in pause} | {since for since, _, _ in sub.quantities}
    return sorted(moment for moment in found if max(spell.start, sub.start) <= moment < spell.nominal)


def _held_at(step: Step, known: Timeline, key: str, at: int, spell: Spell) -> Held | None:
    sub = known.sub
    if at >= min(sub.end, spell.stop) or any(low <= at < high for low, high in sub.pauses):
        return None
    found = held(step, sub, known.terms[known.at(at)], at).get(key)
    return found if found is not None and length_of(found.plan, found.fee) == spell.length else None


def _once(step: Step, known: Timeline, key: str, at: int) -> None:
    """A fee that is due once, in full, for the period in which it is held first: at that moment, or in arrears at its end."""
    bucket, member = ("fee", step.tenant, step.account, known.sub.id), f"{key}|{ONCE}"
    before = step.cells.get(bucket, member) or FeePeriod(0)
    found = _first_held(step, known, key, at)
    after = FeePeriod(0)
    if found is not None and found[1].cost:
        moment, item = found
        spell = length_at(step.catalog, known, moment, item.plan.period)
        window = at, spell.nominal
        if item.fee.timing == "arrears":
            window = max(moment, spell.start), spell.end
        if item.fee.timing == "advance" or spell.end <= at:
            after = FeePeriod(item.cost, tuple(item.terms), spell.start)
    if (before.booked, before.start) == (after.booked, after.start):
        return
    step.cells.put(bucket, member, after)
    if before.booked and before.start != after.start:
        was = _written(step, known, key, before)
        gone = length_at(step.catalog, known, max(before.start, known.sub.start), was.plan.period)
        if gone.start != before.start:
            # A change at the very moment of its beginning put another in its place.
            gone = Spell(before.start, at, at, gone.length, at)
        _line(step, known, was, gone, (at, max(at, gone.nominal)), -before.booked)
        before = FeePeriod(0)
    if found is not None and after.booked:
        _line(step, known, found[1], spell, window, after.booked - before.booked)


def _first_held(step: Step, known: Timeline, key: str, at: int) -> tuple[int, Held] | None:
    """The moment up to `at` at which a fee that is due once is held first, and as what."""
    sub = known.sub
    moments = {sub.start, *(terms.start for terms in known.terms), *(end for _, end in sub.pauses)}
    for moment in sorted(moments):
        if moment > at or moment >= sub.end or any(low <= moment < high for low, high in sub.pauses):
            continue
        item = held(step, sub, known.terms[known.at(moment)], moment).get(key)
        if item is not None and item.fee.every == ONCE:
            return moment, item
    return None


def _line(
    step: Step, known: Timeline, each: Held, spell: Spell, window: tuple[int, int], amount: int
) -> None:
    sub, key = known.sub, each.fee.key
    full = amount * _SCALE
    period = lines.charge_period(step, sub, key, spell.start)
    group = lines.group(step, sub, key, spell.start)
    head = Head(sub, each.terms, each.plan, key, "fee", None, {}, (spell.start, spell.end), window)
    line = lines.next_id(step, head, lines.NO_GROUP, group)
    period, paid = pay(step, period, full, Priced(each.plan.currency), Usage(key, None, window[0]), line)
    quantity = numbers.QTY if amount > 0 else -numbers.QTY
    after = lines.write(step, head, lines.NO_GROUP, group, 0, paid, [Part(None, quantity, None, full)],
                        late=period.closed)  # fmt: skip
    lines.save_group(step, sub, key, spell.start, lines.NO_GROUP, after)
    lines.save_period(step, sub, key, spell.start, period)
