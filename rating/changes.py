"""Changes of a subscription that runs: its plan or terms, its quantities, a pause, its end; now or with its period."""

from __future__ import annotations

import json

from rating import grants, numbers, waiting
from rating.errors import Refused
from rating.records import Command
from rating.recut import recut
from rating.state import NEVER, Change, Subscription, Terms
from rating.step import Step
from rating.subscriptions import (
    begin,
    checked_plan,
    chosen_plan,
    closed_early,
    end,
    next_boundary,
    pass_boundary,
    running,
)
from rating.timeline import SELECTORS, Timeline, applied, inserted, spell_at, timeline

Pauses = tuple[tuple[int, int], ...]
_ASKED = ("plan", "anchor", "overrides", *SELECTORS)


def change(step: Step, command: Command) -> None:
    """Apply `change_plan`, `cancel`, `pause`, `resume` or `set_quantity`. Raises `Refused`."""
    sub = running(step, command)
    at = max(command.time, sub.start)
    kind, fields = command.type, command.fields
    if kind == "resume" and any(each.waits for each in sub.planned):
        withdrawn = sub._replace(planned=tuple(each for each in sub.planned if not each.waits))
        _planned(step, sub, withdrawn, sub.cursor)
        sub = withdrawn
    sub = _caught_up(step, sub, at)
    known = timeline(step, sub)
    if fields.get("at", "now") == "period_end":
        at = spell_at(step.catalog, known, at).nominal
    else:
        now = max(sub.cursor, sub.start)
        if command.time < spell_at(step.catalog, known, now).start:
            raise Refused("the command's time is before the current period: give a later one")
    settled = timeline(step, sub._replace(planned=tuple(each for each in sub.planned if not each.waits)))
    made = Change(kind, at, fields.get("prorate"), _terms(step, settled, command, at), _rest(fields), True)
    if fields.get("at", "now") == "period_end":
        others = tuple(each for each in sub.planned if not each.waits)
        _planned(step, sub, sub._replace(planned=(*others, made)), at)
        return
    apply_now(step, sub, made)


def _caught_up(step: Step, sub: Subscription, at: int) -> Subscription:
    """The subscription with all booked that comes before a command's moment, which may be ahead of the clock."""
    while sub.end == NEVER and (moment := next_boundary(step, sub)) <= at:
        now, step.now = step.now, moment
        pass_boundary(step, sub, moment)
        step.now = now
        sub = step.cells.get(("sub", step.tenant, step.account), sub.id)
    if sub.end != NEVER:
        raise Refused(f"subscription {sub.id} has ended")
    return sub


def _planned(step: Step, before: Subscription, after: Subscription, at: int) -> None:
    step.save(after)
    recut(step, before, after, at)
    # What waited since it is of after an end that is withdrawn now.
    waiting.rate_waiting(step)


def _rest(fields: object) -> str:
    assert isinstance(fields, dict)
    return json.dumps(
        {name: fields[name] for name in ("fee", "quantity", "plan", "plan_version") if name in fields}
    )


def _terms(step: Step, known: Timeline, command: Command, at: int) -> Terms | None:
    """What a `change_plan` makes of the terms that hold at the moment. Raises `Refused`."""
    if command.type != "change_plan":
        return None
    fields = command.fields
    held = known.terms[known.at(at)]
    plan = step.catalog.plans[held.plan, held.version]
    if fields.get("plan"):
        plan = chosen_plan(step, fields["plan"], at, fields.get("plan_version"))
    asked = json.dumps({name: fields[name] for name in _ASKED if fields.get(name) is not None})
    named = held._replace(start=at, plan=plan.key, version=plan.version, asked=asked)
    terms = applied(step.catalog, held, named)
    checked_plan(step, known.sub, terms)
    return terms


def resolved(step: Step, sub: Subscription, change: Change) -> Terms:
    """The terms of a change that waited, with the plan's version that is in effect now that it is booked."""
    terms = change.terms
    assert terms is not None
    asked = json.loads(change.fields) if change.fields else {}
    if asked.get("plan") and not asked.get("plan_version"):
        found = step.catalog.choose(terms.plan, change.at)
        if found is not None:
            terms = terms._replace(version=found.version)
    if not change.waits:
        return terms
    return applied(step.catalog, Timeline(sub, sub.terms, NEVER).holding(change.at), terms)


def apply_now(step: Step, sub: Subscription, made: Change) -> None:
    """Book a change at its moment, between the beginnings of periods."""
    at = made.at
    if made.kind == "cancel":
        end(step, with_prorate(sub, made), at)
        return
    known = timeline(step, sub)
    old = known.terms[known.at(at)]
    after = with_change(sub, made, at)
    if sub.cursor >= sub.start:
        after = after._replace(cursor=max(sub.cursor, at))
    if made.terms is not None:
        after = _on_terms(step, after, made.terms)
        if made.terms.restarts and (old.start < at or made.terms.anchor != old.anchor):
            after = closed_early(step, known, after, old, at)
    step.save(after)
    if made.kind == "change_plan":
        recut(step, sub, after, at)
    grants.restore(step, sub, at)
    if sub.cursor >= sub.start:
        begin(step, sub, after, old, at, first=False)
    if sub.cursor > at:
        _again(step, sub, after, at)


def _again(step: Step, was: Subscription, after: Subscription, at: int) -> None:
    """Book anew what was booked for the moments after a change that comes late."""
    step.save(after._replace(cursor=at))
    passed = was._replace(cursor=at)
    while True:
        sub = step.cells.get(("sub", step.tenant, step.account), was.id)
        moments = next_boundary(step, sub), next_boundary(step, passed)
        moment = min(moments)
        if moment > was.cursor:
            break
        if moment == moments[0]:
            pass_boundary(step, sub, moment, was)
        else:
            grants.change(
                step, timeline(step, sub), moment, {}, grants.due(step, timeline(step, was), moment)
            )
        passed = passed._replace(cursor=moment)
    step.save(sub._replace(cursor=was.cursor))


def _on_terms(step: Step, sub: Subscription, new: Terms) -> Subscription:
    """The subscription on new terms from their start on. Later changes are applied to what holds before them now. What
    happened by itself is drawn anew: a trial that was left does not end, a newer version is that of the plan it is on now.
    Raises `Refused` where a later change is not possible any more."""
    kept = tuple(each for each in sub.terms if each.start <= new.start)
    earlier = sub._replace(terms=inserted(kept, new), planned=(), cursor=new.start)
    for each in sub.terms:
        if each.start > new.start and each.asked:
            earlier = _followed(step, earlier, each)
    booked = tuple(each for each in timeline(step, earlier).terms if each.start <= sub.cursor)
    earlier = sub._replace(terms=booked)
    # What a limit plans has a mark in `fields`; a trial's end has none.
    waiting = tuple(_on_top(step, earlier, each) for each in sub.planned if each.waits or each.fields)
    return earlier._replace(planned=waiting)


def _followed(step: Step, sub: Subscription, change: Terms) -> Subscription:
    """The subscription with a change after all that moves by itself before it."""
    terms = tuple(each for each in timeline(step, sub).terms if each.start < change.start)
    new = applied(step.catalog, terms[-1], change)
    checked_plan(step, sub, new)
    return sub._replace(terms=(*terms, new), cursor=new.start)


def _on_top(step: Step, sub: Subscription, change: Change) -> Change:
    """A change that waits, on what holds before it."""
    if change.terms is None:
        return change
    held = timeline(step, sub._replace(planned=())).holding(change.at - 1)
    new = applied(step.catalog, held, change.terms)
    checked_plan(step, sub, new)
    return change._replace(terms=new)


def with_prorate(sub: Subscription, made: Change) -> Subscription:
    """The subscription with what the change says of its fees."""
    if made.prorate is None:
        return sub
    others = tuple(each for each in sub.prorated if each[0] != made.at)
    return sub._replace(prorated=tuple(sorted((*others, (made.at, made.prorate)))))


def with_change(sub: Subscription, made: Change, at: int) -> Subscription:
    """The subscription paused, resumed, or with another quantity of a fee."""
    sub = with_prorate(sub, made)
    if made.kind in ("pause", "resume"):
        return sub._replace(pauses=switched(sub.pauses, at, made.kind == "pause"))
    if made.kind == "set_quantity":
        asked = json.loads(made.fields)
        others = tuple(each for each in sub.quantities if each[:2] != (at, asked["fee"]))
        new = (at, asked["fee"], numbers.quantity(asked["quantity"]))
        return sub._replace(quantities=tuple(sorted((*others, new))))
    return sub


def switched(pauses: Pauses, at: int, off: bool) -> Pauses:
    """The marks of a subscription's pauses with one more: from a moment on, until the next, it is off or on. So what comes
    late is where its time says."""
    marks = {low: low < high for low, high in pauses} | {at: off}
    moments = sorted(marks)
    ends = [*moments[1:], NEVER]
    return tuple((low, high if marks[low] else low) for low, high in zip(moments, ends, strict=True))
