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
from rating.times import DAY, format_time

_SCALE = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)
ONCE = "once"
_PERIOD_MAX = 366 * DAY
"""No change is dated back before its period."""


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


class Due(NamedTuple):
    """What a moment brings of a recurring grant, in 10⁻¹²: less than nothing where a change takes back."""

    issue: Issue
    spell: Spell
    amount: int


def due(step: Step, known: Timeline, at: int) -> dict[str, Due]:
    """What is due at a moment: whole grants where a period begins then, differences where a change is."""
    before, after = _around(step, known, at)
    found: dict[str, Due] = {}
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        some = new or old
        assert some is not None
        spell = length_at(step.catalog, known, at, some.length)
        if spell.start == at or (old and new and old.grant.every != new.grant.every):
            old = None
        if some.grant.every == ONCE:
            amount = new.grant.amount if new is not None else 0
        elif new is None:
            amount = -_part(old.grant, at, spell) if old is not None and old.grant.prorate else 0
        else:
            amount = 0 if old is not None and old.grant == new.grant else _difference(old, new, at, spell)
        if amount:
            found[key] = Due(some, spell, amount)
    return found


def _around(step: Step, known: Timeline, at: int) -> tuple[dict[str, Issue], dict[str, Issue]]:
    """What is issued just before a moment and from it on: nothing in a pause, which takes nothing back either."""
    sub, new = known.sub, known.holding(at)
    if any(low <= at < high for low, high in sub.pauses):
        return {}, {}
    after = of_plan(step.plan(sub, new))
    since = at
    for low, high in reversed(sub.pauses):
        since = low if high == since else since
    if since <= sub.start or (new.start == at and new.restarts):
        return {}, after
    before = of_plan(step.plan(sub, known.holding(since - 1)))
    if since == at:
        return before, after
    # The grant of a period that began in the pause was not issued.
    issued = {
        key: length_at(step.catalog, known, at, each.length).start < since for key, each in before.items()
    }
    return {key: each for key, each in before.items() if issued[key]}, after


def change(step: Step, known: Timeline, at: int, dues: dict[str, Due], had: dict[str, Due]) -> None:
    """Book what is due at a moment, less what was booked for it already; what was voided for it is back (`restore`)."""
    issued = False
    for key in dict.fromkeys([*had, *dues]):
        new, old = dues.get(key), had.get(key)
        some = new or old
        assert some is not None
        if old is not None and old.amount < 0:
            old = None
        if some.issue.grant.every == ONCE and _there(step, known.sub, key):
            continue
        if new and old and (new.amount < 0 or new.spell.nominal != old.spell.nominal):
            _void(step, known.sub, key, old.amount, at)
            old = None
        amount = (new.amount if new else 0) - (old.amount if old else 0)
        if amount > 0:
            _issue(step, known, at, key, some, amount)
            issued = True
        elif amount < 0:
            taken = _void(step, known.sub, key, -amount, at)
            if new is not None and new.amount < 0:
                _note(step, known.sub, at, taken)
    if issued:
        pay_what_is_due(step, at)


def lapse(step: Step, sub: Subscription, at: int, only_of: int | None = None) -> None:
    """End the subscription's recurring grants at `at`; those of the period that ended early alone where `only_of` is
    its nominal end."""
    for key, held in burndown.grants(step):
        lasts = held.subscription == sub.id and not held.ended and held.expires > at
        if lasts and only_of in (None, held.expires):
            burndown.save(step, key, held._replace(expires=at))


def _there(step: Step, sub: Subscription, key: str) -> bool:
    return any(held.subscription == sub.id and held.key == key for _, held in burndown.grants(step))


def _difference(old: Issue | None, new: Issue, at: int, spell: Spell) -> int:
    if new.grant.prorate:
        return _part(new.grant, at, spell) - (_part(old.grant, at, spell) if old is not None else 0)
    return max(new.grant.amount - (old.grant.amount if old is not None else 0), 0)


def _part(grant: RecurringGrant, at: int, spell: Spell) -> int:
    return part(grant.amount, at, spell.nominal, spell.start, spell.nominal)


def _name(sub: Subscription, key: str, at: int) -> str:
    return f"{sub.id}:{key}:{format_time(at)}"


def _issue(step: Step, known: Timeline, at: int, key: str, due: Due, amount: int) -> None:
    new, spell, _ = due
    grant, name = new.grant, _name(known.sub, key, at)
    expires = _expires(step, known, new, spell, at)
    there = step.cells.get(("grant", step.tenant, step.account), name)
    if there is not None:
        # Of several changes at one instant there is one grant.
        lasting = there._replace(expires=expires, rolled=max(there.rolled, spell.nominal), every=new.length)
        burndown.raised(step, name, lasting, amount * _SCALE)
        return
    order = (step.cells.get(("account", step.tenant, step.account), "grants") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "grants", order)
    high = numbers.AMOUNT_MAX
    rollover = None
    if grant.rollover is not None:
        bound = grant.rollover.max
        rollover = grant.rollover.min * _SCALE, high if bound is None else bound * _SCALE
    burndown.grant(step, name, Grant(
        amount=amount * _SCALE, unit=grant.unit, priority=grant.priority, effective=at,
        expires=expires, order=order, balance=amount * _SCALE, entries=0,
        charges=_names(grant.applies_to.get("charges")), meters=_names(grant.applies_to.get("meters")),
        rollover=rollover, rolled=spell.nominal, ahead=0, ended="",
        subscription=known.sub.id, key=key, every=new.length, created=at,
    ))  # fmt: skip


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


def _void(step: Step, sub: Subscription, key: str, amount: int, at: int) -> list[tuple[str, int]]:
    """Take `amount` (10⁻¹²) from the grants of one key, that of the moment first, then the latest, as far as they go, and
    say what was taken of which."""
    left = amount * _SCALE
    mine = [
        (name == _name(sub, key, at), held.order, name, held)
        for name, held in burndown.grants(step)
        if held.subscription == sub.id and held.key == key and not held.ended
    ]
    taken = []
    for _, _, name, held in sorted(mine, reverse=True):
        share = min(left, held.balance)
        if share > 0:
            burndown.end(step, name, held, "void", share)
            taken.append((name, share))
            left -= share
    return taken


def _note(step: Step, sub: Subscription, at: int, taken: list[tuple[str, int]]) -> None:
    """Know what a change has voided, for one that comes late."""
    bucket = _voids(step, sub)
    for moment, _ in list(step.cells.members(bucket)):
        if int(moment) < at - _PERIOD_MAX:
            step.cells.put(bucket, moment, None)
    if taken:
        step.cells.put(bucket, str(at), (*(step.cells.get(bucket, str(at)) or ()), *taken))


def restore(step: Step, sub: Subscription, since: int) -> None:
    """Take back what changes from a moment on have voided, as far as they did: a change that comes late takes its own first,
    and the others theirs of what it leaves."""
    bucket = _voids(step, sub)
    for moment, taken in list(step.cells.members(bucket)):
        if int(moment) >= since:
            step.cells.put(bucket, moment, None)
            for name, share in taken:
                burndown.unvoid(step, name, share)


def _voids(step: Step, sub: Subscription) -> tuple[str, ...]:
    return ("voided", step.tenant, step.account, sub.id)
