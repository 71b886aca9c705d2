"""`overshoot: waive`: what a period's usage charges come to beyond a hard spend limit is taken off again.

One `adjustment` line of the limit's own key follows each step that moves the overshoot. It takes back what is due of the
period's usage charges first, then what grants paid of them, latest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rating import lines
from rating.burndown import Paid, give_back
from rating.catalog import Limit
from rating.limits.bounds import Own, limits_of, set_limits
from rating.limits.standing import spent
from rating.lines import Head
from rating.prices import Part
from rating.state import ChargePeriod
from rating.step import Step
from rating.timeline import Spell, Timeline, length_at, spell_at, timeline


def waive(step: Step) -> None:
    """Adjust every period whose overshoot is another now, each by the limits that it has, or had when it ended."""
    own = set_limits(step)
    for sub in step.subscriptions():
        if sub.cursor >= sub.start:
            known = timeline(step, sub)
            for spell in _periods(step, known):
                for limit in _waived(step, known, own, spell):
                    _adjust(step, known, limit, spell)


def _waived(step: Step, known: Timeline, own: Mapping[str, Own], spell: Spell) -> Iterator[Limit]:
    for limit in limits_of(step, known, own, max(min(step.now, spell.end - 1), known.sub.start)):
        if limit.waive:
            yield limit
    for limit, only, since in own.values():
        if limit.waive and only in (None, known.sub.id) and since < spell.end:
            yield limit


def _periods(step: Step, known: Timeline) -> Iterator[Spell]:
    """The open period, those that wait for their close, and closed ones that the step has moved."""
    now = max(min(step.now, known.end - 1), known.sub.start)
    found = {spell_at(step.catalog, known, now).start: spell_at(step.catalog, known, now)}
    starts = {(each.start, each.end) for each in known.sub.closing}
    starts |= {(start, end) for (sub, _, start), end in step.late.items() if sub == known.sub.id}
    for start, end in starts:
        spell = length_at(step.catalog, known, max(start, known.sub.start), None)
        found.setdefault(spell.start, spell._replace(end=end))
    return iter(found[start] for start in sorted(found))


def _adjust(step: Step, known: Timeline, limit: Limit, spell: Spell) -> None:
    sub = known.sub
    over = max(spent(step, known, spell) - limit.amount, 0)
    held = step.cells.get(("charge", step.tenant, step.account, sub.id), f"{limit.key}|{spell.start}")
    change = -over - (0 if held is None else held.billed)
    if not change:
        return
    period = lines.charge_period(step, sub, limit.key, spell.start)
    # The first of it may come after the close, or with what the close books, before its lines are written.
    period = period._replace(closed=any(each.closed for _, each in _usage_charges(step, known, spell)))
    late = period.closed and all((each.start, each.end) != (spell.start, spell.end) for each in sub.closing)
    moment = min(max(step.now, spell.start, sub.start), spell.end - 1)
    terms = known.terms[known.at(moment)]
    plan = step.plan(sub, terms)
    span = spell.start, spell.end
    head = Head(sub, terms, plan, limit.key, "adjustment", None, {}, span, span)
    group = lines.group(step, sub, limit.key, spell.start)
    line = lines.next_id(step, head, lines.NO_GROUP, group)
    back = _taken_back(step, known, spell, period, -change, plan.currency, line) if change < 0 else 0
    part = Part(None, 0, None, change)
    group = lines.write(
        step, head, lines.NO_GROUP, group, 0, Paid(change, -back, 0), [part], late=late, line=line
    )
    lines.save_group(step, sub, limit.key, spell.start, lines.NO_GROUP, group)
    after = period._replace(billed=period.billed + change, credits=period.credits - back)
    if late:
        after = after._replace(late=after.late + 1)
        step.late[sub.id, limit.key, spell.start] = spell.end
    lines.save_period(step, sub, limit.key, spell.start, after)


def _taken_back(
    step: Step, known: Timeline, spell: Spell, own: ChargePeriod, amount: int, currency: str, line: str
) -> int:
    """What of `amount` is not due any more and goes back to grants: from the charges' burns, the latest charge first."""
    bucket = ("charge", step.tenant, step.account, known.sub.id)
    held = list(_usage_charges(step, known, spell))
    due: int = sum(found.billed - found.credits for _, found in held) + own.billed - own.credits
    left: int = amount - max(min(amount, due), 0)
    wanted = left
    for member, found in sorted(held, key=lambda each: each[1].order, reverse=True):
        if left > 0:
            after, back = give_back(step, found, left, currency, line)
            step.cells.put(bucket, member, after)
            left -= back
    return wanted - left


def _usage_charges(step: Step, known: Timeline, spell: Spell) -> Iterator[tuple[str, ChargePeriod]]:
    """The usage charges of a period, with the names of their cells."""
    bucket = ("charge", step.tenant, step.account, known.sub.id)
    for member, found in step.cells.members(bucket):
        if member.endswith(f"|{spell.start}") and _is_usage(step, known, member.partition("|")[0]):
            yield member, found


def _is_usage(step: Step, known: Timeline, key: str) -> bool:
    return any(step.plan(known.sub, terms).charge(key) is not None for terms in known.terms)
