"""Recurring grants: what a plan issues at the start of each of its periods, and what a change in between makes of it."""

from __future__ import annotations

from typing import NamedTuple

from rating import burndown, numbers
from rating.catalog import Plan, RecurringGrant
from rating.due import pay_what_is_due
from rating.proration import part
from rating.state import NEVER, Grant, Subscription
from rating.step import Step
from rating.timeline import Spell, Timeline, length_at
from rating.times import format_time

_SCALE = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)
ONCE = "once"


class Issue(NamedTuple):
    """A recurring grant of a plan."""

    plan: Plan
    grant: RecurringGrant

    @property
    def length(self) -> str:
        """The calendar length of its periods."""
        return self.plan.period if self.grant.every in ("period", ONCE) else self.grant.every


def of_plan(plan: Plan) -> dict[str, Issue]:
    """A plan's recurring grants by key."""
    return {each.key: Issue(plan, each) for each in plan.grants}


def change(step: Step, known: Timeline, at: int, before: dict[str, Issue], after: dict[str, Issue]) -> None:
    """What is issued becomes `after` from `before` at `at`: whole grants where a period begins then, else differences."""
    issued = False
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old is not None and new is not None and old.grant.every != new.grant.every:
            old = None
        some = new or old
        assert some is not None
        spell = length_at(step.catalog, known, at, some.length)
        begins = spell.start == at
        if some.grant.every == ONCE:
            issued = _once(step, known, at, key, new, spell) or issued
        elif new is not None and (begins or old is None or old.grant != new.grant):
            issued = _difference(step, known, at, key, None if begins else old, new, spell) or issued
        elif new is None and not begins:
            assert old is not None
            _void(step, known.sub, key, _part(old.grant, at, spell))
    if issued:
        pay_what_is_due(step, at)


def lapse(step: Step, sub: Subscription, at: int, only_of: int | None = None) -> None:
    """End the subscription's recurring grants at `at`; those of the period that ended early alone where `only_of` is
    its nominal end."""
    for key, held in burndown.grants(step):
        lasts = held.subscription == sub.id and not held.ended and held.expires > at
        if lasts and only_of in (None, held.expires):
            burndown.save(step, key, held._replace(expires=at))


def _once(step: Step, known: Timeline, at: int, key: str, new: Issue | None, spell: Spell) -> bool:
    there = any(held.subscription == known.sub.id and held.key == key for _, held in burndown.grants(step))
    if new is None or there:
        return False
    return _issue(step, known, at, key, new, new.grant.amount, spell)


def _difference(
    step: Step, known: Timeline, at: int, key: str, old: Issue | None, new: Issue, spell: Spell
) -> bool:
    if new.grant.prorate:
        amount = _part(new.grant, at, spell) - (_part(old.grant, at, spell) if old is not None else 0)
    else:
        amount = max(new.grant.amount - (old.grant.amount if old is not None else 0), 0)
    if amount < 0:
        _void(step, known.sub, key, -amount)
    return amount > 0 and _issue(step, known, at, key, new, amount, spell)


def _part(grant: RecurringGrant, at: int, spell: Spell) -> int:
    return part(grant.amount, at, spell.nominal, spell.start, spell.nominal)


def _issue(step: Step, known: Timeline, at: int, key: str, new: Issue, amount: int, spell: Spell) -> bool:
    grant = new.grant
    order = (step.cells.get(("account", step.tenant, step.account), "grants") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "grants", order)
    name = f"{known.sub.id}:{key}:{format_time(at)}"
    high = numbers.AMOUNT_MAX
    rollover = None
    if grant.rollover is not None:
        bound = grant.rollover.max
        rollover = grant.rollover.min * _SCALE, high if bound is None else bound * _SCALE
    burndown.grant(step, name, Grant(
        amount=amount * _SCALE, unit=grant.unit, priority=grant.priority, effective=at,
        expires=_expires(step, known, new, spell, at), order=order, balance=amount * _SCALE, entries=0,
        charges=_names(grant.applies_to.get("charges")), meters=_names(grant.applies_to.get("meters")),
        rollover=rollover, rolled=spell.nominal, ahead=0, ended="",
        subscription=known.sub.id, key=key, every=new.length,
    ))  # fmt: skip
    return True


def _names(found: list[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)


def _expires(step: Step, known: Timeline, new: Issue, spell: Spell, at: int) -> int:
    grant = new.grant
    if grant.expires_duration is not None:
        return at + grant.expires_duration
    if grant.expires_periods is None:
        return NEVER
    if grant.every == ONCE and grant.expires_periods == 1:
        return spell.nominal
    end = spell.nominal
    for _ in range(grant.expires_periods - 1):
        end = length_at(step.catalog, known, end, new.length).nominal
    return end


def _void(step: Step, sub: Subscription, key: str, amount: int) -> None:
    """Take `amount` (10⁻¹²) from the grants of one key, the latest first, as far as their balances go."""
    left = amount * _SCALE
    mine = [
        (held.order, name, held)
        for name, held in burndown.grants(step)
        if held.subscription == sub.id and held.key == key and not held.ended
    ]
    for _, name, held in sorted(mine, reverse=True):
        share = min(left, held.balance)
        if share > 0:
            burndown.end(step, name, held, "void", share)
            left -= share
